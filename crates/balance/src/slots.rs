//! The static map of `static-rr` and of `hash-type map-based`: a slot for every unit of weight.
//! Rebuilt whole when a server's state changes; read without a lock.

use std::sync::Arc;

use crate::server::Server;

/// Slot by slot, the server's position in the configuration.
#[derive(Debug, Default)]
pub(crate) struct Slots(Box<[u32]>);

impl Slots {
    /// Fill the map from the servers' configured weights.
    ///
    /// Each slot raises every server's score by its weight; the slot goes to the first server
    /// with the most whole turns in its score, which then pays a turn. One turn is the map's length.
    /// `contenders` are the servers that compete. They are `members`, whose weights make the
    /// map's length, but for `static-rr` where one backup stands in alone: there HAProxy 2.6 makes
    /// the map as long as that backup's weight and lets all usable backups compete for its slots.
    pub(crate) fn new(servers: &[Arc<Server>], members: &[usize], contenders: &[usize]) -> Self {
        let weight = |at: &usize| {
            servers
                .get(*at)
                .map_or(0, |s| i64::from(s.user_weight().get()))
        };
        let divisor = contenders.iter().map(weight).fold(0, gcd).max(1);
        let length: i64 = members.iter().map(weight).sum::<i64>() / divisor;
        let mut scores: Vec<(usize, i64, i64)> = contenders
            .iter()
            .map(|at| (*at, weight(at) / divisor, 0))
            .collect();
        let slots = (0..length)
            .filter_map(|_| next_slot(&mut scores, length))
            .collect();
        Self(slots)
    }

    /// How many slots there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// The server of a slot; slots repeat after the last.
    pub(crate) fn get(&self, slot: usize) -> Option<usize> {
        let at = slot.checked_rem(self.0.len())?;
        self.0.get(at).map(|server| *server as usize)
    }
}

/// Give away one slot among (server, weight, score).
fn next_slot(scores: &mut [(usize, i64, i64)], turn: i64) -> Option<u32> {
    let mut best: Option<(i64, &mut (usize, i64, i64))> = None;
    for entry in scores {
        entry.2 += entry.1;
        let turns = entry.2.div_euclid(turn);
        if best.as_ref().is_none_or(|(most, _)| turns > *most) {
            best = Some((turns, entry));
        }
    }
    let (_, winner) = best?;
    winner.2 -= turn;
    u32::try_from(winner.0).ok()
}

fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { gcd(b, a % b) }
}
