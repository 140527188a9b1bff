//! Tells when namespace files come and go: inotify(7) on the folders that hold them, and a look
//! once a second for those that inotify can't see (`/proc/PID/ns/net`).

use std::collections::BTreeSet;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};

use crate::Result;
use crate::poll::Waker;

/// How soon to look again after a change: `ip netns add` mounts the namespace on its file a
/// moment after it made the file.
const SETTLE: [Duration; 5] = [
    Duration::from_millis(2),
    Duration::from_millis(10),
    Duration::from_millis(30),
    Duration::from_millis(100),
    Duration::from_millis(300),
];
const PERIOD: Duration = Duration::from_secs(1);

/// Waits for changes in folders.
#[derive(Debug)]
pub struct Watcher {
    inotify: OwnedFd,
    waker: Waker,
    watched: BTreeSet<PathBuf>,
    settling: usize,
}

impl Watcher {
    /// A watcher of nothing yet.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn new() -> Result<Self> {
        Ok(Self {
            inotify: inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?,
            waker: Waker::new()?,
            watched: BTreeSet::new(),
            settling: SETTLE.len(),
        })
    }

    /// What interrupts [`Watcher::wait`] from another thread.
    #[must_use]
    pub fn waker(&self) -> &Waker {
        &self.waker
    }

    /// Watches the folder of a namespace file, or the nearest folder above that exists.
    pub fn watch_parent(&mut self, file: &Path) {
        let Some(folder) = file.ancestors().skip(1).find(|f| f.is_dir()) else {
            return;
        };
        // /proc tells inotify nothing.
        if folder.starts_with("/proc") || self.watched.contains(folder) {
            return;
        }
        let flags = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::DELETE_SELF;
        if inotify::add_watch(&self.inotify, folder, flags).is_ok() {
            self.watched.insert(folder.to_path_buf());
        }
    }

    /// Waits until something may have changed.
    pub fn wait(&mut self) {
        let pause = SETTLE.get(self.settling).copied().unwrap_or(PERIOD);
        let limit = Timespec {
            tv_sec: i64::try_from(pause.as_secs()).unwrap_or(1),
            tv_nsec: pause.subsec_nanos().into(),
        };
        let mut fds = [
            PollFd::new(&self.inotify, PollFlags::IN),
            PollFd::new(&self.waker, PollFlags::IN),
        ];
        let _ = poll(&mut fds, Some(&limit));
        self.waker.reset();
        if self.drain() {
            self.settling = 0;
        } else {
            self.settling = (self.settling + 1).min(SETTLE.len());
        }
    }

    /// Reads the events away; true if there were any.
    fn drain(&mut self) -> bool {
        let mut space = [MaybeUninit::uninit(); 4096];
        let mut reader = inotify::Reader::new(&self.inotify, &mut space);
        let mut any = false;
        let mut gone = false;
        while let Ok(event) = reader.next() {
            any = true;
            gone |= event.events().contains(inotify::ReadFlags::IGNORED);
        }
        if gone {
            self.watched.clear();
        }
        any
    }
}
