//! The settings of the database.

use std::time::Duration;

/// `[database]` (contract, conventions §5). The defaults are oslo.db's, except where a reason is given.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The most connections that are open at once: `max_pool_size` + `max_overflow`, but one fewer than there are worker
    /// slots, so that a database that hangs leaves a slot for requests that do not need it.
    pub max_connections: u32,
    /// `max_pool_size`: how many idle connections are kept open. The default is not oslo.db's 5 but all of them: a new
    /// connection has no prepared statements, and costs as much time as many requests. For SQLite all are always kept.
    pub max_idle: u32,
    /// `pool_timeout`: how long a request waits for a free connection; 5 s, because no client waits for oslo.db's 30.
    pub pool_timeout: Duration,
    /// `connection_recycle_time` (3600 s): an older connection is replaced once it is idle; `None` for never (-1).
    pub recycle_after: Option<Duration>,
    /// `max_retries` (10): how often connecting is tried again at the start; `None` for ever (-1).
    pub max_retries: Option<u32>,
    /// `retry_interval` (10 s): the time between those.
    pub retry_interval: Duration,
    /// `mysql_sql_mode` (`TRADITIONAL`); empty for the server's own.
    pub mysql_sql_mode: String,
    /// `mysql_wsrep_sync_wait`: what Galera makes a session wait for before it reads; `None` for the server's own.
    pub mysql_wsrep_sync_wait: Option<u32>,
    /// `db_max_retries` (20): how often a transaction is retried after contention; `u32::MAX` (-1) for as often as the
    /// 20 s of a transaction allow. The pauses are random and last milliseconds; oslo.db's intervals of seconds have no
    /// effect.
    pub db_max_retries: u32,
    /// `sqlite_synchronous` (true): wait for the disk at each commit.
    pub sqlite_synchronous: bool,
    /// Writes nothing, not even the journal mode of an SQLite file: for the source of a copy.
    pub read_only: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            max_connections: 55,
            max_idle: u32::MAX,
            pool_timeout: Duration::from_secs(5),
            recycle_after: Some(Duration::from_secs(3600)),
            max_retries: Some(10),
            retry_interval: Duration::from_secs(10),
            mysql_sql_mode: "TRADITIONAL".to_owned(),
            mysql_wsrep_sync_wait: None,
            db_max_retries: 20,
            sqlite_synchronous: true,
            read_only: false,
        }
    }
}
