//! Converters that encrypt and decrypt with AES (manual, section 7.3.1: `aes_gcm_dec` and its kin).
//!
//! Nonces, keys, tags and additional data are base64, written in the expression or kept in a
//! variable. What does not decrypt gives nothing.

use aes::cipher::block_padding::Pkcs7;
use aes::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use aes::{Aes128, Aes192, Aes256};
use aes_gcm::AesGcm;
use aes_gcm::aead::consts::U12;
use aes_gcm::aead::{Aead, KeyInit, Payload};

use super::base64::{STANDARD, decode, encode};
use crate::args::{ArgValue, Args, CompileEnv};
use crate::cast::cast;
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

/// The bytes of a tag of GCM.
const TAG: usize = 16;

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
    bits: i64,
    nonce: Bytes<'a>,
    key: Bytes<'a>,
}

impl<'a> Keys<'a> {
    fn of(args: &'a Args, ctx: &'a dyn Context) -> Option<Self> {
        let (nonce, key) = (bytes(args, 1, ctx)?, bytes(args, 2, ctx)?);
        let bits = args.int(0)?;
        (i64::try_from(key.len() * 8) == Ok(bits)).then_some(Self { bits, nonce, key })
    }

    fn gcm(&self, work: Work, message: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
        match self.bits {
            128 => gcm::<AesGcm<Aes128, U12>>(self, work, message, aad),
            192 => gcm::<AesGcm<Aes192, U12>>(self, work, message, aad),
            _ => gcm::<AesGcm<Aes256, U12>>(self, work, message, aad),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    Encrypt,
    Decrypt,
}

/// GCM with nonces of 12 bytes; the tag stands behind what is encrypted.
fn gcm<C>(keys: &Keys<'_>, work: Work, msg: &[u8], aad: &[u8]) -> Option<Vec<u8>>
where
    C: Aead<NonceSize = U12> + KeyInit,
{
    let cipher = C::new_from_slice(&keys.key).ok()?;
    let nonce: [u8; 12] = keys.nonce.as_ref().try_into().ok()?;
    let payload = Payload { msg, aad };
    match work {
        Work::Encrypt => cipher.encrypt(&nonce.into(), payload).ok(),
        Work::Decrypt => cipher.decrypt(&nonce.into(), payload).ok(),
    }
}

fn gcm_dec<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(message) = sample else {
        return None;
    };
    let (keys, tag, aad) = (
        Keys::of(args, ctx)?,
        bytes(args, 3, ctx)?,
        bytes(args, 4, ctx)?,
    );
    if tag.len() != TAG {
        return None;
    }
    let sealed = [&message[..], &tag].concat();
    keys.gcm(Work::Decrypt, &sealed, &aad)
        .map(|text| Sample::Bin(text.into()))
}

/// Keeps the tag in a variable, in base64.
fn gcm_enc<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let Sample::Bin(message) = sample else {
        return None;
    };
    let (keys, aad) = (Keys::of(args, ctx)?, bytes(args, 4, ctx)?);
    let mut sealed = keys.gcm(Work::Encrypt, &message, &aad)?;
    let tag = sealed.split_off(sealed.len().checked_sub(TAG)?);
    let tag = Sample::owned_text(encode(&tag, STANDARD, true));
    ctx.set_variable(args.variable(3)?, Some(tag))
        .then_some(())?;
    Some(Sample::Bin(sealed.into()))
}

/// CBC with PKCS #7's padding.
fn cbc<C>(keys: &Keys<'_>, work: Work, message: &[u8]) -> Option<Vec<u8>>
where
    C: aes::cipher::BlockCipher + aes::cipher::BlockEncryptMut + aes::cipher::BlockDecryptMut,
    cbc::Encryptor<C>: KeyIvInit + BlockEncryptMut,
    cbc::Decryptor<C>: KeyIvInit + BlockDecryptMut,
{
    match work {
        Work::Encrypt => {
            let cipher = cbc::Encryptor::<C>::new_from_slices(&keys.key, &keys.nonce).ok()?;
            Some(cipher.encrypt_padded_vec_mut::<Pkcs7>(message))
        }
        Work::Decrypt => {
            let cipher = cbc::Decryptor::<C>::new_from_slices(&keys.key, &keys.nonce).ok()?;
            cipher.decrypt_padded_vec_mut::<Pkcs7>(message).ok()
        }
    }
}

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
    let done = match keys.bits {
        128 => cbc::<Aes128>(&keys, work, &message),
        192 => cbc::<Aes192>(&keys, work, &message),
        _ => cbc::<Aes256>(&keys, work, &message),
    };
    done.map(|text| Sample::Bin(text.into()))
}

fn cbc_dec<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    of_cbc(sample, args, ctx, Work::Decrypt)
}

fn cbc_enc<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    of_cbc(sample, args, ctx, Work::Encrypt)
}
