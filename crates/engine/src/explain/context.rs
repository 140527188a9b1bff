//! A described connection as expressions see it.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use isthmus_plan::explain::{Described, DescribedEnd, DescribedSample, DescribedVariable};
use isthmus_plan::{ByteString, Term};
use isthmus_proto::http1::{Progress, RequestHead, Rewrite, Rules, View};
use isthmus_sample::{
    BackendNumber, Bytes, Context, End, FrontendNumber, Greeting, Names, Number, Payload, Sample,
    Scope, Side, Text, TlsFacts, VarRef, Verdict,
};

use super::{Explainer, bytes};

/// ACLs that may be asked for within ACLs (`acl()`).
const DEEPEST: usize = 16;

/// What expressions see.
pub(super) struct Seen<'s> {
    pub(super) explainer: &'s Explainer,
    pub(super) connection: &'s Described,
    payload: Option<Vec<u8>>,
    head: Option<(RequestHead, Vec<u8>)>,
    rewrite: Rewrite,
    tls: Option<TlsFacts>,
    variables: Vec<(VarRef, Sample<'static>)>,
    /// What was to be known for the answers so far.
    pub(super) needs: RefCell<Vec<String>>,
    depth: Cell<usize>,
}

impl Explainer {
    /// Does something with a connection as expressions see it.
    pub(super) fn with<T>(
        &self,
        connection: &Described,
        work: impl FnOnce(&Seen<'_>) -> T,
    ) -> Result<T, String> {
        self.filled(connection, bytes::sent(connection).bytes, work)
    }

    /// The same with other bytes in the buffer.
    pub(super) fn filled<T>(
        &self,
        connection: &Described,
        payload: Vec<u8>,
        work: impl FnOnce(&Seen<'_>) -> T,
    ) -> Result<T, String> {
        let frontend = self
            .plan
            .frontends
            .get(connection.frontend)
            .ok_or("no such frontend")?;
        if frontend.binds.get(connection.bind).is_none() {
            return Err("no such bind".to_owned());
        }
        let mut seen = Seen {
            explainer: self,
            connection,
            payload: None,
            head: None,
            rewrite: Rewrite::default(),
            tls: connection.tls.as_ref().map(|tls| TlsFacts {
                alpn: (tls.protocol.as_ref())
                    .filter(|name| !name.is_empty())
                    .map(|name| name.as_bytes().into()),
                greeting: Some(Greeting {
                    server_name: tls.sni.as_ref().map(|name| name.as_bytes().into()),
                    ..Greeting::default()
                }),
                complete: true,
                ..TlsFacts::default()
            }),
            variables: variables(connection, &mut self.names.lock()),
            needs: RefCell::default(),
            depth: Cell::new(0),
        };
        if !frontend.begins_with_http() {
            seen.payload = Some(payload);
        } else if let Some(request) = &connection.request {
            let mut text = bytes::head(request);
            let mut head = RequestHead::default();
            // Described are requests that rules get to see; another one is answered with 400.
            if let Ok(Progress::Complete(_)) = head.read(&mut text, &Rules::default()) {
                seen.head = Some((head, text));
            }
        }
        Ok(work(&seen))
    }
}

impl Seen<'_> {
    /// The term's ACL by its own tests; what is unknown waits.
    pub(super) fn term(&self, term: Term) -> Verdict {
        let says = self.acl(term.acl);
        if term.negate { says.negate() } else { says }
    }
}

fn variables(connection: &Described, names: &mut Names) -> Vec<(VarRef, Sample<'static>)> {
    let known = connection.variables.iter().filter_map(|(name, value)| {
        let DescribedVariable::Known { value } = value else {
            return None;
        };
        let variable = names.variable(name.as_bytes()).ok()?;
        Some((variable, sample(value)))
    });
    known.collect()
}

fn sample(from: &DescribedSample) -> Sample<'static> {
    let owned = |bytes: &ByteString| Cow::Owned(bytes.0.clone());
    match from {
        DescribedSample::Bool { value } => Sample::Bool(*value),
        DescribedSample::Int { value } => Sample::Int(*value),
        DescribedSample::Ip { value } => Sample::from(*value),
        DescribedSample::Str { value } => Sample::Str(owned(value)),
        DescribedSample::Bin { value } => Sample::Bin(owned(value)),
    }
}

/// A sample as it crosses the seam.
pub(super) fn described(from: Sample<'static>) -> DescribedSample {
    let bytes = |bytes: Bytes<'static>| ByteString(bytes.into_owned());
    match from {
        Sample::Bool(value) => DescribedSample::Bool { value },
        Sample::Int(value) => DescribedSample::Int { value },
        Sample::Ipv4(ip) => DescribedSample::Ip { value: ip.into() },
        Sample::Ipv6(ip) => DescribedSample::Ip { value: ip.into() },
        Sample::Str(value) => DescribedSample::Str {
            value: bytes(value),
        },
        Sample::Bin(value) => DescribedSample::Bin {
            value: bytes(value),
        },
    }
}

