//! `compression`: which responses are compressed (manual, section 9.2), and what that changes in
//! their heads.

use isthmus_plan::http as from;
use isthmus_proto::http::{Body, Method, Version, elements};
use isthmus_proto::http1::{FieldId, ResponseHead, Rewrite, View as Head};

use super::body::Writing;
use super::coder::Coder;
use super::coding::{Algorithm, negotiate};
use super::stream::{Answerer, Incoming, Stream};
use crate::session::Session;
use crate::worker::Worker;

/// `compression` of a proxy.
pub(crate) struct Compression {
    algorithms: Vec<Algorithm>,
    /// Beginnings of media types, in lower case.
    types: Vec<Vec<u8>>,
    minimum: u64,
    offload: bool,
    /// Of requests: `algo-req`, `type-req` and `minsize-req`.
    request: Option<Algorithm>,
    request_types: Vec<Vec<u8>>,
    request_minimum: u64,
}

impl Compression {
    pub(super) fn compile(from: &from::Compression) -> Self {
        let named = from.response.iter();
        let lowered = |types: &[String]| {
            let types = types.iter();
            types
                .map(|kind| kind.to_ascii_lowercase().into_bytes())
                .collect()
        };
        let request = from.request.as_deref().and_then(Algorithm::named);
        Self {
            algorithms: named.filter_map(|name| Algorithm::named(name)).collect(),
            types: lowered(&from.response_types),
            minimum: from.response_minimum,
            offload: from.offload,
            request: request.filter(|algorithm| *algorithm != Algorithm::Identity),
            request_types: lowered(&from.request_types),
            request_minimum: from.request_minimum,
        }
    }

    /// Whether bodies of that media type are compressed; HAProxy compares beginnings.
    fn takes(types: &[Vec<u8>], kind: Option<&[u8]>) -> bool {
        let Some(kind) = kind else {
            return types.is_empty();
        };
        let begins = |with: &[u8]| {
            kind.get(..with.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(with))
        };
        !begins(b"multipart") && (types.is_empty() || types.iter().any(|t| begins(t)))
    }
}

/// What of a response's fields matters here.
#[derive(Debug, Default)]
struct Facts<'a> {
    kind: Option<&'a [u8]>,
    etag: Option<(FieldId, &'a [u8])>,
    lengths: Vec<FieldId>,
    /// A field forbids it: it is coded already, `no-transform`, or an ETag that is none.
    forbidden: bool,
}

impl<'a> Facts<'a> {
    fn of(head: &Head<'a>) -> Self {
        let mut facts = Self::default();
        head.for_each_id(|id, name, value| {
            match name {
                b"content-type" if facts.kind.is_none() => facts.kind = Some(value),
                b"content-encoding" => facts.forbidden = true,
                b"cache-control" => {
                    facts.forbidden |=
                        elements(value).any(|said| said.eq_ignore_ascii_case(b"no-transform"));
                }
                b"etag" => {
                    facts.forbidden |= facts.etag.is_some() || !is_etag(value);
                    facts.etag = Some((id, value));
                }
                b"content-length" => facts.lengths.push(id),
                _ => {}
            }
            true
        });
        facts
    }
}

fn is_etag(value: &[u8]) -> bool {
    let opaque = value.strip_prefix(b"W/").unwrap_or(value);
    matches!(opaque, [b'"', .., b'"'])
}

/// Browsers of the age of Mozilla/4 that said they take gzip and did not; Internet Explorer does
/// since version 6 of Windows XP SP2, and since 7.
fn is_too_old(agent: &[u8]) -> bool {
    if !agent.starts_with(b"Mozilla/4") {
        return false;
    }
    let Some(at) = memchr::memmem::find(agent, b"MSIE ") else {
        return true;
    };
    let version = agent.get(at + 5..).unwrap_or_default();
    let digits = version.iter().take_while(|byte| byte.is_ascii_digit());
    match digits.fold(0_u32, |number, digit| {
        number
            .saturating_mul(10)
            .saturating_add(u32::from(digit - b'0'))
    }) {
        6 => memchr::memmem::find(agent, b"SV1").is_none(),
        version => version < 7,
    }
}

