//! What an expression may ask of the session in which it is evaluated. Every question has the
//! answer "nothing is known" until a context says better, so that a context knows only its layer.
//!
//! The context is shared while samples borrow from it; what an expression changes (variables, the
//! random generator) the context keeps in cells.

use std::net::SocketAddr;

use isthmus_proto::http1::View;
use isthmus_table::Tracked;

use crate::condition::Verdict;
use crate::facts::{BackendNumber, End, FrontendNumber, Number, ServerNumber, TcpInfo, Text};
use crate::tls::TlsFacts;
use crate::value::{Bytes, Sample};
use crate::variable::{Scope, VarRef};

/// A side of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// What the client sends; the client's connection.
    Request,
    /// What the server sends; the server's connection.
    Response,
}

/// What has been received and not yet forwarded.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// Whether more may still come: the side is open, the buffer has room, and the time for
    /// inspection is not over.
    pub growing: bool,
}

/// What has been received of an HTTP message's body, without its framing.
#[derive(Debug, Clone)]
pub struct Content<'a> {
    /// The bytes at hand.
    pub bytes: Bytes<'a>,
    /// How many there will be in all, as far as the head or the last chunk tells.
    pub length: Option<u64>,
    /// Whether more may still come within what may be buffered.
    pub growing: bool,
}

/// A session as expressions see it.
pub trait Context {
    /// One end of a connection; `None` also for addresses that have no port (unix sockets).
    fn endpoint(&self, _end: End) -> Option<SocketAddr> {
        None
    }

    /// The number that stands for the port where an end is a unix socket: such an end has no
    /// address, and logs call it `unix`.
    fn unix_port(&self, _end: End) -> Option<i64> {
        None
    }

    /// A number that belongs to the session, the request or the process.
    fn number(&self, _fact: Number) -> Option<i64> {
        None
    }

    /// A name or another text that belongs to the session or the process.
    fn text(&self, _fact: Text) -> Option<Bytes<'_>> {
        None
    }

    /// A number of a frontend by its index in the plan; `None` means the session's own.
    fn frontend_number(&self, _frontend: Option<usize>, _fact: FrontendNumber) -> Option<i64> {
        None
    }

    /// A number of a backend by its index in the plan; `None` means the session's own.
    fn backend_number(&self, _backend: Option<usize>, _fact: BackendNumber) -> Option<i64> {
        None
    }

    /// A number of a server by the indexes of its backend and of itself; `None` means the session's own.
    fn server_number(&self, _server: Option<(usize, usize)>, _fact: ServerNumber) -> Option<i64> {
        None
    }

    /// Finds a server by the names of its backend (the session's own if `None`) and of itself.
    fn find_server(&self, _backend: Option<&[u8]>, _server: &[u8]) -> Option<(usize, usize)> {
        None
    }

    /// Finds a frontend (`true`) or a backend by name.
    fn find_proxy(&self, _frontend: bool, _name: &[u8]) -> Option<usize> {
        None
    }

    /// What has been received from a side; `None` where there is no buffer to look at.
    fn payload(&self, _side: Side) -> Option<Payload<'_>> {
        None
    }

    /// A side's HTTP head as it stands now, with what rules have changed about it; `None` outside
    /// HTTP and before it is whole.
    fn head(&self, _side: Side) -> Option<View<'_>> {
        None
    }

    /// What is at hand of a side's HTTP body; `None` outside HTTP and once it is forwarded.
    fn content(&self, _side: Side) -> Option<Content<'_>> {
        None
    }

    /// Whether a side's HTTP head may still come: what asks for it waits then.
    fn awaits_head(&self, _side: Side) -> bool {
        false
    }

    /// The side whose rules are evaluated: which bytes `payload` means.
    fn side(&self) -> Side {
        Side::Request
    }

    /// Whether this is the last evaluation: nothing more will be known (`inspect-delay` is over,
    /// or the buffer is full or closed). `true` for rules that never wait.
    fn is_final(&self) -> bool {
        true
    }

    /// The value of the PROXY header's first TLV of a type.
    fn pp_tlv(&self, _kind: u8) -> Option<Bytes<'_>> {
        None
    }

    /// Whether a connection is under TLS; `None` where there is no connection.
    fn speaks_tls(&self, _side: Side) -> Option<bool> {
        None
    }

    /// What is known of a connection's TLS; `None` without it.
    fn tls(&self, _side: Side) -> Option<&TlsFacts> {
        None
    }

    /// Whether data of the client came before its handshake was over, which it still is not.
    fn flows_early(&self) -> bool {
        false
    }

    /// The states of layers under a stream, for those who look for faults: a sum of the manual's
    /// numbers (`fs.debug_str`), 0 for all.
    fn layers(&self, _side: Side, _wanted: i64) -> Option<String> {
        None
    }

    /// What the kernel knows about a connection (`TCP_INFO`); times in microseconds.
    fn tcp_info(&self, _side: Side, _fact: TcpInfo) -> Option<i64> {
        None
    }

    /// The value of a capture slot.
    fn capture(&self, _side: Side, _slot: usize) -> Option<Bytes<'_>> {
        None
    }

    /// Keeps a value in a capture slot of the frontend; `false` when there is none.
    fn set_capture(&self, _side: Side, _slot: usize, _value: &[u8]) -> bool {
        false
    }

    /// The value of a variable.
    fn variable(&self, _variable: VarRef) -> Option<Sample<'_>> {
        None
    }

    /// Sets (or, with `None`, forgets) a variable; `false` when the scope does not exist here.
    fn set_variable(&self, _variable: VarRef, _value: Option<Sample<'static>>) -> bool {
        false
    }

    /// Gives every variable of a scope that is set now, by its name without the scope.
    fn each_variable(&self, _scope: Scope, _visit: &mut dyn FnMut(&[u8], &Sample<'_>)) {}

    /// What an ACL of the plan says, by its index.
    fn acl(&self, _index: usize) -> Verdict {
        Verdict::Fail
    }

    /// The entry of a stick table that a counter tracks.
    fn tracked(&self, _counter: usize) -> Option<&Tracked> {
        None
    }

    /// Milliseconds of the engine's clock, by which stick tables count.
    fn now_ms(&self) -> u64 {
        0
    }

    /// The same clock as it runs while an expression is evaluated: what takes long is timed by it.
    fn running_ms(&self) -> u64 {
        self.now_ms()
    }

    /// Microseconds of wall-clock time since 1970, UTC.
    fn now_wall_us(&self) -> Option<i64> {
        None
    }

    /// Seconds to add to UTC for local time, at a moment given in seconds since 1970.
    fn utc_offset(&self, _at: i64) -> i32 {
        0
    }

    /// Writes a line to a descriptor of the process, stdout or stderr.
    fn print(&self, _descriptor: i32, _line: &[u8]) {}

    /// 64 random bits.
    fn random(&self) -> Option<u64> {
        None
    }
}

/// A context that knows nothing: for expressions made of constants alone.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nowhere;

impl Context for Nowhere {}
