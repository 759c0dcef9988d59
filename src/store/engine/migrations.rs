//! The schema: the same migrations that `diesel migration run` applies, built into the binary.

use diesel::migration::MigrationSource;
use diesel::{QueryDsl, QueryResult, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::connection::AnyConnection;
use super::dialect;
use super::manager::{establish, establish_with};
use super::settings::Settings;
use super::url::{Backend, DatabaseUrl};

#[cfg(feature = "mysql")]
const MYSQL: EmbeddedMigrations = embed_migrations!("migrations/mysql");
#[cfg(feature = "postgres")]
const POSTGRESQL: EmbeddedMigrations = embed_migrations!("migrations/postgresql");
const SQLITE: EmbeddedMigrations = embed_migrations!("migrations/sqlite");

diesel::table! {
    /// Diesel's own bookkeeping.
    __diesel_schema_migrations (version) {
        /// A migration that was applied.
        version -> Text,
    }
}

/// The schema of a database, compared with this binary's migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaState {
    /// The newest migration applied, if any.
    pub current: Option<String>,
    /// The newest migration this binary knows.
    pub latest: String,
    /// Migrations of this binary that are not applied to the database.
    pub pending: Vec<String>,
    /// Applied migrations that this binary does not know, because a newer release applied them.
    pub unknown: Vec<String>,
}

/// Why a schema cannot be read, migrated or used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// A sentence for the operator.
    pub why: String,
    /// Waiting does not help: another database or another release is needed.
    pub lasting: bool,
}

impl SchemaError {
    /// An error for which waiting does not help.
    pub fn lasting(why: String) -> Self {
        Self { why, lasting: true }
    }
}

impl From<String> for SchemaError {
    fn from(why: String) -> Self {
        Self { why, lasting: false }
    }
}

impl From<SchemaError> for String {
    fn from(error: SchemaError) -> Self {
        error.why
    }
}

/// Runs `$work` on the concrete connection, with that backend's migrations.
macro_rules! on_backend {
    ($connection:expr, |$c:ident, $source:ident| $work:expr) => {
        match $connection {
            #[cfg(feature = "mysql")]
            AnyConnection::Mysql($c) => {
                let $source = MYSQL;
                $work
            }
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres($c) => {
                let $source = POSTGRESQL;
                $work
            }
            AnyConnection::Sqlite($c) => {
                let $source = SQLITE;
                $work
            }
        }
    };
}

/// Reads the state of the schema of the database at `url`. Creates Diesel's bookkeeping table if it is missing.
///
/// # Errors
/// A sentence for the operator: the database cannot be reached or read.
pub fn state(url: &DatabaseUrl) -> Result<SchemaState, SchemaError> {
    let mut connection = establish(url).map_err(|e| cannot_connect(url, &e))?;
    refuse_python_database(&mut connection)?;
    let (known, applied) = on_backend!(&mut connection, |c, source| look(c, &source)?);
    expect_readable(&applied)?;
    Ok(compare(&known, &applied))
}

/// Refuses a client library that reads text as empty, and so would lose values of every row.
fn expect_readable(applied: &[String]) -> Result<(), SchemaError> {
    if applied.iter().all(|version| !version.is_empty()) {
        return Ok(());
    }
    Err(SchemaError::lasting(
        "The database's client library reads text as empty, as MariaDB Connector/C 3.3.19 and 3.4.9 do (CONC-821). \
         Update the library; on Debian and Ubuntu it is the package libmariadb3."
            .to_owned(),
    ))
}

/// As [`state`], but changes nothing: a database without Diesel's bookkeeping table has no migration.
///
/// # Errors
/// A sentence for the operator: the database cannot be reached.
pub fn state_unchanged(url: &DatabaseUrl) -> Result<SchemaState, SchemaError> {
    let settings = Settings { read_only: true, ..Settings::default() };
    let mut connection = establish_with(url, &settings).map_err(|e| cannot_connect(url, &e))?;
    refuse_python_database(&mut connection)?;
    let known = on_backend!(&mut connection, |c, source| names(c, &source)?);
    let versions = __diesel_schema_migrations::table.select(__diesel_schema_migrations::version);
    let applied: Vec<String> = versions.load(&mut connection).unwrap_or_default();
    expect_readable(&applied)?;
    Ok(compare(&known, &applied))
}

fn compare(known: &[String], applied: &[String]) -> SchemaState {
    let version_of = |name: &String| name.split('_').next().unwrap_or_default().replace('-', "");
    let pending = known.iter().filter(|name| !applied.contains(&version_of(name))).cloned().collect();
    let unknown: Vec<String> = applied
        .iter()
        .filter(|version| !known.iter().any(|name| version_of(name) == **version))
        .cloned()
        .collect();
    let current = applied.iter().max().map(|version| {
        known.iter().find(|name| version_of(name) == *version).cloned().unwrap_or_else(|| version.clone())
    });
    let latest = known.iter().max().cloned().unwrap_or_default();
    SchemaState { current, latest, pending, unknown }
}

/// Whether every migration of this binary is applied. It writes nothing, so that it works on a replica.
///
/// # Errors
/// The database does not answer, or was never migrated.
pub(in crate::store) fn is_migrated(connection: &mut AnyConnection) -> QueryResult<bool> {
    let applied: Vec<String> =
        __diesel_schema_migrations::table.select(__diesel_schema_migrations::version).load(connection)?;
    let known = on_backend!(connection, |c, source| known_to(c, &source));
    Ok(known.is_some_and(|known| known.iter().all(|version| applied.contains(version))))
}

