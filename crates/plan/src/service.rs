//! What crosses between the engine and a service that answers requests (`use-service`): the
//! request's head down to Python, the response's head back.

use serde::{Deserialize, Serialize};

use crate::bytestring::ByteString;

/// A request as a service sees it, without its body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceRequest {
    /// The service's name as the rule has it, for instance `python.hello`.
    pub service: String,
    /// The number of the plan under which the request came, as `ApplyReport` has it.
    pub generation: u64,
    /// The method.
    pub method: ByteString,
    /// The request's target, as rules left it.
    pub target: ByteString,
    /// `HTTP/1.1` or `HTTP/1.0`.
    pub version: ByteString,
    /// Fields in their order, names in lower case.
    pub fields: Vec<(ByteString, ByteString)>,
    /// The body's length, where the head says it; 0 where there is none, absent for chunks.
    pub length: Option<u64>,
    /// The client's address and port; absent for a UNIX socket.
    pub source: Option<(String, u16)>,
    /// The address and port that the client connected to.
    pub destination: Option<(String, u16)>,
    /// The client connection's source namespace, empty for the default one.
    pub src_netns: String,
    /// The frontend.
    pub frontend: String,
    /// The backend; empty where the rule stands in a frontend.
    pub backend: String,
    /// The unique id (`unique-id-format`), empty if none is configured.
    pub unique_id: ByteString,
    /// How long the service may stay silent, milliseconds; 0 is for ever.
    pub patience: u64,
}

/// The head of a service's response.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceHead {
    /// 200..=599
    pub status: u16,
    /// The reason; the usual one of the status if absent.
    pub reason: Option<ByteString>,
    /// Fields in their order, without those that belong to the connection.
    pub fields: Vec<(ByteString, ByteString)>,
}
