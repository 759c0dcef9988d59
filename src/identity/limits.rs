//! Limits on guessing passwords: token buckets. Each failed login takes one token, and tokens come back with time.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use front::error::{Error, Result};

/// The size of a bucket.
const BURST: u32 = 10;
/// Upper bound on the buckets in memory. A full bucket needs no memory.
const MAX_BUCKETS: usize = 20_000;

/// The address by which limits are counted: an IPv4 address, or the /64 network of an IPv6 address, because one host
/// usually has a whole /64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Origin(IpAddr);

impl Origin {
    pub(super) fn new(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V6(ip) => Self(IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX)))),
            ip @ IpAddr::V4(_) => Self(ip),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            IpAddr::V4(ip) => write!(f, "{ip}"),
            IpAddr::V6(ip) => write!(f, "{ip}/64"),
        }
    }
}

/// The origin of a login, and the buckets that it counts against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    pub(super) origin: Origin,
    /// Whether the user has logged in from this origin lately.
    pub(super) is_known: bool,
    /// The bucket of the user at this origin, and that of the origin.
    buckets: [u64; 2],
}

impl Source {
    /// The buckets that may refuse the login. The origin's bucket does not refuse a user who is known there, so that
    /// failures of other users do not lock them out.
    fn refusing(&self) -> &[u64] {
        if self.is_known { &self.buckets[..1] } else { &self.buckets }
    }
}

/// The buckets of this process. A restart fills all of them.
pub(super) struct Limits {
    buckets: Mutex<Buckets>,
    hasher: RandomState,
}

impl Limits {
    /// `refill` is the time in which a bucket gets one token back.
    pub(super) fn new(refill: Duration) -> Self {
        Self { buckets: Mutex::new(Buckets { refill, full_at: HashMap::new() }), hasher: RandomState::new() }
    }

    /// `user` is the user's id; if there is no such user, the id or name in the request.
    pub(super) fn source(&self, origin: Origin, user: &str, is_known: bool) -> Source {
        let buckets = [self.hasher.hash_one((origin, user)), self.hasher.hash_one(origin)];
        Source { origin, is_known, buckets }
    }

    /// # Errors
    /// 429 while a bucket is empty.
    pub(super) fn check(&self, source: &Source) -> Result<()> {
        let wait = self.lock().wait(source.refusing(), Instant::now());
        if wait.is_zero() { Ok(()) } else { Err(too_many(wait, "failed logins")) }
    }

    /// Takes a token from each refusing bucket before the password is verified, so that concurrent attempts cannot exceed
    /// the limit. [`Limits::give_back`] follows a success, [`Limits::keep_reserved`] a failure.
    ///
    /// # Errors
    /// 429 while a bucket is empty.
    pub(super) fn reserve(&self, source: &Source) -> Result<()> {
        self.take(source.refusing(), "failed logins")
    }

    /// Returns the tokens that [`Limits::reserve`] took.
    pub(super) fn give_back(&self, source: &Source) {
        let mut buckets = self.lock();
        source.refusing().iter().for_each(|key| buckets.give_back(*key));
    }

    /// Keeps the tokens that [`Limits::reserve`] took. Takes one from the origin's bucket too, if that was not among the
    /// refusing ones.
    pub(super) fn keep_reserved(&self, source: &Source) {
        let rest = &source.buckets[source.refusing().len()..];
        let mut buckets = self.lock();
        rest.iter().for_each(|key| buckets.take(*key, Instant::now()));
    }

    /// Counts a failure without a reservation.
    pub(super) fn charge(&self, source: &Source) {
        let mut buckets = self.lock();
        source.buckets.iter().for_each(|key| buckets.take(*key, Instant::now()));
    }

    /// Whether logins from this source have failed lately.
    pub(super) fn has_failures(&self, source: &Source) -> bool {
        let (buckets, now) = (self.lock(), Instant::now());
        source.refusing().iter().any(|key| !buckets.debt(*key, now).is_zero())
    }

    /// Takes from the user's bucket for tokens that are issued for other tokens.
    ///
    /// # Errors
    /// 429 while it is empty.
    pub(super) fn take_rescope(&self, user_id: &str) -> Result<()> {
        self.take(&[self.hasher.hash_one(("rescope", user_id))], "tokens made from tokens")
    }

