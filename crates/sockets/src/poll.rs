//! epoll(7), edge triggered, and a descriptor to wake it from another thread.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};

use crate::Result;

/// What a descriptor is watched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interest {
    /// What a connection brings, edge triggered, for as long as it is open.
    Incoming,
    /// As [`Interest::Incoming`], and room to write: once a write was refused, or while a
    /// connect(2) is under way.
    BothWays,
    /// A listener or waker: readable, level triggered.
    Readable,
    /// A listener that several pollers watch: one of them is woken.
    SharedListener,
}

/// What happened to a descriptor.
#[derive(Debug, Clone, Copy)]
pub struct Ready {
    /// The number given when the descriptor was added.
    pub token: u64,
    /// Bytes, a connection, or the end of the stream can be read.
    pub readable: bool,
    /// Bytes can be written, or a connect(2) has ended.
    pub writable: bool,
    /// The other side will send no more.
    pub read_closed: bool,
    /// Urgent (out-of-band) data waits.
    pub urgent: bool,
    /// An error is pending, or both directions are closed.
    pub failed: bool,
}

/// A set of watched descriptors.
pub struct Poll {
    epoll: Arc<OwnedFd>,
    events: Vec<epoll::Event>,
}

impl Poll {
    /// A set that hands out at most `batch` events at once (`tune.maxpollevents`).
    ///
    /// # Errors
    /// Out of descriptors or memory.
    pub fn new(batch: usize) -> Result<Self> {
        let epoll = Arc::new(epoll::create(epoll::CreateFlags::CLOEXEC)?);
        Ok(Self {
            epoll,
            events: Vec::with_capacity(batch.max(1)),
        })
    }

    /// Watches a descriptor until it is closed or removed.
    ///
    /// # Errors
    /// Out of memory, or the descriptor can't be watched.
    pub fn add(&self, fd: impl AsFd, token: u64, interest: Interest) -> Result<()> {
        let data = epoll::EventData::new_u64(token);
        Ok(epoll::add(&*self.epoll, fd, data, flags(interest))?)
    }

    /// Watches a descriptor for something else from now on; what is ready already is told.
    ///
    /// # Errors
    /// The descriptor is not watched.
    pub fn change(&self, fd: impl AsFd, token: u64, interest: Interest) -> Result<()> {
        let data = epoll::EventData::new_u64(token);
        Ok(epoll::modify(&*self.epoll, fd, data, flags(interest))?)
    }

    /// Watches no longer; needed only for descriptors that stay open elsewhere.
    pub fn remove(&self, fd: impl AsFd) {
        let _ = epoll::delete(&*self.epoll, fd);
    }

    /// What ends the watching of a descriptor from another thread.
    #[must_use]
    pub fn unwatcher(&self) -> Unwatcher {
        Unwatcher(self.epoll.clone())
    }

    /// Waits for events, at most `timeout` (`None`: as long as it takes).
    ///
    /// # Errors
    /// None but a defect; an interrupting signal gives no events.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<usize> {
        self.events.clear();
        let limit = timeout.map(|t| Timespec {
            tv_sec: i64::try_from(t.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: t.subsec_nanos().into(),
        });
        match epoll::wait(
            &*self.epoll,
            rustix::buffer::spare_capacity(&mut self.events),
            limit.as_ref(),
        ) {
            Ok(count) => Ok(count),
            Err(rustix::io::Errno::INTR) => Ok(0),
            Err(error) => Err(error.into()),
        }
    }

    /// The event number `index` of the last wait.
    #[must_use]
    pub fn ready(&self, index: usize) -> Option<Ready> {
        use epoll::EventFlags as Flags;
        let event = self.events.get(index)?;
        let flags = event.flags;
        Some(Ready {
            token: event.data.u64(),
            readable: flags.contains(Flags::IN),
            writable: flags.contains(Flags::OUT),
            read_closed: flags.contains(Flags::RDHUP),
            urgent: flags.contains(Flags::PRI),
            failed: flags.intersects(Flags::ERR | Flags::HUP),
        })
    }
}

fn flags(interest: Interest) -> epoll::EventFlags {
    use epoll::EventFlags as Flags;
    let incoming = Flags::IN | Flags::RDHUP | Flags::PRI | Flags::ET;
    match interest {
        Interest::Incoming => incoming,
        Interest::BothWays => incoming | Flags::OUT,
        Interest::Readable => Flags::IN,
        Interest::SharedListener => Flags::IN | Flags::EXCLUSIVE,
    }
}

/// Ends the watching of a [`Poll`]'s descriptors from another thread.
#[derive(Debug, Clone)]
pub struct Unwatcher(Arc<OwnedFd>);

impl Unwatcher {
    /// Has the set watch a descriptor no longer: it is told of nothing that happens from now on. What it has
    /// taken note of already it may still hand out.
    pub fn unwatch(&self, fd: impl AsFd) {
        // It fails only where the descriptor is not watched.
        let _ = epoll::delete(&*self.0, fd);
    }
}

/// Wakes a [`Poll`] from another thread.
#[derive(Debug)]
pub struct Waker(OwnedFd);

impl Waker {
    /// A waker that is not yet watched.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn new() -> Result<Self> {
        Ok(Self(eventfd(
            0,
            EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK,
        )?))
    }

    /// Makes the descriptor readable.
    pub fn wake(&self) {
        // It fails only when it is readable already.
        let _ = rustix::io::write(&self.0, &1u64.to_ne_bytes());
    }

    /// Makes it unreadable again.
    pub fn reset(&self) {
        let _ = rustix::io::read(&self.0, &mut [0u8; 8]);
    }
}

impl AsFd for Waker {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}
