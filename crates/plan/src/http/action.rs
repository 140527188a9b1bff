//! What `http-request`, `http-response` and `http-after-response` rules do.

use serde::{Deserialize, Serialize};

use super::{Reply, Text};
use crate::bytestring::ByteString;
use crate::expression::{Condition, Expression};
use crate::rule::Action;

/// One line of an HTTP rule set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpRule {
    /// What is done.
    pub action: HttpAction,
    /// When; always if absent.
    pub condition: Option<Condition>,
    /// `file:line`, for messages.
    pub origin: String,
}

/// What an HTTP rule does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum HttpAction {
    /// What TCP rules can do too: variables, addresses, captures, marks, `reject`, `silent-drop`;
    /// `accept` stands for `allow`.
    Common {
        /// The action.
        action: Action,
    },
    /// `add-header`
    AddHeader {
        /// The header.
        name: String,
        /// Its value.
        value: Text,
    },
    /// `set-header`
    SetHeader {
        /// The header.
        name: String,
        /// Its value.
        value: Text,
    },
    /// `del-header`
    DelHeader {
        /// What is compared with names, without regard to case.
        name: ByteString,
        /// How.
        matching: NameMatch,
    },
    /// `add-headers-bin`: names and values in one binary sample.
    AddHeadersBin {
        /// Evaluates to the list.
        list: Expression,
        /// `prefix`: how names have to begin that are added, without regard to case.
        prefix: ByteString,
    },
    /// `set-headers-bin`
    SetHeadersBin {
        /// Evaluates to the list.
        list: Expression,
        /// `prefix`: how names have to begin that are set, without regard to case.
        prefix: ByteString,
    },
    /// `del-headers-bin`: names in one binary sample.
    DelHeadersBin {
        /// Evaluates to the list.
        list: Expression,
        /// How they are compared with names; never `Reg`.
        matching: NameMatch,
    },
    /// `replace-header`: whole values.
    ReplaceHeader {
        /// The header.
        name: String,
        /// What values must match.
        regex: ByteString,
        /// The new value, in which `\1` is what a group matched.
        value: Text,
    },
    /// `replace-value`: each element of comma-separated values.
    ReplaceValue {
        /// The header.
        name: String,
        /// What elements must match.
        regex: ByteString,
        /// The new element, in which `\1` is what a group matched.
        value: Text,
    },
    /// `replace-path`, `replace-pathq`, `replace-uri`
    ReplaceTarget {
        /// Which part.
        part: TargetPart,
        /// What it must match.
        regex: ByteString,
        /// The new text, in which `\1` is what a group matched.
        value: Text,
    },
    /// `set-method`
    SetMethod {
        /// The new method.
        value: Text,
    },
    /// `set-path`, `set-pathq`, `set-query`, `set-uri`
    SetTarget {
        /// Which part.
        part: TargetPart,
        /// The new text.
        value: Text,
    },
    /// `set-status`
    SetStatus {
        /// 100..=999
        status: u16,
        /// `reason`; the usual one if absent.
        reason: Option<ByteString>,
    },
    /// `normalize-uri`
    NormalizeUri {
        /// The normalizer's name, for instance `path-merge-slashes`.
        normalizer: String,
        /// Its option: `full` of `path-strip-dotdot`, `strict` of the percent ones.
        strict: bool,
    },
    /// `redirect`
    Redirect {
        /// Where to and how.
        redirect: Redirect,
    },
    /// `return`
    Return {
        /// The answer.
        reply: Reply,
    },
    /// `deny`
    Deny {
        /// The answer.
        reply: Reply,
    },
    /// `tarpit`
    Tarpit {
        /// The answer, once `timeout tarpit` is over.
        reply: Reply,
    },
    /// `auth`
    Auth {
        /// The realm; the proxy's name if absent.
        realm: Option<ByteString>,
    },
    /// `set-map`, `add-map`, `del-map`, `add-acl`, `del-acl`
    ChangeList {
        /// Index into the plan's lists.
        list: usize,
        /// What is done.
        change: ListChange,
        /// The key or pattern.
        key: Text,
        /// The value, of `set-map` and `add-map`.
        value: Text,
    },
    /// `early-hint`: fields of one 103 answer; lines in a row are one.
    EarlyHint {
        /// The header.
        name: String,
        /// Its value.
        value: Text,
    },
    /// `disable-l7-retry`
    DisableL7Retry {},
    /// `pause`
    Pause {
        /// For how long.
        delay: Delay,
    },
    /// `set-timeout`
    SetTimeout {
        /// Which.
        which: TimeoutKind,
        /// The new one.
        delay: Delay,
    },
    /// `set-nice`
    SetNice {
        /// -1024..=1024
        nice: i32,
    },
    /// `set-priority-class` and `set-priority-offset`
    SetPriority {
        /// Whether the offset in milliseconds is meant, not the class.
        offset: bool,
        /// Evaluates to an integer.
        expression: Expression,
    },
    /// `strict-mode`
    StrictMode {
        /// Whether a change that cannot be made ends the evaluation with an error.
        on: bool,
    },
    /// `wait-for-body`
    WaitForBody {
        /// At most, milliseconds.
        time: u64,
        /// `at-least`, bytes; 0 is all.
        at_least: u64,
    },
    /// `wait-for-handshake`
    WaitForHandshake {},
    /// `use-service`
    UseService {
        /// Index into `HttpGlobal::services`.
        service: usize,
    },
    /// `set-bandwidth-limit`
    SetBandwidthLimit {
        /// Index into the proxy's bandwidth limits.
        limit: usize,
        /// `limit`, bytes; the filter's own if absent.
        bytes: Option<Expression>,
        /// `period`, milliseconds; the filter's own if absent.
        period: Option<Expression>,
    },
    /// `cache-use`
    CacheUse {
        /// Index into `HttpGlobal::caches`.
        cache: usize,
    },
    /// `cache-store`
    CacheStore {
        /// Index into `HttpGlobal::caches`.
        cache: usize,
    },
}

