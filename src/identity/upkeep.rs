//! Background work of the built-in identity: it records which tokens are in use, and deletes expired rows.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use chrono::TimeDelta;

use crate::error::Result;
use crate::store::Store;
use crate::store::identity::addresses;
use crate::store::identity::tokens::{self, Token};
use crate::store::types::time::Time;

/// The time between two rounds.
const INTERVAL: Duration = Duration::from_secs(30);
/// How often at most the use of one token is noted.
const NOTED_AGAIN_SECONDS: i64 = 60;
/// The most uses that wait to be noted; a further one is noted when the token is used again.
const MOST_WAITING: usize = 10_000;
/// How many rows one transaction changes, and the pause after it, in which others may write.
const CHUNK: usize = 500;
const PAUSE: Duration = Duration::from_millis(20);

/// The tokens whose latest use is not yet in their rows, because a request that only reads must not write.
#[derive(Default)]
pub(super) struct Uses(Mutex<HashSet<String>>);

impl Uses {
    /// Whether the use of a token is to be noted: its id.
    pub(super) fn due(token: &Token, now: Time) -> Option<String> {
        let noted = TimeDelta::zero()..TimeDelta::seconds(NOTED_AGAIN_SECONDS);
        let is_noted = token.last_used_at.is_some_and(|last| noted.contains(&(now - last)));
        (!is_noted).then(|| token.id.clone())
    }

    pub(super) fn note(&self, digest: String) {
        let mut waiting = self.lock();
        if waiting.len() < MOST_WAITING {
            waiting.insert(digest);
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

/// The background work and its inputs.
pub struct Upkeep {
    pub(super) store: Store,
    pub(super) uses: Arc<Uses>,
}

impl Upkeep {
    /// Works in a thread of its own, as long as the process lives.
    ///
    /// # Errors
    /// The system cannot start a thread.
    pub fn start(self) -> std::io::Result<()> {
        let run = move || {
            loop {
                if let Err(error) = self.round() {
                    log::warn!("the tokens are not looked after: {error}");
                }
                thread::sleep(INTERVAL);
            }
        };
        thread::Builder::new().name("identity".to_owned()).spawn(run).map(drop)
    }

    /// One round of the work, in short transactions.
    ///
    /// # Errors
    /// 503 while the database is away.
    pub fn round(&self) -> Result<()> {
        let used: Vec<String> = self.uses.lock().iter().cloned().collect();
        for chunk in used.chunks(CHUNK) {
            self.store.write(|tx| tokens::note_use(tx, chunk))?;
            let mut waiting = self.uses.lock();
            for digest in chunk {
                waiting.remove(digest);
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
