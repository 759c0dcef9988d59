//! Passwords: salted slow hashes, and a bound on how many are computed at a time.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::{Error as HashError, Output, PasswordHash, PasswordHasher, SaltString};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use subtle::ConstantTimeEq;

use super::secret;
use crate::error::{Error, Result};

/// OWASP's second recommendation for Argon2id (Password Storage Cheat Sheet): 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// How many hashes are computed at a time: two use two cores and 38 MiB, whatever the number of workers.
const AT_A_TIME: usize = 2;
/// How long a login waits for its turn.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a password is compared to when there is no such user, so that the answer takes as long as for a wrong
/// password. Made with the parameters above; nobody knows a password for it.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$\
                      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// The hash of a password under a fresh salt, in PHC form: algorithm, parameters and salt travel with it.
///
/// # Errors
/// 500 if the operating system has no random bytes or no memory to give.
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

/// Verifies passwords, a bounded number at a time, so that a flood of logins takes neither all memory nor
/// all worker threads.
pub(super) struct Verifier {
    load: Mutex<Load>,
    turn: Condvar,
    /// How many more may wait; beyond that a login is refused at once.
    max_waiting: usize,
}

#[derive(Default)]
struct Load {
    running: usize,
    waiting: usize,
    /// Working memory that nobody uses at the moment. It is kept, because every connection has a thread: memory that
    /// each of them takes and gives back stays with the allocator once per thread, and adds up to hundreds of MiB.
    spare: Vec<Vec<Block>>,
}

/// Leave to compute one hash.
struct Turn<'v> {
    verifier: &'v Verifier,
    memory: Vec<Block>,
}

impl Verifier {
    pub(super) fn new(max_waiting: usize) -> Self {
        Self { load: Mutex::default(), turn: Condvar::new(), max_waiting }
    }

    /// Whether `password` is the one behind `hash`. Without a hash it is not, and to say so takes as long.
    ///
    /// # Errors
    /// 503 when too many logins are waiting; 500 when the hash cannot be read.
    pub(super) fn verify(&self, password: &str, hash: Option<&str>) -> Result<bool> {
        let parsed = PasswordHash::new(hash.unwrap_or(NOBODY)).map_err(failed)?;
        let mut turn = self.wait()?;
        let is_same = compare(password.as_bytes(), &parsed, &mut turn.memory).map_err(failed)?;
        Ok(is_same && hash.is_some())
    }

    fn wait(&self) -> Result<Turn<'_>> {
        let until = Instant::now() + PATIENCE;
        let mut load = self.load.lock().unwrap_or_else(PoisonError::into_inner);
        if load.running >= AT_A_TIME {
            if load.waiting >= self.max_waiting {
                return Err(too_many());
            }
            load.waiting += 1;
            while load.running >= AT_A_TIME {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    load.waiting -= 1;
                    return Err(too_many());
                }
                load = self.turn.wait_timeout(load, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            load.waiting -= 1;
        }
        load.running += 1;
        Ok(Turn { verifier: self, memory: load.spare.pop().unwrap_or_default() })
    }
}

/// Whether a password has this hash. The algorithm and its parameters are the hash's own, so that hashes made with
/// others stay valid.
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

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut load = self.verifier.load.lock().unwrap_or_else(PoisonError::into_inner);
        load.running -= 1;
        load.spare.push(std::mem::take(&mut self.memory));
        self.verifier.turn.notify_one();
    }
}

fn too_many() -> Error {
    Error::unavailable(
        "Too many logins at the same time; try again.",
        "the bound on waiting logins was reached",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_salted_slow_and_knows_its_password() {
        let (one, two) = (hash("correct horse").unwrap(), hash("correct horse").unwrap());
        assert_ne!(one, two);
        assert!(one.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{one}");
        let verifier = Verifier::new(0);
        assert!(verifier.verify("correct horse", Some(&one)).unwrap());
        assert!(!verifier.verify("Correct horse", Some(&one)).unwrap());
    }

    #[test]
    fn all_threads_work_in_the_same_memory() {
        let ours = hash("correct horse").unwrap();
        let verifier = Verifier::new(0);
        for password in ["correct horse", "battery", "correct horse"] {
            std::thread::scope(|scope| {
                let thread = scope.spawn(|| verifier.verify(password, Some(&ours)).unwrap());
                assert_eq!(thread.join().unwrap(), password == "correct horse");
            });
        }
        assert_eq!(verifier.load.lock().unwrap().spare.len(), 1);
    }

    #[test]
    fn nobody_costs_what_somebody_costs_and_never_matches() {
        let verifier = Verifier::new(0);
        assert!(!verifier.verify("", None).unwrap());
        let ours = hash("x").unwrap();
        let parameters = |phc: &str| phc.split('$').take(4).collect::<Vec<_>>().join("$");
        let lengths = |phc: &str| phc.split('$').map(str::len).collect::<Vec<_>>();
        assert_eq!((parameters(NOBODY), lengths(NOBODY)), (parameters(&ours), lengths(&ours)));
    }

    #[test]
    fn a_flood_is_refused_and_leaves_nothing_behind() {
        let verifier = Verifier::new(0);
        let turns = [verifier.wait().unwrap(), verifier.wait().unwrap()];
        assert_eq!(verifier.wait().map(drop).unwrap_err().status(), 503);
        drop(turns);
        assert!(verifier.wait().is_ok());
        let load = verifier.load.lock().unwrap();
        assert_eq!((load.running, load.waiting), (0, 0));
    }

    #[test]
    fn who_waits_gets_a_turn() {
        let verifier = Verifier::new(1);
        let turns = [verifier.wait().unwrap(), verifier.wait().unwrap()];
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| verifier.wait().map(drop));
            while verifier.load.lock().unwrap().waiting == 0 {
                std::thread::yield_now();
            }
            assert!(verifier.wait().is_err(), "one waits, more may not");
            drop(turns);
            assert!(waiter.join().unwrap().is_ok());
        });
    }
}
