//! A connection that nobody made, as somebody describes it, and what is asked of a plan about it:
//! whether a condition would hold, what a format or an expression would give, which certificate
//! would be shown. What the description leaves open is `None`, and an answer that depends on it
//! says so instead of guessing.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bytestring::ByteString;
use crate::expression::{Condition, Expression};
use crate::log::FormatItem;

/// A connection at one point of its way.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Described {
    /// Index into the plan's frontends.
    pub frontend: usize,
    /// Index into the frontend's binds.
    pub bind: usize,
    /// Index into the plan's backends, once one is chosen.
    pub backend: Option<usize>,
    /// The client.
    pub src: DescribedEnd,
    /// What it connected to.
    pub dst: DescribedEnd,
    /// The source namespace; `None` is the default one.
    pub namespace: Option<String>,
    /// Whether a PROXY header was received.
    pub proxied: bool,
    /// What the rules find in the buffer.
    pub carried: Carried,
    /// The TLS that ended at the bind; `None` without.
    pub tls: Option<DescribedTls>,
    /// The request, where there is one.
    pub request: Option<DescribedRequest>,
    /// Variables that rules set, by scope and name. Others are not set.
    pub variables: Vec<(String, DescribedVariable)>,
}

/// An end of a connection. A unix socket has neither address nor port, for good.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribedEnd {
    /// The address.
    pub ip: Option<IpAddr>,
    /// The port.
    pub port: Option<u16>,
    /// Why the address is not known; empty where it is, or where there is none.
    pub ip_needs: String,
    /// Why the port is not known.
    pub port_needs: String,
}

/// What the rules find in the buffer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Carried {
    /// Nothing: they look before anything was received, or in HTTP mode, at the request.
    Nothing {},
    /// Something that the description does not tell.
    Unknown {
        /// What would tell.
        needs: String,
    },
    /// A ClientHello.
    Hello {
        /// The name in SNI.
        sni: Option<String>,
        /// The protocols in ALPN; `None` is not known.
        alpn: Option<Vec<String>>,
    },
    /// The request's head.
    Request {},
    /// These bytes, and whatever follows them.
    Bytes {
        /// The first bytes.
        bytes: ByteString,
    },
}

/// TLS that ended at a bind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribedTls {
    /// The name in SNI.
    pub sni: Option<String>,
    /// The protocol that was agreed upon, empty for none; `None` is not known.
    pub protocol: Option<String>,
    /// Whether the client is asked for a certificate.
    pub asks_certificate: bool,
}

/// A request, as far as it is described.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DescribedRequest {
    /// The method.
    pub method: Option<String>,
    /// Path and query.
    pub target: Option<String>,
    /// Major version of HTTP.
    pub version: Option<u8>,
    /// `http` or `https`, which requests of HTTP/2 say.
    pub scheme: String,
    /// Fields that it has, names in lower case, Host among them.
    pub fields: Vec<(String, ByteString)>,
    /// Names of fields that it does not have.
    pub absent: Vec<String>,
    /// Names of fields that a rule changed in a way that is not known, and which rule; `*` is all.
    pub changed: Vec<(String, String)>,
    /// Why the method is not known.
    pub method_needs: String,
    /// Why the target is not known.
    pub target_needs: String,
}

/// A variable that a rule set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DescribedVariable {
    /// To this.
    Known {
        /// The value.
        value: DescribedSample,
    },
    /// Perhaps, or to something that is not known.
    Unknown {
        /// What would tell.
        needs: String,
    },
}

/// The value of a sample.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum DescribedSample {
    /// A truth value.
    Bool {
        /// It.
        value: bool,
    },
    /// An integer.
    Int {
        /// It.
        value: i64,
    },
    /// An address.
    Ip {
        /// It.
        value: IpAddr,
    },
    /// Text.
    Str {
        /// It.
        value: ByteString,
    },
    /// Bytes.
    Bin {
        /// They.
        value: ByteString,
    },
}

/// What is asked about a described connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Question {
    /// Whether a condition holds.
    Condition {
        /// The connection.
        connection: Described,
        /// The condition.
        condition: Condition,
    },
    /// What a format writes.
    Format {
        /// The connection.
        connection: Described,
        /// The format.
        format: Vec<FormatItem>,
    },
    /// What an expression gives.
    Expression {
        /// The connection.
        connection: Described,
        /// The expression.
        expression: Expression,
    },
    /// Which certificate of a bind a client is shown.
    Certificate {
        /// Index into the plan's frontends.
        frontend: usize,
        /// Index into the frontend's binds.
        bind: usize,
        /// The name in SNI.
        sni: Option<String>,
    },
}

/// What is answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Explained {
    /// Whether the condition holds; `None` is not known.
    pub holds: Option<bool>,
    /// What each ACL of the condition says, once each.
    pub acls: Vec<(String, Option<bool>)>,
    /// What is to be known for an answer; empty where there is one.
    pub needs: Vec<String>,
    /// What the expression gives; `None` is nothing, or not known.
    pub value: Option<DescribedSample>,
    /// What the format writes; `None` is not known.
    pub text: Option<ByteString>,
    /// The certificates of which one is shown, by their files' names. The client's abilities choose
    /// among several.
    pub certificates: Vec<String>,
    /// How they were found.
    pub found: Option<Found>,
}

/// How a certificate is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// It has the name, or a wildcard that fits.
    Named,
    /// None has the name: it is the default.
    Default,
    /// It is made for the name (`generate-certificates`).
    Made,
    /// None: the handshake is refused (`strict-sni`).
    Refused,
}
