//! What the two ends of a call share: the session on its worker, and the service in the control
//! plane. Each direction holds so much and no more; whoever finds no room, or no bytes, is woken
//! when there are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::door::{Door, Notice};
use crate::mailbox::{Mailbox, Message};
use crate::slab::Key;

/// Bytes of a request's body that wait for the service.
const UPLOAD: usize = 256 * 1024;
/// Bytes of an answer that wait for the client.
const ANSWER: usize = 256 * 1024;

/// One call's shared state.
pub(crate) struct Channel {
    pub(super) number: u64,
    mailbox: Arc<Mailbox>,
    key: Key,
    door: Arc<Door>,
    state: Mutex<State>,
    changed: Condvar,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Ended {
    #[default]
    No,
    Whole,
    /// The service failed.
    Broken,
}

#[derive(Default)]
struct State {
    /// The service began: the call waits no more.
    begun: bool,
    upload: Vec<u8>,
    /// Bytes of the upload that were read.
    read: usize,
    /// All of the request's body was put in.
    uploaded: bool,
    /// The service waits for bytes of the body.
    wanted: bool,
    head: Option<Vec<u8>>,
    started: bool,
    answer: Vec<u8>,
    /// What the head promised and is still missing, where it said a length.
    left: Option<u64>,
    ended: Ended,
    /// The service said itself that it failed.
    failed: bool,
    /// What is written goes nowhere: the response has no body.
    bodiless: bool,
    /// The stream is over: nobody reads or writes on the worker's side.
    gone: bool,
    /// The worker was told, and has not looked yet.
    posted: bool,
    /// The service is told of changes by notices, and one is under way.
    watched: bool,
    noticed: bool,
}

impl State {
    fn room(&self) -> usize {
        let held = self.upload.len() - self.read;
        match held <= UPLOAD / 2 {
            true => UPLOAD - held,
            false => 0,
        }
    }
}

/// What the worker finds in place of a head.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Nothing yet.
    Nothing,
    /// A head, with its empty line.
    Head(Vec<u8>),
    /// The service failed before it gave one.
    Failure,
}

/// What the worker finds of an answer's body.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece {
    /// Bytes stand in the buffer.
    Data,
    /// None yet.
    Later,
    /// The body is whole.
    End,
    /// It will never be.
    Broken,
}

/// What reading a request's body gives.
#[derive(Debug, PartialEq, Eq)]
pub enum Body {
    /// Bytes, at least one.
    Bytes(Vec<u8>),
    /// None came in the time given.
    Later,
    /// There are no more.
    End,
}

/// Nobody waits for the answer any more: the client is gone, or the stream was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gone;

impl Channel {
    pub(super) fn new(number: u64, mailbox: Arc<Mailbox>, key: Key, door: Arc<Door>) -> Self {
        Self {
            number,
            mailbox,
            key,
            door,
            state: Mutex::default(),
            changed: Condvar::new(),
        }
    }

    /// Tells the worker that there is something to look at.
    fn tell_worker(&self, mut state: MutexGuard<'_, State>) {
        let fresh = !std::mem::replace(&mut state.posted, true);
        drop(state);
        if fresh {
            self.mailbox.post(Message::Service(self.key));
        }
    }

    /// Tells the service that something has changed.
    fn tell_service(&self, mut state: MutexGuard<'_, State>) {
        let notice = state.watched && !std::mem::replace(&mut state.noticed, true);
        drop(state);
        self.changed.notify_all();
        if notice {
            self.door.notice(Notice::Changed(self.number));
        }
    }
}

/// The worker's end.
impl Channel {
    /// How many bytes of the request's body may be put in: none before half of what was there is
    /// read, so that the two sides wake each other for more than a few bytes.
    pub(super) fn room(&self) -> usize {
        self.state.lock().room()
    }

    /// Puts bytes of the request's body in, and says whether they are the last.
    pub(super) fn put(&self, bytes: &[u8], last: bool) {
        let mut state = self.state.lock();
        if state.read > 0 {
            let read = std::mem::take(&mut state.read);
            state.upload.drain(..read);
        }
        state.upload.extend_from_slice(bytes);
        state.uploaded |= last;
        state.wanted = false;
        self.tell_service(state);
    }

    /// Whether the service waits for bytes of the request's body.
    pub(super) fn wants(&self) -> bool {
        self.state.lock().wanted
    }

    /// Whether nothing more of the request's body will be read.
    pub(super) fn is_deaf(&self) -> bool {
        self.state.lock().ended != Ended::No
    }

    /// Looks for the head.
    pub(super) fn hear(&self) -> Heard {
        let mut state = self.state.lock();
        state.posted = false;
        match (state.head.take(), state.ended) {
            // Nothing of it has gone out yet: an error is a better answer than a head alone.
            (Some(_), Ended::Broken) if state.failed && state.answer.is_empty() => Heard::Failure,
            (Some(head), _) => Heard::Head(head),
            (None, Ended::No) => Heard::Nothing,
            (None, _) => Heard::Failure,
        }
    }

