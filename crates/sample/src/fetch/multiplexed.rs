//! Fetches about the connections that carry streams, and about the streams (manual, sections 7.3.3
//! and 7.3.4): HTTP/2, where others have one stream and no anomalies.

use super::{CLIENT, SERVER, SESSION};
use crate::args::Args;
use crate::context::{Context, Side};
use crate::expression::Fetched;
use crate::facts::{Multiplexed, Number};
use crate::kind::Kind::{Int, Str};
use crate::kind::{Kind, Validity};
use crate::registry::{Fetch, Run};
use crate::value::Sample;

const fn of(name: &'static str, valid: Validity, side: Side, fact: Multiplexed) -> Fetch {
    number(name, Int, valid, Run::Number(Number::Of(side, fact)))
}

const fn number(name: &'static str, output: Kind, valid: Validity, run: Run) -> Fetch {
    Fetch::new(name, "", output, valid, run)
}

pub(super) const FETCHES: &[Fetch] = &[
    of("bc_glitches", SERVER, Side::Response, Multiplexed::Glitches),
    of(
        "bc_nb_streams",
        SERVER,
        Side::Response,
        Multiplexed::Streams,
    ),
    of(
        "bc_settings_streams_limit",
        SERVER,
        Side::Response,
        Multiplexed::MostStreams,
    ),
    of("bs.aborted", SERVER, Side::Response, Multiplexed::Aborted),
    of("bs.id", SERVER, Side::Response, Multiplexed::Id),
    of("bs.rst_code", SERVER, Side::Response, Multiplexed::Reset),
    of("fc_glitches", CLIENT, Side::Request, Multiplexed::Glitches),
    of("fc_nb_streams", CLIENT, Side::Request, Multiplexed::Streams),
    of(
        "fc_settings_streams_limit",
        SESSION,
        Side::Request,
        Multiplexed::MostStreams,
    ),
    of("fs.aborted", SESSION, Side::Request, Multiplexed::Aborted),
    number("fs.id", Str, SESSION, Run::Call(fs_id)),
    of("fs.rst_code", SESSION, Side::Request, Multiplexed::Reset),
];

/// A text, as HAProxy has it, unlike `bs.id`.
fn fs_id<'a>(_args: &'a Args, ctx: &'a dyn Context) -> Fetched<'a> {
    let id = ctx.number(Number::Of(Side::Request, Multiplexed::Id));
    Fetched::settled(id.map(|id| Sample::Str(id.to_string().into_bytes().into())))
}
