//! Converters of what verifying certificates gives.

use crate::args::Args;
use crate::context::Context;
use crate::kind::Kind::{Int, Str};
use crate::registry::Converter;
use crate::tls::error_name;
use crate::value::Sample;

pub(super) const CONVERTERS: &[Converter] = &[Converter::new(
    "x509_v_err_str",
    "",
    Int,
    Str,
    x509_v_err_str,
)];

/// The name of a number's constant; of an unknown one the number.
fn x509_v_err_str<'a>(
    sample: Sample<'a>,
    _args: &'a Args,
    _ctx: &'a dyn Context,
) -> Option<Sample<'a>> {
    let Sample::Int(error) = sample else {
        return None;
    };
    let name = error_name(error).unwrap_or_else(|| error.to_string());
    Some(Sample::owned_text(name.into_bytes()))
}
