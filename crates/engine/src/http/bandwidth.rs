//! `filter bwlim-in` and `bwlim-out`: how many bytes of a stream may pass, and when more may. What streams of
//! one key share is in `shared_limit`. Holds no clock: it is told the time, engine milliseconds.

use isthmus_plan::http::Limited;
use isthmus_sample::{Compiled, Kind, Sample};

use super::shared_limit::{Shared, SharedLimit};
use super::stream::Stream;
use crate::rules::Compiler;
use crate::session::Session;
use crate::view::View;
use crate::worker::Worker;

/// Bytes and milliseconds beyond which a limit is none.
const MOST: u64 = 1 << 48;

/// A limit at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// Bytes in a period, and the period in milliseconds; neither is 0.
    bytes: u64,
    period: u64,
    /// Nothing passes before so many may.
    minimum: u64,
    /// Bytes that may pass, in parts of a byte: one is `period` of them. Below 0 after a head
    /// brought more of a body with it than was allowed.
    credit: i128,
    /// When the credit was reckoned last.
    at: u64,
}

impl Limit {
    /// A limit that begins now, with what one period allows. `None` where nothing is limited.
    pub(crate) fn new(bytes: u64, period: u64, minimum: u64, now: u64) -> Option<Self> {
        // Expressions may say any number; products of these stay far below what i128 holds.
        let (bytes, period) = (bytes.min(MOST), period.min(MOST));
        (bytes > 0 && period > 0).then(|| Self {
            bytes,
            period,
            minimum: minimum.clamp(1, bytes),
            credit: i128::from(bytes) * i128::from(period),
            at: now,
        })
    }

    /// How many bytes may pass now; 0 where there are too few for the least amount.
    pub(crate) fn allowed(&mut self, now: u64) -> u64 {
        let passed = i128::from(now.saturating_sub(self.at));
        let most = i128::from(self.bytes) * i128::from(self.period);
        self.credit = (self.credit + passed * i128::from(self.bytes)).min(most);
        self.at = self.at.max(now);
        match u64::try_from(self.credit / i128::from(self.period)) {
            Ok(count) if count >= self.minimum => count,
            _ => 0,
        }
    }

    /// Takes note of bytes that passed.
    pub(crate) fn pass(&mut self, count: usize) {
        self.credit -= (count as i128) * i128::from(self.period);
    }

    /// When the least amount may pass.
    pub(crate) fn ready(&self) -> u64 {
        let missing = i128::from(self.minimum) * i128::from(self.period) - self.credit;
        let bytes = i128::from(self.bytes);
        let wait = (missing.max(0) + bytes - 1) / bytes;
        self.at
            .saturating_add(u64::try_from(wait).unwrap_or(u64::MAX))
    }
}

/// The limits of a stream.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    pub(crate) up: Way,
    pub(crate) down: Way,
}

/// What limits one direction.
#[derive(Debug)]
enum Limiter {
    Own(Limit),
    Shared(Shared),
}

impl Limiter {
    fn allowed(&mut self, now: u64) -> u64 {
        match self {
            Self::Own(limit) => limit.allowed(now),
            Self::Shared(shared) => shared.allowed(now),
        }
    }

    fn ready(&self) -> u64 {
        match self {
            Self::Own(limit) => limit.ready(),
            Self::Shared(shared) => shared.ready(),
        }
    }
}

/// One direction.
#[derive(Debug, Default)]
pub(crate) struct Way {
    limit: Option<Limiter>,
    /// Nothing may pass before then.
    pub(crate) waits: Option<u64>,
}

impl Way {
    /// How many bytes may pass now, and whether that was waited for.
    fn allowed(&mut self, now: u64) -> (usize, bool) {
        let Some(limit) = &mut self.limit else {
            return (usize::MAX, false);
        };
        let count = limit.allowed(now);
        let waited = self.waits.take().is_some();
        if count == 0 {
            self.waits = Some(limit.ready());
        }
        (usize::try_from(count).unwrap_or(usize::MAX), waited)
    }

    /// Takes note of bytes that passed.
    pub(crate) fn pass(&mut self, count: usize) {
        match &mut self.limit {
            Some(Limiter::Own(limit)) => limit.pass(count),
            Some(Limiter::Shared(shared)) => shared.pass(count),
            None => {}
        }
    }
}

/// `set-bandwidth-limit`, with what its filter says.
pub(crate) struct SetLimit {
    incoming: bool,
    bytes: u64,
    period: u64,
    minimum: u64,
    computed: [Option<Compiled>; 2],
    /// What streams of one key share.
    shared: Option<SharedLimit>,
}

