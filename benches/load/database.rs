//! A database of this run's own, which is gone afterwards.

use std::process::{Command, Stdio};

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::url::{Backend, DatabaseUrl};
use tempfile::TempDir;

use crate::Result;

/// The database; dropped with this.
pub struct Database {
    /// As it is given to the service.
    pub text: String,
    pub url: DatabaseUrl,
    /// Where it was made, and its name there; a file is gone with its directory.
    server: Option<(DatabaseUrl, String)>,
    _directory: TempDir,
}

#[derive(QueryableByName)]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

impl Database {
    /// Makes one on that server, or a file where it is `sqlite`, with the schema that the binary makes.
    pub fn create(server: &str) -> Result<Self> {
        let database = Self::empty(server, "ours")?;
        let made = Command::new(env!("CARGO_BIN_EXE_freezer-api"))
            .args(["--database-connection", &database.text, "db", "sync"])
            .stdout(Stdio::null())
            .status()?;
        if made.success() { Ok(database) } else { Err("`freezer-api db sync` failed".into()) }
    }

    /// Makes one with nothing in it; `whose` is part of its name.
    pub fn empty(server: &str, whose: &str) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("freezer-bench-").tempdir()?;
        let (text, server) = if server == "sqlite" {
            (format!("sqlite:///{}", directory.path().join("bench.sqlite").display()), None)
        } else {
            let name = format!("freezer_bench_{whose}_{}", std::process::id());
            let mut text = url::Url::parse(server)?;
            text.set_path(&name);
            let server = DatabaseUrl::parse(server)?;
            establish(&server)?.batch_execute(&format!("CREATE DATABASE {name}"))?;
            (text.to_string(), Some((server, name)))
        };
        Ok(Self { url: DatabaseUrl::parse(&text)?, text, server, _directory: directory })
    }

    /// Its name on its server; a file has none.
    pub fn name(&self) -> &str {
        self.server.as_ref().map_or("", |(_, name)| name)
    }

    pub fn connect(&self) -> Result<AnyConnection> {
        Ok(establish(&self.url)?)
    }

    /// What kind it is, with its version.
    pub fn version(&self) -> Result<String> {
        Ok(match self.url.backend() {
            Backend::Mysql => self.one("SELECT VERSION() AS value")?,
            Backend::Postgres => {
                format!("PostgreSQL {}", self.one("SELECT current_setting('server_version') AS value")?)
            }
            Backend::Sqlite => format!("SQLite {}", self.one("SELECT sqlite_version() AS value")?),
        })
    }

    /// The settings that the numbers depend on most.
    pub fn settings(&self) -> Result<Vec<(&'static str, String)>> {
        let (names, ask): (&[&str], fn(&str) -> String) = match self.url.backend() {
            Backend::Mysql => (
                &[
                    "innodb_flush_log_at_trx_commit",
                    "sync_binlog",
                    "log_bin",
                    "innodb_doublewrite",
                    "innodb_buffer_pool_size",
                    "innodb_log_file_size",
                    "innodb_flush_method",
                ],
                |name| format!("SELECT CAST(@@{name} AS CHAR) AS value"),
            ),
            Backend::Postgres => (
                &["fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "max_wal_size"],
                |name| format!("SELECT current_setting('{name}') AS value"),
            ),
            Backend::Sqlite => {
                (&["journal_mode"], |name| format!("SELECT {name} AS value FROM pragma_{name}"))
            }
        };
        names.iter().map(|name| Ok((*name, self.one(&ask(name))?))).collect()
    }

    /// Runs statements beside the service.
    pub fn run(&self, statements: &str) -> Result<()> {
        Ok(self.connect()?.batch_execute(statements)?)
    }

    /// The one text that a query gives, in its column `value`.
    pub fn one(&self, query: &str) -> Result<String> {
        let mut connection = self.connect()?;
        let rows: Vec<Setting> = sql_query(query).load(&mut connection)?;
        rows.into_iter().next().map(|row| row.value).ok_or_else(|| format!("nothing for {query}").into())
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.server {
            let dropped =
                establish(server).map(|mut admin| admin.batch_execute(&format!("DROP DATABASE {name}")));
            if !matches!(dropped, Ok(Ok(()))) {
                eprintln!("The database {name} was left behind.");
            }
        }
    }
}
