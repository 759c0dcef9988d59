//! Imports of the fixtures, held against what they came from.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use diesel::connection::SimpleConnection;
use freezer_api::import::Source;
use freezer_api::import::plan::Mapping;
use freezer_api::import::run::{RunOptions, run};
use freezer_api::import::verify::{OldService, Report, Summary, Verification, verify};
use freezer_api::store::Store;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::migrations;
use freezer_api::store::engine::url::DatabaseUrl;

use crate::fixture;

/// A target, and what was imported into it.
pub struct Import {
    open: Box<dyn Fn() -> Box<dyn Source>>,
    directory: tempfile::TempDir,
    pub target: DatabaseUrl,
}

/// Version 1 knows no projects.
fn mapping() -> Mapping {
    let project = |digit: &str| digit.repeat(32);
    let users = [("1", "a"), ("2", "b"), ("9", "b")];
    Mapping {
        projects: BTreeMap::from(users.map(|(user, of)| (project(user), project(of)))),
        default_project: Some(project("c")),
    }
}

impl Import {
    /// An import into an SQLite database of ours.
    pub fn new(open: impl Fn() -> Box<dyn Source> + 'static) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ours.sqlite");
        std::fs::File::create(&file).unwrap();
        let target = DatabaseUrl::parse(&format!("sqlite:///{}", file.display())).unwrap();
        Self::into_target(open, directory, target)
    }

    fn into_target(
        open: impl Fn() -> Box<dyn Source> + 'static,
        directory: tempfile::TempDir,
        target: DatabaseUrl,
    ) -> Self {
        migrations::sync(&target).unwrap();
        let order = RunOptions {
            mapping: mapping(),
            quarantine: Some(directory.path().join("quarantine.ndjson")),
            is_quiet: true,
            ..RunOptions::default()
        };
        let stop = AtomicBool::new(false);
        run(open(), Some(&Store::new(target.clone(), 1)), &order, &stop).unwrap();
        Self { open: Box::new(open), directory, target }
    }

    /// Release 19's SQLite database in an SQLite database of ours.
    pub fn sqlite() -> Self {
        let source = fixture::sqlite();
        Self::new(move || source.open())
    }

    pub fn store(&self) -> Store {
        Store::new(self.target.clone(), 1)
    }

    pub fn change(&self, sql: &str) {
        establish(&self.target).unwrap().batch_execute(sql).unwrap();
    }

    /// The figures, and the lines of what has no reason.
    pub fn verify(&self) -> (Summary, Vec<String>) {
        self.verify_with(true, None)
    }

    pub fn verify_with(&self, has_source: bool, service: Option<&OldService>) -> (Summary, Vec<String>) {
        let mut report = Report::new(Some(&self.directory.path().join("report.ndjson"))).unwrap();
        let source = has_source.then(|| ((self.open)(), mapping()));
        verify(Verification { store: &self.store(), source, service }, &mut report).unwrap();
        let lines = report.finish().unwrap();
        (report.summary, lines)
    }

    fn expect_clean(&self, what: &str) {
        let (summary, lines) = self.verify();
        assert_eq!(lines, [""; 0], "{what}: {summary}");
        assert!(summary.is_clean());
        assert!(summary.tables.values().all(|figures| figures.equal > 0), "{what}: {summary}");
    }
}

#[test]
fn an_import_shows_what_its_source_showed() {
    Import::sqlite().expect_clean("sql-19.0.0-sqlite");
}

#[test]
fn an_import_of_documents_shows_what_elasticsearch_had() {
    for (fixture, file) in [
        ("es-15.0.0-v1", "elasticdump-2.4.6.data.ndjson"),
        ("es-15.0.0-v1", "elasticdump-2.4.6.sourceonly.ndjson"),
        ("es-15.0.0-v1", "elasticdump-8.15.0.data.ndjson"),
        ("es-15.0.0-v1", "scroll-7.17.0.ndjson"),
    ] {
        Import::new(move || fixture::documents(fixture, file)).expect_clean(file);
    }
    let (summary, lines) = Import::new(|| fixture::documents("es-3.0.0", "elasticdump.data.ndjson")).verify();
    assert_eq!(lines, [""; 0], "{summary}");
}

#[cfg(feature = "mysql")]
mod mariadb {
    use freezer_api::import::sql::SqlSource;

    use super::{Import, fixture};

    fn expect_clean(fixture: &'static str) {
        let url = fixture::mariadb(fixture);
        Import::new(move || Box::new(SqlSource::open(&url, true).unwrap())).expect_clean(fixture);
    }

    #[test]
    fn an_import_of_release_19_shows_what_its_source_showed() {
        expect_clean("sql-19.0.0-mariadb");
    }

    #[test]
    fn an_import_of_release_18_shows_what_its_source_showed() {
        expect_clean("sql-18.0.0-mariadb");
    }

    #[test]
    fn an_import_of_release_15_shows_what_its_source_showed() {
        expect_clean("sql-15.0.0-mariadb");
    }

    #[test]
    fn an_import_of_version_1_shows_what_its_source_showed() {
        expect_clean("sql-15.0.0-v1-mariadb");
    }

    #[test]
    fn an_import_of_an_upgrade_that_failed_shows_what_its_source_showed() {
        expect_clean("sql-15-upgraded-to-19-mariadb");
    }

    #[test]
    fn an_import_of_a_damaged_database_shows_what_its_source_showed() {
        expect_clean("sql-19.0.0-damaged");
    }

    #[test]
    fn a_mysql_target_shows_what_the_source_showed() {
        let source = fixture::sqlite();
        let open = move || source.open();
        let target = fixture::on_server("FREEZER_TEST_MYSQL_URL");
        Import::into_target(open, tempfile::tempdir().unwrap(), target).expect_clean("into MySQL");
    }
}

#[cfg(feature = "postgres")]
#[test]
fn a_postgresql_target_shows_what_the_source_showed() {
    let source = fixture::sqlite();
    let open = move || source.open();
    let target = fixture::on_server("FREEZER_TEST_POSTGRES_URL");
    Import::into_target(open, tempfile::tempdir().unwrap(), target).expect_clean("into PostgreSQL");
}

#[test]
fn a_changed_a_removed_and_an_added_row_are_found_and_named() {
    let import = Import::sqlite();
    import.change(
        "UPDATE sessions SET description = 'changed' WHERE id = (SELECT MIN(id) FROM sessions);
         DELETE FROM backups WHERE id = (SELECT MIN(id) FROM backups);
         INSERT INTO backups SELECT 'added', project_id, user_id, status, job_id, backup_name, container, hostname, action, \
         mode, time_stamp, curr_backup_level, metadata, created_at, updated_at, version FROM backups LIMIT 1",
    );
    let (summary, lines) = import.verify();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(lines[0].starts_with("sessions ") && lines[0].contains(r": /description: "), "{lines:?}");
    assert!(lines[1].starts_with("backups ") && lines[1].ends_with(": not in the target"), "{lines:?}");
    assert_eq!(lines[2], "backups added: only in the target");
    assert_eq!((summary.tables["sessions"].different, summary.tables["backups"].missing), (1, 1));
    assert!(!summary.is_clean());
}
