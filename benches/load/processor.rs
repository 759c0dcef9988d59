//! The processor time of processes: user and system mode together.

use std::fs;
use std::time::Duration;

use freezer_api::store::engine::url::Backend;

use crate::Result;
use crate::database::Database;

/// The fields of `/proc/PID/stat` that follow the name.
struct Stat {
    parent: u32,
    own: Duration,
    /// Of children that have ended.
    ended: Duration,
}

impl Stat {
    fn of(id: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
        // After the name, which is in brackets, come the state and the parent; nine numbers later the times.
        let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
        let number = |place: usize| -> Result<u64> { Ok(fields.get(place).ok_or("a short stat")?.parse()?) };
        let ticks = 1_000 / rustix::param::clock_ticks_per_second().max(1);
        let time = |first: usize| -> Result<Duration> {
            Ok(Duration::from_millis((number(first)? + number(first + 1)?) * ticks))
        };
        Ok(Self { parent: number(1)? as u32, own: time(11)?, ended: time(13)? })
    }
}

/// The time of a process with all its threads.
pub fn of(id: u32) -> Result<Duration> {
    Ok(Stat::of(id)?.own)
}

/// The processes of a database server on this machine.
pub enum DatabaseProcesses {
    /// The service's own process has it.
    Within,
    /// One process with many threads.
    One(u32),
    /// One process per connection, and their parent.
    Family(u32),
}

impl DatabaseProcesses {
    pub fn of(database: &Database) -> Result<Self> {
        Ok(match database.url.backend() {
            Backend::Sqlite => Self::Within,
            Backend::Mysql => {
                let file = database.one("SELECT CAST(@@pid_file AS CHAR) AS value")?;
                Self::One(fs::read_to_string(file)?.trim().parse()?)
            }
            Backend::Postgres => {
                let own =
                    database.one(r"SELECT split_part(pg_read_file('postmaster.pid'), E'\n', 1) AS value")?;
                Self::Family(own.trim().parse()?)
            }
        })
    }

    /// Their time.
    pub fn time(&self) -> Result<Duration> {
        match self {
            Self::Within => Ok(Duration::ZERO),
            Self::One(id) => of(*id),
            Self::Family(parent) => {
                let stat = Stat::of(*parent)?;
                let ids =
                    fs::read_dir("/proc")?.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
                // A process may end meanwhile; then its parent has its time.
                let children = ids.filter_map(|id| Stat::of(id).ok()).filter(|child| child.parent == *parent);
                Ok(stat.own + stat.ended + children.map(|child| child.own).sum::<Duration>())
            }
        }
    }
}
