//! What a proxy logs and where it goes. Lines are written by the worker that has the session,
//! without ever waiting: a line that a target does not take now is dropped and counted.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use isthmus_plan as plan;
use isthmus_sample::Format;
use isthmus_sockets::{Datagram, open_udp, open_unix, write_line};
use isthmus_stats::{Envelope, Sampler, frame};
use parking_lot::Mutex;

use crate::generation::Generation;
use crate::namespace::Namespace;
use crate::rules::Compiler;
use crate::turn::Turn;
use crate::view::View;

/// The level of a session's line (manual 8.1: "info").
pub(crate) const INFO: u8 = 6;
/// The level of what works but is wrong.
pub(crate) const WARNING: u8 = 4;
/// The level of a session that failed, with `option log-separate-errors`.
pub(crate) const ERROR: u8 = 3;

/// What a proxy logs, compiled.
pub(crate) struct Logger {
    pub(crate) when: plan::LogWhen,
    /// `log-steps`, a bit for each.
    steps: u8,
    pub(crate) unique_id: Format,
    pub(crate) dontlognull: bool,
    pub(crate) dontlog_normal: bool,
    /// Client and date, before the built-in text of an early error.
    pub(crate) prefix: Format,
    separate_errors: bool,
    /// Whether a line tells where the server's connection came from: it is written when that
    /// connection is closed, or serves others.
    pub(crate) tells_source: bool,
    /// The same of the stream that it was, and of the connection that carried that.
    pub(crate) tells_stream: bool,
    format: Format,
    error_format: Option<Format>,
    structured_data: Format,
    tag: Vec<u8>,
    hostname: String,
    targets: Vec<Arc<Target>>,
    lines: AtomicU64,
}

impl Logger {
    pub(crate) fn compile(
        from: &plan::LogPolicy,
        global: &plan::Global,
        namespaces: &[Arc<Namespace>],
        compiler: &mut Compiler<'_>,
        origin: &str,
    ) -> Self {
        let mut format =
            |items: &[plan::FormatItem]| compiler.format(origin, items).unwrap_or_default();
        Self {
            when: from.when,
            steps: from.steps.iter().fold(0, |all, step| all | bit(*step)),
            unique_id: format(&from.unique_id),
            dontlognull: from.dontlognull,
            dontlog_normal: from.dontlog_normal,
            prefix: format(&prefix()),
            separate_errors: from.separate_errors,
            tells_source: tells(from, &SOURCE),
            tells_stream: tells(from, &STREAM),
            format: format(&from.format),
            error_format: from.error_format.as_deref().map(&mut format),
            structured_data: format(&from.structured_data),
            tag: from.tag.as_bytes().to_vec(),
            hostname: global.log_hostname.clone(),
            targets: from
                .targets
                .iter()
                .map(|t| Arc::new(Target::new(t, namespaces)))
                .collect(),
            lines: AtomicU64::new(0),
        }
    }

    /// Whether lines are written at moments of their own (`log-steps`).
    pub(crate) fn has_steps(&self) -> bool {
        self.steps != 0
    }

    /// Whether a line is written at this moment (`log-steps`).
    pub(crate) fn logs_at(&self, step: plan::LogStep) -> bool {
        self.steps & bit(step) != 0
    }

    /// Whether anybody reads what is logged.
    pub(crate) fn is_silent(&self) -> bool {
        self.targets.is_empty()
    }

    /// Lines so far (`%lc`).
    pub(crate) fn lines(&self) -> u64 {
        self.lines.load(Relaxed)
    }

    /// Writes the line of a session. `failed` says that it did not go as it should.
    pub(crate) fn session(&self, view: &View<'_>, failed: bool) {
        let usual = match failed && self.separate_errors {
            true => ERROR,
            false => INFO,
        };
        // What never became a request is an error of the connection.
        let errors = self.error_format.as_ref();
        let format = errors.filter(|_| view.lacks_request());
        self.line(view, usual, format.unwrap_or(&self.format));
    }

