//! How entries are kept from those who can reach the memcached, but have no business with tokens
//! (`memcache_security_strategy`).
//!
//! Every token has keys of its own, derived from `memcache_secret_key` (HKDF, RFC 5869). So an entry proves whose it
//! is: moved to the name of another token it is worth nothing.

use std::fmt::Write;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::{hkdf, hmac};

use super::super::cache::Key;
use crate::context::Secret;

/// Every entry's name begins so.
const PREFIX: &str = "freezer-api/tokens/";

/// Another way of sealing needs another label.
const LABEL: &[u8] = b"freezer-api tokens 1";

/// The length of HMAC-SHA256's output, in bytes.
const TAG: usize = 32;

/// `memcache_security_strategy`, with `memcache_secret_key` where there is one. All who share entries have the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Entries are as they are: who can write to the memcached can become anybody.
    #[default]
    None,
    /// They are authenticated.
    Mac(Secret),
    /// They are authenticated and encrypted.
    Encrypt(Secret),
}

/// Names, seals and opens entries.
pub enum Seal {
    /// Does nothing to them.
    None,
    /// HMAC-SHA256, before the entry.
    Mac(hkdf::Prk),
    /// AES-256-GCM, behind the nonce.
    Encrypt(hkdf::Prk),
}

impl Seal {
    /// By a strategy.
    pub fn new(strategy: &Strategy) -> Self {
        let extract =
            |secret: &Secret| hkdf::Salt::new(hkdf::HKDF_SHA256, LABEL).extract(secret.reveal().as_bytes());
        match strategy {
            Strategy::None => Self::None,
            Strategy::Mac(secret) => Self::Mac(extract(secret)),
            Strategy::Encrypt(secret) => Self::Encrypt(extract(secret)),
        }
    }

    /// The name of a token's entry; with a secret nobody can tell the token's hash from it.
    pub fn name(&self, key: &Key) -> Option<String> {
        let mut bytes = *key.bytes();
        match self {
            Self::None => {}
            Self::Mac(secret) => {
                okm(secret, b"MAC name", key, hkdf::HKDF_SHA256, |okm| okm.fill(&mut bytes))?
            }
            Self::Encrypt(secret) => {
                okm(secret, b"ENCRYPT name", key, hkdf::HKDF_SHA256, |okm| okm.fill(&mut bytes))?;
            }
        }
        let mut name = PREFIX.to_owned();
        for byte in bytes {
            let _ = write!(name, "{byte:02x}");
        }
        Some(name)
    }

    /// An entry as it is stored under this name of this token's.
    pub fn seal(&self, key: &Key, name: &str, mut entry: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::None => Some(entry),
            Self::Mac(secret) => {
                let tag = hmac::sign(&mac_key(secret, key)?, &named(name, &entry));
                Some([tag.as_ref(), &entry].concat())
            }
            Self::Encrypt(secret) => {
                let mut nonce = [0; NONCE_LEN];
                getrandom::fill(&mut nonce).ok()?;
                let unique = Nonce::assume_unique_for_key(nonce);
                let aad = Aad::from(name.as_bytes());
                cipher(secret, key)?.seal_in_place_append_tag(unique, aad, &mut entry).ok()?;
                Some([nonce.as_slice(), &entry].concat())
            }
        }
    }

    /// The entry in what was stored; none where nobody with the secret has stored it, for this token.
    pub fn open(&self, key: &Key, name: &str, mut stored: Vec<u8>) -> Option<Vec<u8>> {
        match self {
            Self::None => Some(stored),
            Self::Mac(secret) => {
                let (tag, entry) = stored.split_at_checked(TAG)?;
                hmac::verify(&mac_key(secret, key)?, &named(name, entry), tag).ok()?;
                Some(stored.split_off(TAG))
            }
            Self::Encrypt(secret) => {
                let (nonce, _) = stored.split_first_chunk::<NONCE_LEN>()?;
                let nonce = Nonce::assume_unique_for_key(*nonce);
                let mut sealed = stored.split_off(NONCE_LEN);
                let aad = Aad::from(name.as_bytes());
                let length = cipher(secret, key)?.open_in_place(nonce, aad, &mut sealed).ok()?.len();
                sealed.truncate(length);
                Some(sealed)
            }
        }
    }
}

