//! The settings of a database session.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use freezer_api::store::Settings;
use freezer_api::store::engine::manager::establish_with;

use crate::sqlite;

#[derive(QueryableByName)]
struct Synchronous {
    #[diesel(sql_type = BigInt)]
    synchronous: i64,
}

#[test]
fn sqlite_syncs_to_the_disk_unless_configured_otherwise() {
    let directory = tempfile::tempdir().unwrap();
    for (sqlite_synchronous, level) in [(true, 2), (false, 0)] {
        let settings = Settings { sqlite_synchronous, ..Settings::default() };
        let mut connection = establish_with(&sqlite(&directory), &settings).unwrap();
        let set: Synchronous = diesel::sql_query("PRAGMA synchronous").get_result(&mut connection).unwrap();
        assert_eq!(set.synchronous, level);
    }
}

#[derive(QueryableByName)]
#[cfg_attr(not(feature = "mysql"), allow(dead_code))]
struct Setting {
    #[diesel(sql_type = Text)]
    value: String,
}

#[cfg(feature = "mysql")]
#[test]
fn mysql_has_the_configured_sql_mode_and_causality() {
    use freezer_api::store::engine::url::DatabaseUrl;

    let url = DatabaseUrl::parse(&std::env::var("FREEZER_TEST_MYSQL_URL").unwrap()).unwrap();
    let value = |settings: &Settings, variable: &str| -> String {
        let mut connection = establish_with(&url, settings).unwrap();
        let sql = format!("SELECT CAST(@@{variable} AS CHAR) AS value");
        diesel::sql_query(sql).get_result::<Setting>(&mut connection).unwrap().value
    };
    let mode = |mode: &str| Settings { mysql_sql_mode: mode.to_owned(), ..Settings::default() };
    assert!(value(&Settings::default(), "sql_mode").contains("TRADITIONAL"));
    assert_eq!(value(&mode("ansi_quotes,NO_ZERO_DATE"), "sql_mode"), "ANSI_QUOTES,NO_ZERO_DATE");
    let own = value(&mode(""), "sql_mode");
    assert_eq!(own, value(&mode(""), "global.sql_mode"));
    for wrong in ["NO_SUCH_MODE", "TRADITIONAL'; DROP TABLE jobs; --"] {
        assert!(establish_with(&url, &mode(wrong)).is_err(), "{wrong}");
    }
    // MariaDB has this variable even without Galera's library. Oracle's MySQL has none, and the start says so.
    let galera = Settings { mysql_wsrep_sync_wait: Some(7), ..Settings::default() };
    if value(&Settings::default(), "version").contains("MariaDB") {
        assert_eq!(value(&galera, "wsrep_sync_wait"), "7");
    } else {
        let error = establish_with(&url, &galera).err().unwrap().to_string();
        assert!(error.contains("Unknown system variable 'wsrep_sync_wait'"), "{error}");
    }
    assert_eq!(value(&Settings::default(), "time_zone"), "+00:00");
}
