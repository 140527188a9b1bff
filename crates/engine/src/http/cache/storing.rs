//! Storing what a server says, while it goes to the client.

use std::sync::Arc;

use isthmus_proto::http::{Body, Method, elements};
use isthmus_proto::http1::{StartLine, View as Head};

use super::rules::Said;
use super::store::{Object, Store};
use super::{Cache, Wanted};
use crate::http::filter::Filter;
use crate::http::stream::{Answerer, Stream};
use crate::session::Session;
use crate::worker::Worker;

/// Bytes by which the memory of a body of unknown length grows at least.
const STEP: usize = 4096;

/// A response that is being stored. Dropped before its end, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Storing {
    cache: Arc<Cache>,
    key: Vec<u8>,
    object: Object,
}

impl Storing {
    /// Takes a part of the body. False if it does not fit: then it is not stored.
    pub(crate) fn put(&mut self, data: &[u8]) -> bool {
        let body = &mut self.object.body;
        let most = usize::try_from(self.cache.plan.object).unwrap_or(usize::MAX);
        let size = body.len() + data.len();
        if size + self.object.head.len() > most {
            return false;
        }
        if size > body.capacity() {
            let wanted = size.max(body.capacity() * 2).max(STEP).min(most.max(size));
            let more = wanted - body.capacity();
            let reserved = &mut self.object.reserved;
            if !self.cache.store.reserve_more(reserved, more as u64) {
                return false;
            }
            body.reserve_exact(wanted - body.len());
        }
        body.extend_from_slice(data);
        true
    }

    /// The body is whole: others may be served from here on.
    pub(crate) fn finish(self) {
        let now = self.object.stored;
        self.cache.store.insert(&self.key, self.object, now);
    }
}

impl Worker {
    /// `http-response cache-store`
    pub(in crate::http) fn store_response(&self, session: &mut Session, cache: &Arc<Cache>) {
        let now = self.turn.now;
        let wall = i64::try_from(self.turn.clock.wall_us(now) / 1_000_000).unwrap_or(0);
        let Some(stream) = session.http.as_deref_mut() else {
            return;
        };
        let wanted = match stream.wanted.take() {
            Some(wanted) if Arc::ptr_eq(&wanted.cache, cache) => wanted,
            other => {
                stream.wanted = other;
                return;
            }
        };
        if let Some(storing) = stream.storing(*wanted, now, wall) {
            let filter: &mut Box<Filter> = stream.filter.get_or_insert_default();
            filter.storing = Some(storing);
        }
    }
}

impl Stream {
    fn storing(&self, wanted: Wanted, now: u64, wall: i64) -> Option<Storing> {
        let head = self.response.view()?;
        let exchange = self.exchange();
        let length = match self.response.head.body(exchange).ok()? {
            Body::Length(length) => length,
            Body::Chunked | Body::None => 0,
            // Nothing tells a whole one from one that was cut.
            Body::UntilClose | Body::Tunnel => return None,
        };
        // A method that a rule changed asks for something else (HEAD: for no body).
        let plain = self.answerer == Answerer::Server
            && self.method == Method::Get
            && self.server_method.is_none();
        if !plain || wanted.unstored || head.part(StartLine::Status) != b"200" {
            return None;
        }
        let plan = &wanted.cache.plan;
        let said = Said::read(&head, wall);
        let lifetime = said.lifetime(plan.max_age, wall)?;
        let variant = said.variant(&wanted.variant, plan.vary)?;
        let fields = stored_head(&head);
        if (fields.len() as u64).saturating_add(length) > plan.object {
            return None;
        }
        let length = usize::try_from(length).ok()?;
        let cost = Store::cost(&wanted.key, fields.len(), length, &variant);
        let reserved = wanted.cache.store.reserve(cost)?;
        let object = Object {
            head: fields,
            body: Vec::with_capacity(length),
            stored: now,
            expires: now.saturating_add(lifetime.saturating_mul(1000)),
            age: said.age,
            etag: said.etag,
            modified: said.modified,
            variant,
            reserved,
        };
        Some(Storing {
            cache: wanted.cache,
            key: wanted.key,
            object,
        })
    }
}

/// Start line and fields without what is for one connection only, and without framing.
fn stored_head(head: &Head<'_>) -> Vec<u8> {
    let mut listed: Vec<Vec<u8>> = Vec::new();
    head.for_each_id(|_, name, value| {
        if name == b"connection" {
            // As many as forwarding looks for.
            listed.extend(elements(value).take(64).map(<[u8]>::to_ascii_lowercase));
        }
        listed.len() < 64
    });
    let reason = head.part(StartLine::Reason);
    let mut out = [b"HTTP/1.1 200 ", reason, b"\r\n"].concat();
    head.for_each_id(|_, name, value| {
        let own = matches!(
            name,
            b"connection"
                | b"keep-alive"
                | b"proxy-connection"
                | b"te"
                | b"trailer"
                | b"upgrade"
                | b"transfer-encoding"
                | b"content-length"
                | b"age"
        );
        if !own && !listed.iter().any(|option| option == name) {
            out.extend_from_slice(name);
            out.extend_from_slice(b": ");
            out.extend_from_slice(value);
            out.extend_from_slice(b"\r\n");
        }
        true
    });
    out.shrink_to_fit();
    out
}
