//! One connection type over the three backends, and the pool of them.

use std::sync::Arc;

use diesel::connection::{Connection, TransactionManager};
use diesel::result::{ConnectionError, ConnectionResult};

use super::dialect;
use super::outage::Outage;
use super::settings::Settings;
use super::sqlite_file::ServedFile;
use super::url::{Backend, DatabaseUrl};

// The derive writes the backend, its rows and its bind values into this module; they are not ours to document.
#[allow(missing_docs)]
mod derived {
    /// A connection to one of the backends that were built in.
    #[derive(diesel::MultiConnection)]
    pub enum AnyConnection {
        #[cfg(feature = "mysql")]
        Mysql(diesel::mysql::MysqlConnection),
        #[cfg(feature = "postgres")]
        Postgres(diesel::pg::PgConnection),
        Sqlite(diesel::sqlite::SqliteConnection),
    }
}
pub use derived::{AnyConnection, MultiBackend};

/// Makes pooled connections to one database and tells r2d2 which of them are dead.
///
/// Diesel's own manager is not used: asked for a MultiConnection it tries each backend in turn, and SQLite
/// opens any name at all, so that a MySQL server being down would be answered by a new SQLite file.
pub struct Manager {
    url: DatabaseUrl,
    settings: Settings,
    file: Option<Arc<ServedFile>>,
    outage: Arc<Outage>,
}

impl Manager {
    /// A manager of connections to `url`, which tells `outage` how connecting goes.
    pub(super) fn new(
        url: DatabaseUrl,
        settings: Settings,
        file: Option<Arc<ServedFile>>,
        outage: Arc<Outage>,
    ) -> Self {
        Self { url, settings, file, outage }
    }

    /// Fails if an SQLite file is no longer the one that is served. SQLite would create a new file in the place of a
    /// removed one.
    fn check_file(&self) -> ConnectionResult<()> {
        match self.file.as_ref().map_or(Ok(()), |file| file.check()) {
            Ok(()) => Ok(()),
            Err(error) => Err(ConnectionError::BadConnection(error.to_string())),
        }
    }
}

/// Opens one connection, with the session that there is without configuration.
///
/// # Errors
/// As [`establish_with`].
pub fn establish(url: &DatabaseUrl) -> ConnectionResult<AnyConnection> {
    establish_with(url, &Settings::default())
}

/// Opens one connection and makes the settings that every session of ours has.
///
/// # Errors
/// The server cannot be reached, refuses, or does not take a setting. The URL is not in it.
pub fn establish_with(url: &DatabaseUrl, settings: &Settings) -> ConnectionResult<AnyConnection> {
    let mut connection = open_unconfigured(url)?;
    dialect::configure_session(&mut connection, settings)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Opens one connection with the settings that it has by itself.
///
/// # Errors
/// As [`establish_with`].
pub(super) fn open_unconfigured(url: &DatabaseUrl) -> ConnectionResult<AnyConnection> {
    let mut connection = open(url).map_err(|error| match error {
        // libpq repeats a URL that it cannot take apart, the password with it.
        ConnectionError::BadConnection(message) if url.backend() != Backend::Sqlite => {
            ConnectionError::BadConnection(message.replace(url.target(), url.redacted()))
        }
        other => other,
    })?;
    if url.wants_tls() {
        dialect::expect_tls(&mut connection)?;
    }
    Ok(connection)
}

fn open(url: &DatabaseUrl) -> ConnectionResult<AnyConnection> {
    Ok(match url.backend() {
        #[cfg(feature = "mysql")]
        Backend::Mysql => AnyConnection::Mysql(diesel::mysql::MysqlConnection::establish(url.target())?),
        #[cfg(feature = "postgres")]
        Backend::Postgres => AnyConnection::Postgres(diesel::pg::PgConnection::establish(url.target())?),
        Backend::Sqlite => AnyConnection::Sqlite(diesel::sqlite::SqliteConnection::establish(url.target())?),
        #[allow(unreachable_patterns)]
        other => return Err(ConnectionError::BadConnection(format!("{other:?} was not built in"))),
    })
}

impl r2d2::ManageConnection for Manager {
    type Connection = AnyConnection;
    type Error = ConnectionError;

    fn connect(&self) -> ConnectionResult<AnyConnection> {
        let connect = || {
            self.check_file()?;
            let connection = establish_with(&self.url, &self.settings)?;
            self.check_file().map(|()| connection)
        };
        self.outage.attempt(connect, ConnectionError::BadConnection)
    }

    fn is_valid(&self, connection: &mut AnyConnection) -> ConnectionResult<()> {
        use diesel::connection::SimpleConnection;
        connection.batch_execute("SELECT 1").map_err(ConnectionError::CouldntSetupConfiguration)
    }

    fn has_broken(&self, connection: &mut AnyConnection) -> bool {
        // A panic may have left a transaction open; a lost connection leaves the manager in error.
        std::thread::panicking()
            || <AnyConnection as Connection>::TransactionManager::is_broken_transaction_manager(connection)
    }
}

#[cfg(all(test, feature = "postgres"))]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_cannot_be_taken_apart_is_not_repeated() {
        for place in ["[::1", "[]", "[::1]x"] {
            let url = DatabaseUrl::parse(&format!("postgresql://f:hunter2@{place}/freezer"));
            let Ok(url) = url else { continue };
            let error = establish(&url).err().unwrap().to_string();
            assert!(error.contains("in URI") && !error.contains("hunter2"), "{error}");
        }
    }
}
