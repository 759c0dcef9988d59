//! Imports of the fixtures, held against what they came from.

use std::sync::atomic::AtomicBool;

use diesel::connection::SimpleConnection;
use freezer_api::import::plan::Mapping;
use freezer_api::import::run::{Order, run};
use freezer_api::import::sql::SqlSource;
use freezer_api::import::verify::{Report, Summary, Verification, verify};
use freezer_api::store::connection::establish;
use freezer_api::store::url::DatabaseUrl;
use freezer_api::store::{Store, migrations};

use crate::fixture;

/// A target, and what was imported into it.
struct Import {
    source: fixture::Copy,
    directory: tempfile::TempDir,
    target: DatabaseUrl,
}

impl Import {
    /// Release 19's SQLite database in an SQLite database of ours.
    fn new() -> Self {
        let source = fixture::sqlite();
        let directory = tempfile::tempdir().unwrap();
        let target =
            DatabaseUrl::parse(&format!("sqlite:///{}/ours.sqlite", directory.path().display())).unwrap();
        std::fs::File::create(directory.path().join("ours.sqlite")).unwrap();
        migrations::sync(&target).unwrap();
        let order = Order {
            quarantine: Some(directory.path().join("quarantine.ndjson")),
            is_quiet: true,
            ..Order::default()
        };
        let stop = AtomicBool::new(false);
        let from = Box::new(SqlSource::open(&source.url, false).unwrap());
        run(from, Some(&Store::new(target.clone(), 1)), &order, &stop).unwrap();
        Self { source, directory, target }
    }

    fn change(&self, sql: &str) {
        establish(&self.target).unwrap().batch_execute(sql).unwrap();
    }

    /// The figures, and the lines of what has no reason.
    fn verify(&self) -> (Summary, Vec<String>) {
        let from = Box::new(SqlSource::open(&self.source.url, false).unwrap());
        let mut report = Report::new(Some(&self.directory.path().join("report.ndjson"))).unwrap();
        let store = Store::new(self.target.clone(), 1);
        let source = Some((from as Box<_>, Mapping::default()));
        verify(Verification { store: &store, source, service: None }, &mut report).unwrap();
        let lines = report.finish().unwrap();
        (report.summary, lines)
    }
}

#[test]
fn an_import_shows_what_its_source_showed() {
    let (summary, lines) = Import::new().verify();
    assert_eq!(lines, [""; 0], "{summary}");
    assert!(summary.is_clean());
    assert!(summary.tables.values().all(|figures| figures.equal > 0), "{summary}");
}

#[test]
fn a_changed_a_removed_and_an_added_row_are_found_and_named() {
    let import = Import::new();
    import.change(
        "UPDATE sessions SET description = 'changed' WHERE id = (SELECT MIN(id) FROM sessions);
         DELETE FROM backups WHERE id = (SELECT MIN(id) FROM backups);
         INSERT INTO backups SELECT 'added', project_id, user_id, status, job_id, backup_name, container, hostname, action, \
         mode, time_stamp, curr_backup_level, metadata, created_at, updated_at, version FROM backups LIMIT 1",
    );
    let (summary, lines) = import.verify();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("sessions ") && lines[0].contains(r#": /description: "#), "{lines:?}");
    assert!(lines[1].starts_with("backups ") && lines[1].ends_with(": not in the target"), "{lines:?}");
    assert_eq!(lines[2], "backups added: only in the target");
    assert_eq!((summary.tables["sessions"].different, summary.tables["backups"].missing), (1, 1));
    assert!(!summary.is_clean());
}
