//! Everything that talks to the kernel: sockets and their options, polling, splice(2), network
//! namespaces, descriptor passing. The only crate with unsafe code; what it exports is safe.
//! It decides nothing: who may connect where is the engine's to say.

mod address;
mod burial;
mod connect;
mod datagram;
mod factory;
mod listen;
mod localtime;
mod namespace;
mod options;
mod passing;
mod poll;
mod stream;
mod watch;

pub use address::{Peer, socket_address};
pub use burial::vanish;
pub use connect::{ConnectOptions, Connecting, SourceBinding, connect, plain_socket};
pub use datagram::{Datagram, open_udp, open_unix, write_line};
pub use factory::Factory;
pub use listen::{
    Accepted, ListenOptions, ListenTarget, UnixOwner, accept, adjust, listen, local_name, peer_name,
};
pub use localtime::utc_offset;
pub use namespace::{Identity, NamespaceFile};
pub use options::{
    Keepalive, TcpInfo, abort_on_close, set_mark, set_nodelay, set_quickack, set_tos, set_ttl,
    tcp_info,
};
pub use passing::{inherit, receive_descriptor, send_descriptor};
pub use poll::{Interest, Poll, Ready, Unwatcher, Waker};
pub use rustix::io::Errno;
pub use stream::{
    Moved, Pipe, drain_pipe, fill_pipe, holds_bytes, is_silent, pending_error, receive, send,
    send_pieces, shutdown_write,
};
pub use watch::Watcher;

/// The result of a system call.
pub type Result<T> = std::io::Result<T>;
