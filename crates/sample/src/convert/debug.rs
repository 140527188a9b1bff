//! `debug`: tells of a value on its way, and lets it pass (manual, section 7.3.1). Of its destinations there are
//! stdout and stderr; the ring `buf0`, which is meant where none is said, is not there.

use crate::args::{ArgValue, Args, CompileEnv};
use crate::cast::cast;
use crate::context::Context;
use crate::kind::Kind::{Any, Same, Str};
use crate::registry::Converter;
use crate::value::Sample;

pub(super) const CONVERTERS: &[Converter] =
    &[Converter::new("debug", "[string,string]", Any, Same, debug).preparing(prepare)];

const PREFIX: usize = 0;
/// The descriptor, once its name was read.
const DESTINATION: usize = 1;

fn prepare(args: &mut Args, _env: &mut CompileEnv<'_>) -> Result<(), String> {
    let descriptor = match args.text(DESTINATION) {
        Some(b"stdout") => 1,
        Some(b"stderr") => 2,
        None | Some(b"buf0") => {
            return Err("there is no ring 'buf0': write stdout or stderr".into());
        }
        Some(other) => return Err(format!("no such sink '{}'", other.escape_ascii())),
    };
    args.set(DESTINATION, ArgValue::Int(descriptor));
    Ok(())
}

fn debug<'a>(sample: Sample<'a>, args: &'a Args, ctx: &'a dyn Context) -> Option<Sample<'a>> {
    let mut line = b"[debug] ".to_vec();
    line.extend_from_slice(args.text(PREFIX).unwrap_or_default());
    line.extend_from_slice(format!(": type={} <", sample.kind().name()).as_bytes());
    if let Some(Sample::Str(text)) = cast(sample.clone(), Str) {
        line.extend(text.iter().map(|byte| match byte {
            b' '..=b'~' => *byte,
            _ => b'.',
        }));
    }
    line.extend_from_slice(b">\n");
    if let Some(descriptor) = args.int(DESTINATION).and_then(|fd| i32::try_from(fd).ok()) {
        ctx.print(descriptor, &line);
    }
    Some(sample)
}
