//! Networks: the borders between them in order, so that one search finds the longest prefix that
//! holds an address, however many there are.

use std::net::IpAddr;

use crate::address::{Network, embedded_ipv4};
use crate::steps::step;

/// No network.
const NONE: u32 = u32::MAX;
/// More than any prefix is long: a network of the address's own family goes before one of the other.
const OWN_FAMILY: u32 = 256;

/// Networks of both families by row.
#[derive(Debug)]
pub(crate) struct NetworkSet {
    v4: Tree<u32>,
    v6: Tree<u128>,
    /// IPv4 networks whose mask is no prefix: address, mask, row.
    odd: Vec<(u32, u32, u32)>,
}

/// Networks of one family that lie in each other, flattened.
#[derive(Debug)]
struct Tree<T> {
    /// Where another network begins to be the innermost one.
    borders: Vec<T>,
    /// The innermost network behind each border.
    inner: Vec<u32>,
    nets: Vec<Net>,
}

#[derive(Debug)]
struct Net {
    row: u32,
    bits: u32,
    /// The network around this one; of equal ones, the next of the list.
    around: u32,
}

/// Networks before they are flattened: first and last address, prefix length, row.
struct Span<T> {
    first: T,
    last: T,
    bits: u32,
    row: u32,
}

impl NetworkSet {
    /// Of networks with their rows.
    pub(crate) fn new(networks: impl Iterator<Item = (Network, u32)>) -> Self {
        let (mut v4, mut v6, mut odd) = (Vec::new(), Vec::new(), Vec::new());
        for (network, row) in networks {
            match network {
                Network::V4(address, mask) if mask.leading_ones() == mask.count_ones() => {
                    v4.push(Span {
                        first: address & mask,
                        last: address | !mask,
                        bits: mask.count_ones(),
                        row,
                    });
                }
                Network::V4(address, mask) => odd.push((address & mask, mask, row)),
                Network::V6(address, mask) => v6.push(Span {
                    first: address & mask,
                    last: address | !mask,
                    bits: mask.count_ones(),
                    row,
                }),
            }
        }
        Self {
            v4: Tree::new(v4, |address| address.checked_add(1)),
            v6: Tree::new(v6, |address| address.checked_add(1)),
            odd,
        }
    }

    /// The row of the network that holds an address best, and how well. IPv4 addresses are also
    /// looked for in IPv6 networks, mapped; IPv6 addresses that carry an IPv4 one also in IPv4 networks.
    pub(crate) fn find(&self, ip: IpAddr, lives: &impl Fn(u32) -> bool) -> Option<(u32, u32)> {
        match ip {
            IpAddr::V4(ip) => self
                .v4
                .find(ip.to_bits(), lives)
                .map(|(row, bits)| (row, bits + OWN_FAMILY))
                .or_else(|| self.v6.find(ip.to_ipv6_mapped().to_bits(), lives))
                .or_else(|| self.find_odd(ip.to_bits(), lives)),
            IpAddr::V6(ip) => self
                .v6
                .find(ip.to_bits(), lives)
                .map(|(row, bits)| (row, bits + OWN_FAMILY))
                .or_else(|| {
                    let inside = embedded_ipv4(ip)?.to_bits();
                    let found = self.v4.find(inside, lives);
                    found.or_else(|| self.find_odd(inside, lives))
                }),
        }
    }

    fn find_odd(&self, address: u32, lives: &impl Fn(u32) -> bool) -> Option<(u32, u32)> {
        let mut holding = self
            .odd
            .iter()
            .filter(|(network, mask, row)| address & mask == *network && lives(*row));
        holding.next().map(|(_, _, row)| (*row, 0))
    }
}

impl<T: Copy + Ord> Tree<T> {
    fn new(mut spans: Vec<Span<T>>, after: impl Fn(T) -> Option<T>) -> Self {
        // Wider ones come first; of equal ones the last of the list, so that the first is innermost.
        spans.sort_unstable_by(|a, b| {
            (a.first.cmp(&b.first))
                .then(a.bits.cmp(&b.bits))
                .then(b.row.cmp(&a.row))
        });
        let mut tree = Self {
            borders: Vec::new(),
            inner: Vec::new(),
            nets: Vec::with_capacity(spans.len()),
        };
        let mut open: Vec<(T, u32)> = Vec::new();
        for span in spans {
            while let Some((last, _)) = open.last().copied().filter(|(l, _)| *l < span.first) {
                open.pop();
                tree.leave(last, &open, &after);
            }
            let at = u32::try_from(tree.nets.len()).unwrap_or(NONE);
            tree.nets.push(Net {
                row: span.row,
                bits: span.bits,
                around: open.last().map_or(NONE, |(_, at)| *at),
            });
            tree.border(span.first, at);
            open.push((span.last, at));
        }
        while let Some((last, _)) = open.pop() {
            tree.leave(last, &open, &after);
        }
        tree.borders.shrink_to_fit();
        tree.inner.shrink_to_fit();
        tree
    }

    /// Behind the last address of a network, the one around it is the innermost again.
    fn leave(&mut self, last: T, open: &[(T, u32)], after: &impl Fn(T) -> Option<T>) {
        if let Some(next) = after(last) {
            self.border(next, open.last().map_or(NONE, |(_, at)| *at));
        }
    }

    fn border(&mut self, at: T, inner: u32) {
        if self.borders.last() == Some(&at) {
            self.inner.pop();
        } else {
            self.borders.push(at);
        }
        self.inner.push(inner);
    }

    fn find(&self, address: T, lives: &impl Fn(u32) -> bool) -> Option<(u32, u32)> {
        let border = self.borders.partition_point(|border| {
            step();
            *border <= address
        });
        let mut at = *self.inner.get(border.checked_sub(1)?)?;
        while let Some(net) = self.nets.get(at as usize) {
            step();
            if lives(net.row) {
                return Some((net.row, net.bits));
            }
            at = net.around;
        }
        None
    }
}
