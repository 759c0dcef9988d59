//! The process's cache of tokens that Keystone has validated.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};

use crate::token::Token;

/// The number of shards, each with its own lock.
const SHARDS: usize = 16;

/// A token's SHA-256. The token itself is not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key([u8; SHA256_OUTPUT_LEN]);

impl Key {
    /// The key of a token.
    pub fn new(token: &str) -> Self {
        let mut key = [0; SHA256_OUTPUT_LEN];
        key.copy_from_slice(digest(&SHA256, token.as_bytes()).as_ref());
        Self(key)
    }
}

/// A cache of validated tokens.
pub struct Cache {
    shards: [Mutex<HashMap<Key, Entry>>; SHARDS],
    /// The most entries of a shard.
    capacity: usize,
    /// How long a token is cached.
    life: Duration,
}

struct Entry {
    token: Arc<Token>,
    /// Whether Keystone was asked to accept an expired token.
    allow_expired: bool,
    until: Instant,
}

impl Cache {
    /// A cache of about `capacity` entries, each for `life`.
    pub fn new(capacity: usize, life: Duration) -> Self {
        Self { shards: Default::default(), capacity: (capacity / SHARDS).max(1), life }
    }

    /// The cached token. An entry that was validated with `allow_expired` does not answer a look-up without it.
    pub fn get(&self, key: &Key, allow_expired: bool) -> Option<Arc<Token>> {
        self.with_shard(key, |entries| {
            let entry = entries.get(key)?;
            let fits = allow_expired || !entry.allow_expired;
            (fits && Instant::now() < entry.until).then(|| Arc::clone(&entry.token))
        })
    }

    /// Caches a token. If the shard is full, this evicts the entry that would end first.
    pub fn insert(&self, key: Key, allow_expired: bool, token: Arc<Token>) {
        let now = Instant::now();
        let Some(until) = now.checked_add(self.life) else { return };
        self.with_shard(&key, |entries| {
            if entries.len() >= self.capacity && !entries.contains_key(&key) {
                entries.retain(|_, entry| now < entry.until);
                if entries.len() >= self.capacity
                    && let Some(oldest) =
                        entries.iter().min_by_key(|(_, entry)| entry.until).map(|(key, _)| *key)
                {
                    entries.remove(&oldest);
                }
            }
            entries.insert(key, Entry { token, allow_expired, until });
        });
    }

    fn with_shard<T>(&self, key: &Key, work: impl FnOnce(&mut HashMap<Key, Entry>) -> T) -> T {
        let shard = &self.shards[usize::from(key.0[0]) % SHARDS];
        work(&mut shard.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(user: &str) -> Arc<Token> {
        let body = format!(r#"{{"token":{{"user":{{"id":"{user}"}},"expires_at":"2999-01-01T00:00:00Z"}}}}"#);
        Arc::new(Token::parse(body.as_bytes()).unwrap())
    }

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn an_entry_with_allow_expired_does_not_answer_a_look_up_without_it() {
        let cache = Cache::new(100, HOUR);
        let key = Key::new("t");
        assert_eq!(cache.get(&key, false), None);
        cache.insert(key, true, token("u"));
        assert_eq!(cache.get(&key, false), None);
        assert_eq!(cache.get(&key, true), Some(token("u")));
        cache.insert(key, false, token("u"));
        assert_eq!(cache.get(&key, false), Some(token("u")));
        assert_eq!(cache.get(&key, true), Some(token("u")));
    }

    #[test]
    fn entries_end() {
        let cache = Cache::new(100, Duration::ZERO);
        cache.insert(Key::new("t"), false, token("u"));
        assert_eq!(cache.get(&Key::new("t"), false), None);
    }

    #[test]
    fn it_is_bounded_and_the_oldest_goes_first() {
        let cache = Cache::new(SHARDS * 4, HOUR);
        let keys: Vec<_> = (0..1000).map(|n| Key::new(&format!("token {n}"))).collect();
        for key in &keys {
            cache.insert(*key, false, token("u"));
            assert!(cache.get(key, false).is_some(), "the newest is there");
        }
        let held = keys.iter().filter(|key| cache.get(key, false).is_some()).count();
        assert_eq!(held, SHARDS * 4);
        assert_eq!(cache.get(&keys[0], false), None);
    }

    #[test]
    fn every_token_has_its_own_key() {
        assert_ne!(Key::new("a"), Key::new("b"));
        assert!(!format!("{:?}", Key::new("hunter2")).contains("hunter2"));
    }
}
