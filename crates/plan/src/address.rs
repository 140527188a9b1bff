//! Where sockets are bound and connected to.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::expression::Expression;

/// An address to listen on or to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Address {
    /// TCP over IPv4 or IPv6.
    Inet {
        /// The address; unspecified means every address of the family.
        ip: IpAddr,
        /// The port.
        port: u16,
    },
    /// A stream socket in the file system.
    Unix {
        /// Absolute path, or relative to the process's directory.
        path: String,
    },
    /// A Linux abstract socket.
    Abstract {
        /// The name, without the leading NUL.
        name: String,
        /// `abnsz@`: the address ends behind the name; `abns@`: it is padded with NULs to 108 bytes.
        zero_terminated: bool,
    },
    /// An inherited descriptor: a listening socket (bind) or an established one (server).
    Fd {
        /// The descriptor's number.
        fd: i32,
    },
    /// A half of a `socketpair(2)` over which established connections arrive or are sent.
    Sockpair {
        /// The descriptor's number.
        fd: i32,
    },
}

/// Which port of a server is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ServerPort {
    /// This port.
    Fixed {
        /// The port.
        port: u16,
    },
    /// The port that the client connected to, shifted (`+N`, `-N`, or no port at all: 0).
    Client {
        /// Added to the client's destination port, modulo 65536.
        offset: i32,
    },
}

/// Where a server is.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ServerAddress {
    /// An IP address; `None` is `*`: the client connection's destination address.
    Inet {
        /// The server's address.
        ip: Option<IpAddr>,
        /// The server's port.
        port: ServerPort,
    },
    /// Any address without a port.
    Local {
        /// Unix, abstract or descriptor.
        address: Address,
    },
    /// A host name that did not resolve at start (`init-addr none`): the server stays down.
    Unresolved {
        /// The host name.
        name: String,
        /// The server's port.
        port: ServerPort,
    },
}

/// In which namespace the connection to a server is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ServerNamespace {
    /// The one in which the process was started.
    Default,
    /// Always this one.
    Fixed {
        /// Index into the plan's namespaces.
        namespace: usize,
    },
    /// `namespace *`: the client connection's source namespace.
    Client,
}

/// Which local address a server connection is bound to before it connects (`source`).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceAddress {
    /// The local address; unspecified leaves it to the kernel.
    pub ip: IpAddr,
    /// First and last local port; 0 and 0 leave it to the kernel.
    pub ports: (u16, u16),
    /// Device to bind to (`interface`).
    pub interface: Option<String>,
    /// The foreign address to pretend (`usesrc`).
    pub usesrc: Option<ClientSource>,
}

/// The foreign address that `usesrc` binds before connecting.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum ClientSource {
    /// The client's address, any port (`clientip`).
    ClientIp,
    /// The client's address and port (`client`).
    Client,
    /// This address and port (0: any).
    Fixed {
        /// The address.
        ip: IpAddr,
        /// The port.
        port: u16,
    },
    /// What an expression says (`hdr_ip(name)`).
    Expression {
        /// Evaluates to an address.
        expression: Expression,
    },
}
