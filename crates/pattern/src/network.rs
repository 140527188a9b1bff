//! Sets of networks. Each family keeps its networks by mask, longest prefix first, and for every mask
//! its networks in order, so that a test costs one binary search per mask in use: at most 33 for
//! IPv4 and 129 for IPv6 as long as masks are prefixes.

use std::net::IpAddr;

use crate::address::{Network, embedded_ipv4};

/// A set of IPv4 and IPv6 networks.
#[derive(Debug, Default)]
pub(crate) struct NetworkSet {
    v4: Prefixes<u32>,
    v6: Prefixes<u128>,
}

/// Networks of one family, by mask.
#[derive(Debug)]
struct Prefixes<T>(Vec<(T, Vec<T>)>);

impl<T> Default for Prefixes<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl NetworkSet {
    /// Of networks in any order.
    pub(crate) fn new(networks: impl Iterator<Item = Network>) -> Self {
        let mut set = Self::default();
        for network in networks {
            match network {
                Network::V4(address, mask) => set.v4.add(address & mask, mask),
                Network::V6(address, mask) => set.v6.add(address & mask, mask),
            }
        }
        set.v4.sort();
        set.v6.sort();
        set
    }

    /// Whether an address is in any of the networks. IPv4 addresses are also looked for in IPv6
    /// networks, mapped; IPv6 addresses that carry an IPv4 one also in IPv4 networks.
    pub(crate) fn contains(&self, ip: IpAddr) -> bool {
        match ip {
            IpAddr::V4(ip) => {
                self.v4.contains(ip.to_bits()) || self.v6.contains(ip.to_ipv6_mapped().to_bits())
            }
            IpAddr::V6(ip) => {
                self.v6.contains(ip.to_bits())
                    || embedded_ipv4(ip).is_some_and(|ip| self.v4.contains(ip.to_bits()))
            }
        }
    }
}

impl<T: Copy + Ord + std::ops::BitAnd<Output = T>> Prefixes<T> {
    fn add(&mut self, network: T, mask: T) {
        match self.0.iter_mut().find(|(have, _)| *have == mask) {
            Some((_, networks)) => networks.push(network),
            None => self.0.push((mask, vec![network])),
        }
    }

    fn sort(&mut self) {
        self.0.sort_by(|(a, _), (b, _)| b.cmp(a));
        for (_, networks) in &mut self.0 {
            networks.sort_unstable();
            networks.dedup();
        }
    }

    fn contains(&self, address: T) -> bool {
        self.0
            .iter()
            .any(|(mask, networks)| networks.binary_search(&(address & *mask)).is_ok())
    }
}
