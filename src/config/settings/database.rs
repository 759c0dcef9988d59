//! `[database]`.

use std::time::Duration;

use oslo_config::Effective;

use crate::store::Settings;
use crate::store::engine::url::DatabaseUrl;

/// The database's URL.
pub fn url(effective: &Effective) -> Result<DatabaseUrl, String> {
    let section = effective.section("database");
    let url = section.text("connection").unwrap_or("sqlite:///freezer.sqlite");
    DatabaseUrl::parse(&with_parameters(url, section.text("connection_parameters")))
        .map_err(|why| section.refuse("connection", why.trim_end_matches('.')))
}

/// The replica's URL, if there is one.
pub fn slave(effective: &Effective) -> Result<Option<DatabaseUrl>, String> {
    let section = effective.section("database");
    let Some(url) = section.text("slave_connection") else { return Ok(None) };
    DatabaseUrl::parse(&with_parameters(url, section.text("connection_parameters")))
        .map(Some)
        .map_err(|why| section.refuse("slave_connection", why.trim_end_matches('.')))
}

pub(super) fn with_parameters(url: &str, parameters: Option<&str>) -> String {
    match parameters {
        None => url.to_owned(),
        Some(parameters) => format!("{url}{}{parameters}", if url.contains('?') { '&' } else { '?' }),
    }
}

/// The settings of the store for this number of workers.
pub fn store(effective: &Effective, workers: usize) -> Settings {
    let section = effective.section("database");
    let defaults = Settings::default();
    // One connection fewer than workers. When the database hangs, each request with a connection blocks its worker; the
    // last worker still serves the health check and requests that are refused without the database.
    let useful = u32::try_from(workers.saturating_sub(1).max(1)).unwrap_or(u32::MAX);
    let max_connections =
        match (section.count("max_pool_size", u32::MAX), section.count("max_overflow", u32::MAX)) {
            (Some(size), Some(overflow)) if size > 0 => useful.min(size.saturating_add(overflow)),
            // Unlimited.
            _ => useful,
        };
    let seconds = |name: &str| section.count(name, u64::MAX).map(Duration::from_secs);
    Settings {
        max_connections,
        // Opening a connection and preparing its statements takes many times as long as a request. So all idle
        // connections are kept unless `max_pool_size` is set.
        max_idle: match section.count("max_pool_size", u32::MAX) {
            Some(size) if size > 0 && section.is_set("max_pool_size") => size.min(max_connections),
            _ => max_connections,
        },
        pool_timeout: seconds("pool_timeout").unwrap_or(defaults.pool_timeout),
        recycle_after: seconds("connection_recycle_time"),
        max_retries: section.count("max_retries", u32::MAX),
        retry_interval: seconds("retry_interval").unwrap_or(defaults.retry_interval),
        mysql_sql_mode: section.string("mysql_sql_mode").unwrap_or_default(),
        mysql_wsrep_sync_wait: section.count("mysql_wsrep_sync_wait", u32::MAX),
        db_max_retries: section.count("db_max_retries", u32::MAX).unwrap_or(u32::MAX),
        sqlite_synchronous: section.is("sqlite_synchronous"),
        read_only: false,
    }
}
