//! How connections are opened, for the pool and for a single use.

use std::sync::Arc;

use diesel::connection::{Connection, TransactionManager};
use diesel::result::{ConnectionError, ConnectionResult};

use super::connection::AnyConnection;
use super::dialect;
use super::outage::Outage;
use super::settings::Settings;
use super::sqlite_file::ServedFile;
use super::url::{Backend, DatabaseUrl};

/// Opens connections to one database for r2d2, and tells it which are broken.
///
/// Diesel's own manager is not used: for a `MultiConnection` it tries each backend in turn, and SQLite opens any name at
/// all, so that it would create an SQLite file while a MySQL server is down.
pub struct Manager {
    url: DatabaseUrl,
    settings: Settings,
    file: Option<Arc<ServedFile>>,
    outage: Arc<Outage>,
}

impl Manager {
    /// A manager of connections to `url`, which reports each attempt to `outage`.
    pub(in crate::store) fn new(
        url: DatabaseUrl,
        settings: Settings,
        file: Option<Arc<ServedFile>>,
        outage: Arc<Outage>,
    ) -> Self {
        Self { url, settings, file, outage }
    }

    /// Fails if the SQLite file was replaced or removed. SQLite would create a new file in place of a removed one.
    fn check_file(&self) -> ConnectionResult<()> {
        match self.file.as_ref().map_or(Ok(()), |file| file.check()) {
            Ok(()) => Ok(()),
            Err(error) => Err(ConnectionError::BadConnection(error.to_string())),
        }
    }
}

/// Opens one connection with the default settings.
///
/// # Errors
/// As [`establish_with`].
pub fn establish(url: &DatabaseUrl) -> ConnectionResult<AnyConnection> {
    establish_with(url, &Settings::default())
}

/// Opens one connection and configures its session.
///
/// # Errors
/// The server is unreachable, refuses the connection, or refuses a setting. The error does not contain the URL.
pub fn establish_with(url: &DatabaseUrl, settings: &Settings) -> ConnectionResult<AnyConnection> {
    let mut connection = open_unconfigured(url)?;
    dialect::configure_session(&mut connection, settings)
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// Opens one connection with the server's own session settings.
///
/// # Errors
/// As [`establish_with`].
pub(in crate::store) fn open_unconfigured(url: &DatabaseUrl) -> ConnectionResult<AnyConnection> {
    let mut connection = open(url).map_err(|error| match error {
        // libpq repeats a URL that it cannot parse, with the password.
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
    fn an_error_does_not_repeat_a_url_that_libpq_cannot_parse() {
        for place in ["[::1", "[]", "[::1]x"] {
            let url = DatabaseUrl::parse(&format!("postgresql://f:hunter2@{place}/freezer"));
            let Ok(url) = url else { continue };
            let error = establish(&url).err().unwrap().to_string();
            assert!(error.contains("in URI") && !error.contains("hunter2"), "{error}");
        }
    }
}
