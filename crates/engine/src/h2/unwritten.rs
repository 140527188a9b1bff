//! Connections whose streams wrote something: each is written once, at the end of the turn.

use std::cell::RefCell;

use crate::slab::Key;

/// Who reads and writes a connection that many share.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Driver {
    /// A session, whose client's it is.
    Session(Key),
    /// A link to a server.
    Link(Key),
}

/// Drivers that have something to do at the end of this turn of their worker.
#[derive(Debug, Default)]
pub(crate) struct Unwritten(RefCell<Vec<Driver>>);

impl Unwritten {
    pub(super) fn push(&self, driver: Driver) {
        self.0.borrow_mut().push(driver);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// All of them, no longer here.
    pub(crate) fn take(&self) -> Vec<Driver> {
        self.0.take()
    }
}
