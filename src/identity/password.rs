//! Passwords: salted slow hashes, and a limit on how many are computed at a time.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use argon2::password_hash::{Error as HashError, Output, PasswordHash, PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use front::error::{Error, Result};
use subtle::ConstantTimeEq;

use super::fair_semaphore::{FairSemaphore, Permit, Priority};
use super::limits::Origin;
use super::secret;

/// OWASP's second recommendation for Argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many logins compute a hash at a time. Two use two cores and 38 MiB, whatever the number of workers.
const MAX_CONCURRENT: usize = 2;
/// How long a login waits for a permit.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// The shortest and the longest new password, in characters.
const SHORTEST: usize = 8;
const LONGEST: usize = 1024;

/// The hash to compare with if there is no such user, so that the answer takes as long as for a wrong password. It has
/// the parameters above, and no known password.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Hashes a password with a new salt. The result is in PHC form, which includes the algorithm, parameters and salt.
///
/// # Errors
/// 500 if the operating system has no random bytes or no memory.
pub fn hash(password: &str) -> Result<String> {
    let salt = SaltString::encode_b64(&secret::random::<16>()?).map_err(failed)?;
    let hash = argon2()?.hash_password(password.as_bytes(), &salt).map_err(failed)?;
    Ok(hash.to_string())
}

fn argon2() -> Result<Argon2<'static>> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None)
        .map_err(|error| Error::internal(format!("argon2: {error}")))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn failed(error: HashError) -> Error {
    Error::internal(format!("argon2: {error}"))
}

/// Whether a password has this hash.
///
/// # Errors
/// 500 when the hash cannot be read.
pub fn matches(password: &str, hash: &str) -> Result<bool> {
    let parsed = PasswordHash::new(hash).map_err(failed)?;
    compare(password.as_bytes(), &parsed, &mut Vec::new()).map_err(failed)
}

/// Checks whether a new password is allowed.
///
/// # Errors
/// The rule that the password breaks, to follow the words "A password has".
pub fn check_new(password: &str) -> std::result::Result<(), String> {
    let is_fitting = (SHORTEST..=LONGEST).contains(&password.chars().count());
    if is_fitting && !password.contains('\0') {
        return Ok(());
    }
    Err(format!("{SHORTEST} to {LONGEST} characters"))
}

/// Verifies passwords, a bounded number at a time, so that a flood of logins uses up neither memory nor processors.
pub(super) struct Verifier {
    semaphore: FairSemaphore,
    /// Idle working memory. It is reused across threads, because the allocator keeps freed memory per thread: with a
    /// thread per connection, that would add up to hundreds of MiB.
    spare: Mutex<Vec<Vec<Block>>>,
}

/// A permit to compute hashes.
pub(super) struct HashPermit<'v> {
    verifier: &'v Verifier,
    memory: Vec<Block>,
    _permit: Permit<'v>,
}

impl Verifier {
    pub(super) fn new(max_waiting: usize) -> Self {
        Self { semaphore: FairSemaphore::new(MAX_CONCURRENT, max_waiting, MAX_WAIT), spare: Mutex::default() }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// 503 when too many logins are waiting.
    pub(super) fn permit(&self, origin: Origin, priority: Priority) -> Result<HashPermit<'_>> {
        let permit = self.semaphore.acquire(origin, priority)?;
        let memory = self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(HashPermit { verifier: self, memory: memory.unwrap_or_default(), _permit: permit })
    }
}

impl HashPermit<'_> {
    /// Whether `password` has this hash. Without a hash the answer is no, after the same time.
    ///
    /// # Errors
    /// 500 when the hash cannot be read.
    pub(super) fn verify(&mut self, password: &str, hash: Option<&str>) -> Result<bool> {
        let parsed = PasswordHash::new(hash.unwrap_or(DUMMY_HASH)).map_err(failed)?;
        let is_same = compare(password.as_bytes(), &parsed, &mut self.memory).map_err(failed)?;
        Ok(is_same && hash.is_some())
    }
}

impl Drop for HashPermit<'_> {
    fn drop(&mut self) {
        let mut spare = self.verifier.spare.lock().unwrap_or_else(PoisonError::into_inner);
        spare.push(std::mem::take(&mut self.memory));
    }
}

/// Whether a password has this hash. The algorithm and its parameters come from the hash, so that hashes with other
/// parameters stay valid.
fn compare(
    password: &[u8],
    hash: &PasswordHash<'_>,
    memory: &mut Vec<Block>,
) -> std::result::Result<bool, HashError> {
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return Err(HashError::Password) };
    let algorithm = Algorithm::try_from(hash.algorithm)?;
    let version = hash.version.map_or(Ok(Version::default()), Version::try_from)?;
    let params = Params::try_from(hash)?;
    memory.resize(params.block_count(), Block::default());
    let mut bytes = [0; 64];
    let salt = salt.decode_b64(&mut bytes)?;
    let found = Output::init_with(expected.len(), |out| {
        Ok(Argon2::new(algorithm, version, params)
            .hash_password_into_with_memory(password, salt, out, memory)?)
    })?;
    Ok(found.as_bytes().ct_eq(expected.as_bytes()).into())
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn verify(verifier: &Verifier, password: &str, hash: Option<&str>) -> bool {
        let origin = Origin::new(IpAddr::from([192, 0, 2, 1]));
        verifier.permit(origin, Priority::Unknown).unwrap().verify(password, hash).unwrap()
    }

    #[test]
    fn a_hash_is_salted_and_slow_and_matches_its_password() {
        let (one, two) = (hash("correct horse").unwrap(), hash("correct horse").unwrap());
        assert_ne!(one, two);
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        assert!(matches("correct horse", &one).unwrap());
        assert!(!matches("Correct horse", &one).unwrap());
    }

    #[test]
    fn threads_share_the_working_memory() {
        let ours = hash("correct horse").unwrap();
        let verifier = Verifier::new(0);
        for password in ["correct horse", "battery", "correct horse"] {
            std::thread::scope(|scope| {
                let thread = scope.spawn(|| verify(&verifier, password, Some(&ours)));
                assert_eq!(thread.join().unwrap(), password == "correct horse");
            });
        }
        assert_eq!(verifier.spare.lock().unwrap().len(), 1);
    }

    #[test]
    fn a_missing_user_costs_as_much_as_a_wrong_password_and_never_matches() {
        let verifier = Verifier::new(0);
        assert!(!verify(&verifier, "", None));
        let ours = hash("x").unwrap();
        let parameters = |phc: &str| phc.split('$').take(4).collect::<Vec<_>>().join("$");
        let lengths = |phc: &str| phc.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!((parameters(DUMMY_HASH), lengths(DUMMY_HASH)), (parameters(&ours), lengths(&ours)));
    }

    #[test]
    fn a_password_is_neither_too_short_nor_too_long() {
        for (password, is_fitting) in
            [("", false), ("seven77", false), ("eight888", true), ("éééééééé", true), ("with\0nul", false)]
        {
            assert_eq!(check_new(password).is_ok(), is_fitting, "{password}");
        }
        assert!(check_new(&"x".repeat(1024)).is_ok() && check_new(&"x".repeat(1025)).is_err());
    }
}
