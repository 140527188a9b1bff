//! The persistence cookie: which server a client comes back to, and what it is told for the next
//! time (manual, `cookie`).

use isthmus_balance::State;
use isthmus_plan as plan;
use isthmus_plan::http::{Cookie, CookieMode};
use isthmus_proto::http::{CookiePair, cookies, set_cookie, without};
use isthmus_proto::http1::{FieldId, View as Head};
use isthmus_sample::Verdict;

use super::cacheable::is_cacheable;
use super::stream::Stream;
use crate::local::LocalBackend;
use crate::session::Session;
use crate::view::View;
use crate::worker::Worker;

/// What the persistence cookie of an exchange was, and what became of it (manual 8.5).
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Persistence {
    /// The server that the client's cookie names, by its place.
    pub(crate) server: Option<usize>,
    /// `N`one, `I`nvalid, `D`own, `V`alid, `E`xpired, `O`ld or `U`nused; 0 where nobody looked.
    pub(crate) came: u8,
    /// `N`one, `I`nserted, `U`pdated, `P`assed, `R`ewritten or `D`eleted; 0 where nobody looked.
    pub(crate) went: u8,
    /// A server that is down is used all the same (`option persist`, `force-persist`).
    pub(crate) forces: bool,
    /// Nor is it given up for another one (`force-persist`).
    pub(crate) bound: bool,
    /// Another rule chooses the server (`use-server`, `ignore-persist`): no cookie is set.
    unused: bool,
    /// The cookie bears dates, though none are configured.
    dated: bool,
    /// When the client first got its cookie, seconds; 0 where it does not say.
    first_seen: u64,
    last_seen: u64,
}

/// A server's value of the persistence cookie: as configured, or with `dynamic` from the key, its
/// address and its port, so that any proxy with the same key gives it the same one.
pub(crate) fn server_cookie(backend: &plan::Backend, server: &plan::Server) -> Option<Vec<u8>> {
    if let Some(cookie) = &server.http.cookie {
        return Some(cookie.as_bytes().to_vec());
    }
    let key = backend
        .http
        .as_ref()?
        .cookie
        .as_ref()?
        .dynamic_key
        .as_ref()?;
    let plan::ServerAddress::Inet { ip: Some(ip), port } = &server.address else {
        return None;
    };
    let port = match port {
        plan::ServerPort::Fixed { port } => u32::from(*port),
        plan::ServerPort::Client { .. } => 0,
    };
    let mut text = key.as_bytes().to_vec();
    match ip {
        std::net::IpAddr::V4(ip) => text.extend_from_slice(&ip.octets()),
        std::net::IpAddr::V6(ip) => text.extend_from_slice(&ip.octets()),
    }
    text.extend_from_slice(&port.to_be_bytes());
    let hash = xxhash_rust::xxh64::xxh64(&text, 0);
    Some(format!("{hash:016x}").into_bytes())
}

/// Days in seconds that a date may lie ahead of ours: clocks differ.
const AHEAD: u64 = 86_400;

impl Worker {
    /// Looks for the cookie in the request, and takes out of it what the server is not to see.
    pub(super) fn seek_persistence(&mut self, session: &mut Session, backend: &LocalBackend) {
        let Some(http) = backend.shared.plan.http.as_deref() else {
            return;
        };
        let Some(cookie) = &http.cookie else {
            return;
        };
        let now = self.wall_seconds();
        let program = &session.frontend.generation.program;
        let holds = |conditions: &[isthmus_sample::CompiledCondition]| {
            let view = View::new(session, &self.turn);
            conditions
                .iter()
                .any(|condition| program.eval(condition, &view) == Verdict::Pass)
        };
        let side = backend.shared.http.as_ref();
        let bound = side.is_some_and(|side| holds(&side.force_persist));
        let forces = http.persist || bound;
        let unused = side.is_some_and(|side| holds(&side.ignore_persist))
            || self.ruled(session, &backend.shared, forces).is_some();
        let Some(stream) = session.http.as_deref_mut() else {
            return;
        };
        let mut persistence = Persistence {
            came: b'N',
            went: b'N',
            forces,
            bound,
            unused,
            ..Persistence::default()
        };
        for value in stream.find_cookies(cookie) {
            if unused {
                persistence.came = b'U';
            } else if persistence.server.is_none() {
                persistence.judge(cookie, backend, &value, now);
            }
        }
        stream.persistence = persistence;
        stream.hide_cookie(cookie);
    }

