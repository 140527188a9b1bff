//! `jwt_verify` and `jwt_verify_cert` (manual, section 7.3.1; RFC 7515 and 7518): whether a token's
//! signature is right.

use aws_lc_rs::signature as algorithms;
use aws_lc_rs::signature::{UnparsedPublicKey, VerificationAlgorithm};
use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha384, Sha512};

use super::base64::{URL_SAFE, decode};
use super::jwt_decrypt::{jose, name_certificate, text};
use crate::args::{ArgValue, Args, CompileEnv};
use crate::context::Context;
use crate::jose::Found;
use crate::kind::Kind::{Bin, Int};
use crate::pem::block;
use crate::registry::Converter;
use crate::value::{Bytes, Sample};

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("jwt_verify", "string,string", Bin, Int, verify).preparing(prepare),
    Converter::new("jwt_verify_cert", "string,string", Bin, Int, verify_cert)
        .preparing(prepare_cert),
];

/// Where the certificates of the configuration stand behind the arguments of `jwt_verify_cert`.
const JOSE: usize = 2;

/// What the manual has `jwt_verify` and `jwt_verify_cert` say.
mod verdict {
    pub(super) const FAILURE: i64 = 0;
    pub(super) const SUCCESS: i64 = 1;
    pub(super) const UNKNOWN_ALGORITHM: i64 = -1;
    pub(super) const UNMANAGED_ALGORITHM: i64 = -2;
    pub(super) const INVALID_TOKEN: i64 = -3;
    pub(super) const UNKNOWN_KEY: i64 = -5;
    pub(super) const UNAVAILABLE_CERTIFICATE: i64 = -7;
}

/// How a token is signed.
enum Algorithm {
    Hs256,
    Hs384,
    Hs512,
    Public(&'static dyn VerificationAlgorithm),
}

impl Algorithm {
    fn named(name: &[u8]) -> Option<Self> {
        let public: &'static dyn VerificationAlgorithm = match name {
            b"HS256" => return Some(Self::Hs256),
            b"HS384" => return Some(Self::Hs384),
            b"HS512" => return Some(Self::Hs512),
            b"RS256" => &algorithms::RSA_PKCS1_2048_8192_SHA256,
            b"RS384" => &algorithms::RSA_PKCS1_2048_8192_SHA384,
            b"RS512" => &algorithms::RSA_PKCS1_2048_8192_SHA512,
            b"PS256" => &algorithms::RSA_PSS_2048_8192_SHA256,
            b"PS384" => &algorithms::RSA_PSS_2048_8192_SHA384,
            b"PS512" => &algorithms::RSA_PSS_2048_8192_SHA512,
            b"ES256" => &algorithms::ECDSA_P256_SHA256_FIXED,
            b"ES384" => &algorithms::ECDSA_P384_SHA384_FIXED,
            b"ES512" => &algorithms::ECDSA_P521_SHA512_FIXED,
            _ => return None,
        };
        Some(Self::Public(public))
    }

    /// Whether `key` has signed a message.
    fn verifies(&self, key: &[u8], message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hs256 => authenticates::<Hmac<Sha256>>(key, message, signature),
            Self::Hs384 => authenticates::<Hmac<Sha384>>(key, message, signature),
            Self::Hs512 => authenticates::<Hmac<Sha512>>(key, message, signature),
            Self::Public(algorithm) => UnparsedPublicKey::new(*algorithm, key)
                .verify(message, signature)
                .is_ok(),
        }
    }

    fn is_public(&self) -> bool {
        matches!(self, Self::Public(_))
    }
}

fn authenticates<M: Mac + hmac::digest::KeyInit>(
    key: &[u8],
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Ok(mac) = <M as Mac>::new_from_slice(key) else {
        return false;
    };
    mac.chain_update(message).verify_slice(signature).is_ok()
}

