//! Network namespaces as files: identity, and entering one for good.

use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use crate::Result;

/// NSFS_MAGIC of linux/magic.h: the file system of namespace files.
const NSFS_MAGIC: u64 = 0x6e73_6673;

/// What tells one namespace from another. It is unique only while somebody holds the namespace,
/// since the kernel gives inode numbers out again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// Device of the namespace file.
    pub device: u64,
    /// Inode of the namespace file.
    pub inode: u64,
}

/// An open namespace file; it keeps the namespace alive.
#[derive(Debug)]
pub struct NamespaceFile {
    file: OwnedFd,
    identity: Identity,
}

impl NamespaceFile {
    /// Opens the file that stands for a namespace.
    ///
    /// # Errors
    /// There is no such file, or it is not (or not yet: `ip netns add` makes the file before it
    /// mounts the namespace on it) a namespace.
    pub fn open(path: &Path) -> Result<Self> {
        let file = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        #[expect(clippy::cast_sign_loss, reason = "a magic number, whatever its C type")]
        if rustix::fs::fstatfs(&file)?.f_type as u64 != NSFS_MAGIC {
            return Err(std::io::Error::new(
                std::io::ErrorKind::InvalidInput,
                "the file is not a network namespace",
            ));
        }
        let status = rustix::fs::fstat(&file)?;
        Ok(Self {
            file,
            identity: Identity {
                device: status.st_dev,
                inode: status.st_ino,
            },
        })
    }

    /// Which namespace it is.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Moves the calling thread into the namespace, for good: in a user namespace there is no
    /// way back into the host's.
    ///
    /// # Errors
    /// CAP_SYS_ADMIN is missing over the namespace or over the caller's own user namespace.
    pub fn enter(&self) -> Result<()> {
        Ok(move_into_link_name_space(
            self.file.as_fd(),
            Some(LinkNameSpaceType::Network),
        )?)
    }
}