    fn wall_seconds(&self) -> u64 {
        self.turn.clock.wall_us(self.turn.now) / 1_000_000
    }

    /// Changes what the server sets, and adds what the proxy wants the client to send.
    pub(super) fn set_persistence(&self, session: &mut Session) {
        let (Some(backend), Some(chosen)) = (session.backend.clone(), session.chosen.clone())
        else {
            return;
        };
        let http = backend.shared.plan.http.as_deref();
        let Some(cookie) = http.and_then(|http| http.cookie.as_ref()) else {
            return;
        };
        let now = self.wall_seconds();
        let Some(stream) = session.http.as_deref_mut() else {
            return;
        };
        if cookie.mode == CookieMode::Passive {
            return;
        }
        let value = chosen.shared.cookie.as_deref();
        let preserved = stream.change_set_cookie(cookie, value);
        let post = stream.method == isthmus_proto::http::Method::Post;
        let comes_back =
            stream.persistence.came == b'V' && stream.persistence.server == Some(chosen.shared.at);
        let known = &stream.persistence;
        // A server that is down was chosen for its cookie: the client keeps it.
        let kept = comes_back || (known.came == b'D' && known.server == Some(chosen.shared.at));
        let stale = known.dated || has_dates(cookie) && known.last_seen / 4 < now / 4;
        if cookie.mode != CookieMode::Insert
            || preserved
            || stream.persistence.unused
            || (kept && !stale)
            || (cookie.postonly && !post)
        {
            return;
        }
        let text = inserted(cookie, value, stream.persistence.first_seen, now);
        stream.persistence.went = if comes_back { b'U' } else { b'I' };
        let cacheable = cookie.nocache && is_cacheable(stream.method, &stream.response_head());
        let rewrite = &mut stream.response.rewrite;
        rewrite.add(b"set-cookie", &text);
        if cacheable {
            rewrite.add(b"cache-control", b"private");
        }
    }
}

impl Persistence {
    /// Whether the cookie's value leads to a server, and whether it still holds. Of several
    /// cookies the first that leads to one counts.
    fn judge(&mut self, cookie: &Cookie, backend: &LocalBackend, value: &[u8], now: u64) {
        let whole = cookie.mode == CookieMode::Prefix;
        let mut parts = value.split(|byte| *byte == b'|' && !whole);
        let name = parts.next().unwrap_or_default();
        let dates = has_dates(cookie);
        if dates {
            self.last_seen = parts.next().and_then(date).unwrap_or(0);
            self.first_seen = parts.next().and_then(date).unwrap_or(0);
            let over = |seen: u64, limit: u64| {
                seen > 0 && limit > 0 && (seen + limit < now || seen > now + AHEAD)
            };
            let idle = over(self.last_seen, cookie.max_idle);
            if idle || over(self.first_seen, cookie.max_life) {
                self.came = if idle { b'E' } else { b'O' };
                // The next one begins a life of its own.
                self.first_seen = 0;
                return;
            }
        }
        let mut servers = backend.servers.iter();
        let known = servers.find(|server| server.shared.cookie.as_deref() == Some(name));
        let Some(server) = known else {
            if self.came == b'N' {
                self.came = b'I';
            }
            return;
        };
        let is_up = matches!(server.shared.state.state(), State::Up | State::Drain);
        self.came = if is_up { b'V' } else { b'D' };
        if is_up || self.forces {
            self.server = Some(server.shared.at);
            self.dated = !dates && parts.next().is_some();
        }
    }