/// A part of a request's target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TargetPart {
    /// Up to the `?`.
    Path,
    /// The path with the query.
    Pathq,
    /// Behind the `?`.
    Query,
    /// All of it.
    Uri,
}

/// How `del-header` compares names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameMatch {
    /// The whole name.
    Str,
    /// Its beginning.
    Beg,
    /// Its end.
    End,
    /// A part of it.
    Sub,
    /// A regular expression.
    Reg,
}

/// A change of a list of patterns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ListChange {
    /// `set-map`: changes the value of a key, or adds the key.
    SetMap,
    /// `add-map`
    AddMap,
    /// `del-map`
    DelMap,
    /// `add-acl`
    AddAcl,
    /// `del-acl`
    DelAcl,
}

/// A span of time: given, or from an expression, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Delay {
    /// As configured.
    Fixed {
        /// Milliseconds.
        time: u64,
    },
    /// As computed.
    Computed {
        /// Evaluates to milliseconds.
        expression: Expression,
    },
}

/// A timeout that a rule may replace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeoutKind {
    /// `timeout client`
    Client,
    /// `timeout server`
    Server,
    /// `timeout tunnel`
    Tunnel,
    /// `timeout connect`
    Connect,
    /// `timeout queue`
    Queue,
    /// `timeout tarpit`
    Tarpit,
}

/// `redirect`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redirect {
    /// Where to.
    pub target: RedirectTarget,
    /// 301, 302, 303, 307 or 308.
    pub code: u16,
    /// `drop-query`
    pub drop_query: bool,
    /// `keep-query`
    pub keep_query: bool,
    /// `append-slash`
    pub append_slash: bool,
    /// `ignore-empty`: no redirection where the location is empty.
    pub ignore_empty: bool,
    /// `set-cookie` and `clear-cookie`: the whole value of the answer's Set-Cookie.
    pub cookie: Option<ByteString>,
}

/// Where a redirection leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RedirectTarget {
    /// The whole URL.
    Location {
        /// Makes it.
        value: Text,
    },
    /// What stands before the path.
    Prefix {
        /// Makes it.
        value: Text,
    },
    /// The scheme; host and path stay.
    Scheme {
        /// Makes it.
        value: Text,
    },
}
