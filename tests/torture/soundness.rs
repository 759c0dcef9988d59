//! Invariants of the tables.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::url::{Backend, DatabaseUrl};

use crate::jobs::ACTIONS;

/// Every reference: child table, column, parent table. All but one stay within a project.
const KEYS: [(&str, &str, &str); 9] = [
    ("action_attachments", "action_id", "actions"),
    ("action_attachments", "job_id", "jobs"),
    ("job_attachments", "client_id", "clients"),
    ("job_attachments", "job_id", "jobs"),
    ("job_attachments", "session_id", "sessions"),
    ("action_reports", "action_id", "actions"),
    ("action_reports", "action_attachment_id", "action_attachments"),
    ("action_reports", "job_attachment_id", "job_attachments"),
    ("job_trusts", "job_id", "jobs"),
];

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

#[derive(QueryableByName)]
struct Said {
    #[diesel(sql_type = Text)]
    said: String,
}

/// Checks that no reference dangles and no document is incomplete.
pub fn check(url: &str) {
    let url = DatabaseUrl::parse(url).unwrap();
    let mut connection = establish(&url).unwrap();
    for (child, column, parent) in KEYS {
        let project = if parent == "clients" { "" } else { " AND p.project_id = c.project_id" };
        let dangling = format!(
            "SELECT COUNT(*) AS number FROM {child} c WHERE c.{column} IS NOT NULL \
             AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE p.id = c.{column}{project})"
        );
        assert_eq!(count(&mut connection, &dangling), 0, "{child}.{column}");
    }
    // Every job of the writers has three actions and is on one client, and every run left three reports.
    for (what, query) in [
        (
            "a job without its actions",
            format!(
                "SELECT COUNT(*) AS number FROM jobs j \
                 WHERE (SELECT COUNT(*) FROM action_attachments a WHERE a.job_id = j.id) <> {ACTIONS}"
            ),
        ),
        (
            "a job without its client",
            "SELECT COUNT(*) AS number FROM jobs j \
             WHERE (SELECT COUNT(*) FROM job_attachments a WHERE a.job_id = j.id) <> 1"
                .to_owned(),
        ),
        (
            "actions of half a change",
            format!(
                "SELECT COUNT(*) AS number FROM (SELECT 1 FROM actions \
                 GROUP BY {} HAVING COUNT(*) <> {ACTIONS}) AS half",
                // The name is the job's id, the number of the change, and a digit.
                "SUBSTR(backup_name, 1, LENGTH(backup_name) - 2)"
            ),
        ),
        (
            "half of a run's reports",
            format!(
                "SELECT COUNT(*) AS number FROM (SELECT 1 FROM action_reports \
                 GROUP BY SUBSTR(id, 1, 20) HAVING COUNT(*) <> {ACTIONS}) AS half"
            ),
        ),
    ] {
        assert_eq!(count(&mut connection, &query), 0, "{what}");
    }
    if url.backend() == Backend::Sqlite {
        let check = "SELECT integrity_check AS said FROM pragma_integrity_check";
        let said: Vec<Said> = diesel::sql_query(check).load(&mut connection).unwrap();
        assert_eq!(said.iter().map(|row| row.said.as_str()).collect::<Vec<_>>(), ["ok"]);
        let dangling = "SELECT COUNT(*) AS number FROM pragma_foreign_key_check";
        assert_eq!(count(&mut connection, dangling), 0);
    }
}

/// The number of other sessions' connections to the database.
pub fn connections(url: &str) -> i64 {
    let url = DatabaseUrl::parse(url).unwrap();
    let query = match url.backend() {
        Backend::Mysql => {
            "SELECT COUNT(*) AS number FROM information_schema.processlist \
             WHERE db = DATABASE() AND id <> CONNECTION_ID()"
        }
        _ => {
            "SELECT COUNT(*) AS number FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        }
    };
    count(&mut establish(&url).unwrap(), query)
}

fn count(connection: &mut AnyConnection, query: &str) -> i64 {
    diesel::sql_query(query).get_result::<Count>(connection).unwrap().number
}
