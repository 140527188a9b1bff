//! The door to the control plane: calls that wait for their services to begin, questions about
//! names, and what has changed at either. Workers leave them here and go on; whoever serves takes
//! them.

use std::collections::VecDeque;
use std::sync::atomic::{
    AtomicU64, AtomicUsize, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed,
};
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::asking::Question;
use crate::http::Call;

/// What is told to whoever serves.
pub enum Notice {
    /// A request for a service.
    Call(Call),
    /// A name whose address a rule wants to know.
    Question(Question),
    /// Something has changed at the call of this number, which asked to be told; or nobody waits
    /// any more for the answer to the question of this number.
    Changed(u64),
}

/// Between the workers and whoever serves.
#[derive(Default)]
pub(crate) struct Door {
    notices: Mutex<Notices>,
    arrived: Condvar,
    /// Calls whose services have not begun.
    waiting: AtomicUsize,
    numbers: AtomicU64,
}

impl std::fmt::Debug for Door {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} waiting calls", self.waiting.load(Acquire))
    }
}

#[derive(Default)]
struct Notices {
    queue: VecDeque<Notice>,
    closed: bool,
}

impl Door {
    /// A number for a call or a question.
    pub(crate) fn number(&self) -> u64 {
        self.numbers.fetch_add(1, Relaxed)
    }

    /// Takes a place among the calls that wait. False: there are `limit` already.
    pub(crate) fn enter_line(&self, limit: usize) -> bool {
        let more = |waiting: usize| (waiting < limit).then_some(waiting + 1);
        self.waiting.fetch_update(AcqRel, Acquire, more).is_ok()
    }

    pub(crate) fn leave_line(&self) {
        self.waiting.fetch_sub(1, AcqRel);
    }

    /// Leaves something for whoever serves; nobody is told once the engine has stopped.
    pub(crate) fn notice(&self, notice: Notice) {
        let mut notices = self.notices.lock();
        if notices.closed {
            drop(notices);
            drop(notice);
            return;
        }
        notices.queue.push_back(notice);
        drop(notices);
        self.arrived.notify_one();
    }

    /// What has come since the last call, waiting at most `patience` for the first. `None`: no
    /// more will come.
    pub(crate) fn take(&self, patience: Duration) -> Option<Vec<Notice>> {
        let mut notices = self.notices.lock();
        if notices.queue.is_empty() && !notices.closed {
            self.arrived.wait_for(&mut notices, patience);
        }
        if notices.queue.is_empty() && notices.closed {
            return None;
        }
        Some(notices.queue.drain(..).collect())
    }

    /// The engine has stopped.
    pub(crate) fn close(&self) {
        self.notices.lock().closed = true;
        self.arrived.notify_all();
    }
}
