//! The ring of `hash-type consistent` and of `balance random`: sixteen points for every unit of
//! a server's weight. A key belongs to the nearest point. Rebuilt whole when a
//! server's state or weight changes; read without a lock.

use std::sync::Arc;

use crate::eligible::Eligible;
use crate::hash::avalanche;
use crate::server::Server;

/// Points of neighbouring identifiers never overlap: 256 is the largest weight, 16 its scale.
const POINTS_PER_SERVER: u32 = 4096;

/// The points in order, and each server's part of the whole weight.
#[derive(Debug, Default)]
pub(crate) struct Ring {
    /// (place on the ring, server).
    points: Box<[(u32, u32)]>,
    /// By server: the weights before it, and its own.
    shares: Box<[(u64, u64)]>,
    weight: u64,
}

impl Ring {
    pub(crate) fn new(servers: &[Arc<Server>], eligible: &Eligible) -> Self {
        let mut points = Vec::new();
        let mut shares = vec![(0, 0); servers.len()];
        let mut weight = 0;
        for &at in &eligible.members {
            let (Some(server), Some(share), Ok(number)) =
                (servers.get(at), shares.get_mut(at), u32::try_from(at))
            else {
                continue;
            };
            let first = server.id().wrapping_mul(POINTS_PER_SERVER);
            let own = server.effective_weight();
            points.extend((0..own).map(|point| (avalanche(first.wrapping_add(point)), number)));
            *share = (weight, u64::from(own));
            weight += u64::from(own);
        }
        points.sort_unstable();
        Self {
            points: points.into(),
            shares: shares.into(),
            weight,
        }
    }

    /// The servers of a key: the nearest point's first, then going up the ring, once around.
    /// A server comes as often as it has points.
    pub(crate) fn of_key(&self, hash: u32) -> impl Iterator<Item = usize> + '_ {
        self.starting_at(self.nearest(hash))
            .map(|(_, server)| server)
    }

    /// The points above `after` (all of them from the lowest when `None`), once around, each with its place.
    pub(crate) fn above(&self, after: Option<u32>) -> impl Iterator<Item = (u32, usize)> + '_ {
        let start = after.map_or(0, |after| {
            self.points.partition_point(|(place, _)| *place <= after)
        });
        self.starting_at(start)
    }

    fn starting_at(&self, start: usize) -> impl Iterator<Item = (u32, usize)> + '_ {
        let (before, after) = self.points.split_at(start.min(self.points.len()));
        after
            .iter()
            .chain(before)
            .map(|(place, server)| (*place, *server as usize))
    }

    /// The point nearest to a hash, the lower one when both are as near.
    fn nearest(&self, hash: u32) -> usize {
        let upper = self.points.partition_point(|(place, _)| *place < hash);
        let lower = upper
            .checked_sub(1)
            .unwrap_or(self.points.len().saturating_sub(1));
        let upper = if upper < self.points.len() { upper } else { 0 };
        let place = |at: usize| self.points.get(at).map_or(0, |(place, _)| *place);
        if hash.wrapping_sub(place(lower)) <= place(upper).wrapping_sub(hash) {
            lower
        } else {
            upper
        }
    }

    /// How many connections a server may have when all have `connections`, the one
    /// to be placed included (`hash-balance-factor`, in percent of the average).
    ///
    /// All slots together are factor percent of the connections, rounded up. They are dealt out in proportion
    /// to the weights in the configuration's order, so that fractions add up to
    /// a slot for the server at which they reach one. Nobody has less than one.
    pub(crate) fn bound(&self, server: usize, connections: u32, factor: u32) -> u64 {
        let all = (u64::from(connections) * u64::from(factor)).div_ceil(100);
        let (before, own) = self.shares.get(server).copied().unwrap_or((0, 0));
        let dealt = |weight: u64| (weight * all).checked_div(self.weight).unwrap_or(0);
        (dealt(before + own) - dealt(before)).max(1)
    }
}
