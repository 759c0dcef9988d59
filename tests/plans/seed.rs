//! Rows as of a service in use: some projects, each with many rows in every table.

#[cfg(feature = "postgres")]
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use freezer_api::store::engine::connection::AnyConnection;

/// The number of projects.
pub const PROJECTS: usize = 12;

/// The rows per project in the large tables.
const MANY: usize = 800;

/// The rows per project in the small tables.
const FEW: usize = 200;

/// The time of creation of a row in the middle of every table.
pub const MIDDLE: &str = "2026-01-01T00:02:30.123457Z";

/// The id of a project.
pub fn project(number: usize) -> String {
    format!("project-{number}")
}

struct Table {
    name: &'static str,
    columns: &'static str,
    rows: usize,
    /// The values of one row, without the columns that all tables have.
    values: fn(project: usize, row: usize) -> String,
}

const TABLES: &[Table] = &[
    Table {
        name: "clients",
        columns: "client_id, uuid, hostname, supported_actions, supported_modes, supported_storages, \
                  supported_engines, is_central, last_seen_at",
        rows: FEW,
        values: |p, n| {
            let (id, seen) = (id("clients", p, n), if n % 3 == 0 { "NULL".to_owned() } else { time(n * 7) });
            let is_central = if n % 150 == 0 { "TRUE" } else { "FALSE" };
            format!(
                "'client-{p}-{n}', '{id}', 'hostname-{}', '[]', '[]', '[]', '[]', {is_central}, {seen}",
                n % 50
            )
        },
    },
    Table {
        name: "actions",
        columns: "action, mode, backup_name, max_retries, max_retries_interval, mandatory, metadata",
        rows: FEW,
        values: |_, n| {
            let action = word(&["backup", "backup", "restore", "admin", "exec"], n);
            format!("{action}, {}, {}, 5, 6, FALSE, '{{}}'", word(MODES, n / 5), text("backup_name", n))
        },
    },
    Table { name: "jobs", columns: "scheduling", rows: FEW, values: |_, _| "'{}'".to_owned() },
    Table {
        name: "action_attachments",
        columns: "action_id, job_id, priority, retries, retry_interval, mandatory",
        rows: MANY,
        values: |p, n| {
            let (action, job) = (id("actions", p, (n * 7) % FEW), id("jobs", p, n % FEW));
            format!("'{action}', '{job}', {}, 5, 6, FALSE", n / FEW)
        },
    },
    Table {
        name: "sessions",
        columns: "scheduling, policy, hold_off, session_tag, status, result, metadata",
        rows: FEW,
        values: |_, n| {
            let status = word(&["active", "running", "completed", "completed"], n);
            format!("'{{}}', 'all', 30, 0, {status}, {}, '{{}}'", word(RESULTS, n / 4))
        },
    },
    Table {
        name: "job_attachments",
        columns: "client_id, job_id, session_id, event, status, result, session_tag, session_status, \
                  session_result, event_delivered",
        rows: MANY,
        values: |p, n| {
            let (client, job) = (id("clients", p, (n + n / FEW) % FEW), id("jobs", p, n % FEW));
            let session =
                if n % 3 == 0 { format!("'{}'", id("sessions", p, n % 50)) } else { "NULL".to_owned() };
            let status = word(&["completed", "completed", "completed", "scheduled", "running", ""], n);
            let event = word(&["", "", "", "start", "stop", "abort"], n / 6);
            let result = word(RESULTS, n / 7);
            format!("'{client}', '{job}', {session}, {event}, {status}, {result}, 0, '', '', FALSE")
        },
    },
    Table {
        name: "action_reports",
        columns: "action_id, action_attachment_id, job_attachment_id, job_id, client_id, result, time_elapsed, \
                  metadata, report_date",
        rows: MANY,
        values: |p, n| {
            let (action, place) = (id("actions", p, (n * 7) % FEW), id("action_attachments", p, n));
            // A few jobs that run often.
            let document = id("job_attachments", p, n % 4);
            let (job, client) = (id("jobs", p, n % 4), format!("client-{p}-{}", n % 3));
            let result = word(&["success", "success", "success", "fail", "aborted"], n);
            let (elapsed, date) = (n % 97, time(n * 3));
            format!(
                "'{action}', '{place}', '{document}', '{job}', '{client}', {result}, {elapsed}, '{{}}', {date}"
            )
        },
    },
    Table {
        name: "backups",
        columns: "status, job_id, backup_name, container, hostname, action, mode, time_stamp, \
                  curr_backup_level, metadata",
        rows: MANY,
        values: |_, n| {
            let status = word(&["available", "available", "available", "error", "deleted"], n);
            let names =
                ["job_id", "backup_name", "container", "hostname"].map(|name| text(name, n)).join(", ");
            let (action, mode) = (word(&["backup", "backup", "admin"], n), word(MODES, n / 3));
            let taken = if n % 4 == 1 { "NULL".to_owned() } else { (n / 2).to_string() };
            // As far as the tests ask for it.
            let metadata = r#"{"time_stamp": 7, "curr_backup_level": 3, "action": "admin", "mode": "nova"}"#;
            format!("{status}, {names}, {action}, {mode}, {taken}, {}, '{metadata}'", n % 8)
        },
    },
];