impl Session {
    /// The coding that the request's body gets, and the lengths that its head loses; the rules
    /// are those for responses (manual, `compression direction`).
    pub(super) fn choose_request_coding(
        &self,
        rewrite: &Rewrite,
    ) -> Option<(Algorithm, Vec<FieldId>)> {
        let mut sides = self.compressions().filter(|side| side.request.is_some());
        let compression = sides.next()?;
        let request = &self.http.as_deref()?.request;
        let long_enough = match request.head.body() {
            Body::Length(length) => length > 0 && length >= compression.request_minimum,
            Body::Chunked => true,
            Body::None | Body::UntilClose | Body::Tunnel => false,
        };
        if !long_enough || request.head.version() < Version::HTTP_11 {
            return None;
        }
        let head = Head::request(&request.head, request.buffer.bytes(), rewrite);
        let facts = Facts::of(&head);
        if facts.forbidden || !Compression::takes(&compression.request_types, facts.kind) {
            return None;
        }
        Some((compression.request?, facts.lengths))
    }

    fn compression(&self) -> impl Iterator<Item = &Compression> {
        self.compressions()
            .filter(|compression| !compression.algorithms.is_empty())
    }

    fn compressions(&self) -> impl Iterator<Item = &Compression> {
        let backend = self.backend.as_ref().filter(|_| self.has_two_sides());
        let backend = backend.and_then(|backend| backend.shared.http.as_ref());
        let sides = [backend, self.frontend.shared.http.as_ref()];
        sides
            .into_iter()
            .flatten()
            .filter_map(|side| side.compression.as_ref())
    }

    /// Settles whether the response's body is compressed. As with HAProxy, `http-after-response`
    /// can ask for it, sees the head as it was before, and changes nothing about it.
    pub(super) fn settle_coding(&mut self, body: Body) {
        let Some(stream) = self.http.as_deref() else {
            return;
        };
        let Some(algorithm) = stream.coding else {
            return;
        };
        let Some(compression) = self.compression().next() else {
            return;
        };
        let Some(view) = stream.response.view() else {
            return;
        };
        let facts = Facts::of(&view);
        let coded = stream.may_be_compressed(body, compression.minimum)
            && !facts.forbidden
            && Compression::takes(&compression.types, facts.kind);
        if let Some(stream) = self.http.as_deref_mut() {
            stream.coded = coded.then_some(algorithm);
        }
    }

    /// Takes note of the coding that the client prefers; `offload` takes the question away.
    pub(super) fn choose_coding(&mut self, rewrite: &mut Rewrite) {
        let Some(compression) = self.compression().next() else {
            return;
        };
        let Some(stream) = self.http.as_deref() else {
            return;
        };
        let request = &stream.request;
        let head = Head::request(&request.head, request.buffer.bytes(), rewrite);
        let mut accepted = Vec::new();
        let mut old = false;
        head.for_each_id(|id, name, value| {
            match name {
                b"accept-encoding" => accepted.push((id, value)),
                b"user-agent" => old |= is_too_old(value),
                _ => {}
            }
            true
        });
        let fields = accepted.iter().map(|(_, value)| *value);
        let coding = match old {
            true => None,
            false => negotiate(&compression.algorithms, fields),
        };
        if compression.offload {
            let ids: Vec<FieldId> = accepted.into_iter().map(|(id, _)| id).collect();
            for id in ids {
                rewrite.remove(id);
            }
        }
        if let Some(stream) = self.http.as_deref_mut() {
            stream.coding = coding;
        }
    }
}