/// The algorithm and the key become variables, or are checked: a key that is a file's is read by
/// whoever made the plan.
fn prepare(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    let mut public = None;
    if let Some(name) = args.text(0) {
        match (Algorithm::named(name), env.names.variable(name)) {
            (Some(algorithm), _) => public = Some(algorithm.is_public()),
            (None, Ok(variable)) => args.set(0, ArgValue::Var(variable)),
            (None, Err(_)) => {
                let name = String::from_utf8_lossy(name).into_owned();
                return Err(format!("unknown algorithm `{name}`"));
            }
        }
    }
    let Some(text) = args.text(1) else {
        return Ok(());
    };
    match (der(text), env.names.variable(text)) {
        (None, Ok(variable)) => args.set(1, ArgValue::Var(variable)),
        (None, Err(_)) if public == Some(true) => {
            return Err("the file holds no public key in PEM (`BEGIN PUBLIC KEY`)".into());
        }
        _ => {}
    }
    Ok(())
}

/// The public key of a PEM file, as DER.
fn der(pem: &[u8]) -> Option<Vec<u8>> {
    block(pem, "PUBLIC KEY")
}

fn verify<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(token) = sample else {
        return None;
    };
    let (name, key) = (text(args, 0, ctx)?, text(args, 1, ctx)?);
    Some(Sample::Int(judge(&token, &name, &key)))
}

fn judge(token: &[u8], name: &[u8], key: &[u8]) -> i64 {
    let Some(algorithm) = Algorithm::named(name) else {
        return verdict::UNKNOWN_ALGORITHM;
    };
    let Some((signed, signature)) = parts(token) else {
        return verdict::INVALID_TOKEN;
    };
    let key = match (algorithm.is_public(), der(key)) {
        (true, Some(key)) => Bytes::Owned(key),
        (false, None) => Bytes::Borrowed(key),
        // A public key that is taken for a secret would let anybody sign.
        (true, None) | (false, Some(_)) => return verdict::UNKNOWN_KEY,
    };
    match algorithm.verifies(&key, signed, &signature) {
        true => verdict::SUCCESS,
        false => verdict::FAILURE,
    }
}

/// What of a token is signed, and the signature.
fn parts(token: &[u8]) -> Option<(&[u8], Vec<u8>)> {
    let dots: Vec<usize> = (0..token.len())
        .filter(|at| token.get(*at) == Some(&b'.'))
        .collect();
    let [_, last] = *dots.as_slice() else {
        return None;
    };
    let (signed, behind) = token.split_at_checked(last)?;
    let signature = decode(behind.get(1..)?, URL_SAFE, false)?;
    (!signature.is_empty()).then_some((signed, signature))
}

/// The algorithm becomes a variable or is one with a public key, the certificate a variable or is known.
fn prepare_cert(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    let name = args.text(0).unwrap_or_default();
    match (Algorithm::named(name), env.names.variable(name)) {
        (Some(algorithm), _) if algorithm.is_public() => {}
        (Some(_), _) => return Err("a certificate holds no secret for HMAC".into()),
        (None, Ok(variable)) => args.set(0, ArgValue::Var(variable)),
        (None, Err(_)) => {
            let name = String::from_utf8_lossy(name).into_owned();
            return Err(format!("unknown algorithm `{name}`"));
        }
    }
    name_certificate(args, env, 1, JOSE)
}

fn verify_cert<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(token) = sample else {
        return None;
    };
    let (name, certificate) = (text(args, 0, ctx)?, text(args, 1, ctx)?);
    let certificates = jose(args, JOSE)?.certificates.load();
    let found = certificates.find(&certificate);
    Some(Sample::Int(judge_by(&token, &name, &found)))
}

fn judge_by(token: &[u8], name: &[u8], certificate: &Found<'_>) -> i64 {
    let algorithm = match Algorithm::named(name) {
        Some(algorithm) if algorithm.is_public() => algorithm,
        Some(_) => return verdict::UNMANAGED_ALGORITHM,
        None => return verdict::UNKNOWN_ALGORITHM,
    };
    let key = match certificate {
        Found::Usable(certificate) => &certificate.public,
        Found::Unavailable => return verdict::UNAVAILABLE_CERTIFICATE,
        Found::Unknown => return verdict::UNKNOWN_KEY,
    };
    match parts(token) {
        None => verdict::INVALID_TOKEN,
        Some((signed, signature)) if algorithm.verifies(key, signed, &signature) => {
            verdict::SUCCESS
        }
        Some(_) => verdict::FAILURE,
    }
}
