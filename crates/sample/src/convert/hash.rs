//! Converters that hash bytes (manual, section 7.3.1).

use hmac::{Hmac, Mac};
use isthmus_balance::hash as balance;
use sha2::Digest;
use xxhash_rust::{xxh3::xxh3_64_with_seed, xxh32::xxh32 as xxhash32, xxh64::xxh64 as xxhash64};

use super::base64::{STANDARD, decode};
use super::hash32;
use crate::args::{ArgValue, Args, CompileEnv};
use crate::cast::cast;
use crate::context::Context;
use crate::kind::Kind::{Bin, Int};
use crate::registry::{Convert, Converter};
use crate::value::Sample;

/// A hash with an optional integer: the avalanche's switch or the seed.
const fn hash(name: &'static str, run: Convert) -> Converter {
    Converter::new(name, "[integer]", Bin, Int, run)
}

pub(super) const CONVERTERS: &[Converter] = &[
    hash("crc32", |sample, args, _| {
        hash32(&sample, args, balance::crc32)
    }),
    hash("crc32c", |sample, args, _| {
        hash32(&sample, args, hash32::crc32c)
    }),
    Converter::new("digest", "string", Bin, Bin, digest).preparing(prepare_digest),
    hash("djb2", |sample, args, _| {
        hash32(&sample, args, balance::djb2)
    }),
    Converter::new("hmac", "string,string", Bin, Bin, hmac).preparing(prepare_hmac),
    hash("sdbm", |sample, args, _| {
        hash32(&sample, args, balance::sdbm)
    }),
    Converter::new("sha1", "", Bin, Bin, sha1),
    Converter::new("sha2", "[integer]", Bin, Bin, digest).preparing(prepare_sha2),
    hash("wt6", |sample, args, _| hash32(&sample, args, balance::wt6)),
    hash("xxh3", xxh3),
    hash("xxh32", xxh32),
    hash("xxh64", xxh64),
];

fn hash32<'a>(sample: &Sample<'a>, args: &Args, function: fn(&[u8]) -> u32) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let value = function(bytes);
    let mixed = args.int(0).unwrap_or(0) != 0;
    Some(Sample::Int(i64::from(if mixed {
        balance::avalanche(value)
    } else {
        value
    })))
}

fn xxh32<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let seed = args.int(0).unwrap_or(0) as u32;
    Some(Sample::Int(i64::from(xxhash32(&bytes, seed))))
}

fn xxh64<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let seed = args.int(0).unwrap_or(0) as u64;
    Some(Sample::Int(xxhash64(&bytes, seed) as i64))
}

fn xxh3<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let seed = args.int(0).unwrap_or(0) as u64;
    Some(Sample::Int(xxh3_64_with_seed(&bytes, seed) as i64))
}

/// The message digests, by number: 1 is MD5, others are SHA by their bits (160 is SHA-1).
fn algorithm(name: &[u8]) -> Result<i64, String> {
    let name = name.to_ascii_lowercase();
    Ok(match name.as_slice() {
        b"md5" => 1,
        b"sha1" | b"sha-1" => 160,
        b"sha224" | b"sha-224" | b"sha2-224" => 224,
        b"sha256" | b"sha-256" | b"sha2-256" => 256,
        b"sha384" | b"sha-384" | b"sha2-384" => 384,
        b"sha512" | b"sha-512" | b"sha2-512" => 512,
        _ => return Err("the algorithm is md5, sha1, sha224, sha256, sha384 or sha512".into()),
    })
}

fn prepare_digest(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let number = algorithm(args.text(0).unwrap_or_default())?;
    args.set(0, ArgValue::Int(number));
    Ok(())
}

fn prepare_sha2(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    match args.int(0) {
        None => args.set(0, ArgValue::Int(256)),
        Some(224 | 256 | 384 | 512) => {}
        Some(_) => return Err("the number of bits is 224, 256, 384 or 512".into()),
    }
    Ok(())
}

fn sha1<'a>(sample: Sample<'a>, _args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    Some(Sample::Bin(sha1::Sha1::digest(&bytes).to_vec().into()))
}

fn digest<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let digest = match args.int(0)? {
        1 => md5::Md5::digest(&bytes).to_vec(),
        160 => sha1::Sha1::digest(&bytes).to_vec(),
        224 => sha2::Sha224::digest(&bytes).to_vec(),
        256 => sha2::Sha256::digest(&bytes).to_vec(),
        384 => sha2::Sha384::digest(&bytes).to_vec(),
        512 => sha2::Sha512::digest(&bytes).to_vec(),
        _ => return None,
    };
    Some(Sample::Bin(digest.into()))
}

/// The key is a variable or base64; it becomes a variable or bytes.
fn prepare_hmac(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    prepare_digest(args, env)?;
    let Some(text) = args.text(1) else {
        return Ok(());
    };
    let key = match env.names.variable(text) {
        Ok(variable) => ArgValue::Var(variable),
        Err(_) => {
            let key = decode(text, STANDARD, true);
            ArgValue::Str(key.ok_or("the key is a variable or base64")?.into())
        }
    };
    args.set(1, key);
    Ok(())
}

fn hmac<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(bytes) = sample else {
        return None;
    };
    let variable;
    let key: &[u8] = match args.get(1) {
        ArgValue::Str(key) => key,
        ArgValue::Var(name) => {
            let Some(Sample::Bin(value)) = cast(ctx.variable(*name)?, Bin) else {
                return None;
            };
            variable = decode(&value, STANDARD, true)?;
            &variable
        }
        _ => return None,
    };
    let code = match args.int(0)? {
        1 => authenticate(Hmac::<md5::Md5>::new_from_slice(key).ok()?, &bytes),
        160 => authenticate(Hmac::<sha1::Sha1>::new_from_slice(key).ok()?, &bytes),
        224 => authenticate(Hmac::<sha2::Sha224>::new_from_slice(key).ok()?, &bytes),
        256 => authenticate(Hmac::<sha2::Sha256>::new_from_slice(key).ok()?, &bytes),
        384 => authenticate(Hmac::<sha2::Sha384>::new_from_slice(key).ok()?, &bytes),
        512 => authenticate(Hmac::<sha2::Sha512>::new_from_slice(key).ok()?, &bytes),
        _ => return None,
    };
    Some(Sample::Bin(code.into()))
}

fn authenticate(mut mac: impl Mac, bytes: &[u8]) -> Vec<u8> {
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}
