//! Where log lines go and what stands in them.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::bytestring::ByteString;
use crate::expression::Expression;

/// One piece of a log format.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum FormatItem {
    /// Text as it stands.
    Literal {
        /// The bytes.
        text: ByteString,
    },
    /// An alias of the manual's section 8.2.6, for instance `ci`.
    Alias {
        /// The name without `%`.
        name: String,
        /// `Q`, `E`, `X`, `M` and so on, as flags given in braces.
        flags: String,
    },
    /// `%[...]`
    Expression {
        /// The sample; nothing is written (or `-`) when there is none.
        expression: Expression,
        /// `Q`, `E`, `X`, `M` and so on, as flags given in braces.
        flags: String,
    },
    /// `%{+json}[...]`: the value alone, encoded.
    Encoded {
        /// How it is written; CBOR as hexadecimal digits.
        encoding: Encoding,
        /// What the value becomes.
        r#type: ItemType,
        /// An alias or an expression.
        item: Box<FormatItem>,
    },
    /// `%{+json}o`: the named items of a whole format as one object or map.
    Record {
        /// How it is written.
        encoding: Encoding,
        /// Bytes stay bytes, and CBOR is not written as hexadecimal digits (`+bin`).
        binary: bool,
        /// The named items in their order.
        fields: Vec<Field>,
    },
}

/// How values are written where a log format asks for it (`+json`, `+cbor`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Encoding {
    /// RFC 8259.
    Json,
    /// RFC 8949.
    Cbor,
}

/// The type that an encoded value is made to have: `%(name:type)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemType {
    /// The value's own.
    Own,
    /// Text.
    Str,
    /// An integer.
    Sint,
    /// A truth value.
    Bool,
}

/// A named item of a log format that is one JSON object or one CBOR map.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The key.
    pub name: ByteString,
    /// What the value becomes.
    pub r#type: ItemType,
    /// An alias or an expression.
    pub item: FormatItem,
}

/// What a proxy logs and where.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogPolicy {
    /// Where lines go; none means that nothing is logged.
    pub targets: Vec<LogTarget>,
    /// Program name in the syslog header (`log-tag`).
    pub tag: ByteString,
    /// The line of a session.
    pub format: Vec<FormatItem>,
    /// When the line of a session is written.
    pub when: LogWhen,
    /// `log-steps`: a line at each of these moments, instead; none leaves `when`.
    pub steps: Vec<LogStep>,
    /// The line of a session that failed before it began; the built-in text when absent.
    pub error_format: Option<Vec<FormatItem>>,
    /// The structured data of RFC 5424; `-` when empty.
    pub structured_data: Vec<FormatItem>,
    /// `unique-id-format`; empty means no id.
    pub unique_id: Vec<FormatItem>,
    /// `option dontlognull`
    pub dontlognull: bool,
    /// `option dontlog-normal`
    pub dontlog_normal: bool,
    /// `option log-separate-errors`
    pub separate_errors: bool,
}

/// When the line of a session is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogWhen {
    /// At once: nothing in the format is known later (the default format).
    Accept,
    /// When the connection to the server stands (`option logasap`); in HTTP mode, when the head of
    /// the answer is there.
    Connect,
    /// When the session ends, or in HTTP mode the exchange.
    End,
}

/// A moment of a session at which a line may be written (`log-steps`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogStep {
    /// The connection is a session.
    Accept,
    /// A request's head is there (HTTP mode).
    Request,
    /// The server's connection stands, a new one or one that was there.
    Connect,
    /// The response's head is there (HTTP mode).
    Response,
    /// The session ends, or in HTTP mode the exchange.
    Close,
}

/// Whose rule wrote a line (`do-log`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogOrigin {
    /// `tcp-request connection`
    TcpReqConn,
    /// `tcp-request session`
    TcpReqSess,
    /// `tcp-request content`
    TcpReqCont,
    /// `http-request`
    HttpReq,
    /// `http-response`
    HttpRes,
    /// `http-after-response`
    HttpAfterRes,
}

/// One `log` line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogTarget {
    /// Where to.
    pub address: LogAddress,
    /// The framing.
    pub format: LogFormat,
    /// Syslog facility code, 0..=23.
    pub facility: u8,
    /// Lines less important than this are dropped (0 emerg to 7 debug).
    pub level: u8,
    /// Lines more important than this are sent at this level.
    pub min_level: u8,
    /// Bytes of a line at most.
    pub max_len: usize,
    /// Only a part of the lines is sent.
    pub sampling: Option<LogSampling>,
}

/// `sample <ranges>:<size>`: of every `size` lines, those in the ranges are sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSampling {
    /// First and last of each range, counted from 1.
    pub ranges: Vec<(u32, u32)>,
    /// The period.
    pub size: u32,
}

/// Where log lines are sent.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum LogAddress {
    /// Datagrams over UDP.
    Udp {
        /// The receiver.
        ip: IpAddr,
        /// The receiver's port.
        port: u16,
        /// Index into the plan's namespaces; `None` is the default namespace.
        namespace: Option<usize>,
    },
    /// Datagrams to a unix socket.
    Unix {
        /// The socket's path.
        path: String,
    },
    /// Lines to an open descriptor (`stdout` 1, `stderr` 2, `fd@N`).
    Fd {
        /// The descriptor's number.
        fd: i32,
    },
}

/// The framing of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// `<PRI>date host tag[pid]: message`
    Rfc3164,
    /// As [`LogFormat::Rfc3164`] without the host.
    Local,
    /// RFC 5424.
    Rfc5424,
    /// `<PRI>message`
    Priority,
    /// `<PRI>` in systemd's form and the message.
    Short,
    /// A timestamp, the priority and the message.
    Timed,
    /// ISO date and the message.
    Iso,
    /// The message alone.
    Raw,
}