    /// Writes a line that a rule asks for (`do-log`), in the format of the session's own.
    pub(crate) fn by_rule(&self, view: &View<'_>) {
        self.line(view, INFO, &self.format);
    }

    fn line(&self, view: &View<'_>, usual: u8, format: &Format) {
        let level = match view.session.log_level {
            Some(None) => return,
            Some(Some(level)) => level,
            None => usual,
        };
        let mut message = Vec::with_capacity(256);
        format.render(view, &mut message);
        let mut data = Vec::new();
        self.structured_data.render(view, &mut data);
        self.write(level, &message, &data, view.turn);
    }

    /// Writes the line of a session that failed before it began: the built-in text, or what
    /// `error-log-format` says.
    pub(crate) fn early_error(&self, view: &View<'_>, built_in: impl FnOnce(&mut Vec<u8>)) {
        let mut message = Vec::with_capacity(128);
        match &self.error_format {
            Some(format) => format.render(view, &mut message),
            None => built_in(&mut message),
        }
        let level = if self.separate_errors { ERROR } else { INFO };
        self.write(level, &message, b"", view.turn);
    }

    /// Writes a line, if it says anything.
    pub(crate) fn write(&self, level: u8, message: &[u8], structured_data: &[u8], turn: &Turn) {
        if message.is_empty() && structured_data.is_empty() {
            return;
        }
        self.write_to(&self.targets, level, message, structured_data, turn);
    }

    fn write_to(
        &self,
        targets: &[Arc<Target>],
        level: u8,
        message: &[u8],
        structured_data: &[u8],
        turn: &Turn,
    ) {
        self.lines.fetch_add(1, Relaxed);
        let wall_us = turn.clock.wall_us(turn.now);
        let envelope = Envelope {
            tag: &self.tag,
            pid: std::process::id(),
            hostname: &self.hostname,
            wall_us,
            utc_offset: turn.utc_offset(i64::try_from(wall_us / 1_000_000).unwrap_or(0)),
            structured_data,
        };
        let mut line = Vec::with_capacity(message.len() + 96);
        for target in targets {
            line.clear();
            let wanted = target.sampler.as_ref().is_none_or(Sampler::take);
            let sent = wanted && frame(&target.plan, level, &envelope, message, &mut line);
            if sent && target.send(&line).is_err() {
                turn.counters.dropped_logs.add(1);
            }
        }
    }
}

/// Writes a line of the control plane's to the log targets of a proxy, or of every proxy.
///
/// # Errors
/// There is no such proxy.
pub(crate) fn announce(
    generation: &Generation,
    proxy: Option<&str>,
    level: u8,
    message: &str,
    turn: &Turn,
) -> Result<(), String> {
    let frontends = generation
        .frontends
        .iter()
        .map(|f| (&f.plan.name, &f.logger));
    let backends = generation
        .backends
        .iter()
        .map(|b| (&b.plan.name, &b.logger));
    let mut told: Vec<&plan::LogTarget> = Vec::new();
    let mut found = proxy.is_none();
    for (name, logger) in backends.chain(frontends) {
        if proxy.is_some_and(|wanted| wanted != name) {
            continue;
        }
        // Where many proxies share a target it is told once.
        let fresh: Vec<_> = logger
            .targets
            .iter()
            .filter(|t| !told.contains(&&t.plan))
            .cloned()
            .collect();
        logger.write_to(&fresh, level, message.as_bytes(), b"", turn);
        told.extend(logger.targets.iter().map(|target| &target.plan));
        found = true;
        if proxy.is_some() {
            break;
        }
    }
    if found {
        Ok(())
    } else {
        Err(format!("No such proxy '{}'.", proxy.unwrap_or_default()))
    }
}

fn bit(step: plan::LogStep) -> u8 {
    1 << step as u8
}

