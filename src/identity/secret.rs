//! Random secrets, and the digest under which a token is stored.

use front::error::{Error, Result};
use front::hex::hex;
use ring::digest::{SHA256, digest as digest_of};
use subtle::ConstantTimeEq;

/// The random bytes of a token, which has twice as many hex digits.
const TOKEN_BYTES: usize = 32;
/// The random bytes of a generated password: 128 bits.
const PASSWORD_BYTES: usize = 16;

/// `N` random bytes from the operating system.
pub(super) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal(format!("no random bytes from the operating system: {error}")))?;
    Ok(bytes)
}

/// A new token: 64 hex digits, which need no quoting in a header, shell or URL.
pub(super) fn token() -> Result<String> {
    Ok(hex(&random::<TOKEN_BYTES>()?))
}

/// A random password: 32 hex digits, which need no quoting in a shell.
///
/// # Errors
/// 500 if the operating system has no random bytes.
pub fn password() -> Result<String> {
    Ok(hex(&random::<PASSWORD_BYTES>()?))
}

/// The id under which a token is stored; `None` for a text that is not in the form of a token.
///
/// One SHA-256 is enough here: unlike a password, a token is random in every bit.
pub(super) fn digest(token: &str) -> Option<String> {
    let ours =
        token.len() == 2 * TOKEN_BYTES && token.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    ours.then(|| hex(digest_of(&SHA256, token.as_bytes()).as_ref()))
}

/// Whether two digests are equal, in a time that does not depend on where they differ.
pub(super) fn constant_time_eq(one: &str, two: &str) -> bool {
    one.as_bytes().ct_eq(two.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_long_and_never_the_same() {
        let (one, two) = (token().unwrap(), token().unwrap());
        assert_eq!((one.len(), password().unwrap().len()), (64, 32));
        assert_ne!(one, two);
        assert!(!constant_time_eq(&digest(&one).unwrap(), &digest(&two).unwrap()));
    }

    #[test]
    fn only_a_text_in_the_form_of_a_token_has_a_digest() {
        let zeros = "0".repeat(64);
        // printf '0%.0s' $(seq 64) | sha256sum
        let known = "60e05bd1b195af2f94112fa7197a5c88289058840ce7c6df9693756bc6250f55";
        assert_eq!(digest(&zeros).as_deref(), Some(known));
        for bad in ["", "0", &"g".repeat(64), &"A".repeat(64), &"é".repeat(32), &"0".repeat(65)] {
            assert_eq!(digest(bad), None, "{bad}");
        }
    }
}
