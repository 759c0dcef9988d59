//! The configuration: what was given, and what it comes to. Plain structs, made once at the start and passed down.
//!
//! [`DatabaseOptions`] and [`ServeOptions`] hold what somebody said, each value with its name from oslo's options,
//! and `None` where nobody said anything. The command line is stronger than the environment. A configuration file
//! will fill in what both left open, before [`Config::new`] puts the defaults.

use std::net::ToSocketAddrs;
use std::path::{Path, PathBuf};

use clap::builder::BoolishValueParser;

use crate::server;
use crate::store::url::{Backend, DatabaseUrl};

/// Where the database is when nobody says.
const DEFAULT_DATABASE: &str = "sqlite:///freezer.sqlite";
/// The most that a list gives at once.
const MAX_LIMIT: i64 = 1000;

/// What every command can be told.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DatabaseOptions {
    /// The database, as SQLAlchemy or Diesel writes it [default: sqlite:///freezer.sqlite]
    // The value may hold a password, which a help text must not show.
    #[arg(long, global = true, value_name = "URL", env = "OS_DATABASE__CONNECTION", hide_env_values = true)]
    pub database_connection: Option<String>,
    /// Log at level debug [default: false]
    #[arg(
        long,
        global = true,
        value_name = "BOOL",
        env = "OS_DEFAULT__DEBUG",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub debug: Option<bool>,
}

impl DatabaseOptions {
    /// The database.
    ///
    /// # Errors
    /// A sentence for the operator: the URL means nothing to us.
    pub fn database(&self) -> Result<DatabaseUrl, String> {
        DatabaseUrl::parse(self.database_connection.as_deref().unwrap_or(DEFAULT_DATABASE))
    }
}

/// What `serve` can be told.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ServeOptions {
    /// The address or name to listen on [default: 127.0.0.1]
    #[arg(long, value_name = "HOST", env = "OS_DEFAULT__BIND_HOST")]
    pub bind_host: Option<String>,
    /// The port to listen on; 0 picks a free one [default: 9090]
    #[arg(long, value_name = "PORT", env = "OS_DEFAULT__BIND_PORT")]
    pub bind_port: Option<u16>,
    /// How callers are known [default with SQLite: standalone]
    #[arg(long, value_enum, value_name = "STRATEGY", env = "OS_DEFAULT__AUTH_STRATEGY")]
    pub auth_strategy: Option<AuthStrategy>,
    /// How many requests are served at the same time; also the most database connections [default: 16]
    #[arg(long, value_name = "NUMBER", env = "OS_DEFAULT__WORKERS", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// Where the first start with standalone writes the administrator's openrc file [default: beside the SQLite file]
    #[arg(long, value_name = "PATH")]
    pub openrc: Option<PathBuf>,
}

/// How callers are known (`[DEFAULT] auth_strategy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AuthStrategy {
    /// Believe X-Project-Id, X-User-Id and X-Roles; for tests and load runs, on loopback only
    Noauth,
    /// The built-in identity: users of `freezer-api user`, who log in at /identity/v3
    Standalone,
}

/// What `serve` works with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database.
    pub database: DatabaseUrl,
    /// Where and with how many workers to listen.
    pub server: server::Settings,
    /// How callers are known.
    pub auth_strategy: AuthStrategy,
    /// The openrc file of the first start.
    pub openrc: PathBuf,
    /// The most that a list gives at once.
    pub max_limit: i64,
}

impl Config {
    /// Puts defaults where nothing was given, and checks that it fits together.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn new(database: &DatabaseOptions, serve: &ServeOptions) -> Result<Self, String> {
        let database = database.database()?;
        let auth_strategy = strategy(serve.auth_strategy, database.backend())?;
        let defaults = server::Settings::default();
        let server = server::Settings {
            // Neither strategy there is belongs on an open network without somebody asking for it.
            bind_host: serve.bind_host.clone().unwrap_or_else(|| "127.0.0.1".to_owned()),
            bind_port: serve.bind_port.unwrap_or(defaults.bind_port),
            workers: serve.workers.map_or(defaults.workers, usize::from),
            ..defaults
        };
        if auth_strategy == AuthStrategy::Noauth {
            loopback_only(&server.bind_host)?;
        }
        let openrc = serve.openrc.clone().unwrap_or_else(|| openrc_beside(&database));
        Ok(Self { database, server, auth_strategy, openrc, max_limit: MAX_LIMIT })
    }
}

fn strategy(given: Option<AuthStrategy>, backend: Backend) -> Result<AuthStrategy, String> {
    match (given, backend) {
        (Some(strategy), _) => Ok(strategy),
        (None, Backend::Sqlite) => Ok(AuthStrategy::Standalone),
        (None, Backend::Mysql | Backend::Postgres) => Err(
            "With MySQL and PostgreSQL there is no default for --auth-strategy: choose `standalone` (the \
                 built-in identity) or `noauth` (for tests; believes whatever a caller says of itself)."
                .to_owned(),
        ),
    }
}

/// Whoever can reach a server with `noauth` is an administrator: that must be nobody but this machine.
fn loopback_only(host: &str) -> Result<(), String> {
    let addresses =
        (host, 0).to_socket_addrs().map_err(|error| format!("There is no address {host}: {error}."))?;
    if addresses.into_iter().all(|address| address.ip().is_loopback()) {
        return Ok(());
    }
    Err(format!(
        "With --auth-strategy noauth everybody is who they say they are, so it is served on loopback only, \
         not on {host}. Use --bind-host 127.0.0.1, or --auth-strategy standalone."
    ))
}

fn openrc_beside(database: &DatabaseUrl) -> PathBuf {
    let directory = database.sqlite_path().and_then(Path::parent).unwrap_or(Path::new(""));
    directory.join("openrc")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(database: &str, serve: ServeOptions) -> Result<Config, String> {
        let database = DatabaseOptions { database_connection: Some(database.to_owned()), debug: None };
        Config::new(&database, &serve)
    }

    #[test]
    fn nothing_given_is_a_server_for_this_machine() {
        let config = Config::new(&DatabaseOptions::default(), &ServeOptions::default()).unwrap();
        assert_eq!((config.server.bind_host.as_str(), config.server.bind_port), ("127.0.0.1", 9090));
        assert_eq!(config.auth_strategy, AuthStrategy::Standalone);
        assert_eq!(config.openrc, Path::new("openrc"));
    }

    #[test]
    fn the_openrc_file_is_beside_the_sqlite_file() {
        let config = config("sqlite:////var/lib/freezer/f.sqlite", ServeOptions::default()).unwrap();
        assert_eq!(config.openrc, Path::new("/var/lib/freezer/openrc"));
    }

    #[test]
    fn noauth_is_for_loopback() {
        let on = |host: &str| {
            let noauth = Some(AuthStrategy::Noauth);
            config(
                "f.sqlite",
                ServeOptions {
                    bind_host: Some(host.to_owned()),
                    auth_strategy: noauth,
                    ..Default::default()
                },
            )
        };
        assert!(on("127.0.0.1").is_ok() && on("::1").is_ok());
        for open in ["0.0.0.0", "::", "192.0.2.1"] {
            assert!(on(open).unwrap_err().contains("loopback"), "{open}");
        }
    }

    #[test]
    fn a_database_of_the_cloud_wants_a_choice() {
        for backend in [Backend::Mysql, Backend::Postgres] {
            let message = strategy(None, backend).unwrap_err();
            assert!(message.contains("standalone") && message.contains("noauth"), "{message}");
        }
    }
}
