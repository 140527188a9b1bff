//! `jwt_decrypt_cert`, `jwt_decrypt_jwk` and `jwt_decrypt_secret` (manual, section 7.3.1; RFC 7516):
//! what an encrypted token holds. A token that cannot be decrypted gives an empty string, whatever is
//! wrong with it.

use std::sync::Arc;

use crate::args::{ArgValue, Args, CompileEnv};
use crate::cast::cast;
use crate::context::Context;
use crate::jose::{Found, Jose, Key, decrypt};
use crate::kind::Kind::{Bin, Str};
use crate::registry::Converter;
use crate::value::{Bytes, Sample};

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("jwt_decrypt_cert", "string", Bin, Bin, with_certificate)
        .preparing(prepare_certificate),
    Converter::new("jwt_decrypt_jwk", "string", Bin, Bin, with_jwk).preparing(prepare_jwk),
    Converter::new("jwt_decrypt_secret", "string", Bin, Bin, with_secret).preparing(prepare_secret),
];

/// Where the certificates and the algorithms of the configuration stand behind the arguments.
const JOSE: usize = 1;

/// Reads a key.
type Read = fn(&[u8]) -> Option<Key>;

/// The argument becomes a variable, or the key that it is.
fn prepare(
    args: &mut Args,
    env: &mut CompileEnv<'_>,
    read: Read,
    expected: &str,
) -> Result<(), String> {
    let text = args.text(0).unwrap_or_default();
    let value = match (read(text), env.names.variable(text)) {
        (Some(key), _) => ArgValue::Key(Arc::new(key)),
        (None, Ok(variable)) => ArgValue::Var(variable),
        (None, Err(_)) => return Err(format!("{expected}, or a variable with one, is expected")),
    };
    args.set(0, value);
    args.set(JOSE, ArgValue::Jose(env.jose.clone()));
    Ok(())
}

fn prepare_jwk(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    let expected = "a JSON Web Key of type 'oct', 'EC' or 'RSA' with its private half";
    prepare(args, env, Key::from_jwk, expected)
}

fn prepare_secret(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    prepare(args, env, Key::from_secret, "a secret in base64")
}

fn prepare_certificate(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    name_certificate(args, env, 0, JOSE)
}

/// The name of a certificate at a place becomes a variable, or is found to be one that tokens may use.
pub(super) fn name_certificate(
    args: &mut Args,
    env: &mut CompileEnv<'_>,
    at: usize,
    behind: usize,
) -> Result<(), String> {
    let name = args.text(at).unwrap_or_default();
    let certificates = env.jose.certificates.load();
    match (certificates.find(name), env.names.variable(name)) {
        (Found::Usable(_), _) => {}
        (Found::Unavailable, _) => return Err("the certificate is not for tokens: `jwt on`".into()),
        (Found::Unknown, Ok(variable)) => args.set(at, ArgValue::Var(variable)),
        (Found::Unknown, Err(_)) => return Err("there is no certificate of this name".into()),
    }
    args.set(behind, ArgValue::Jose(env.jose.clone()));
    Ok(())
}

/// The text at a place, or of the variable there.
pub(super) fn text<'a>(args: &'a Args, at: usize, ctx: &'a dyn Context) -> Option<Bytes<'a>> {
    match args.get(at) {
        ArgValue::Str(bytes) => Some(Bytes::Borrowed(bytes)),
        ArgValue::Var(name) => match cast(ctx.variable(*name)?, Str)? {
            Sample::Str(text) => Some(text),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn jose(args: &Args, at: usize) -> Option<&Jose> {
    match args.get(at) {
        ArgValue::Jose(jose) => Some(jose),
        _ => None,
    }
}

fn with_key<'a>(
    sample: Sample<'a>,
    args: &'a Args,
    ctx: &'a dyn Context,
    read: Read,
) -> Option<Sample<'a>> {
    let Sample::Bin(token) = sample else {
        return None;
    };
    let allowed = jose(args, JOSE)?.allowed;
    let found = match args.get(0) {
        ArgValue::Key(key) => decrypt(&token, key, allowed),
        _ => read(&text(args, 0, ctx)?).and_then(|key| decrypt(&token, &key, allowed)),
    };
    Some(Sample::Bin(found.unwrap_or_default().into()))
}

fn with_jwk<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    with_key(sample, args, ctx, Key::from_jwk)
}

fn with_secret<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    with_key(sample, args, ctx, Key::from_secret)
}

fn with_certificate<'a>(
    sample: Sample<'a>,
    args: &'a Args,
    ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    let Sample::Bin(token) = sample else {
        return None;
    };
    let (jose, name) = (jose(args, JOSE)?, text(args, 0, ctx)?);
    let certificates = jose.certificates.load();
    let key = match certificates.find(&name) {
        Found::Usable(certificate) => certificate.private.as_ref(),
        Found::Unavailable | Found::Unknown => None,
    };
    let found = key.and_then(|key| decrypt(&token, key, jose.allowed));
    Some(Sample::Bin(found.unwrap_or_default().into()))
}