/// All names are of one length.
fn named(name: &str, entry: &[u8]) -> Vec<u8> {
    [name.as_bytes(), entry].concat()
}

fn mac_key(secret: &hkdf::Prk, key: &Key) -> Option<hmac::Key> {
    okm(secret, b"MAC key", key, hmac::HMAC_SHA256, |okm| Ok(hmac::Key::from(okm)))
}

fn cipher(secret: &hkdf::Prk, key: &Key) -> Option<LessSafeKey> {
    okm(secret, b"ENCRYPT key", key, &AES_256_GCM, |okm| Ok(LessSafeKey::new(UnboundKey::from(okm))))
}

/// What is derived from the secret for one purpose and one token.
fn okm<L: hkdf::KeyType, T>(
    secret: &hkdf::Prk,
    purpose: &[u8],
    key: &Key,
    length: L,
    make: impl FnOnce(hkdf::Okm<'_, L>) -> Result<T, ring::error::Unspecified>,
) -> Option<T> {
    secret.expand(&[purpose, key.bytes()], length).and_then(make).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRETS: [fn(Secret) -> Strategy; 2] = [Strategy::Mac, Strategy::Encrypt];

    fn seals(secret: &str) -> [Seal; 2] {
        SECRETS.map(|strategy| Seal::new(&strategy(Secret::new(secret))))
    }

    fn keys() -> [Key; 2] {
        [Key::new("a"), Key::new("b")]
    }

    fn stored(seal: &Seal, key: &Key) -> (String, Vec<u8>) {
        let name = seal.name(key).unwrap();
        let sealed = seal.seal(key, &name, b"entry".to_vec()).unwrap();
        (name, sealed)
    }

    #[test]
    fn what_was_sealed_can_be_opened() {
        for seal in seals("secret").iter().chain(&[Seal::None]) {
            let (name, sealed) = stored(seal, &keys()[0]);
            assert_eq!(seal.open(&keys()[0], &name, sealed).unwrap(), b"entry");
        }
    }

    #[test]
    fn nothing_opens_that_was_changed_moved_or_sealed_otherwise() {
        let [a, b] = keys();
        for (at, seal) in seals("secret").iter().enumerate() {
            let (name, sealed) = stored(seal, &a);
            let opens = |key: &Key, name: &str, bytes: &[u8]| seal.open(key, name, bytes.to_vec()).is_some();
            assert!(opens(&a, &name, &sealed));
            assert!(!opens(&b, &seal.name(&b).unwrap(), &sealed), "moved to another token");
            assert!(!opens(&b, &name, &sealed), "of another token");
            assert!(!opens(&a, &seal.name(&b).unwrap(), &sealed), "under another name");
            for byte in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[byte] ^= 1;
                assert!(!opens(&a, &name, &changed), "byte {byte}");
                assert!(!opens(&a, &name, &sealed[..byte]), "only {byte} bytes");
            }
            assert!(!opens(&a, &name, b"entry"));
            let (other_secret, other_strategy) = (&seals("Secret")[at], &seals("secret")[1 - at]);
            for other in [other_secret, other_strategy] {
                assert_ne!(other.name(&a), seal.name(&a));
                assert!(other.open(&a, &name, sealed.clone()).is_none());
            }
        }
    }

    #[test]
    fn a_name_hides_the_hash_and_an_encrypted_entry_what_is_in_it() {
        let [a, b] = keys();
        let plain = Seal::None.name(&a).unwrap();
        assert_eq!(
            plain,
            "freezer-api/tokens/ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"
        );
        for seal in seals("secret") {
            let name = seal.name(&a).unwrap();
            assert_eq!((name.len(), seal.name(&a).as_ref()), (plain.len(), Some(&name)));
            assert!(name != plain && Some(name) != seal.name(&b));
        }
        let encrypt = &seals("secret")[1];
        let (one, two) = (stored(encrypt, &a).1, stored(encrypt, &a).1);
        assert_ne!(one, two, "every nonce is new");
        assert!(!one.windows(3).any(|bytes| b"entry".windows(3).any(|plain| plain == bytes)));
    }
}
