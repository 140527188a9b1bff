//! HTTP rules and settings compiled from the plan.

use std::sync::Arc;

use isthmus_plan as plan;
use isthmus_plan::http as from;
use isthmus_proto::http1::Rules;
use isthmus_sample::{Compiled, CompiledCondition, Format};

use super::awaiting::Patience;
use super::bandwidth::SetLimit;
use super::cache::Cache;
use super::compress::Compression;
use super::edit::Edit;
use super::forwarded::Forwarded;
use super::framing::framed;
use super::service::Service;
use super::spelling::Spellings;
use crate::rules::{Action, Compiler};

/// What HTTP mode adds to a frontend or a backend.
pub(crate) struct HttpSide {
    /// How its messages are read: a frontend's requests, a backend's responses.
    pub(crate) rules: Rules,
    pub(crate) request_rules: Vec<HttpRule>,
    pub(crate) response_rules: Vec<HttpRule>,
    pub(crate) after_rules: Vec<HttpRule>,
    pub(crate) errors: Vec<Reply>,
    pub(crate) forwardfor: Option<AddressHeader>,
    pub(crate) originalto: Option<AddressHeader>,
    /// `option forwarded`
    pub(crate) forwarded: Option<Forwarded>,
    pub(crate) restrict_names: from::RestrictNames,
    /// How names are written for this side's peers, where that is not in lower case.
    pub(crate) spellings: Option<Spellings>,
    pub(crate) monitor_fail: Vec<CompiledCondition>,
    pub(crate) force_persist: Vec<CompiledCondition>,
    pub(crate) ignore_persist: Vec<CompiledCondition>,
    pub(crate) compression: Option<Compression>,
}

/// A rule, ready to be evaluated.
pub(crate) struct HttpRule {
    pub(crate) action: HttpAction,
    pub(crate) condition: Option<CompiledCondition>,
    /// File and line, `a.cfg:2`.
    pub(crate) origin: Arc<str>,
}

/// What a rule does.
pub(crate) enum HttpAction {
    Common(Action),
    Edit(Edit),
    Deny(Reply),
    Return(Reply),
    Tarpit(Reply),
    Redirect(Redirect),
    Auth(Option<Vec<u8>>),
    Pause(Delay),
    /// `wait-for-body`
    AwaitBody(Patience),
    /// `wait-for-handshake`
    AwaitHandshake,
    /// `early-hint`
    Hint(Vec<u8>, Format),
    Limit(SetLimit),
    Service(Arc<Service>),
    CacheUse(Arc<Cache>),
    CacheStore(Arc<Cache>),
}

/// An answer of the proxy's own.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content: Content,
    pub(crate) content_type: Option<Vec<u8>>,
    pub(crate) headers: Vec<(Vec<u8>, Format)>,
}

/// What an answer says.
pub(crate) enum Content {
    Empty,
    Default,
    Message(Vec<u8>),
    Literal(Vec<u8>),
    Format(Format),
}

/// A redirection.
pub(crate) struct Redirect {
    pub(crate) kind: RedirectKind,
    pub(crate) value: Format,
    pub(crate) plan: from::Redirect,
}

/// What of a redirection's location its value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RedirectKind {
    Location,
    Prefix,
    Scheme,
}

/// A span of time, milliseconds.
pub(crate) enum Delay {
    Fixed(u64),
    Computed(Compiled),
}

/// An address in a header.
pub(crate) struct AddressHeader {
    pub(crate) name: Vec<u8>,
    pub(crate) except: Vec<(std::net::IpAddr, u8)>,
    pub(crate) if_none: bool,
}

impl HttpRule {
    /// Whether it ends its set.
    pub(super) fn ends(&self) -> bool {
        matches!(self.action, HttpAction::Common(Action::Accept))
    }
}

