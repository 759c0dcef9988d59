//! Fair shares of a number of slots among peers.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// The source of a request: a client's address or network, or this service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Peer(Option<IpAddr>);

impl Peer {
    /// This service, for its own logins.
    pub const SERVICE_ITSELF: Self = Self(None);

    /// The peer at an address. For IPv6 it is the /64 network, because one host usually has a whole /64.
    pub fn new(address: IpAddr) -> Self {
        Self(Some(match address.to_canonical() {
            IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
            v4 => v4,
        }))
    }
}

/// A number of slots, and how many of them each peer has.
///
/// A peer may take a slot while it has fewer than three times as many as are free. So a single peer gets at most three
/// quarters of all (behind a proxy, all clients may be a single peer), and the next gets three quarters of the rest.
pub struct Shares {
    counts: HashMap<Peer, usize>,
    total: usize,
    max: usize,
}

impl Shares {
    /// `max` slots, all of them free.
    pub fn new(max: usize) -> Self {
        Self { counts: HashMap::new(), total: 0, max }
    }

    /// Whether a peer may take a slot.
    pub fn admits(&self, peer: Peer) -> bool {
        self.count(peer) < self.max.saturating_sub(self.total).saturating_mul(3)
    }

    /// The number of slots that a peer has.
    pub fn count(&self, peer: Peer) -> usize {
        self.counts.get(&peer).copied().unwrap_or_default()
    }

    /// The number of slots that are taken.
    #[cfg(test)]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Takes a slot.
    pub fn add(&mut self, peer: Peer) {
        self.total += 1;
        *self.counts.entry(peer).or_default() += 1;
    }

    /// Gives back a slot.
    pub fn remove(&mut self, peer: Peer) {
        self.total = self.total.saturating_sub(1);
        if let Some(count) = self.counts.get_mut(&peer) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&peer);
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
            taken.push(shares.count(peer));
        }
        assert_eq!(taken, [96, 24, 6, 2]);
        let peer = Peer::new(IpAddr::from([10, 0, 0, 0]));
        shares.remove(peer);
        assert_eq!((shares.count(peer), shares.total()), (95, 127));
        assert!(shares.admits(Peer::SERVICE_ITSELF) && !shares.admits(peer));
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