    /// The server that the cookie named cannot be reached: another one is to be chosen.
    pub(crate) fn give_up(&mut self) {
        if self.came == b'V' {
            self.came = b'D';
        }
        self.server = None;
    }
}

impl Stream {
    /// The servers' names in the client's cookies of that name.
    fn find_cookies(&self, cookie: &Cookie) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let (request, name) = (&self.request, Some(cookie.name.as_bytes()));
        let head = Head::request(&request.head, request.buffer.bytes(), &request.rewrite);
        head.for_each_id(|_, field, value| {
            if field != b"cookie" {
                return true;
            }
            for pair in cookies(value).filter(|pair| value.get(pair.name.clone()) == name) {
                let own = value.get(pair.value).unwrap_or_default();
                let end = match cookie.mode {
                    CookieMode::Prefix => memchr::memchr(b'~', own),
                    _ => None,
                };
                found.push(
                    own.get(..end.unwrap_or(own.len()))
                        .unwrap_or_default()
                        .to_vec(),
                );
            }
            true
        });
        found
    }

    /// Takes the cookie out of the request (`indirect`), or the server's name out of it (`prefix`).
    fn hide_cookie(&mut self, cookie: &Cookie) {
        let prefix = cookie.mode == CookieMode::Prefix;
        if !(prefix || cookie.indirect && cookie.mode == CookieMode::Insert) {
            return;
        }
        let mut changes = Vec::new();
        let request = &mut self.request;
        let head = Head::request(&request.head, request.buffer.bytes(), &request.rewrite);
        head.for_each_id(|id, field, value| {
            if field == b"cookie" {
                let left = match prefix {
                    true => unprefixed(value, cookie.name.as_bytes()),
                    false => without(value, |name| name == cookie.name.as_bytes()),
                };
                if left != value {
                    changes.push((id, left));
                }
            }
            true
        });
        for (id, left) in changes {
            match left.is_empty() {
                true => request.rewrite.remove(id),
                false => request.rewrite.set_value(id, &left),
            }
        }
    }

    fn response_head(&self) -> Head<'_> {
        let response = &self.response;
        Head::response(&response.head, response.buffer.bytes(), &response.rewrite)
    }

    /// Changes the server's own cookie of that name; true if it is left alone and holds.
    fn change_set_cookie(&mut self, cookie: &Cookie, server: Option<&[u8]>) -> bool {
        let mut changes: Vec<(FieldId, Option<Vec<u8>>)> = Vec::new();
        let mut went = None;
        self.response_head().for_each_id(|id, field, value| {
            let named =
                |pair: &CookiePair| value.get(pair.name.clone()) == Some(cookie.name.as_bytes());
            let pair = match field {
                b"set-cookie" => set_cookie(value).filter(named),
                _ => None,
            };
            if let Some(pair) = pair {
                let (what, change) = set_cookie_change(cookie, server, value, pair.value);
                went = Some(what);
                changes.extend(change.map(|change| (id, change)));
            }
            true
        });
        for (id, value) in changes {
            match value {
                Some(value) => self.response.rewrite.set_value(id, &value),
                None => self.response.rewrite.remove(id),
            }
        }
        if let Some(went) = went {
            self.persistence.went = went;
        }
        went == Some(b'P')
    }
}

/// What becomes of a cookie of the server's: the letter for the log, and where it changes its new
/// value, or none where it goes.
fn set_cookie_change(
    cookie: &Cookie,
    server: Option<&[u8]>,
    value: &[u8],
    own: std::ops::Range<usize>,
) -> (u8, Option<Option<Vec<u8>>>) {
    let before = value.get(..own.start).unwrap_or_default();
    let behind = value.get(own.end..).unwrap_or_default();
    let own = value.get(own).unwrap_or_default();
    match (cookie.mode, server) {
        _ if cookie.preserve => (b'P', None),
        (CookieMode::Rewrite, Some(server)) => {
            (b'R', Some(Some([before, server, behind].concat())))
        }
        (CookieMode::Prefix, Some(server)) => {
            let text = [before, server, b"~", own, behind].concat();
            (b'R', Some(Some(text)))
        }
        (CookieMode::Insert, _) => (b'D', Some(None)),
        _ => (b'P', None),
    }
}