/// What tells where the server's connection came from.
const SOURCE: [&str; 4] = ["bi", "bp", "bc_src", "bc_src_port"];
/// What tells of the server's stream, and of its connection.
const STREAM: [&str; 7] = [
    "bc_glitches",
    "bc_http_major",
    "bc_nb_streams",
    "bc_settings_streams_limit",
    "bs.aborted",
    "bs.id",
    "bs.rst_code",
];

/// Whether any line has one of these aliases or fetches.
fn tells(policy: &plan::LogPolicy, names: &[&str]) -> bool {
    let error = policy.error_format.as_deref().unwrap_or_default();
    let formats = [&policy.format[..], &policy.structured_data[..], error];
    formats.iter().any(|items| mentions(items, names))
}

fn mentions(items: &[plan::FormatItem], names: &[&str]) -> bool {
    items.iter().any(|item| match item {
        plan::FormatItem::Literal { .. } => false,
        plan::FormatItem::Alias { name, .. } => names.contains(&name.as_str()),
        plan::FormatItem::Expression { expression, .. } => {
            names.contains(&expression.fetch.name.as_str())
        }
        plan::FormatItem::Encoded { item, .. } => mentions(std::slice::from_ref(item), names),
        plan::FormatItem::Record { fields, .. } => fields
            .iter()
            .any(|field| mentions(std::slice::from_ref(&field.item), names)),
    })
}

/// `%ci:%cp [%t] `
fn prefix() -> [plan::FormatItem; 6] {
    let alias = |name: &str| plan::FormatItem::Alias {
        name: name.into(),
        flags: String::new(),
    };
    let literal = |text: &str| plan::FormatItem::Literal { text: text.into() };
    [
        alias("ci"),
        literal(":"),
        alias("cp"),
        literal(" ["),
        alias("t"),
        literal("] "),
    ]
}

/// One `log` line and its socket, opened when first needed.
struct Target {
    plan: plan::LogTarget,
    namespace: Option<Arc<Namespace>>,
    sampler: Option<Sampler>,
    socket: Mutex<Option<Arc<Datagram>>>,
}

impl Target {
    fn new(from: &plan::LogTarget, namespaces: &[Arc<Namespace>]) -> Self {
        let namespace = match &from.address {
            plan::LogAddress::Udp {
                namespace: Some(index),
                ..
            } => namespaces.get(*index).cloned(),
            _ => None,
        };
        Self {
            plan: from.clone(),
            namespace,
            sampler: from.sampling.clone().map(Sampler::new),
            socket: Mutex::new(None),
        }
    }

    fn send(&self, line: &[u8]) -> std::io::Result<()> {
        match &self.plan.address {
            plan::LogAddress::Fd { fd } => write_line(*fd, line),
            plan::LogAddress::Unix { path } => self.open(open_unix)?.send_unix(line, path),
            plan::LogAddress::Udp { ip, port, .. } => {
                let ipv6 = ip.is_ipv6();
                let sent = self
                    .open(move || open_udp(ipv6))?
                    .send_inet(line, &SocketAddr::new(*ip, *port));
                if sent.is_err() && self.namespace.is_some() {
                    // The namespace may be another one by now: the next line opens a new socket.
                    *self.socket.lock() = None;
                }
                sent
            }
        }
    }

    fn open(
        &self,
        open: impl FnOnce() -> std::io::Result<Datagram> + Send + 'static,
    ) -> std::io::Result<Arc<Datagram>> {
        let mut socket = self.socket.lock();
        if let Some(open) = &*socket {
            return Ok(open.clone());
        }
        let fresh = Arc::new(match &self.namespace {
            None => open()?,
            Some(namespace) => namespace
                .factory()
                .ok_or_else(|| std::io::Error::other(namespace.error()))?
                .run(open)??,
        });
        *socket = Some(fresh.clone());
        Ok(fresh)
    }
}
