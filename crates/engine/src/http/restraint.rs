//! How much is compressed: `maxcomprate`, `maxcompcpuusage` and `maxzlibmem` (manual, section 3.2). Where a limit is
//! reached no other body begins to be compressed, and those that have begun are compressed less.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use isthmus_proto::http::Body;
use isthmus_stats::Gauge;

use super::coder::Coder;
use crate::generation::Generation;
use crate::live::Process;
use crate::session::Session;
use crate::worker::Worker;

/// What a coder uses at the highest level, bytes, as measured: its window, chains and heads, and what waits to be
/// written.
const CODER: u64 = 322 * 1024;

/// Bytes that the coders of bodies use, those alone that began under a limit.
pub(crate) fn coder_memory(process: &Process) -> u64 {
    process.coders.get() * CODER
}

/// One of the coders that `maxzlibmem` counts.
#[derive(Debug)]
pub(super) struct Place(Arc<Gauge>);

impl Place {
    fn take(coders: &Arc<Gauge>) -> Self {
        coders.enter();
        Self(coders.clone())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Worker {
    /// Whether less is to be compressed than is; `None` where nothing limits it.
    pub(super) fn compression_strain(&self, generation: &Generation) -> Option<bool> {
        let rate = generation.rates.compression.load(Relaxed);
        let cpu = generation.global.http.compression_cpu;
        if rate == 0 && cpu >= 100 {
            return None;
        }
        let now = self.turn.now;
        let shards = self.process.shards.iter();
        let given = || -> u64 { shards.map(|s| s.compression_in.per_second(now)).sum() };
        Some((rate > 0 && given() >= rate) || self.turn.counters.load.busy_percent() > cpu)
    }

    /// Whether another body may begin to be compressed. Workers that ask at the same moment may each begin one.
    pub(super) fn may_compress(&self, generation: &Generation) -> bool {
        let most = generation.global.http.compression_memory;
        let room = most == 0 || coder_memory(&self.process) + CODER <= most;
        room && self.compression_strain(generation) != Some(true)
    }

    /// Counts a coder's memory for as long as it lives, where that is limited.
    pub(super) fn count_coder(&self, coder: &mut Coder, generation: &Generation) {
        if generation.global.http.compression_memory > 0 {
            coder.place = Some(Place::take(&self.process.coders));
        }
    }

    /// Leaves a response's body as it is, where it would be compressed but for a limit, and counts it.
    pub(super) fn restrain_compression(&self, session: &mut Session, body: Body) {
        let wanted = session.http.as_deref().is_some_and(|s| s.coded.is_some());
        if !wanted || self.may_compress(&session.frontend.generation) {
            return;
        }
        let stream = session.stream();
        stream.coded = None;
        let length = match body {
            Body::Length(length) => length,
            _ => {
                stream.filter.get_or_insert_default().bypassing = true;
                0
            }
        };
        session.count_bypassed(length);
    }

    /// Counts what compression took and gave since it was asked last.
    pub(super) fn count_coded(&self, session: &mut Session) {
        let filter = session.http.as_deref_mut().map(|stream| &mut stream.filter);
        let Some(Some(filter)) = filter else {
            return;
        };
        let taken = std::mem::take(&mut filter.coded_in) as u64;
        let given = std::mem::take(&mut filter.coded_out) as u64;
        let bypassed = std::mem::take(&mut filter.bypassed) as u64;
        if taken > 0 || given > 0 {
            self.count_compressed(taken, given);
            let (front, back) = (&session.frontend.counters, &session.backend);
            front.compression_in.add(taken);
            front.compression_out.add(given);
            if let Some(backend) = back {
                backend.counters.compression_in.add(taken);
                backend.counters.compression_out.add(given);
            }
        }
        session.count_bypassed(bypassed);
    }

    /// The same of a request's body, which counts for the process alone.
    pub(super) fn count_coded_request(&self, session: &mut Session) {
        let stream = session.http.as_deref_mut();
        if let Some(filter) = stream.and_then(|stream| stream.request_filter.as_mut()) {
            let taken = std::mem::take(&mut filter.coded_in) as u64;
            let given = std::mem::take(&mut filter.coded_out) as u64;
            self.count_compressed(taken, given);
        }
    }

    fn count_compressed(&self, taken: u64, given: u64) {
        let (counters, now) = (&self.turn.counters, self.turn.now);
        counters.compression_in.add(now, taken);
        counters.compression_out.add(now, given);
    }
}

impl Session {
    /// Counts bytes that a limit kept from being compressed.
    fn count_bypassed(&self, bytes: u64) {
        if bytes == 0 {
            return;
        }
        self.frontend.counters.compression_bypassed.add(bytes);
        if let Some(backend) = &self.backend {
            backend.counters.compression_bypassed.add(bytes);
        }
    }
}
