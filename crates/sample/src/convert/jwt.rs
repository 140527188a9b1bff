//! `jwt_header_query` and `jwt_payload_query` (manual, section 7.3.1; RFC 7519): what a token says
//! about itself. Nothing here checks a signature.

use super::base64::{URL_SAFE, decode};
use super::json::{prepare_query, query};
use crate::args::{Args, CompileEnv};
use crate::context::Context;
use crate::kind::Kind::{Any, Bin};
use crate::registry::Converter;
use crate::value::Sample;

const SIGNATURE: &str = "[string,string]";

pub(super) const CONVERTERS: &[Converter] = &[
    Converter::new("jwt_header_query", SIGNATURE, Bin, Any, header).preparing(prepare),
    Converter::new("jwt_payload_query", SIGNATURE, Bin, Any, payload).preparing(prepare),
];

fn prepare(args: &mut Args, env: &mut CompileEnv<'_>) -> Result<(), String> {
    match args.text(0) {
        None | Some(b"") => Ok(()),
        Some(_) => prepare_query(args, env),
    }
}

/// One of the parts between the dots of a token of three, decoded; with a path, what stands there.
fn part<'a>(sample: Sample<'a>, args: &'a Args, at: usize) -> Option<Sample<'a>> {
    let Sample::Bin(token) = sample else {
        return None;
    };
    let parts: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
    let part = parts.get(at).filter(|_| parts.len() == 3)?;
    let text = decode(part, URL_SAFE, false)?;
    match args.text(0).filter(|path| !path.is_empty()) {
        None => Some(Sample::owned_text(text)),
        Some(path) => query(&text, path, args.int(1) == Some(1)),
    }
}

fn header<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    part(sample, args, 0)
}

fn payload<'a>(sample: Sample<'a>, args: &'a Args, _ctx: &'a dyn Context) -> Option<Sample<'a>> {
    part(sample, args, 1)
}