impl Worker {
    /// Lets the response's body be compressed, if that was settled.
    pub(super) fn compress_response(&mut self, session: &mut Session) {
        let Some(stream) = session.http.as_deref() else {
            return;
        };
        let Some((algorithm, view)) = stream.coded.zip(stream.response.view()) else {
            return;
        };
        let facts = Facts::of(&view);
        let generation = &session.frontend.generation;
        let level = generation.global.http.compression_level;
        let Some(mut coder) = Coder::new(algorithm, level) else {
            return;
        };
        self.count_coder(&mut coder, generation);
        let Facts { etag, lengths, .. } = facts;
        let strong = etag.filter(|(_, value)| value.starts_with(b"\""));
        let weak = strong.map(|(id, value)| (id, [b"W/", value].concat()));
        session.frontend.counters.compressed.add(1);
        if let Some(backend) = &session.backend {
            backend.counters.compressed.add(1);
        }
        let Some(stream) = session.http.as_deref_mut() else {
            return;
        };
        let filter = stream.filter.get_or_insert_default();
        filter.coder = Some(coder);
        filter.writing = Writing::Chunks;
        stream.response.say_coded(algorithm, &lengths, weak);
    }
}

impl Stream {
    fn may_be_compressed(&self, body: Body, minimum: u64) -> bool {
        let long_enough = match body {
            Body::Length(length) => length > 0 && length >= minimum,
            Body::Chunked => true,
            Body::None | Body::UntilClose | Body::Tunnel => false,
        };
        let new = self.request.head.version() >= Version::HTTP_11
            && self.response.head.version() >= Version::HTTP_11;
        let status = self.response.head.status();
        (self.answerer != Answerer::Proxy || self.source.is_some())
            && long_enough
            && new
            && self.method != Method::Head
            && matches!(status, 200..=203)
    }
}

impl Incoming<ResponseHead> {
    /// Changes the head as the coded body needs it: a length is no longer known, and an ETag that
    /// stood for the bytes themselves stands for what they mean (RFC 9110, 8.8.1).
    fn say_coded(
        &mut self,
        algorithm: Algorithm,
        lengths: &[FieldId],
        etag: Option<(FieldId, Vec<u8>)>,
    ) {
        let rewrite = &mut self.rewrite;
        for id in lengths {
            rewrite.remove(*id);
        }
        if let Some((id, value)) = etag {
            rewrite.set_value(id, &value);
        }
        if !lengths.is_empty() {
            rewrite.add(b"transfer-encoding", b"chunked");
        }
        rewrite.add(b"vary", b"Accept-Encoding");
        rewrite.add(b"content-encoding", algorithm.token().as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_browsers_are_left_alone() {
        let cases: &[(&[u8], bool)] = &[
            (b"Mozilla/4.0", true),
            (b"Mozilla/4.0 (compatible; MSIE 5.5; Windows)", true),
            (b"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1)", true),
            (
                b"Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)",
                false,
            ),
            (b"Mozilla/4.0 (compatible; MSIE 7.0)", false),
            (b"Mozilla/4.0 (compatible; MSIE 10.0)", false),
            (b"Mozilla/4.0 (compatible; MSIE 99999999999999)", false),
            (b"Mozilla/5.0", false),
            (b"curl/8", false),
        ];
        for (agent, old) in cases {
            assert_eq!(
                is_too_old(agent),
                *old,
                "{}",
                String::from_utf8_lossy(agent)
            );
        }
    }

    #[test]
    fn media_types_are_compared_by_their_beginnings() {
        let text = [b"text/plain".to_vec()];
        for (kind, expected) in [
            (Some(&b"TEXT/plain; charset=x"[..]), true),
            (Some(b"text/plainx"), true),
            (Some(b"image/png"), false),
            (None, false),
        ] {
            assert_eq!(Compression::takes(&text, kind), expected);
        }
        assert!(Compression::takes(&[], None) && Compression::takes(&[], Some(b"image/png")));
        assert!(!Compression::takes(&[], Some(b"multipart/mixed")));
    }

    #[test]
    fn an_etag_is_quoted_and_may_be_weak() {
        let cases: &[(&[u8], bool)] = &[
            (b"\"a\"", true),
            (b"W/\"a\"", true),
            (b"\"\"", true),
            (b"a", false),
            (b"\"", false),
            (b"w/\"a\"", false),
        ];
        for (value, valid) in cases {
            assert_eq!(is_etag(value), *valid, "{}", String::from_utf8_lossy(value));
        }
    }
}
