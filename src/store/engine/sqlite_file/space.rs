//! Reserves free space for changes and deletions: creates are refused when the file system is nearly full.

use std::fs::{self, File};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{QueryResult, QueryableByName, RunQueryDsl, sql_query};
use front::error::Error;
use rustix::fs::{FallocateFlags, fallocate, statvfs};

use super::beside;
use crate::store::engine::connection::AnyConnection;
use crate::store::engine::dialect::BUSY_TIMEOUT;

const MIB: u64 = 1 << 20;
/// Creates need this much free space, or the file system's size divided by this, whichever is less.
const MIN_FREE: u64 = 64 * MIB;
const MIN_FREE_DIVISOR: u64 = 50;
/// The size of the reserve, or the file system's size divided by this, whichever is less.
const RESERVE: u64 = 8 * MIB;
const RESERVE_DIVISOR: u64 = 8;
/// How long a measurement can be used, if it found more than [`PLENTY`] above the limit. Below that, the space could be
/// used up in the meantime, and each create measures anew.
const MAX_AGE: Duration = Duration::from_secs(1);
const PLENTY: u64 = 256 * MIB;
/// The shortest time between two warnings in the log.
const WARN_INTERVAL: Duration = Duration::from_secs(60);

/// The free space on the file system of a database.
pub struct FreeSpace {
    path: PathBuf,
    /// A file that is deleted when other programs fill the disk nevertheless: a change or a deletion needs space for the log,
    /// and merging the log needs space for the database.
    reserve: PathBuf,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The time of the last measurement that found plenty of room.
    plenty: Option<Instant>,
    is_low: bool,
    has_reserve: bool,
    /// Whether the reserve was given up, and no new one exists yet.
    is_given_up: bool,
    /// The time of the last warning.
    warned: Option<Instant>,
    /// Whether the latest log line is the warning, and not the all-clear.
    is_logged: bool,
}

impl State {
    /// Logs a change between little and enough space. The interval limits the warnings when deletions and creates alternate at
    /// the limit.
    fn log_change(&mut self, path: &Path, room: &Room) {
        if self.is_low == self.is_logged
            || (self.is_low && self.warned.is_some_and(|at| at.elapsed() < WARN_INTERVAL))
        {
            return;
        }
        self.is_logged = self.is_low;
        if !self.is_low {
            return log::info!("the file system of {} has room again", path.display());
        }
        self.warned = Some(Instant::now());
        log::warn!(
            "the file system of {} has {} KiB free of {} MiB: nothing new is created until there is more than {} KiB; \
             changes and deletions go on",
            path.display(),
            room.free / 1024,
            room.total / MIB,
            room.limit / 1024
        );
    }
}

/// A measurement, in bytes.
struct Room {
    /// The free space of the file system, less what the database needs when its log is merged.
    free: u64,
    /// The part of the free space that was the reserve: changes and deletions may use it, and creates may not.
    withheld: u64,
    /// The space of deleted rows inside the file, which does not shrink.
    reusable: u64,
    limit: u64,
    total: u64,
}

impl Room {
    fn is_low(&self) -> bool {
        let free = self.free.saturating_sub(self.withheld);
        // Reusable pages still need room in the log.
        free < self.limit && (self.free < self.limit / 2 || free + self.reusable < self.limit)
    }

    fn reserve(&self) -> u64 {
        RESERVE.min(self.total / RESERVE_DIVISOR)
    }
}

#[derive(QueryableByName)]
struct Pages {
    #[diesel(sql_type = BigInt)]
    page_count: i64,
    #[diesel(sql_type = BigInt)]
    freelist_count: i64,
    #[diesel(sql_type = BigInt)]
    page_size: i64,
}

impl FreeSpace {
    /// The free space around the database at this real path.
    pub fn new(path: &Path) -> Self {
        let reserve = beside(path, ".reserve");
        // A process that was killed has left its reserve.
        let state = State { has_reserve: reserve.exists(), ..State::default() };
        Self { path: path.to_owned(), reserve, state: Mutex::new(state) }
    }

