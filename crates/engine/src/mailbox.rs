//! Messages to a worker from other threads.

use std::sync::Arc;
use std::sync::mpsc;

use isthmus_balance::Place;
use isthmus_plan::report::SessionFacts;
use isthmus_sockets::Waker;
use parking_lot::Mutex;

use crate::generation::{Backend, Generation};
use crate::server_state::ServerLive;
use crate::slab::Key;

/// What a worker is told.
pub(crate) enum Message {
    /// A plan is in force from now on.
    Generation(Arc<Generation>),
    /// Listeners of the plan in force were opened or closed.
    Listeners,
    /// A waiting session got a slot of a server, by its position; the slot is held for it.
    Granted(Key, Arc<Backend>, usize, Place),
    /// Sessions that wait for a server that is gone choose again.
    ChooseAgain(Key),
    /// Sessions that wait in a plan that is no longer in force choose again.
    ChooseAllAgain,
    /// A session's service has said something, or taken something.
    Service(Key),
    /// A session's question about a name is answered.
    Answered(Key),
    /// Sessions are ended, with this cause in their termination state.
    End(Whom, u8),
    /// Tell about every session.
    Sessions(mpsc::Sender<Vec<SessionFacts>>),
    /// Close listeners; end when the last session has, or at once.
    Stop { graceful: bool },
}

/// Which sessions are ended.
#[derive(Clone)]
pub(crate) enum Whom {
    /// The one of this number.
    Session(u64),
    /// Those of a server, whichever plan they began under.
    Server(Arc<ServerLive>),
}

/// A worker's mailbox.
pub(crate) struct Mailbox {
    /// `None` once the worker is gone.
    messages: Mutex<Option<Vec<Message>>>,
    waker: Waker,
}

impl Mailbox {
    pub(crate) fn new() -> std::io::Result<Self> {
        Ok(Self {
            messages: Mutex::new(Some(Vec::new())),
            waker: Waker::new()?,
        })
    }

    /// Leaves a message and wakes the worker. Nobody waits for an answer from one that is gone: the
    /// message is dropped, and with it the means to answer.
    pub(crate) fn post(&self, message: Message) {
        if let Some(messages) = &mut *self.messages.lock() {
            messages.push(message);
            if messages.len() == 1 {
                self.waker.wake();
            }
        }
    }

    /// Takes all messages.
    pub(crate) fn take(&self) -> Vec<Message> {
        self.waker.reset();
        let mut messages = self.messages.lock();
        messages.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Takes the last messages: the worker ends.
    pub(crate) fn close(&self) -> Vec<Message> {
        self.messages.lock().take().unwrap_or_default()
    }

    pub(crate) fn waker(&self) -> &Waker {
        &self.waker
    }
}