impl HttpSide {
    pub(crate) fn compile(
        from: &from::HttpProxy,
        accept_unsafe: bool,
        global: &plan::Global,
        compiler: &mut Compiler<'_>,
        origin: &str,
    ) -> Self {
        let http = &global.http;
        compiler.limits.clone_from(&from.bandwidth_limits);
        let narrow = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let response_rules = compiler.http_rules(&from.response_rules);
        let after_rules = compiler.http_rules(&from.after_response_rules);
        Self {
            rules: Rules {
                head: narrow(global.bufsize.saturating_sub(http.maxrewrite)),
                fields: narrow(http.maxhdr.saturating_sub(1)),
                overhead: narrow(global.bufsize),
                accept_unsafe,
                accept_payload_with_any_method: http.payload_any_method,
            },
            request_rules: compiler.http_rules(&from.request_rules),
            response_rules,
            after_rules,
            errors: from
                .errors
                .iter()
                .filter_map(|reply| compiler.reply(origin, reply))
                .collect(),
            forwardfor: compiler.address_header(origin, from.forwardfor.as_ref()),
            originalto: compiler.address_header(origin, from.originalto.as_ref()),
            forwarded: None,
            restrict_names: from.restrict_names,
            spellings: None,
            monitor_fail: Vec::new(),
            force_persist: Vec::new(),
            ignore_persist: Vec::new(),
            compression: from.compression.as_ref().map(Compression::compile),
        }
    }

    /// A frontend's.
    pub(crate) fn of_frontend(
        from: &plan::Frontend,
        global: &plan::Global,
        compiler: &mut Compiler<'_>,
    ) -> Option<Self> {
        let http = from.http.as_deref()?;
        let (common, unsafe_) = (&http.common, http.accept_unsafe);
        let mut side = Self::compile(common, unsafe_, global, compiler, &from.name);
        if http.adjust_case {
            side.spellings = Spellings::compile(&global.http.case_adjust);
        }
        side.monitor_fail = http
            .monitor_fail
            .iter()
            .filter_map(|condition| compiler.condition(&from.name, Some(condition)))
            .collect();
        Some(side)
    }

    /// A backend's.
    pub(crate) fn of_backend(
        from: &plan::Backend,
        global: &plan::Global,
        compiler: &mut Compiler<'_>,
    ) -> Option<Self> {
        let http = from.http.as_deref()?;
        let (common, unsafe_) = (&http.common, http.accept_unsafe);
        let mut side = Self::compile(common, unsafe_, global, compiler, &from.name);
        if http.adjust_case {
            side.spellings = Spellings::compile(&global.http.case_adjust);
        }
        let forwarded = http.forwarded.as_ref();
        side.forwarded =
            forwarded.map(|forwarded| Forwarded::compile(forwarded, &from.name, compiler));
        let mut conditions = |all: &[plan::Condition]| -> Vec<CompiledCondition> {
            let each = all.iter();
            each.filter_map(|one| compiler.condition(&from.name, Some(one)))
                .collect()
        };
        side.force_persist = conditions(&http.force_persist);
        side.ignore_persist = conditions(&http.ignore_persist);
        Some(side)
    }
}

