//! Serving from a cache.

use std::sync::Arc;

use isthmus_proto::http::{Body, Method, Version};
use isthmus_proto::http1::View as Head;

use super::rules::Asked;
use super::store::Object;
use super::{Cache, Wanted};
use crate::flow::Pumped;
use crate::http::body::Reading;
use crate::http::judge::Judged;
use crate::session::Session;
use crate::worker::{Step, Worker};

/// A stored response on its way to a client.
#[derive(Debug)]
pub(crate) struct Source {
    object: Arc<Object>,
    at: usize,
    /// The cache that it comes from.
    pub(crate) cache: Arc<Cache>,
}

impl Source {
    /// Copies what comes next; 0 at the end.
    pub(crate) fn read(&mut self, space: &mut [u8]) -> usize {
        let rest = self.object.body.get(self.at..).unwrap_or_default();
        let count = rest.len().min(space.len());
        let (Some(space), Some(rest)) = (space.get_mut(..count), rest.get(..count)) else {
            return 0;
        };
        space.copy_from_slice(rest);
        self.at += count;
        count
    }
}

impl Worker {
    /// `http-request cache-use`
    pub(in crate::http) fn use_cache(
        &mut self,
        session: &mut Session,
        cache: &Arc<Cache>,
    ) -> Judged {
        let Some(stream) = session.http.as_deref() else {
            return Judged::Pass;
        };
        let request = &stream.request;
        let head = Head::request(&request.head, request.buffer.bytes(), &request.rewrite);
        let asked = Asked::read(&head);
        let key = session.cache_key(&head, &asked);
        let method = Method::of(head.part(isthmus_proto::http1::StartLine::Method));
        if !matches!(method, Method::Get | Method::Head) {
            // What changes a resource makes what is stored of it stale (RFC 9111, 4.4).
            if !matches!(method, Method::Options | Method::Trace) {
                cache.store.forget(&key);
            }
            return Judged::Pass;
        }
        let old = request.head.version() < Version::HTTP_11;
        if asked.private || old || !request.reading.is_done() {
            return Judged::Pass;
        }
        let now = self.turn.now;
        let found = match asked.fresh {
            true => None,
            false => cache.store.find(&key, &asked.variant, now),
        };
        if let Some(object) = found {
            self.count_intercepted(session);
            return self.serve(session, cache, object, &asked);
        }
        session.stream().wanted = Some(Box::new(Wanted {
            cache: cache.clone(),
            key,
            variant: asked.variant,
            unstored: asked.unstored || method == Method::Head,
        }));
        Judged::Pass
    }

    fn serve(
        &mut self,
        session: &mut Session,
        cache: &Arc<Cache>,
        object: Arc<Object>,
        asked: &Asked,
    ) -> Judged {
        let now = self.turn.now;
        let wall = i64::try_from(self.turn.clock.wall_us(now) / 1_000_000).unwrap_or(0);
        let held = asked.has(object.etag.as_deref(), object.modified, wall);
        let mut message = match held {
            false => object.head.clone(),
            true => {
                let line = memchr::memchr(b'\n', &object.head).map_or(0, |at| at + 1);
                let fields = object.head.get(line..).unwrap_or_default();
                [b"HTTP/1.1 304 Not Modified\r\n", fields].concat()
            }
        };
        let age = object.age + now.saturating_sub(object.stored) / 1000;
        let length = object.body.len();
        message.extend_from_slice(
            format!("content-length: {length}\r\nage: {age}\r\n\r\n").as_bytes(),
        );
        // In logs a cache answers as a server that takes no time.
        session.end(b'L', b'R');
        session.moments.asked = Some(now);
        session.moments.unqueued = Some(now);
        session.moments.connected = Some(now);
        session.stream().moments.responded = Some(now);
        if self.answer(session, &message) == Step::Close {
            return Judged::Close;
        }
        let bodiless = held || session.answers_head();
        let mut rewrite = std::mem::take(&mut session.stream().request.rewrite);
        session.choose_coding(&mut rewrite);
        let stream = session.stream();
        stream.request.rewrite = rewrite;
        let at = if bodiless { length } else { 0 };
        if at < length {
            stream.response.reading = Reading::Length(length as u64);
        }
        stream.source = Some(Source {
            object,
            at,
            cache: cache.clone(),
        });
        Judged::Answered
    }

    /// Writes the head of an answer of the proxy's own. One from a cache is judged as a server's.
    pub(in crate::http) fn write_own(&mut self, session: &mut Session) -> Result<Pumped, Step> {
        let mut body = Body::None;
        if session.http.as_deref().is_some_and(|s| s.source.is_some()) {
            match self.judge_response(session) {
                Judged::Pass => {}
                Judged::Answered => return Err(Step::Again),
                Judged::Wait => return Err(Step::Wait),
                Judged::Close => return Err(Step::Close),
            }
            if let Some(left) = session.stream().response.reading.left() {
                body = Body::Length(left);
            }
        }
        Ok(self.write_response(session, body))
    }
}

impl Session {
    /// Whether a cache answers; in logs it stands in the server's place.
    pub(crate) fn serves_from_cache(&self) -> bool {
        self.http.as_deref().is_some_and(|s| s.source.is_some())
    }
}