    fn take(&self, keys: &[u64], of_what: &str) -> Result<()> {
        let (mut buckets, now) = (self.lock(), Instant::now());
        let wait = buckets.wait(keys, now);
        if !wait.is_zero() {
            return Err(too_many(wait, of_what));
        }
        keys.iter().for_each(|key| buckets.take(*key, now));
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Buckets> {
        self.buckets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn too_many(wait: Duration, of_what: &str) -> Error {
    let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
    Error::too_many_requests(format!("Too many {of_what}; try again in {seconds} seconds."), seconds)
}

/// Token buckets by the generic cell rate algorithm: the only state of a bucket is the time at which it will be full.
struct Buckets {
    refill: Duration,
    full_at: HashMap<u64, Instant>,
}

impl Buckets {
    /// The time until the bucket is full.
    fn debt(&self, key: u64, now: Instant) -> Duration {
        self.full_at.get(&key).map_or(Duration::ZERO, |full_at| full_at.saturating_duration_since(now))
    }

    /// The time until each of these buckets has a token.
    fn wait(&self, keys: &[u64], now: Instant) -> Duration {
        let waits =
            keys.iter().map(|key| (self.debt(*key, now) + self.refill).saturating_sub(self.refill * BURST));
        waits.max().unwrap_or_default()
    }

    /// Takes a token; an empty bucket stays empty.
    fn take(&mut self, key: u64, now: Instant) {
        self.make_room(now);
        let refill = self.refill;
        let full_at = self.full_at.entry(key).or_insert(now);
        *full_at = ((*full_at).max(now) + refill).min(now + refill * BURST);
    }

    fn give_back(&mut self, key: u64) {
        if let Some(full_at) = self.full_at.get_mut(&key) {
            *full_at = full_at.checked_sub(self.refill).unwrap_or(*full_at);
        }
    }

    /// At the upper bound, drops the full buckets. If none is full, drops the fuller half of all.
    fn make_room(&mut self, now: Instant) {
        if self.full_at.len() < MAX_BUCKETS {
            return;
        }
        self.full_at.retain(|_, full_at| *full_at > now);
        if self.full_at.len() < MAX_BUCKETS {
            return;
        }
        let mut times: Vec<_> = self.full_at.values().copied().collect();
        let middle = times.len() / 2;
        let median = *times.select_nth_unstable(middle).1;
        self.full_at.retain(|_, full_at| *full_at > median);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const REFILL: Duration = Duration::from_secs(6);

    fn buckets() -> Buckets {
        Buckets { refill: REFILL, full_at: HashMap::new() }
    }

    #[test]
    fn a_bucket_admits_ten_at_once_and_then_one_in_six_seconds() {
        let (mut buckets, now) = (buckets(), Instant::now());
        for _ in 0..BURST {
            assert_eq!(buckets.wait(&[1], now), Duration::ZERO);
            buckets.take(1, now);
        }
        assert_eq!((buckets.wait(&[1], now), buckets.wait(&[2], now)), (REFILL, Duration::ZERO));
        assert_eq!(buckets.wait(&[2, 1], now + 4 * SECOND), 2 * SECOND);
        assert_eq!(buckets.wait(&[1], now + 6 * SECOND), Duration::ZERO);
        buckets.take(1, now + 6 * SECOND);
        assert_eq!(buckets.wait(&[1], now + 6 * SECOND), REFILL);
        // Taking from an empty bucket makes no login wait longer.
        buckets.take(1, now + 6 * SECOND);
        assert_eq!(buckets.wait(&[1], now + 6 * SECOND), REFILL);
        assert_eq!(buckets.debt(1, now + 66 * SECOND), Duration::ZERO);
    }

    #[test]
    fn a_reservation_that_is_given_back_does_not_count() {
        let (mut buckets, now) = (buckets(), Instant::now() + 60 * SECOND);
        for _ in 0..100 {
            assert_eq!(buckets.wait(&[1], now), Duration::ZERO);
            buckets.take(1, now);
            buckets.give_back(1);
        }
        assert_eq!(buckets.debt(1, now), Duration::ZERO);
    }

    #[test]
    fn the_number_of_buckets_is_bounded_and_the_emptiest_stay() {
        let (mut buckets, start) = (buckets(), Instant::now());
        for _ in 0..BURST {
            buckets.take(0, start);
        }
        for key in 1..=3 * MAX_BUCKETS as u64 {
            buckets.take(key, start + Duration::from_nanos(key));
            assert!(buckets.full_at.len() <= MAX_BUCKETS);
        }
        assert!(!buckets.wait(&[0], start + SECOND).is_zero());
    }

    #[test]
    fn an_origin_is_an_ipv4_address_or_an_ipv6_network() {
        let origin = |text: &str| Origin::new(text.parse().unwrap()).to_string();
        assert_eq!(origin("192.0.2.1"), "192.0.2.1");
        assert_eq!(origin("::ffff:192.0.2.1"), "192.0.2.1");
        assert_eq!(origin("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(origin("2001:db8:1:2::1"), "2001:db8:1:2::/64");
    }

    #[test]
    fn failures_of_others_do_not_lock_out_a_user_who_is_known_at_the_address() {
        let limits = Limits::new(REFILL);
        let origin = Origin::new(IpAddr::from([192, 0, 2, 1]));
        let eve = limits.source(origin, "eve", false);
        for _ in 0..BURST {
            limits.reserve(&eve).unwrap();
            limits.keep_reserved(&eve);
        }
        assert_eq!(limits.check(&eve).unwrap_err().status(), 429);
        assert_eq!(limits.check(&limits.source(origin, "bob", false)).unwrap_err().status(), 429);
        let ann = limits.source(origin, "ann", true);
        for _ in 0..BURST {
            limits.reserve(&ann).unwrap();
            limits.keep_reserved(&ann);
        }
        assert_eq!(
            limits.reserve(&ann).unwrap_err().status(),
            429,
            "guesses at this user count all the same"
        );
        let elsewhere = Origin::new(IpAddr::from([192, 0, 2, 2]));
        limits.reserve(&limits.source(elsewhere, "ann", false)).unwrap();
    }
}
