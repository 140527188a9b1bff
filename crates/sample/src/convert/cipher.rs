//! Converters that encrypt and decrypt with AES (manual, section 7.3.1: `aes_gcm_dec` and its kin).
//!
//! Nonces, keys, tags and additional data are base64, written in the expression or kept in a
//! variable. What does not decrypt gives nothing.

use super::base64::{STANDARD, decode, encode};
use crate::args::{ArgValue, Args, CompileEnv};
use crate::cast::cast;
use crate::cipher::{cbc_open, cbc_seal, gcm_open, gcm_seal};
use crate::context::Context;
use crate::kind::Kind::Bin;
use crate::registry::Converter;
use crate::value::{Bytes, Sample};

const CBC: &str = "integer,string,string[,string]";
const GCM: &str = "integer,string,string,string[,string]";

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("aes_cbc_dec", CBC, Bin, Bin, cbc_dec).preparing(prepare_cbc),
    Converter::new("aes_cbc_enc", CBC, Bin, Bin, cbc_enc).preparing(prepare_cbc),
    Converter::new("aes_gcm_dec", GCM, Bin, Bin, gcm_dec).preparing(prepare_gcm_dec),
    Converter::new("aes_gcm_enc", GCM, Bin, Bin, gcm_enc).preparing(prepare_gcm_enc),
];

/// The key's bits, and at each of some places a variable or base64, which becomes bytes.
fn prepare(args: &mut Args, env: &mut CompileEnv<'_>, places: &[usize]) -> Result<(), String> {
    if !matches!(args.int(0), Some(128 | 192 | 256)) {
        return Err("the key has 128, 192 or 256 bits".into());
    }
    for at in places {
        let Some(text) = args.text(*at) else {
            continue;
        };
        let value = match env.names.variable(text) {
            Ok(variable) => ArgValue::Var(variable),
            Err(_) => {
                let bytes = decode(text, STANDARD, true);
                ArgValue::Str(bytes.ok_or("a variable or base64 is expected")?.into())
            }
        };
        args.set(*at, value);
    }
    Ok(())
}

fn prepare_cbc(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    if args.text(3).is_some_and(|data| !data.is_empty()) {
        return Err("CBC authenticates no additional data".into());
    }
    prepare(args, env, &[1, 2])
}

fn prepare_gcm_dec(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    prepare(args, env, &[1, 2, 3, 4])
}

fn prepare_gcm_enc(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    prepare(args, env, &[1, 2, 3, 4])?;
    let variable = args.variable(3).is_some();
    variable
        .then_some(())
        .ok_or_else(|| "the tag is kept in a variable".into())
}

/// The bytes at a place: as written, or decoded from a variable.
fn bytes<'a>(args: &'a Args, at: usize, ctx: &'a dyn Context) -> Option<Bytes<'a>> {
    match args.get(at) {
        ArgValue::Str(bytes) => Some(Bytes::Borrowed(bytes)),
        ArgValue::Var(name) => match cast(ctx.variable(*name)?, Bin)? {
            Sample::Bin(text) => decode(&text, STANDARD, true).map(Bytes::Owned),
            _ => None,
        },
        ArgValue::Absent => Some(Bytes::default()),
        _ => None,
    }
}

/// What a message is worked on with.
struct Keys<'a> {
    nonce: Bytes<'a>,
    key: Bytes<'a>,
}

impl<'a> Keys<'a> {
    fn of(args: &'a Args, ctx: &'a dyn Context) -> Option<Self> {
        let (nonce, key) = (bytes(args, 1, ctx)?, bytes(args, 2, ctx)?);
        (i64::try_from(key.len() * 8).ok() == args.int(0)).then_some(Self { nonce, key })
    }
}

fn gcm_dec<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(message) = sample else {
        return None;
    };
    let keys = Keys::of(args, ctx)?;
    let (tag, aad) = (bytes(args, 3, ctx)?, bytes(args, 4, ctx)?);
    let opened = gcm_open(&keys.key, &keys.nonce, &aad, &message, &tag)?;
    Some(Sample::Bin(opened.into()))
}

/// Keeps the tag in a variable, in base64.
fn gcm_enc<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(message) = sample else {
        return None;
    };
    let (keys, aad) = (Keys::of(args, ctx)?, bytes(args, 4, ctx)?);
    let (sealed, tag) = gcm_seal(&keys.key, &keys.nonce, &aad, &message)?;
    let tag = Sample::owned_text(encode(&tag, STANDARD, true));
    ctx.set_variable(args.variable(3)?, Some(tag))
        .then_some(())?;
    Some(Sample::Bin(sealed.into()))
}

fn cbc_dec<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    of_cbc(sample, args, ctx, cbc_open)
}

fn cbc_enc<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    of_cbc(sample, args, ctx, cbc_seal)
}

/// What makes something of a message with a key and a nonce.
type Work = fn(key: &[u8], nonce: &[u8], message: &[u8]) -> Option<Vec<u8>>;

fn of_cbc<'a>(
    sample: Sample<'a>,
    args: &Args,
    ctx: &dyn Context,
    work: Work,
) -> Option<Sample<'a>> {
    let Sample::Bin(message) = sample else {
        return None;
    };
    let keys = Keys::of(args, ctx)?;
    work(&keys.key, &keys.nonce, &message).map(|text| Sample::Bin(text.into()))
}