/// An address and port, as far as they are known: `knowledge` keeps the rest from being asked for.
fn address(end: &DescribedEnd) -> Option<SocketAddr> {
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    (end.ip.is_some() || end.port.is_some())
        .then(|| SocketAddr::new(end.ip.unwrap_or(nowhere), end.port.unwrap_or(0)))
}

impl Context for Seen<'_> {
    fn endpoint(&self, end: End) -> Option<SocketAddr> {
        match end {
            End::Src | End::ClientSrc => address(&self.connection.src),
            End::Dst | End::ClientDst => address(&self.connection.dst),
            End::ServerSrc | End::ServerDst => None,
        }
    }

    fn number(&self, fact: Number) -> Option<i64> {
        let frontend = self
            .explainer
            .plan
            .frontends
            .get(self.connection.frontend)?;
        match fact {
            Number::ReceivedProxy => Some(i64::from(self.connection.proxied)),
            Number::ListenerId => Some(i64::from(frontend.binds.get(self.connection.bind)?.id)),
            Number::FirstRequest => Some(1),
            Number::ClientHttpMajor => {
                let version = self.connection.request.as_ref()?.version?;
                Some(i64::from(version))
            }
            _ => None,
        }
    }

    fn text(&self, fact: Text) -> Option<Bytes<'_>> {
        let plan = &self.explainer.plan;
        let frontend = plan.frontends.get(self.connection.frontend)?;
        let backend = |index: usize| plan.backends.get(index).map(|backend| &*backend.name);
        let text = match fact {
            Text::FrontendName => &*frontend.name,
            Text::FrontendDefaultBackend => backend(frontend.default_backend?)?,
            Text::BackendName => match self.connection.backend {
                Some(index) => backend(index)?,
                None => &*frontend.name,
            },
            Text::ListenerName => &*frontend.binds.get(self.connection.bind)?.name,
            Text::SrcNetns => self.connection.namespace.as_deref()?,
            Text::Hostname => &*plan.global.hostname,
            _ => return None,
        };
        Some(Cow::Borrowed(text.as_bytes())).filter(|text| !text.is_empty())
    }

    fn frontend_number(&self, frontend: Option<usize>, fact: FrontendNumber) -> Option<i64> {
        let index = frontend.unwrap_or(self.connection.frontend);
        let known = self.explainer.plan.frontends.get(index)?;
        (fact == FrontendNumber::Id).then_some(i64::from(known.id))
    }

    fn backend_number(&self, backend: Option<usize>, fact: BackendNumber) -> Option<i64> {
        let index = backend.or(self.connection.backend)?;
        let known = self.explainer.plan.backends.get(index)?;
        (fact == BackendNumber::Id).then_some(i64::from(known.id))
    }

    fn payload(&self, side: Side) -> Option<Payload<'_>> {
        let bytes = self.payload.as_deref().filter(|_| side == Side::Request)?;
        Some(Payload {
            bytes,
            growing: false,
        })
    }

    fn head(&self, side: Side) -> Option<View<'_>> {
        let (head, text) = self.head.as_ref().filter(|_| side == Side::Request)?;
        Some(View::request(head, text, &self.rewrite))
    }

    fn speaks_tls(&self, side: Side) -> Option<bool> {
        (side == Side::Request).then_some(self.tls.is_some())
    }

    fn tls(&self, side: Side) -> Option<&TlsFacts> {
        self.tls.as_ref().filter(|_| side == Side::Request)
    }

    fn variable(&self, variable: VarRef) -> Option<Sample<'_>> {
        let set = self.variables.iter().find(|(name, _)| *name == variable);
        let assigned = || {
            let assigned = self.explainer.generation.assigned.iter();
            let of_process = |(name, _): &&(VarRef, _)| *name == variable;
            let found = assigned.filter(|_| variable.scope == Scope::Proc);
            found.rev().find(of_process)?.1.clone()
        };
        set.map(|(_, value)| value.clone()).or_else(assigned)
    }

    fn acl(&self, index: usize) -> Verdict {
        if self.depth.get() == DEEPEST {
            self.needs.borrow_mut().push("ACLs without end".to_owned());
            return Verdict::Wait;
        }
        self.depth.set(self.depth.get() + 1);
        let verdict = self.judge_acl(index);
        self.depth.set(self.depth.get() - 1);
        verdict
    }
}
