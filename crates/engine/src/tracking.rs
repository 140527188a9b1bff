//! Entries of stick tables that a session tracks: those tracked by rules at accept belong to the session, those
//! tracked later to its stream (manual, `track-sc0`).

use std::rc::Rc;
use std::sync::Arc;

use isthmus_plan::GpcName;
use isthmus_sample::{Compiled, Kind, Sample, table_key};
use isthmus_table::{Data, Event, Table, Tracked};

use crate::http::Stage;
use crate::session::{Phase, Session};
use crate::turn::Turn;
use crate::view::View;

/// What a session tracks, by the counters' numbers.
#[derive(Debug, Default)]
pub(crate) struct Tracking {
    /// What the streams of one connection track together.
    session: Rc<Vec<Option<Tracked>>>,
    stream: Vec<Option<Tracked>>,
}

/// `track-sc0` and the like.
#[derive(Debug)]
pub(crate) struct Track {
    pub(crate) counter: usize,
    pub(crate) key: Compiled,
    pub(crate) table: Arc<Table>,
}

/// `sc-inc-gpc`, `sc-set-gpt` and the like.
#[derive(Debug)]
pub(crate) struct Mark {
    pub(crate) counter: usize,
    pub(crate) what: Marked,
    pub(crate) value: Compiled,
}

/// Which number of a tracked entry an action changes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Marked {
    Gpc(GpcName),
    Gpt(Option<usize>),
}

impl Tracking {
    fn get(&self, counter: usize) -> Option<&Tracked> {
        let own = self.stream.get(counter).and_then(Option::as_ref);
        own.or_else(|| self.session.get(counter)?.as_ref())
    }

    fn all(&self) -> impl Iterator<Item = &Tracked> {
        self.session.iter().chain(&self.stream).flatten()
    }
}

impl Session {
    /// The entry that a counter tracks.
    pub(crate) fn tracked(&self, counter: usize) -> Option<&Tracked> {
        self.tracking.as_deref()?.get(counter)
    }

    /// What a stream over this session's connection tracks from its beginning.
    pub(crate) fn shared_tracking(&self) -> Option<Box<Tracking>> {
        let session = self.tracking.as_ref()?.session.clone();
        Some(Box::new(Tracking {
            session,
            stream: Vec::new(),
        }))
    }

    /// Counts events in every tracked entry.
    pub(crate) fn count_tracked(&self, event: Event, amount: u64, now: u64) {
        if let Some(tracking) = &self.tracking {
            for tracked in tracking.all() {
                tracked.count(event, amount, now);
            }
        }
    }

    /// Counts the bytes of a stream or session that ends.
    pub(crate) fn count_tracked_bytes(&self, now: u64) {
        if self.tracking.is_some() {
            self.count_tracked(Event::BytesIn, self.up.bytes, now);
            self.count_tracked(Event::BytesOut, self.down.bytes, now);
        }
    }

    /// Counts a server's status. Unless said otherwise 4xx is the client's fault, 5xx the server's but for 501
    /// and 505, which tell of requests that it does not know.
    pub(crate) fn count_tracked_status(&self, status: u16, now: u64) {
        if self.tracking.is_none() {
            return;
        }
        for event in self.faults(status).into_iter().flatten() {
            self.count_tracked(event, 1, now);
        }
    }

    /// Tracks the entry of a key. A counter that tracks one already goes on with it.
    pub(crate) fn track(&mut self, track: &Track, turn: &Turn) {
        if self.tracked(track.counter).is_some() {
            return;
        }
        let view = View::new(self, turn);
        let key = track.key.value(&view);
        let key = key.and_then(|sample| table_key(&track.table, sample, &view));
        let Some(tracked) = key.and_then(|key| track.table.track(&key, turn.now)) else {
            return;
        };
        tracked.count(Event::Connection, 1, turn.now);
        for event in self.missed().into_iter().flatten() {
            tracked.count(event, 1, turn.now);
        }
        let tracking = self.tracking.get_or_insert_default();
        let all = match self.counted {
            true => &mut tracking.stream,
            // Streams share it later only.
            false => match Rc::get_mut(&mut tracking.session) {
                Some(session) => session,
                None => return,
            },
        };
        if all.len() <= track.counter {
            all.resize_with(track.counter + 1, || None);
        }
        if let Some(place) = all.get_mut(track.counter) {
            *place = Some(tracked);
        }
    }

    /// Whose fault a server's status tells of: `http-err-codes` are the client's, `http-fail-codes` the
    /// server's, and a status may be in both.
    fn faults(&self, status: u16) -> [Option<Event>; 2] {
        let said = &self.frontend.generation.global.http;
        let within = |ranges: &[(u16, u16)]| {
            ranges
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&status))
        };
        [
            within(&said.error_codes).then_some(Event::Error),
            within(&said.failure_codes).then_some(Event::Failure),
        ]
    }

    /// What has been counted of this stream before an entry is tracked.
    fn missed(&self) -> [Option<Event>; 3] {
        let Some(stream) = self.http.as_deref() else {
            return [None; 3];
        };
        let counted = self.phase != Phase::Judge || stream.stage != Stage::Content;
        let [error, failure] = match stream.response.whole {
            true => self.faults(stream.server_status),
            false => [None; 2],
        };
        [counted.then_some(Event::Request), error, failure]
    }

    /// Changes a number of a tracked entry; where there is none, nothing happens.
    pub(crate) fn mark(&self, mark: &Mark, turn: &Turn) {
        let Some(tracked) = self.tracked(mark.counter) else {
            return;
        };
        let view = View::new(self, turn);
        let Some(Sample::Int(value)) = mark.value.value_as(&view, Kind::Int) else {
            return;
        };
        let (entry, layout, now) = (tracked.entry(), tracked.table().layout(), turn.now);
        // Numbers of entries have 32 bits, in HAProxy and in what it is told of them.
        let value = u64::from(value as u32);
        let gpc = match mark.what {
            Marked::Gpc(GpcName::Own { index }) => [layout.gpc(index), layout.gpc_rate(index)],
            Marked::Gpc(GpcName::Element { index }) => {
                [Data::Gpc, Data::GpcRate].map(|data| layout.cell(data, index))
            }
            Marked::Gpt(index) => {
                let cell = match index {
                    Some(index) => layout.cell(Data::Gpt, index),
                    None => layout.gpt0(),
                };
                if let Some(cell) = cell {
                    entry.set(cell, value, now);
                }
                [None; 2]
            }
        };
        for cell in gpc.into_iter().flatten() {
            entry.add(cell, value, now);
        }
        entry.touch(now);
    }

    /// Gives up what the stream tracks.
    pub(crate) fn untrack_stream(&mut self, now: u64) {
        if let Some(tracking) = &mut self.tracking {
            for tracked in tracking.stream.drain(..).flatten() {
                tracked.release(now);
            }
        }
    }

    /// Gives up whatever is tracked.
    pub(crate) fn untrack(&mut self, now: u64) {
        if let Some(tracking) = self.tracking.take() {
            for tracked in tracking.all() {
                tracked.entry().touch(now);
            }
        }
    }
}
