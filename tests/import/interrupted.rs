//! An import that is killed and run again ends in the same database.

use std::process::Stdio;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{QueryableByName, RunQueryDsl, sql_query, sql_types::Text};

use crate::databases::Database;
use crate::on_every_backend;
use crate::program::{Directory, Source, said, sync};

on_every_backend! {
    an_import_that_is_killed_at_any_moment_is_continued_by_running_it_again
    an_import_that_is_told_to_stop_ends_after_a_batch_and_says_how_to_go_on
}

#[derive(QueryableByName, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Row {
    #[diesel(sql_type = Text)]
    row: String,
}

/// Every row without its times, since the import invents missing ones.
fn rows(target: &Database) -> Vec<(&'static str, Vec<Row>)> {
    let text = |column: &str| match () {
        () if target.url.starts_with("mysql") => format!("COALESCE(CAST({column} AS CHAR), '')"),
        () => format!("COALESCE(CAST({column} AS TEXT), '')"),
    };
    [
        (
            "clients",
            &["id", "project_id", "user_id", "client_id", "hostname", "supported_modes", "version"][..],
        ),
        ("actions", &["id", "project_id", "action", "src_file", "metadata", "max_retries", "version"]),
        ("sessions", &["id", "project_id", "scheduling", "status", "hold_off", "version"]),
        ("jobs", &["id", "project_id", "scheduling", "description", "version"]),
        (
            "job_attachments",
            &["id", "client_id", "session_id", "status", "session_status", "session_tag", "version"],
        ),
        ("action_attachments", &["id", "job_id", "action_id", "priority", "retries", "version"]),
        ("action_reports", &["id", "action_id", "result", "version"]),
        ("job_trusts", &["id", "job_id", "trust_id", "trustor_user_id"]),
        ("backups", &["id", "project_id", "status", "job_id", "metadata", "version"]),
    ]
    .into_iter()
    .map(|(table, columns)| {
        let columns: Vec<String> = columns.iter().map(|column| text(column)).collect();
        let row = match target.url.starts_with("mysql") {
            true => format!("CONCAT_WS('|', {})", columns.join(", ")),
            false => columns.join(" || '|' || "),
        };
        // A reserved word in MySQL.
        let name = if target.url.starts_with("mysql") { "`row`" } else { "\"row\"" };
        let mut rows: Vec<Row> =
            sql_query(format!("SELECT {row} AS {name} FROM {table}")).load(&mut target.connect()).unwrap();
        rows.sort();
        (table, rows)
    })
    .collect()
}

fn an_import_that_is_killed_at_any_moment_is_continued_by_running_it_again(new: fn() -> Database) {
    let source = Source::sqlite();
    let (directory, whole) = (Directory::new(), new());
    sync(&whole);
    let begun = std::time::Instant::now();
    directory.import(&whole, &source, &[]);
    let took = begun.elapsed();
    let expected = rows(&whole);
    assert!(expected.iter().map(|(_, rows)| rows.len()).sum::<usize>() > 200);

    let target = new();
    sync(&target);
    for moment in 0..20 {
        if moment % 5 == 0 {
            empty(&target);
        }
        let mut child = directory
            .command(&target, &source.words, &["-q"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(took.mul_f64(f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 256.0));
        child.kill().unwrap();
        child.wait().unwrap();
        if moment % 5 == 4 {
            let last = directory.import(&target, &source, &[]);
            assert_eq!(last.status, 3, "{}", last.stderr);
            assert_eq!(rows(&target), expected);
        }
    }
}

/// Deletes all rows, children first.
fn empty(target: &Database) {
    let tables = [
        "job_trusts",
        "action_reports",
        "backups",
        "job_attachments",
        "action_attachments",
        "jobs",
        "sessions",
    ];
    for table in tables.into_iter().chain(["actions", "clients"]) {
        target.connect().batch_execute(&format!("DELETE FROM {table}")).unwrap();
    }
}

fn an_import_that_is_told_to_stop_ends_after_a_batch_and_says_how_to_go_on(new: fn() -> Database) {
    let (directory, target) = (Directory::new(), new());
    sync(&target);
    // A pipe without data: the import gets the signal while it waits for documents.
    let words = ["elasticsearch", "--from", "-", "--default-project", "p"].map(str::to_owned);
    let mut command = directory.command(&target, &words, &["-q"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let line = "{\"_index\":\"freezer\",\"_type\":\"clients\",\"_id\":\"ID\",\"_source\":{\"client\":{\"client_id\":\"ID\"},\"user_id\":\"u\"}}\n";
    let documents: String = (0..2000).map(|id| line.replace("ID", &format!("c{id}"))).collect();
    std::io::Write::write_all(&mut input, documents.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .unwrap();
    std::thread::sleep(Duration::from_millis(200));
    // Whatever it is doing, it ends.
    let _ = std::io::Write::write_all(&mut input, documents.as_bytes());
    drop(input);
    let said = said(child.wait_with_output().unwrap());
    assert_eq!(said.status, 1, "{}", said.stderr);
    assert!(said.stderr.contains("was stopped"), "{}", said.stderr);
}
