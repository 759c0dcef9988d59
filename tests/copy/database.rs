//! A migrated database of the test's own on each backend.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::migrations;
use freezer_api::store::engine::url::DatabaseUrl;

/// Every table, and the columns of its primary key.
pub const TABLES: &[(&str, &str)] = &[
    ("identity_projects", "id"),
    ("identity_users", "id"),
    ("identity_assignments", "user_id, project_id, role"),
    ("identity_known_addresses", "user_id, address"),
    ("identity_tokens", "id"),
    ("clients", "id"),
    ("actions", "id"),
    ("jobs", "id"),
    ("sessions", "id"),
    ("action_attachments", "id"),
    ("job_attachments", "id"),
    ("action_reports", "id"),
    ("job_trusts", "id"),
    ("backups", "id"),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    #[cfg(feature = "mysql")]
    Mysql,
    #[cfg(feature = "postgres")]
    Postgres,
}

/// The backends that are built in.
pub const BACKENDS: &[Backend] = &[
    Backend::Sqlite,
    #[cfg(feature = "mysql")]
    Backend::Mysql,
    #[cfg(feature = "postgres")]
    Backend::Postgres,
];

/// A database that is dropped when the test ends.
pub struct Database {
    pub url: String,
    drop: Option<(String, String)>,
    _directory: Option<tempfile::TempDir>,
}

impl Database {
    pub fn new(backend: Backend) -> Self {
        let database = Self::empty(backend);
        migrations::sync(&DatabaseUrl::parse(&database.url).unwrap()).unwrap();
        database
    }

    /// A database that was never migrated.
    pub fn empty(backend: Backend) -> Self {
        match backend {
            Backend::Sqlite => {
                let directory = tempfile::tempdir().unwrap();
                let url = format!("sqlite:///{}", directory.path().join("freezer.sqlite").display());
                let empty = Self { url, drop: None, _directory: Some(directory) };
                std::fs::write(empty.path(), "").unwrap();
                empty
            }
            #[cfg(feature = "mysql")]
            Backend::Mysql => Self::on_server("FREEZER_TEST_MYSQL_URL"),
            #[cfg(feature = "postgres")]
            Backend::Postgres => Self::on_server("FREEZER_TEST_POSTGRES_URL"),
        }
    }

    #[cfg(any(feature = "mysql", feature = "postgres"))]
    fn on_server(variable: &str) -> Self {
        let server =
            std::env::var(variable).unwrap_or_else(|_| panic!("run scripts/test, or set {variable}"));
        let name = format!("freezer_copy_{}", uuid::Uuid::new_v4().simple());
        connect(&server).batch_execute(&format!("CREATE DATABASE {name}")).unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&name);
        Self { url: url.into(), drop: Some((server, name)), _directory: None }
    }

    /// The file of an SQLite database.
    pub fn path(&self) -> &str {
        self.url.strip_prefix("sqlite:///").unwrap()
    }

    pub fn run(&self, sql: &str) {
        connect(&self.url).batch_execute(sql).unwrap_or_else(|error| panic!("{}: {sql}: {error}", self.url));
    }

    pub fn texts(&self, sql: &str) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            value: String,
        }
        let rows: Vec<Row> = sql_query(sql).load(&mut connect(&self.url)).unwrap();
        rows.into_iter().map(|row| row.value).collect()
    }

    pub fn count(&self, table: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            value: i64,
        }
        let sql = format!("SELECT COUNT(*) AS value FROM {table}");
        sql_query(sql).get_result::<Row>(&mut connect(&self.url)).unwrap().value
    }

    /// The id of the first project.
    pub fn project(&self) -> String {
        self.texts("SELECT id AS value FROM identity_projects").remove(0)
    }

    /// Whether the server is Oracle's MySQL: it keeps JSON parsed, and numbers as doubles; MariaDB keeps the text.
    pub fn is_oracles(&self) -> bool {
        self.url.starts_with("mysql:")
            && !self.texts("SELECT VERSION() AS value").remove(0).contains("MariaDB")
    }

    pub fn is_empty(&self) -> bool {
        TABLES.iter().all(|(table, _)| self.count(table) == 0)
    }

    /// Every value of an SQLite database, with the members of JSON objects in order.
    pub fn dump(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (table, key) in TABLES {
            let columns =
                self.texts(&format!("SELECT name AS value FROM pragma_table_info('{table}') ORDER BY name"));
            for column in &columns {
                let sql = format!("SELECT quote({column}) AS value FROM {table} ORDER BY {key}");
                for (row, value) in self.texts(&sql).into_iter().enumerate() {
                    let json = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
                    let json = json.filter(|text| text.starts_with(['{', '[']));
                    let json = json.and_then(|text| {
                        serde_json::from_str::<serde_json::Value>(&text.replace("''", "'")).ok()
                    });
                    let value = json.map_or(value, |json| json.to_string());
                    lines.push(format!("{table}.{column} {row}: {value}"));
                }
            }
        }
        lines
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.drop {
            // PostgreSQL waits for connections that are being closed.
            let force = if server.starts_with("postgres") { " WITH (FORCE)" } else { "" };
            connect(server).batch_execute(&format!("DROP DATABASE {name}{force}")).ok();
        }
    }
}

fn connect(url: &str) -> AnyConnection {
    establish(&DatabaseUrl::parse(url).unwrap()).unwrap()
}