    /// Refuses to create rows when there is little free space.
    ///
    /// # Errors
    /// 503 while less is free than the smaller of 64 MiB and 2 %; the reason is logged once. The error of `connection`.
    pub fn expect(&self, connection: &mut AnyConnection) -> QueryResult<Result<(), Error>> {
        if self.state().plenty.is_some_and(|at| at.elapsed() < MAX_AGE) {
            return Ok(Ok(()));
        }
        let pages = pages(connection)?;
        let Some(mut room) = self.measure(&pages) else { return Ok(Ok(())) };
        let mut state = self.state();
        let has_room_for_reserve = room.free > 2 * room.limit + room.reserve();
        if state.is_given_up && !has_room_for_reserve {
            room.withheld = room.reserve();
        }
        let is_low = room.is_low();
        state.plenty = (room.free > room.limit + PLENTY).then(Instant::now);
        if !state.has_reserve && has_room_for_reserve {
            state.has_reserve = self.take_reserve(room.reserve());
            state.is_given_up = false;
        }
        state.is_low = is_low;
        state.log_change(&self.path, &room);
        Ok(if is_low { Err(refusal()) } else { Ok(()) })
    }

    /// After a change while there is little free space: merges and truncates the log.
    pub fn settle(&self, connection: &mut AnyConnection) {
        if self.state().is_low {
            shorten_log(connection);
        }
    }

    /// After a change that found the disk full: deletes the reserve and truncates the log, so that the retry may succeed.
    pub fn make_room(&self, connection: &mut AnyConnection) {
        let mut state = self.state();
        state.plenty = None;
        if std::mem::take(&mut state.has_reserve) {
            state.is_given_up = true;
            log::warn!("the file system of {} is full; the reserve is given up", self.path.display());
            self.drop_reserve();
        }
        drop(state);
        shorten_log(connection);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: the system does not report it.
    fn measure(&self, pages: &Pages) -> Option<Room> {
        let system = statvfs(&self.path).ok()?;
        let length = fs::metadata(&self.path).ok()?.len();
        let bytes = |pages: u64, size: u64| pages.saturating_mul(size);
        let of_pages =
            |count: i64| bytes(count.try_into().unwrap_or(0), pages.page_size.try_into().unwrap_or(0));
        let total = bytes(system.f_blocks, system.f_frsize);
        Some(Room {
            free: bytes(system.f_bavail, system.f_frsize)
                .saturating_sub(of_pages(pages.page_count).saturating_sub(length)),
            withheld: 0,
            reusable: of_pages(pages.freelist_count),
            limit: MIN_FREE.min(total / MIN_FREE_DIVISOR),
            total,
        })
    }

    fn take_reserve(&self, size: u64) -> bool {
        let made = File::options().write(true).create(true).truncate(true).mode(0o600).open(&self.reserve);
        let made = made.and_then(|file| Ok(fallocate(&file, FallocateFlags::empty(), 0, size)?));
        if let Err(error) = &made {
            log::debug!("there is no reserve {}: {error}", self.reserve.display());
            self.drop_reserve();
        }
        made.is_ok()
    }

    fn drop_reserve(&self) {
        let _ = fs::remove_file(&self.reserve);
    }
}

impl Drop for FreeSpace {
    fn drop(&mut self) {
        self.drop_reserve();
    }
}

fn pages(connection: &mut AnyConnection) -> QueryResult<Pages> {
    let sql = "SELECT page_count, freelist_count, page_size \
               FROM pragma_page_count, pragma_freelist_count, pragma_page_size";
    sql_query(sql).get_result(connection)
}

/// Merges the log into the database and truncates it, as far as that is possible without waiting for readers.
fn shorten_log(connection: &mut AnyConnection) {
    let sql = format!("PRAGMA busy_timeout = 0; PRAGMA wal_checkpoint(TRUNCATE); {BUSY_TIMEOUT}");
    if let Err(error) = connection.batch_execute(&sql) {
        log::debug!("the log is not merged: {error}");
        let _ = connection.batch_execute(BUSY_TIMEOUT);
    }
}

fn refusal() -> Error {
    Error::unavailable_already_logged(
        "The service's disk is nearly full, and nothing new is taken until there is room again. Changes and deletions \
         go on.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reusable_pages_count_as_long_as_there_is_room_for_the_log() {
        let is_low = |free, reusable| Room { free, withheld: 0, reusable, limit: 100, total: 5000 }.is_low();
        assert!(!is_low(100, 0));
        assert!(is_low(99, 0));
        assert!(!is_low(60, 40));
        assert!(is_low(60, 39));
        assert!(is_low(49, 1000));
    }

    #[test]
    fn creates_do_not_use_the_reserve_that_was_given_up() {
        let is_low =
            |free, reusable| Room { free, withheld: 400, reusable, limit: 100, total: 5000 }.is_low();
        assert!(is_low(400, 0) && is_low(499, 0) && is_low(400, 99));
        assert!(!is_low(500, 0));
        // The file does not shrink: what was deleted inside it can be used.
        assert!(!is_low(400, 100));
    }
}