/// Applies every pending migration, in order, and returns their names.
///
/// When several nodes start at once, one process migrates; the others wait for it and find nothing to do.
///
/// # Errors
/// A sentence for the operator: the database cannot be reached, or a migration failed (which one, and why).
pub fn sync(url: &DatabaseUrl) -> Result<Vec<String>, SchemaError> {
    let mut connection = establish(url).map_err(|e| cannot_connect(url, &e))?;
    refuse_python_database(&mut connection)?;
    dialect::lock_schema(&mut connection).map_err(|e| format!("The schema cannot be locked: {e}"))?;
    let done = on_backend!(&mut connection, |c, source| run(c, source, advice(url.backend())));
    let unlocked = dialect::unlock_schema(&mut connection, done.is_ok());
    let done = done?;
    unlocked.map_err(|e| format!("The migrations could not be committed: {e}"))?;
    Ok(done)
}

/// Refuses a database of the Python service, some of whose tables have the same names. A configuration file of that service
/// names its database.
fn refuse_python_database(connection: &mut AnyConnection) -> Result<(), SchemaError> {
    use diesel::connection::SimpleConnection;
    match connection.batch_execute("SELECT version_num FROM alembic_version") {
        Err(_) => Ok(()),
        Ok(()) => {
            let why = "This database holds the tables of the Python freezer-api (there is a table \
                       alembic_version), which are in the way. Make a database for this service, and name it in \
                       [database] connection; the old one stays as it is.";
            Err(SchemaError { why: why.to_owned(), lasting: true })
        }
    }
}

/// Advice to the operator after a failed migration.
fn advice(backend: Backend) -> &'static str {
    match backend {
        Backend::Mysql => {
            "\nMySQL and MariaDB keep what a failed migration did before it failed. Drop the tables it has made (its \
             down.sql says which; docs/DATABASE.md), or restore the backup, before you run it again."
        }
        Backend::Postgres | Backend::Sqlite => "",
    }
}

/// The error for a schema that lacks migrations; `None` when it lacks none. It is not lasting, because another node may be
/// migrating.
pub fn refusal(state: &SchemaState) -> Option<SchemaError> {
    if !state.pending.is_empty() {
        let why = format!(
            "The database schema is {}, this release needs {}. Run `freezer-api db sync` (or `diesel migration run`) \
             first; a production start never migrates by itself.",
            state.current.as_deref().unwrap_or("empty"),
            state.latest
        );
        return Some(SchemaError::from(why));
    }
    None
}

/// The error for a schema that a newer release has migrated; `None` if none has.
pub fn newer(state: &SchemaState) -> Option<SchemaError> {
    if state.unknown.is_empty() {
        return None;
    }
    let why = format!(
        "The database schema is newer than this release: it has {}, which this release does not know. Install the \
         release that migrated it, restore a backup from before the upgrade, or use --allow-newer-schema at your own \
         risk.",
        state.unknown.join(", ")
    );
    Some(SchemaError { why, lasting: true })
}

/// A sentence that tells whether a schema with all migrations is newer than this release.
pub fn standing(state: &SchemaState) -> String {
    if state.unknown.is_empty() {
        return "The database schema is up to date.".to_owned();
    }
    format!("The database schema is newer than this release: {}.", state.unknown.join(", "))
}

/// Refuses a schema that a newer release has migrated, or with `allow_newer` warns of it.
///
/// # Errors
/// The schema is newer.
pub fn expect_known(state: &SchemaState, allow_newer: bool) -> Result<(), SchemaError> {
    match newer(state) {
        Some(error) if !allow_newer => Err(error),
        Some(_) => {
            log::warn!("{}", standing(state));
            Ok(())
        }
        None => Ok(()),
    }
}

fn run<C, DB>(connection: &mut C, source: EmbeddedMigrations, advice: &str) -> Result<Vec<String>, String>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let pending = connection.pending_migrations(source).map_err(|e| cannot_read(&*e))?;
    let mut done = Vec::new();
    for migration in pending {
        let name = migration.name().to_string();
        connection
            .run_migration(&migration)
            .map_err(|e| format!("The migration {name} failed: {e}{advice}"))?;
        done.push(name);
    }
    Ok(done)
}

/// The versions of the migrations in `source`.
fn known_to<C, DB>(_: &mut C, source: &EmbeddedMigrations) -> Option<Vec<String>>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let known = source.migrations().ok()?;
    Some(known.iter().map(|migration| migration.name().version().to_string()).collect())
}

/// The names of the migrations in `source`, and the versions applied to the database.
fn look<C, DB>(connection: &mut C, source: &EmbeddedMigrations) -> Result<(Vec<String>, Vec<String>), String>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let applied = connection.applied_migrations().map_err(|e| cannot_read(&*e))?;
    Ok((names(connection, source)?, applied.iter().map(ToString::to_string).collect()))
}

/// The names of the migrations in `source`, sorted.
fn names<C, DB>(_: &mut C, source: &EmbeddedMigrations) -> Result<Vec<String>, String>
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    EmbeddedMigrations: MigrationSource<DB>,
{
    let known = source.migrations().map_err(|e| cannot_read(&*e))?;
    let mut names: Vec<String> = known.iter().map(|m| m.name().to_string()).collect();
    names.sort();
    Ok(names)
}

fn cannot_connect(url: &DatabaseUrl, error: &dyn std::fmt::Display) -> String {
    format!("The database {url:?} cannot be reached: {error}")
}

fn cannot_read(error: &dyn std::fmt::Display) -> String {
    format!("The schema version cannot be read: {error}")
}