impl Compiler<'_> {
    fn http_rules(&mut self, from: &[from::HttpRule]) -> Vec<HttpRule> {
        from.iter()
            .filter_map(|rule| {
                let action = self.http_action(&rule.origin, &rule.action)?;
                let condition = self.condition(&rule.origin, rule.condition.as_ref());
                Some(HttpRule {
                    action,
                    condition,
                    origin: rule.origin.as_str().into(),
                })
            })
            .collect()
    }

    fn http_action(&mut self, origin: &str, from: &from::HttpAction) -> Option<HttpAction> {
        use from::HttpAction as From;
        Some(match from {
            From::Common { action } => HttpAction::Common(self.action(origin, action)?),
            From::Deny { reply } => HttpAction::Deny(self.reply(origin, reply)?),
            From::Return { reply } => HttpAction::Return(self.reply(origin, reply)?),
            From::Tarpit { reply } => HttpAction::Tarpit(self.reply(origin, reply)?),
            From::Redirect { redirect } => HttpAction::Redirect(self.redirect(origin, redirect)?),
            From::Auth { realm } => {
                HttpAction::Auth(realm.as_ref().map(|realm| realm.as_bytes().to_vec()))
            }
            From::WaitForBody { time, at_least } => HttpAction::AwaitBody(Patience {
                time: Some(*time),
                at_least: *at_least,
            }),
            From::WaitForHandshake {} => HttpAction::AwaitHandshake,
            From::EarlyHint { name, value } => {
                let name = name.to_ascii_lowercase().into_bytes();
                HttpAction::Hint(name, self.format(origin, value)?)
            }
            From::Pause { delay } => HttpAction::Pause(self.delay(origin, delay)?),
            From::SetBandwidthLimit {
                limit,
                bytes,
                period,
            } => {
                let computed = [bytes.as_ref(), period.as_ref()];
                HttpAction::Limit(self.set_limit(origin, *limit, computed)?)
            }
            From::UseService { service } => HttpAction::Service(self.service(origin, *service)?),
            From::CacheUse { cache } => HttpAction::CacheUse(self.cache(origin, *cache)?),
            From::CacheStore { cache } => HttpAction::CacheStore(self.cache(origin, *cache)?),
            other => HttpAction::Edit(Edit::compile(origin, other, self)?),
        })
    }

    fn cache(&mut self, origin: &str, index: usize) -> Option<Arc<Cache>> {
        let found = self.caches.get(index).cloned();
        if found.is_none() {
            let message = format!("there is no cache {index}");
            self.errors.push((origin.to_owned(), message));
        }
        found
    }

    fn service(&mut self, origin: &str, index: usize) -> Option<Arc<Service>> {
        let found = self.services.get(index).cloned();
        if found.is_none() {
            let message = format!("there is no service {index}");
            self.errors.push((origin.to_owned(), message));
        }
        found
    }

    pub(super) fn delay(&mut self, origin: &str, from: &from::Delay) -> Option<Delay> {
        Some(match from {
            from::Delay::Fixed { time } => Delay::Fixed(*time),
            from::Delay::Computed { expression } => {
                Delay::Computed(self.expression(origin, expression)?)
            }
        })
    }

    fn reply(&mut self, origin: &str, from: &from::Reply) -> Option<Reply> {
        use from::ReplyContent as From;
        let content = match &from.content {
            From::Empty {} => Content::Empty,
            From::Default {} => Content::Default,
            From::Message { message } => Content::Message(framed(message.as_bytes())),
            From::Literal { body } => Content::Literal(body.as_bytes().to_vec()),
            From::Format { format } => Content::Format(self.format(origin, format)?),
        };
        let headers = from
            .headers
            .iter()
            .filter_map(|(name, value)| {
                Some((name.as_bytes().to_vec(), self.format(origin, value)?))
            })
            .collect();
        Some(Reply {
            status: from.status,
            content,
            content_type: from.content_type.as_ref().map(|t| t.as_bytes().to_vec()),
            headers,
        })
    }

    fn redirect(&mut self, origin: &str, from: &from::Redirect) -> Option<Redirect> {
        use from::RedirectTarget as Target;
        let (kind, value) = match &from.target {
            Target::Location { value } => (RedirectKind::Location, value),
            Target::Prefix { value } => (RedirectKind::Prefix, value),
            Target::Scheme { value } => (RedirectKind::Scheme, value),
        };
        Some(Redirect {
            kind,
            value: self.format(origin, value)?,
            plan: from.clone(),
        })
    }

    fn address_header(
        &mut self,
        origin: &str,
        from: Option<&from::AddressHeader>,
    ) -> Option<AddressHeader> {
        let from = from?;
        let mut network = |text: &String| {
            let parsed = crate::network::parse(text);
            if parsed.is_none() {
                let message = format!("'{text}' is not a network");
                self.errors.push((origin.to_owned(), message));
            }
            parsed
        };
        Some(AddressHeader {
            name: from.name.as_bytes().to_vec(),
            except: from.except.iter().filter_map(&mut network).collect(),
            if_none: from.if_none,
        })
    }
}
