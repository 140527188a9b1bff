//! What HTTP/2 keeps to (`tune.h2.*`).

use isthmus_plan::Global;
use isthmus_proto::http2::{Limits, Settings};

/// How long a peer that has sent its own SETTINGS may take to acknowledge ours (RFC 9113, 6.5.3),
/// milliseconds. It does so as soon as it reads them: who has not after so long never will, and
/// goes by windows and tables that are not those that we count with.
const PATIENCE: u64 = 30_000;

/// The same of a peer that may be silent for as long as `timeout` says.
pub(super) fn patience(timeout: Option<u64>) -> u64 {
    timeout.unwrap_or(PATIENCE).min(PATIENCE)
}

/// With clients (`tune.h2.fe.*`).
pub(super) fn with_clients(global: &Global) -> (Settings, Limits) {
    let h2 = &global.http.h2;
    both(global, (h2.window, h2.streams, h2.glitches))
}

/// With servers (`tune.h2.be.*`).
pub(super) fn with_servers(global: &Global) -> (Settings, Limits) {
    let h2 = &global.http.h2;
    let own = (h2.server_window, h2.server_streams, h2.server_glitches);
    both(global, own)
}

fn both(global: &Global, (window, streams, glitches): (u32, u32, u32)) -> (Settings, Limits) {
    let h2 = &global.http.h2;
    let settings = Settings {
        header_table_size: h2.header_table,
        initial_window: window,
        max_concurrent_streams: streams,
        max_frame_size: h2.frame,
        max_header_list_size: u32::try_from(global.bufsize * 4).unwrap_or(u32::MAX),
        ..Settings::default()
    };
    let limits = Limits {
        glitches,
        fields: u32::try_from(global.http.maxhdr.saturating_sub(1)).unwrap_or(u32::MAX),
        ..Limits::default()
    };
    (settings, limits)
}
