//! The order of `balance roundrobin`: every server comes as often as its weight says, spread evenly.
//!
//! Time is counted in picks and runs in windows as long as the sum of the weights. In a window each
//! server is first `fresh` and comes as soon as nobody is due, heavier ones first; from then on it
//! is due again after its share of the window. One whose next turn lies beyond the window's end waits
//! for the next window, where it starts afresh.
//!
//! ```text
//! next ──window ends──▶ fresh ──first turn──▶ placed ──due──▶ placed | next
//! ```

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use crate::eligible::Eligible;
use crate::server::Server;

/// Waiting for a first turn: the heaviest first, then whoever came first.
type Waiting = BinaryHeap<(u32, Reverse<u64>, usize)>;
/// When the next turn is due; then who has the least of it left over; then whoever came first.
type Placed = BinaryHeap<Reverse<(u64, i64, u64, usize)>>;

#[derive(Clone, Copy, Debug, Default)]
struct Turn {
    weight: u32,
    due: u64,
    /// What the divisions of the window by the weight left over so far.
    rest: u32,
}

/// The order; the balancer keeps it under a lock.
#[derive(Debug, Default)]
pub(crate) struct Wheel {
    turns: Vec<Turn>,
    fresh: Waiting,
    placed: Placed,
    next: Waiting,
    passed: Vec<usize>,
    position: u64,
    window: u64,
    weight: u64,
    serial: u64,
}

impl Wheel {
    /// Bring the wheel in line with who takes part now and with what weight. Those who stay as they are
    /// keep their turns; a newcomer's first turn comes after its share of the window.
    pub(crate) fn update(&mut self, servers: &[Arc<Server>], eligible: &Eligible) {
        self.turns.resize(servers.len(), Turn::default());
        let mut wanted = vec![0; servers.len()];
        for &at in &eligible.members {
            if let (Some(weight), Some(server)) = (wanted.get_mut(at), servers.get(at)) {
                *weight = server.effective_weight();
            }
        }
        for (at, weight) in wanted.into_iter().enumerate() {
            let Some(turn) = self.turns.get_mut(at) else {
                continue;
            };
            let old = std::mem::replace(&mut turn.weight, weight);
            if old == weight {
                continue;
            }
            self.leave(at, u64::from(old));
            if weight > 0 {
                self.join(at, weight);
            }
        }
    }

    fn leave(&mut self, at: usize, weight: u64) {
        self.placed.retain(|Reverse(entry)| entry.3 != at);
        self.fresh.retain(|entry| entry.2 != at);
        self.next.retain(|entry| entry.2 != at);
        self.weight -= weight;
        self.window = self.window.saturating_sub(weight);
    }

    fn join(&mut self, at: usize, weight: u32) {
        self.weight += u64::from(weight);
        if self.window == 0 {
            // The first window has not begun: all who come now start it together.
            return self.wait(at, weight);
        }
        self.window += u64::from(weight);
        if let Some(turn) = self.turns.get_mut(at) {
            turn.due = self.position + self.weight / u64::from(weight);
            turn.rest = 0;
        }
        self.place(at);
    }

    fn wait(&mut self, at: usize, weight: u32) {
        self.serial += 1;
        self.next.push((weight, Reverse(self.serial), at));
    }

    /// The next server that has room; those that have none lose their turn. `excluded` is chosen only when
    /// nobody else has room.
    pub(crate) fn pick(
        &mut self,
        excluded: Option<usize>,
        has_room: impl Fn(usize) -> bool,
    ) -> Option<usize> {
        let mut may_turn = true;
        let mut chosen = None;
        let mut avoided = None;
        let mut passed = std::mem::take(&mut self.passed);
        while let Some(at) = self.due(&mut may_turn) {
            self.advance(at);
            let room = has_room(at);
            if room && excluded != Some(at) {
                chosen = Some(at);
                break;
            }
            avoided = avoided.or(room.then_some(at));
            passed.push(at);
        }
        if let Some(at) = chosen {
            self.place(at);
        }
        for at in passed.drain(..) {
            self.place(at);
        }
        self.passed = passed;
        chosen.or(avoided)
    }

    /// Take out whose turn it is; begin the next window at most once.
    fn due(&mut self, may_turn: &mut bool) -> Option<usize> {
        loop {
            let is_due =
                |Reverse(entry): &Reverse<(u64, i64, u64, usize)>| entry.0 <= self.position;
            let waits = self.placed.peek().is_some_and(is_due) || self.fresh.is_empty();
            if waits && !self.placed.is_empty() {
                return self.placed.pop().map(|Reverse(entry)| entry.3);
            }
            if let Some((_, _, at)) = self.fresh.pop() {
                if let Some(turn) = self.turns.get_mut(at) {
                    turn.due = self.position;
                    turn.rest = 0;
                }
                return Some(at);
            }
            if !std::mem::take(may_turn) {
                return None;
            }
            std::mem::swap(&mut self.fresh, &mut self.next);
            self.position = 0;
            self.window = self.weight;
        }
    }

    /// Count a server's turn and find when the following one is due.
    fn advance(&mut self, at: usize) {
        self.position += 1;
        let Some(turn) = self.turns.get_mut(at) else {
            return;
        };
        let share = u64::from(turn.weight.max(1));
        let rest = u64::from(turn.rest) + self.weight % share;
        turn.due += self.weight / share + rest / share;
        turn.rest = u32::try_from(rest % share).unwrap_or(0);
    }

    fn place(&mut self, at: usize) {
        let Some(&Turn { weight, due, rest }) = self.turns.get(at) else {
            return;
        };
        if due >= self.window {
            self.wait(at, weight);
        } else {
            self.serial += 1;
            self.placed.push(Reverse((
                due,
                i64::from(rest) - i64::from(weight),
                self.serial,
                at,
            )));
        }
    }
}
