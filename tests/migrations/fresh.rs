//! A fresh database on each backend, and queries for its schema.

use std::collections::BTreeSet;

use diesel::connection::SimpleConnection;
use diesel::result::Error;
use diesel::sql_types::Text;
use diesel::{Connection, MultiConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

#[derive(MultiConnection)]
pub enum AnyConnection {
    Sqlite(SqliteConnection),
    #[cfg(feature = "mysql")]
    Mysql(diesel::MysqlConnection),
    #[cfg(feature = "postgres")]
    Postgres(diesel::PgConnection),
}

/// An empty database, which is dropped when the test ends.
pub struct Fresh {
    /// The name of its folder in `migrations/`.
    pub backend: &'static str,
    /// Its URL.
    pub url: String,
    connection: Option<AnyConnection>,
    drop: Option<(AnyConnection, String)>,
    _directory: Option<tempfile::TempDir>,
}

impl Fresh {
    fn sqlite() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("fresh.db");
        let mut connection = SqliteConnection::establish(path.to_str().unwrap()).unwrap();
        connection.batch_execute("PRAGMA foreign_keys = ON").unwrap();
        let connection = Some(AnyConnection::Sqlite(connection));
        let url = path.to_str().unwrap().to_owned();
        Self { backend: "sqlite", url, connection, drop: None, _directory: Some(directory) }
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    fn on_server(backend: &'static str, variable: &str, connect: fn(&str) -> AnyConnection) -> Self {
        let server =
            std::env::var(variable).unwrap_or_else(|_| panic!("run scripts/test, or set {variable}"));
        let name = format!("freezer_migrations_{}", uuid::Uuid::new_v4().simple());
        let mut admin = connect(&server);
        admin.batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        let connection = Some(connect(url.as_str()));
        let drop = Some((admin, format!("DROP DATABASE {name}")));
        Self { backend, url: url.into(), connection, drop, _directory: None }
    }

    /// One database for each backend that is built in.
    pub fn all() -> Vec<Self> {
        vec![
            Self::sqlite(),
            #[cfg(feature = "mysql")]
            Self::on_server("mysql", "FREEZER_TEST_MYSQL_URL", |url| {
                AnyConnection::Mysql(diesel::MysqlConnection::establish(url).unwrap())
            }),
            #[cfg(feature = "postgres")]
            Self::on_server("postgresql", "FREEZER_TEST_POSTGRES_URL", |url| {
                AnyConnection::Postgres(diesel::PgConnection::establish(url).unwrap())
            }),
        ]
    }

    pub fn all_migrated() -> Vec<Self> {
        let mut all = Self::all();
        all.iter_mut().for_each(Self::up);
        all
    }

    fn migrations(&self) -> FileBasedMigrations {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        FileBasedMigrations::from_path(format!("{root}/{}", self.backend)).unwrap()
    }

    fn connection(&mut self) -> &mut AnyConnection {
        self.connection.as_mut().unwrap()
    }

    pub fn up(&mut self) {
        let migrations = self.migrations();
        self.connection().run_pending_migrations(migrations).unwrap();
    }

    pub fn down(&mut self) {
        let migrations = self.migrations();
        self.connection().revert_all_migrations(migrations).unwrap();
    }

    pub fn run(&mut self, sql: &str) -> Result<(), Error> {
        sql_query(sql).execute(self.connection()).map(|_| ())
    }

    pub fn texts(&mut self, sql: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            value: String,
        }
        let rows: Vec<Row> = sql_query(sql).load(self.connection()).unwrap();
        rows.into_iter().map(|row| row.value).collect()
    }

    /// Every column as `table.column`, with ` null` behind it when it may be null.
    pub fn columns(&mut self) -> BTreeSet<String> {
        let columns = self.texts(match self.backend {
            "sqlite" => {
                "SELECT t.name || '.' || c.name || iif(c.\"notnull\", '', ' null') AS value
                 FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'"
            }
            "mysql" => {
                "SELECT CONCAT(table_name, '.', column_name, IF(is_nullable = 'YES', ' null', '')) AS value
                 FROM information_schema.columns WHERE table_schema = DATABASE()"
            }
            _ => {
                "SELECT table_name || '.' || column_name || CASE is_nullable WHEN 'YES' THEN ' null' ELSE '' END
                 AS value FROM information_schema.columns WHERE table_schema = 'public'"
            }
        });
        columns.into_iter().filter(|column| !column.starts_with("__diesel_schema_migrations.")).collect()
    }

    /// The named keys, indexes and checks.
    pub fn names(&mut self) -> BTreeSet<String> {
        let names = self.texts(match self.backend {
            "sqlite" => "SELECT coalesce(sql, '') AS value FROM sqlite_master",
            "mysql" => {
                "SELECT index_name AS value FROM information_schema.statistics WHERE table_schema = DATABASE()
                 UNION SELECT constraint_name FROM information_schema.table_constraints
                 WHERE constraint_schema = DATABASE()"
            }
            _ => {
                "SELECT indexname::text AS value FROM pg_indexes WHERE schemaname = 'public'
                 UNION SELECT conname::text FROM pg_constraint WHERE connamespace = 'public'::regnamespace"
            }
        });
        let words = names.iter().flat_map(|text| text.split_whitespace());
        let named = |word: &&str| ["fk_", "uq_", "ix_", "ck_"].iter().any(|prefix| word.starts_with(prefix));
        words.filter(named).map(str::to_owned).collect()
    }
}

impl Drop for Fresh {
    fn drop(&mut self) {
        self.connection = None;
        if let Some((admin, sql)) = &mut self.drop {
            admin.batch_execute(sql).ok();
        }
    }
}
