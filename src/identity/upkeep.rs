//! Background work of the built-in identity: records which tokens are in use, and deletes expired rows.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;
use front::error::Result;

use crate::store::Store;
use crate::store::identity::addresses;
use crate::store::identity::tokens::{self, Token};
use crate::store::types::time::Time;

/// The pause between two rounds.
const INTERVAL: Duration = Duration::from_secs(30);
/// The shortest time between two notes of the same token's use.
const SECONDS_BETWEEN_NOTES: i64 = 60;
/// The most uses to remember for the next round. A use beyond that is noted when the token is used again.
const MAX_PENDING: usize = 10_000;
/// How many rows one transaction changes, and the pause after it, which lets requests write.
const CHUNK: usize = 500;
const PAUSE: Duration = Duration::from_millis(20);

/// The digests of tokens whose latest use is not yet in their rows. A request that only reads must not write, so the
/// background work does it.
#[derive(Default)]
pub(super) struct RecentUses(Mutex<HashSet<String>>);

impl RecentUses {
    /// The token's digest, if its use is to be noted.
    pub(super) fn due(token: &Token, now: Time) -> Option<String> {
        let noted = TimeDelta::zero()..TimeDelta::seconds(SECONDS_BETWEEN_NOTES);
        let is_noted = token.last_used_at.is_some_and(|last| noted.contains(&(now - last)));
        (!is_noted).then(|| token.id.clone())
    }

    pub(super) fn note(&self, digest: String) {
        let mut pending = self.lock();
        if pending.len() < MAX_PENDING {
            pending.insert(digest);
        }
    }

    pub(super) fn contains(&self, digest: &str) -> bool {
        self.lock().contains(digest)
    }

    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The background work.
pub struct Upkeep {
    pub(super) store: Store,
    pub(super) uses: Arc<RecentUses>,
}

impl Upkeep {
    /// Starts a thread that repeats [`Self::round`] until the process ends.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn start(self) -> std::io::Result<()> {
        let run = move || {
            loop {
                if let Err(error) = self.round() {
                    log::warn!("the background work on tokens failed and is tried again: {error}");
                }
                thread::sleep(INTERVAL);
            }
        };
        thread::Builder::new().name("identity".to_owned()).spawn(run).map(drop)
    }

    /// Does one round of the work, in short transactions.
    ///
    /// # Errors
    /// 503 while the database is away.
    pub fn round(&self) -> Result<()> {
        let used: Vec<String> = self.uses.lock().iter().cloned().collect();
        for chunk in used.chunks(CHUNK) {
            self.store.write(|tx| tokens::note_use(tx, chunk))?;
            let mut pending = self.uses.lock();
            for digest in chunk {
                pending.remove(digest);
            }
        }
        let mut purged = 0;
        loop {
            let now = self.store.write(|tx| tokens::purge_expired(tx, CHUNK as i64))?;
            purged += now;
            if now < CHUNK {
                break;
            }
            thread::sleep(PAUSE);
        }
        if purged > 0 {
            log::debug!("{purged} expired tokens deleted");
        }
        while self.store.write(addresses::purge_old)? > 0 {
            thread::sleep(PAUSE);
        }
        Ok(())
    }
}