/// A Cookie value in which the cookie is as its server set it.
fn unprefixed(value: &[u8], name: &[u8]) -> Vec<u8> {
    let mut out = value.to_vec();
    let pairs: Vec<_> = cookies(value).collect();
    for pair in pairs.into_iter().rev() {
        let own = value.get(pair.value.clone()).unwrap_or_default();
        if let (true, Some(at)) = (
            value.get(pair.name) == Some(name),
            memchr::memchr(b'~', own),
        ) {
            out.drain(pair.value.start..=pair.value.start + at);
        }
    }
    out
}

/// The Set-Cookie that the proxy adds. A server without a cookie has an old one forgotten.
fn inserted(cookie: &Cookie, server: Option<&[u8]>, first_seen: u64, now: u64) -> Vec<u8> {
    let mut out = cookie.name.as_bytes().to_vec();
    out.push(b'=');
    match server {
        None => out.extend_from_slice(b"; Expires=Thu, 01-Jan-1970 00:00:01 GMT"),
        Some(server) => {
            out.extend_from_slice(server);
            if has_dates(cookie) {
                out.push(b'|');
                out.extend_from_slice(&written_date(now));
            }
            if cookie.max_life > 0 {
                out.push(b'|');
                let first = if first_seen > 0 { first_seen } else { now };
                out.extend_from_slice(&written_date(first));
            }
        }
    }
    out.extend_from_slice(b"; path=/");
    for domain in &cookie.domains {
        out.extend_from_slice(b"; domain=");
        out.extend_from_slice(domain.as_bytes());
    }
    if cookie.httponly {
        out.extend_from_slice(b"; HttpOnly");
    }
    if cookie.secure {
        out.extend_from_slice(b"; Secure");
    }
    for attribute in &cookie.attributes {
        out.extend_from_slice(b"; ");
        out.extend_from_slice(attribute.as_bytes());
    }
    out
}

/// Whether the cookie says when its client was last seen (manual, `maxidle`, `maxlife`).
fn has_dates(cookie: &Cookie) -> bool {
    cookie.max_idle > 0 || cookie.max_life > 0
}

/// Digits of dates in cookies: as Base64 has them (RFC 4648, 4); cookies go from one proxy to the other.
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// A moment in seconds, to four seconds, in five digits.
fn written_date(seconds: u64) -> [u8; 5] {
    let quarter = seconds / 4;
    let digit = |shift: u32| {
        let place = usize::try_from(quarter >> shift & 63).unwrap_or(0);
        DIGITS.get(place).copied().unwrap_or(b'A')
    };
    [digit(24), digit(18), digit(12), digit(6), digit(0)]
}

/// The moment that five digits say, in seconds.
fn date(text: &[u8]) -> Option<u64> {
    if text.len() != 5 {
        return None;
    }
    let mut quarter = 0_u64;
    for byte in text {
        let digit = DIGITS.iter().position(|digit| digit == byte)?;
        quarter = quarter << 6 | digit as u64;
    }
    Some(quarter * 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_haproxy_writes_them() {
        // HAProxy 2.6 wrote this on 2026-11-28 at 05:28:55 UTC.
        assert_eq!(&written_date(1_795_843_736), b"awpmm");
        assert_eq!(date(b"awpmm"), Some(1_795_843_736));
        assert_eq!(date(b"awp"), None);
        // The digits that are no letter and no number: 11:44:04 and 11:48:48 of the same day.
        assert_eq!(&written_date(1_795_866_244), b"awq+h");
        assert_eq!(date(b"awq/s"), Some(1_795_866_544));
    }

    #[test]
    fn a_prefix_is_taken_out_of_its_cookie_alone() {
        let left = unprefixed(b"x=a~b; s=A~foo; y=1", b"s");
        assert_eq!(left, b"x=a~b; s=foo; y=1");
    }
}
