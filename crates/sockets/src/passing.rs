//! Passing descriptors: inherited ones (`fd@`), and established connections over a socket pair
//! (`sockpair@`, SCM_RIGHTS).

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::Result;

/// A descriptor of our own for one that the process inherited, made non-blocking.
///
/// # Errors
/// It is not open.
pub fn inherit(fd: i32) -> Result<OwnedFd> {
    if fd < 0 {
        return Err(Errno::BADF.into());
    }
    // SAFETY: the number is used for this one call; a descriptor that is not open gives EBADF.
    let theirs = unsafe { BorrowedFd::borrow_raw(fd) };
    let ours = rustix::io::fcntl_dupfd_cloexec(theirs, 3)?;
    rustix::io::ioctl_fionbio(&ours, true)?;
    Ok(ours)
}

/// Sends a descriptor over a unix socket.
///
/// # Errors
/// The other side is gone, or its buffer is full.
pub fn send_descriptor(over: impl AsFd, descriptor: BorrowedFd<'_>) -> Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    let passed = [descriptor];
    control.push(SendAncillaryMessage::ScmRights(&passed));
    sendmsg(
        over,
        &[std::io::IoSlice::new(b"\0")],
        &mut control,
        SendFlags::DONTWAIT | SendFlags::NOSIGNAL,
    )?;
    Ok(())
}

/// Receives a descriptor from a unix socket; `None` if the message held none.
///
/// # Errors
/// `WouldBlock` when nothing waits, `UnexpectedEof` when the other side is gone.
pub fn receive_descriptor(over: impl AsFd) -> Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0u8; 1];
    let message = recvmsg(
        over,
        &mut [std::io::IoSliceMut::new(&mut byte)],
        &mut control,
        RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC,
    )?;
    let found = control.drain().find_map(|part| match part {
        RecvAncillaryMessage::ScmRights(mut descriptors) => descriptors.next(),
        _ => None,
    });
    match found {
        Some(descriptor) => {
            rustix::io::ioctl_fionbio(&descriptor, true)?;
            Ok(Some(descriptor))
        }
        None if message.bytes == 0 => Err(std::io::ErrorKind::UnexpectedEof.into()),
        None => Ok(None),
    }
}
