//! `option checkcache`: a response whose cookie a cache could give to other clients is refused.

use isthmus_proto::http::Method;

use crate::session::Session;
use crate::worker::Worker;

/// The level at which operators are told.
const ALERT: u8 = 1;

impl Worker {
    /// Answers with a 502 where the response may be kept by caches and carries a cookie; false if
    /// it may pass.
    pub(super) fn refuses_cookie(&mut self, session: &mut Session) -> bool {
        let checks = session.backend.as_deref().is_some_and(|backend| {
            let http = backend.shared.plan.http.as_ref();
            http.is_some_and(|http| http.check_cache)
        });
        if !checks || !session.spreads_cookie() {
            return false;
        }
        self.count_denied(session);
        let text = format!(
            "Blocking cacheable cookie in response from instance {}, server {}.",
            session.backend.as_ref().map_or("", |b| &b.shared.plan.name),
            session.chosen.as_ref().map_or("", |s| &s.shared.plan.name),
        );
        let logger = &session.frontend.shared.logger;
        logger.write(ALERT, text.as_bytes(), b"", &self.turn);
        session.end(b'P', b'H');
        session.stream().moments.responded = None;
        self.answer_status(session, 502);
        true
    }
}

impl Session {
    /// Whether caches may keep the response with its cookie (manual, `option checkcache`).
    fn spreads_cookie(&self) -> bool {
        let Some(stream) = self.http.as_deref() else {
            return false;
        };
        let Some(head) = stream.response.view() else {
            return false;
        };
        let method = stream.request.head.method();
        let mut found = Found::new(method, stream.status_to_send());
        head.for_each_id(|_, name, value| {
            found.see(name, value);
            true
        });
        found.spreads()
    }
}

/// What the fields of a response say of its cookie.
#[derive(Debug, Default)]
struct Found {
    cookie: bool,
    /// Caches may keep the response.
    cacheable: bool,
    /// They may, but without the cookie.
    protected: bool,
    /// `pragma: no-cache`, which nothing takes back.
    forbidden: bool,
}

impl Found {
    fn new(method: Method, status: u16) -> Self {
        let usual = matches!(
            method,
            Method::Get | Method::Head | Method::Options | Method::Trace
        );
        let kept = [200, 203, 204, 206, 300, 301, 404, 405, 410, 414, 501];
        Self {
            cacheable: usual && kept.contains(&status),
            ..Self::default()
        }
    }

    fn see(&mut self, name: &[u8], value: &[u8]) {
        match name {
            b"set-cookie" | b"set-cookie2" => self.cookie = true,
            b"pragma" => self.forbidden |= value.eq_ignore_ascii_case(b"no-cache"),
            b"cache-control" => {
                for directive in value.split(|byte| *byte == b',') {
                    self.heed(&directive.trim_ascii().to_ascii_lowercase());
                }
            }
            _ => {}
        }
    }

    /// One directive of Cache-Control; a later one takes back what an earlier one said.
    fn heed(&mut self, directive: &[u8]) {
        match directive {
            b"private" | b"no-cache" | b"no-store" | b"max-age=0" | b"s-maxage=0" => {
                self.cacheable = false;
            }
            b"no-cache=\"set-cookie\"" | b"no-cache=\"set-cookie" => self.protected = true,
            b"public" => {
                self.cacheable = true;
                self.protected = false;
            }
            _ => {}
        }
    }

    fn spreads(&self) -> bool {
        self.cookie && self.cacheable && !self.protected && !self.forbidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spreads(method: Method, status: u16, fields: &[(&str, &str)]) -> bool {
        let mut found = Found::new(method, status);
        for (name, value) in fields {
            found.see(name.as_bytes(), value.as_bytes());
        }
        found.spreads()
    }

    #[test]
    fn a_cookie_may_pass_only_where_no_cache_keeps_it() {
        let cookie = ("set-cookie", "a=b");
        let control = |value| ("cache-control", value);
        assert!(spreads(Method::Get, 200, &[cookie]));
        assert!(!spreads(Method::Get, 200, &[]));
        assert!(!spreads(Method::Post, 200, &[cookie]));
        assert!(!spreads(Method::Get, 302, &[cookie]));
        assert!(spreads(Method::Get, 302, &[cookie, control("public")]));
        assert!(!spreads(Method::Get, 200, &[cookie, control("Private")]));
        assert!(spreads(
            Method::Get,
            200,
            &[cookie, control("private, public")]
        ));
        let listed = control("no-cache=\"set-cookie, x\"");
        assert!(!spreads(Method::Get, 200, &[cookie, listed]));
        let other = control("no-cache=\"x\"");
        assert!(spreads(Method::Get, 200, &[cookie, other]));
        let pragma = ("pragma", "no-cache");
        assert!(!spreads(
            Method::Get,
            200,
            &[pragma, cookie, control("public")]
        ));
    }
}
