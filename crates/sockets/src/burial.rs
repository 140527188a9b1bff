//! Sockets that are to end without a word (`silent-drop`), and whose peer has not acknowledged all that it was
//! sent: its acknowledgement would meet no socket, and be answered with a reset. They are kept until it came.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use crate::Result;
use crate::options::{silence, unacknowledged};

/// Sockets that are kept at most, and that wait to be kept; those beyond end at once, so that nobody fills our
/// table of files.
const MOST: usize = 1024;
/// How long one is kept: who acknowledges nothing for so long has left, or means to hold us up.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the acknowledgements are looked for; nothing tells of them.
const LOOK: Duration = Duration::from_millis(20);

static BURIER: OnceLock<Option<SyncSender<OwnedFd>>> = OnceLock::new();

/// Makes the coming close invisible to the client (`silent-drop`), now or once it has acknowledged what it was
/// sent. Needs CAP_NET_ADMIN.
///
/// # Errors
/// The capability is missing.
pub fn vanish(fd: impl AsFd) -> Result<()> {
    silence(&fd)?;
    if unacknowledged(&fd) > 0
        && let Some(burier) = BURIER.get_or_init(start)
        && let Ok(kept) = fd.as_fd().try_clone_to_owned()
    {
        // Where there are too many, this one ends with its owner's descriptor.
        let _ = burier.try_send(kept);
    }
    Ok(())
}

fn start() -> Option<SyncSender<OwnedFd>> {
    let (sender, receiver) = sync_channel(MOST);
    let thread = std::thread::Builder::new().name("burial".into());
    thread.spawn(move || bury(&receiver)).ok()?;
    Some(sender)
}

fn bury(arriving: &Receiver<OwnedFd>) {
    let mut kept: Vec<(OwnedFd, Instant)> = Vec::new();
    let mut look = Instant::now();
    loop {
        let next = match kept.is_empty() {
            true => arriving.recv().map_err(|_| RecvTimeoutError::Disconnected),
            false => arriving.recv_timeout(LOOK),
        };
        let now = Instant::now();
        match next {
            Ok(fd) if kept.len() < MOST => kept.push((fd, now + PATIENCE)),
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        // In a flood one comes after the other: all are asked no more often for that.
        if now >= look {
            kept.retain(|(fd, until)| now < *until && unacknowledged(fd) > 0);
            look = now + LOOK;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn what_is_unacknowledged_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        assert_eq!(unacknowledged(&server), 0);
        std::io::Write::write_all(&mut server, b"hello").unwrap();
        let mut heard = [0; 5];
        client.read_exact(&mut heard).unwrap();
        // The kernel acknowledges within 40 ms, whether anybody reads or not.
        let end = Instant::now() + Duration::from_secs(10);
        while unacknowledged(&server) > 0 {
            assert!(Instant::now() < end);
            std::thread::yield_now();
        }
    }
}