    /// Says that the response has no body, whatever the service writes.
    pub(super) fn spare(&self) {
        let mut state = self.state.lock();
        state.bodiless = true;
        state.answer = Vec::new();
        self.tell_service(state);
    }

    /// Takes all that is there of the answer's body into an empty buffer.
    pub(super) fn take(&self, into: &mut Vec<u8>) -> Piece {
        let mut state = self.state.lock();
        state.posted = false;
        if state.answer.is_empty() {
            return match state.ended {
                Ended::No => Piece::Later,
                Ended::Whole => Piece::End,
                Ended::Broken => Piece::Broken,
            };
        }
        std::mem::swap(&mut state.answer, into);
        self.tell_service(state);
        Piece::Data
    }

    /// The stream is over.
    pub(super) fn leave(&self) {
        let mut state = self.state.lock();
        // A service that has said all that it promised may finish in peace.
        let said = state.started && (state.bodiless || state.left == Some(0));
        if said || state.ended != Ended::No {
            state.bodiless = true;
            state.uploaded = true;
        } else {
            state.gone = true;
        }
        state.upload = Vec::new();
        state.read = 0;
        state.answer = Vec::new();
        self.tell_service(state);
    }
}

/// The service's end.
impl Channel {
    /// The service begins. False: nobody waits for it any more.
    pub(super) fn begin(&self) -> bool {
        let mut state = self.state.lock();
        if !std::mem::replace(&mut state.begun, true) {
            self.door.leave_line();
        }
        !state.gone
    }

    /// Asks for notices of changes instead of waiting for them.
    pub(super) fn watch(&self) {
        self.state.lock().watched = true;
    }

    /// A notice was received: the next change makes another.
    pub(super) fn seen(&self) {
        self.state.lock().noticed = false;
    }

    pub(super) fn is_gone(&self) -> bool {
        self.state.lock().gone
    }

    /// Reads at most so many bytes of the request's body, waiting for the first.
    pub(super) fn read(&self, most: usize, patience: Duration) -> Result<Body, Gone> {
        let until = Instant::now() + patience;
        let mut state = self.state.lock();
        loop {
            if state.gone {
                return Err(Gone);
            }
            let there = state.upload.len() - state.read;
            if there > 0 {
                let count = there.min(most.max(1));
                let at = state.read;
                let bytes = state.upload.get(at..at + count).unwrap_or_default();
                let bytes = bytes.to_vec();
                let full = state.room() == 0;
                state.read += count;
                if full && state.room() > 0 {
                    self.tell_worker(state);
                }
                return Ok(Body::Bytes(bytes));
            }
            if state.uploaded {
                return Ok(Body::End);
            }
            if !std::mem::replace(&mut state.wanted, true) {
                self.tell_worker(state);
                state = self.state.lock();
                continue;
            }
            if self.changed.wait_until(&mut state, until).timed_out() {
                return Ok(Body::Later);
            }
        }
    }

    /// Gives the head; `left` is how many bytes it promises. False: there was one already.
    pub(super) fn start(&self, head: Vec<u8>, left: Option<u64>) -> Result<bool, Gone> {
        let mut state = self.state.lock();
        if state.gone {
            return Err(Gone);
        }
        if state.started || state.ended != Ended::No {
            return Ok(false);
        }
        state.started = true;
        state.head = Some(head);
        state.left = left;
        // The worker is told with the first bytes of the body, or the end: one packet.
        Ok(true)
    }

    /// Puts bytes of the answer's body in, as many as there is room for, waiting for some.
    pub(super) fn write(&self, bytes: &[u8], patience: Duration) -> Result<usize, Gone> {
        let until = Instant::now() + patience;
        let mut state = self.state.lock();
        loop {
            if state.gone {
                return Err(Gone);
            }
            if state.bodiless {
                return Ok(bytes.len());
            }
            let room = ANSWER.saturating_sub(state.answer.len());
            if room > 0 || bytes.is_empty() {
                let took = bytes.get(..room.min(bytes.len())).unwrap_or_default();
                state.answer.extend_from_slice(took);
                let count = took.len();
                if let Some(left) = &mut state.left {
                    *left = left.saturating_sub(count as u64);
                }
                self.tell_worker(state);
                return Ok(count);
            }
            if self.changed.wait_until(&mut state, until).timed_out() {
                return Ok(0);
            }
        }
    }

    /// How many bytes may still be written; `None` where no length was promised.
    pub(super) fn left(&self) -> Option<u64> {
        let state = self.state.lock();
        state.left.filter(|_| !state.bodiless)
    }

    /// The answer is whole, or never will be.
    pub(super) fn end(&self, whole: bool) {
        let mut state = self.state.lock();
        if state.ended != Ended::No {
            return;
        }
        state.failed = !whole;
        let kept = state.started && (state.bodiless || state.left.unwrap_or(0) == 0);
        state.ended = if whole && kept {
            Ended::Whole
        } else {
            Ended::Broken
        };
        if !std::mem::replace(&mut state.begun, true) {
            self.door.leave_line();
        }
        self.tell_worker(state);
    }
}