impl Compiler<'_> {
    pub(super) fn set_limit(
        &mut self,
        origin: &str,
        index: usize,
        computed: [Option<&isthmus_plan::Expression>; 2],
    ) -> Option<SetLimit> {
        let found = self.limits.get(index).cloned();
        let filter = self.note(
            origin,
            found.ok_or_else(|| "there is no such limit".to_owned()),
        )?;
        let (bytes, period, shared) = match &filter.limited {
            Limited::Stream { limit, period } => (*limit, *period, None),
            Limited::Key { .. } => (0, 0, Some(self.shared_limit(origin, &filter)?)),
        };
        let computed = computed.map(|each| self.expression(origin, each?));
        Some(SetLimit {
            incoming: filter.incoming,
            bytes,
            period,
            minimum: filter.minimum,
            computed,
            shared,
        })
    }
}

impl Worker {
    /// `set-bandwidth-limit`: the stream is limited from here on.
    pub(super) fn limit_bandwidth(&self, session: &mut Session, set: &SetLimit) {
        if let Some(shared) = &set.shared {
            let limit = shared.of(session, &self.turn).map(Limiter::Shared);
            session.limit(set.incoming, limit);
            return;
        }
        let view = View::new(session, &self.turn);
        let number = |computed: &Option<Compiled>, default: u64| {
            let value = computed.as_ref()?.value_as(&view, Kind::Int);
            match value {
                Some(Sample::Int(number)) => u64::try_from(number).ok(),
                _ => Some(default),
            }
        };
        let [bytes, period] = &set.computed;
        let bytes = number(bytes, set.bytes).unwrap_or(set.bytes);
        let period = number(period, set.period).unwrap_or(set.period);
        let limit = Limit::new(bytes, period, set.minimum, self.turn.now);
        session.limit(set.incoming, limit.map(Limiter::Own));
    }
}

impl Stream {
    /// Takes note of bytes of the response.
    pub(super) fn limit_response(&mut self, count: usize) {
        if let Some(limits) = &mut self.limits {
            limits.down.pass(count);
        }
    }
}

impl Session {
    fn limit(&mut self, incoming: bool, limit: Option<Limiter>) {
        let limits = self.stream().limits.get_or_insert_default();
        let way = match incoming {
            true => &mut limits.up,
            false => &mut limits.down,
        };
        *way = Way { limit, waits: None };
    }

    /// How many bytes of the request may pass now. While none may, the client is not late.
    pub(super) fn may_send(&mut self, now: u64) -> usize {
        let limits = self.http.as_deref_mut().map(|stream| &mut stream.limits);
        let Some(Some(limits)) = limits else {
            return usize::MAX;
        };
        let (count, waited) = limits.up.allowed(now);
        if waited {
            self.client_active = now;
        }
        count
    }

    /// The same of the response and the server.
    pub(super) fn may_receive(&mut self, now: u64) -> usize {
        let limits = self.http.as_deref_mut().map(|stream| &mut stream.limits);
        let Some(Some(limits)) = limits else {
            return usize::MAX;
        };
        let (count, waited) = limits.down.allowed(now);
        if waited {
            self.server_active = now;
        }
        count
    }

    /// When bytes that were held back may pass.
    pub(crate) fn bandwidth_deadline(&self) -> u64 {
        let limits = self
            .http
            .as_deref()
            .and_then(|stream| stream.limits.as_ref());
        let Some(limits) = limits else {
            return u64::MAX;
        };
        let at = |way: &Way| way.waits.unwrap_or(u64::MAX);
        at(&limits.up).min(at(&limits.down))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_lets_through_what_it_allows_and_no_more() {
        let mut limit = Limit::new(1000, 100, 0, 0).unwrap();
        assert_eq!(limit.allowed(0), 1000);
        limit.pass(1000);
        assert_eq!(limit.allowed(0), 0);
        assert_eq!(limit.allowed(50), 500);
        assert_eq!(limit.allowed(100_000), 1000);
    }

    #[test]
    fn it_is_ready_when_the_least_amount_may_pass_and_not_before() {
        let mut limit = Limit::new(1000, 100, 300, 0).unwrap();
        limit.pass(1000);
        assert_eq!(limit.allowed(10), 0);
        assert_eq!(limit.ready(), 30);
        assert_eq!(limit.allowed(29), 0);
        assert_eq!(limit.allowed(30), 300);
    }

    #[test]
    fn what_a_head_brought_with_it_is_made_up_for() {
        let mut limit = Limit::new(10, 1000, 0, 0).unwrap();
        limit.pass(30);
        assert_eq!(limit.ready(), 2100);
        assert_eq!(limit.allowed(2099), 0);
        assert_eq!(limit.allowed(2100), 1);
    }

    #[test]
    fn no_number_can_break_it() {
        let mut limit = Limit::new(u64::MAX, u64::MAX, u64::MAX, 0).unwrap();
        limit.pass(usize::MAX);
        assert_eq!(limit.allowed(u64::MAX), MOST);
        assert_eq!(limit.ready(), u64::MAX);
        assert!(Limit::new(0, 1, 0, 0).is_none() && Limit::new(1, 0, 0, 0).is_none());
    }
}
