//! One connection type over the three backends.

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
