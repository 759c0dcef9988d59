//! A database of a test's own on the server that FREEZER_TEST_MYSQL_URL names, with a fixture in it.

use std::time::{SystemTime, UNIX_EPOCH};

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::url::DatabaseUrl;

use super::fixture;

pub struct Database {
    pub url: DatabaseUrl,
    name: String,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct ColumnName {
    #[diesel(sql_type = Text)]
    of_table: String,
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Checksum {
    #[diesel(sql_type = BigInt)]
    sum: i64,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

impl Database {
    /// A database with the fixture's dump.
    pub fn of(fixture: &str) -> Self {
        let server = std::env::var("FREEZER_TEST_MYSQL_URL")
            .unwrap_or_else(|_| panic!("run scripts/test, or set FREEZER_TEST_MYSQL_URL"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let random = uuid::Uuid::new_v4().simple().to_string();
        let name = format!("freezer_suite_{now}_{}", &random[..8]);
        let mut admin = establish(&DatabaseUrl::parse(&server).unwrap()).unwrap();
        admin.batch_execute(&format!("CREATE DATABASE {name} CHARACTER SET utf8mb4")).unwrap();
        let mut own = url::Url::parse(&server).unwrap();
        own.set_path(&name);
        let database = Self { url: DatabaseUrl::parse(own.as_str()).unwrap(), name };
        database.run(&std::fs::read_to_string(fixture::path(fixture, "dump.sql")).unwrap());
        database
    }

    pub fn run(&self, sql: &str) {
        self.connect().batch_execute(sql).unwrap();
    }

    /// What the server calls itself, with its version: `MySQL 9.7.4`, or `MariaDB 10.11.18`.
    pub fn server(&self) -> String {
        let sql = "SELECT VERSION() AS name";
        let version: Name = sql_query(sql).get_result(&mut self.connect()).unwrap();
        let number = version.name.split('-').next().unwrap_or_default().to_owned();
        format!("{} {number}", if version.name.contains("MariaDB") { "MariaDB" } else { "MySQL" })
    }

    /// A checksum of each table. MySQL does not answer `CHECKSUM TABLE` as a prepared statement, which Diesel's are.
    pub fn checksums(&self) -> Vec<(String, i64)> {
        let mut connection = self.connect();
        let columns: Vec<ColumnName> = sql_query(
            "SELECT table_name AS of_table, column_name AS name FROM information_schema.columns \
             WHERE table_schema = DATABASE() ORDER BY table_name, ordinal_position",
        )
        .load(&mut connection)
        .unwrap();
        let checksum = |of: &[ColumnName]| {
            let values: Vec<String> =
                of.iter().map(|column| format!("COALESCE(HEX(`{}`), '-')", column.name)).collect();
            let sql = format!(
                "SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS(' ', {}))), 0) AS SIGNED) AS sum FROM `{}`",
                values.join(", "),
                of[0].of_table
            );
            let row: Checksum = sql_query(sql).get_result(&mut connection).unwrap();
            (of[0].of_table.clone(), row.sum)
        };
        columns.chunk_by(|one, next| one.of_table == next.of_table).map(checksum).collect()
    }

    /// Ends every other connection to the database.
    pub fn kill_others(&self) {
        let mut connection = self.connect();
        let others: Vec<Id> = sql_query(
            "SELECT CAST(id AS SIGNED) AS id FROM information_schema.processlist \
             WHERE db = DATABASE() AND id <> CONNECTION_ID()",
        )
        .load(&mut connection)
        .unwrap();
        for Id { id } in others {
            connection.batch_execute(&format!("KILL {id}")).unwrap();
        }
    }

    fn connect(&self) -> AnyConnection {
        establish(&self.url).unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Ok(mut connection) = establish(&self.url) {
            let _ = connection.batch_execute(&format!("DROP DATABASE {}", self.name));
        }
    }
}