const MODES: &[&str] = &["fs", "fs", "mysql", "cinder", "nova"];
const RESULTS: &[&str] = &["success", "success", "fail", "aborted", ""];

/// Fills the tables.
pub fn fill(connection: &mut AnyConnection) {
    for table in TABLES {
        let rows: Vec<String> = (0..table.rows)
            .flat_map(|n| (0..PROJECTS).map(move |p| (p, n)))
            .map(|(p, n)| {
                let (id, project, time) = (id(table.name, p, n), project(p), time(n));
                format!("('{id}', '{project}', 'u', {time}, {time}, 1, {})", (table.values)(p, n))
            })
            .collect();
        for some in rows.chunks(1000) {
            let insert = format!(
                "INSERT INTO {} (id, project_id, user_id, created_at, updated_at, version, {}) VALUES {}",
                table.name,
                table.columns,
                some.join(", ")
            );
            connection.batch_execute(&insert).unwrap();
        }
    }
}

/// Gives a client of a project very many completed jobs, beside those that it has.
pub fn archive(connection: &mut AnyConnection, project_number: usize) -> String {
    const CLIENT: usize = 1;
    let (p, project) = (project_number, project(project_number));
    let client = id("clients", p, CLIENT);
    let numbers: Vec<usize> = (10_000..13_000).collect();
    for some in numbers.chunks(1000) {
        let common = |noun: &str, n: usize| {
            let time = time(n);
            format!("'{}', '{project}', 'u', {time}, {time}, 1", id(noun, p, n))
        };
        let jobs: Vec<String> = some.iter().map(|n| format!("({}, '{{}}')", common("jobs", *n))).collect();
        let attachment = |n: &usize| {
            let (common, job) = (common("job_attachments", *n), id("jobs", p, *n));
            format!("({common}, '{client}', '{job}', '', 'completed', 'success', 0, '', '', FALSE)")
        };
        let attachments: Vec<String> = some.iter().map(attachment).collect();
        let columns = "id, project_id, user_id, created_at, updated_at, version";
        let run = "event, status, result, session_tag, session_status, session_result, event_delivered";
        for insert in [
            format!("INSERT INTO jobs ({columns}, scheduling) VALUES {}", jobs.join(", ")),
            format!(
                "INSERT INTO job_attachments ({columns}, client_id, job_id, {run}) VALUES {}",
                attachments.join(", ")
            ),
        ] {
            connection.batch_execute(&insert).unwrap();
        }
    }
    format!("client-{p}-{CLIENT}")
}

/// Runs ANALYZE.
pub fn analyze(connection: &mut AnyConnection) {
    let analyze = match connection {
        #[cfg(feature = "mysql")]
        AnyConnection::Mysql(_) => "ANALYZE TABLE",
        // As autovacuum does in time.
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(_) => "VACUUM ANALYZE",
        AnyConnection::Sqlite(_) => "ANALYZE",
    };
    for table in TABLES {
        for _ in 0..50 {
            connection.batch_execute(&format!("{analyze} {}", table.name)).unwrap();
            if is_vacuumed(connection, table.name) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(200));
        }
    }
}

/// Whether PostgreSQL knows that every transaction sees all rows, and so can answer from an index alone. It does not know
/// while another session holds an older snapshot, as autovacuum does now and then.
fn is_vacuumed(connection: &mut AnyConnection, table: &str) -> bool {
    match connection {
        #[cfg(feature = "postgres")]
        AnyConnection::Postgres(c) => {
            let all =
                format!("(SELECT relallvisible >= relpages FROM pg_class WHERE oid = '{table}'::regclass)");
            diesel::select(diesel::dsl::sql::<diesel::sql_types::Bool>(&all)).get_result(c).unwrap()
        }
        _ => {
            let _ = table;
            true
        }
    }
}

/// An id that, like a real one, does not follow the order of creation.
fn id(table: &str, project: usize, row: usize) -> String {
    format!("{:08x}-{table}-{project}-{row}", (row as u32 ^ 0x5bd1).wrapping_mul(2_654_435_761))
}

/// One of fifty texts, or nothing.
fn text(name: &str, n: usize) -> String {
    if n.is_multiple_of(7) { "NULL".to_owned() } else { format!("'{name}-{}'", n % 50) }
}

fn word(words: &[&str], n: usize) -> String {
    format!("'{}'", words[n % words.len()])
}

/// All threads work at the same time.
fn time(n: usize) -> String {
    format!("'2026-01-{:02} {:02}:{:02}:{:02}.123457'", 1 + n / 86400, n / 3600 % 24, n / 60 % 60, n % 60)
}
