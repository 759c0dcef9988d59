//! How many of a number of places one peer may take.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(Option<IpAddr>);

impl Peer {
    /// This service itself.
    pub const OURSELVES: Self = Self(None);

    /// An address. A host of IPv6 may have all addresses of its network of 64 bits.
    pub fn new(address: IpAddr) -> Self {
        Self(Some(match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
            v4 => v4,
        }))
    }
}

/// A number of places, and which peers have them.
///
/// A peer may take a place as long as it has less than three times as many as are free. So a single one gets three quarters
/// of them, and behind a proxy all clients are a single one; the next gets three quarters of the rest, and a new one
/// finds a place.
pub struct Shares {
    of: HashMap<Peer, usize>,
    total: usize,
    max: usize,
}

impl Shares {
    /// So many places, all free.
    pub fn new(max: usize) -> Self {
        Self { of: HashMap::new(), total: 0, max }
    }

    /// Whether a peer may take a place.
    pub fn admits(&self, peer: Peer) -> bool {
        self.of(peer) < self.max.saturating_sub(self.total).saturating_mul(3)
    }

    /// How many places a peer has.
    pub fn of(&self, peer: Peer) -> usize {
        self.of.get(&peer).copied().unwrap_or_default()
    }

    /// How many places are taken.
    #[cfg(test)]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Takes a place.
    pub fn add(&mut self, peer: Peer) {
        self.total += 1;
        *self.of.entry(peer).or_default() += 1;
    }

    /// Gives a place back.
    pub fn remove(&mut self, peer: Peer) {
        self.total = self.total.saturating_sub(1);
        if let Some(count) = self.of.get_mut(&peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.of.remove(&peer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_peer_gets_three_quarters_of_what_is_left() {
        let mut shares = Shares::new(128);
        let mut taken = Vec::new();
        for number in 0..4 {
            let peer = Peer::new(IpAddr::from([10, 0, 0, number]));
            while shares.admits(peer) {
                shares.add(peer);
            }
            taken.push(shares.of(peer));
        }
        assert_eq!(taken, [96, 24, 6, 2]);
        let peer = Peer::new(IpAddr::from([10, 0, 0, 0]));
        shares.remove(peer);
        assert_eq!((shares.of(peer), shares.total()), (95, 127));
        assert!(shares.admits(Peer::OURSELVES) && !shares.admits(peer));
    }

    #[test]
    fn a_network_of_64_bits_is_one_peer() {
        let peer = |text: &str| Peer::new(text.parse().unwrap());
        assert_eq!(peer("2001:db8::1"), peer("2001:db8::ffff:1"));
        assert_ne!(peer("2001:db8::1"), peer("2001:db8:0:1::1"));
        assert_eq!(peer("::ffff:10.0.0.1"), peer("10.0.0.1"));
        assert_ne!(peer("10.0.0.1"), peer("10.0.0.2"));
    }
}
