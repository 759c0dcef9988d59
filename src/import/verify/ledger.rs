//! The plan's results for the rows of the source, and the documents seen so far. They are in a temporary file, so that the
//! memory does not grow with the source.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use tempfile::TempDir;

use super::Kind;
use crate::import::legacy::Table;
use crate::import::plan::Planner;
use crate::import::unit::{Outcome, TargetRow, Unit, Verdict};
use crate::import::{Error, Result};

/// The file.
pub struct Ledger {
    connection: SqliteConnection,
    /// Removes the file when it is dropped.
    _directory: TempDir,
}

/// The plan's result for a row.
#[derive(Debug, Clone)]
pub struct Planned {
    /// The id of the target row, if the row is to be imported.
    pub ours: Option<String>,
    /// The outcome.
    pub outcome: Outcome,
}

/// A remark of the plan on a row, or on an entry in it.
#[derive(Debug, Clone, QueryableByName)]
pub struct Remark {
    /// The entry inside the row; empty for the row itself.
    #[diesel(sql_type = Text)]
    pub entry: String,
    /// The reason.
    #[diesel(sql_type = Text)]
    pub reason: String,
    /// The id of what stands for it.
    #[diesel(sql_type = Nullable<Text>)]
    pub into: Option<String>,
    #[diesel(sql_type = Integer)]
    gone: i32,
}

impl Remark {
    /// Whether what it is about is not imported.
    pub fn is_gone(&self) -> bool {
        self.gone != 0
    }
}

#[derive(QueryableByName)]
struct PlannedRow {
    #[diesel(sql_type = Nullable<Text>)]
    ours: Option<String>,
    #[diesel(sql_type = Integer)]
    outcome: i32,
}

#[derive(QueryableByName)]
struct KnownId {
    #[diesel(sql_type = Text)]
    id: String,
}

const TABLES: &str = "\
PRAGMA journal_mode = OFF;
PRAGMA synchronous = OFF;
CREATE TABLE planned (tab INTEGER, number INTEGER, id TEXT, ours TEXT, outcome INTEGER);
CREATE INDEX planned_number ON planned (tab, number);
CREATE INDEX planned_id ON planned (tab, id);
CREATE TABLE remarks (tab INTEGER, id TEXT, entry TEXT, reason TEXT, target TEXT, gone INTEGER);
CREATE INDEX remarks_id ON remarks (tab, id);
CREATE TABLE known (kind INTEGER, id TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE asked (kind INTEGER, id TEXT, PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE owners (project TEXT, user TEXT, PRIMARY KEY (project, user)) WITHOUT ROWID;";

/// How the outcomes are written, in their own order.
const OUTCOMES: [Outcome; 4] = [Outcome::Imported, Outcome::Merged, Outcome::Skipped, Outcome::Quarantined];

fn failed(error: impl std::fmt::Display) -> Error {
    format!("The temporary file of the verification cannot be used: {error}.").into()
}

impl Ledger {
    /// An empty one, in the directory of temporary files.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("freezer-verify-").tempdir().map_err(failed)?;
        let path = directory.path().join("ledger.sqlite");
        let path = path.to_str().ok_or("The directory of temporary files has a name that is not UTF-8.")?;
        let mut connection = SqliteConnection::establish(path).map_err(failed)?;
        connection.batch_execute(TABLES).map_err(failed)?;
        Ok(Self { connection, _directory: directory })
    }

    /// Runs the plan and stores its results. `named` finds the clients of the target that have a unit's name under another
    /// id.
    ///
    /// # Errors
    /// The plan's; the file cannot be written.
    pub fn fill(
        &mut self,
        planner: &mut Planner,
        mut named: impl FnMut(&[Unit]) -> Result<Vec<Option<String>>>,
    ) -> Result<()> {
        while let Some(units) = planner.next()? {
            let names = named(&units)?;
            self.connection.batch_execute("BEGIN").map_err(failed)?;
            for (unit, name) in units.iter().zip(names) {
                self.keep(unit, name.as_deref())?;
                let verdict = match name {
                    Some(id) => Verdict::Named { id },
                    None => Verdict::Unchanged,
                };
                let is_written = !unit.rows.is_empty() && unit.outcome == Outcome::Imported;
                planner.settle(unit, is_written.then_some(&verdict))?;
            }
            self.connection.batch_execute("COMMIT").map_err(failed)?;
        }
        Ok(())
    }

    fn keep(&mut self, unit: &Unit, named: Option<&str>) -> Result<()> {
        for row in &unit.rows {
            if let Some((kind, id)) = shown_as(row) {
                self.note_known(kind, named.unwrap_or(id))?;
            }
        }
        let own = Kind::ALL.into_iter().find(|kind| kind.table() == unit.table);
        let ours =
            unit.rows.iter().filter_map(shown_as).find(|(kind, _)| Some(*kind) == own).map(|(_, id)| id);
        diesel::sql_query("INSERT INTO planned VALUES (?, ?, ?, ?, ?)")
            .bind::<Integer, _>(number_of(unit.table))
            .bind::<BigInt, _>(unit.number)
            .bind::<Text, _>(&unit.id)
            .bind::<Nullable<Text>, _>(named.or(ours))
            .bind::<Integer, _>(
                OUTCOMES.iter().position(|outcome| *outcome == unit.outcome).unwrap_or(0) as i32
            )
            .execute(&mut self.connection)
            .map_err(failed)?;
        for note in &unit.notes {
            let entry = match note.table == unit.table.name() {
                true => "",
                false => note.id.strip_prefix(&unit.id).map_or("", |rest| rest.trim_start_matches('/')),
            };
            let is_gone = matches!(note.outcome, Outcome::Skipped | Outcome::Quarantined);
            self.remark(unit.table, &unit.id, (entry, note.reason, note.into.as_deref(), is_gone))?;
            // Data of a merged row may now be in the row that it was merged into.
            if let Some(into) = note.into.as_deref().filter(|into| entry.is_empty() && **into != unit.id) {
                self.remark(unit.table, into, ("", note.reason, None, false))?;
            }
        }
        Ok(())
    }

    fn remark(
        &mut self,
        table: Table,
        id: &str,
        (entry, reason, into, is_gone): (&str, &str, Option<&str>, bool),
    ) -> Result<()> {
        diesel::sql_query("INSERT INTO remarks VALUES (?, ?, ?, ?, ?, ?)")
            .bind::<Integer, _>(number_of(table))
            .bind::<Text, _>(id)
            .bind::<Text, _>(entry)
            .bind::<Text, _>(reason)
            .bind::<Nullable<Text>, _>(into)
            .bind::<Integer, _>(i32::from(is_gone))
            .execute(&mut self.connection)
            .map_err(failed)?;
        Ok(())
    }

    /// The plan's result for a row of the staging file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn planned(&mut self, table: Table, number: i64) -> Result<Option<Planned>> {
        let rows: Vec<PlannedRow> =
            diesel::sql_query("SELECT ours, outcome FROM planned WHERE tab = ? AND number = ?")
                .bind::<Integer, _>(number_of(table))
                .bind::<BigInt, _>(number)
                .load(&mut self.connection)
                .map_err(failed)?;
        Ok(first(rows))
    }

    /// The plan's result for the row with this id; if there are several, for one that is imported.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn planned_as(&mut self, table: Table, id: &str) -> Result<Option<Planned>> {
        let sql = "SELECT ours, outcome FROM planned WHERE tab = ? AND id = ? ORDER BY outcome LIMIT 1";
        let rows: Vec<PlannedRow> = diesel::sql_query(sql)
            .bind::<Integer, _>(number_of(table))
            .bind::<Text, _>(id)
            .load(&mut self.connection)
            .map_err(failed)?;
        Ok(first(rows))
    }

    /// The remarks on a row and the entries in it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn remarks(&mut self, table: Table, id: &str) -> Result<Vec<Remark>> {
        diesel::sql_query(
            "SELECT entry, reason, target AS \"into\", gone FROM remarks WHERE tab = ? AND id = ?",
        )
        .bind::<Integer, _>(number_of(table))
        .bind::<Text, _>(id)
        .load(&mut self.connection)
        .map_err(failed)
    }

    /// Records that a target row has a row in the source; returns whether that is new.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note_known(&mut self, kind: Kind, id: &str) -> Result<bool> {
        self.note("INSERT OR IGNORE INTO known VALUES (?, ?)", kind, id)
    }

    /// Records that the old service showed a document; returns whether that is new.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note_asked(&mut self, kind: Kind, id: &str) -> Result<bool> {
        self.note("INSERT OR IGNORE INTO asked VALUES (?, ?)", kind, id)
    }

    fn note(&mut self, sql: &str, kind: Kind, id: &str) -> Result<bool> {
        let added = diesel::sql_query(sql)
            .bind::<Integer, _>(number_of(kind.table()))
            .bind::<Text, _>(id)
            .execute(&mut self.connection)
            .map_err(failed)?;
        Ok(added > 0)
    }

    /// The ids, of these in the target, without a row in the source.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn unknown(&mut self, kind: Kind, mut ids: Vec<String>) -> Result<Vec<String>> {
        let (Some(least), Some(greatest)) = (ids.iter().min(), ids.iter().max()) else { return Ok(ids) };
        let known: Vec<KnownId> =
            diesel::sql_query("SELECT id FROM known WHERE kind = ? AND id BETWEEN ? AND ?")
                .bind::<Integer, _>(number_of(kind.table()))
                .bind::<Text, _>(least)
                .bind::<Text, _>(greatest)
                .load(&mut self.connection)
                .map_err(failed)?;
        let known: std::collections::HashSet<String> = known.into_iter().map(|row| row.id).collect();
        ids.retain(|id| !known.contains(id));
        Ok(ids)
    }

    /// Notes that the old service has shown a row of this project and user; an empty text stands for any project.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note_owner(&mut self, project: &str, user: &str) -> Result<()> {
        diesel::sql_query("INSERT OR IGNORE INTO owners VALUES (?, ?)")
            .bind::<Text, _>(project)
            .bind::<Text, _>(user)
            .execute(&mut self.connection)
            .map_err(failed)?;
        Ok(())
    }

    /// Whether the old service has shown rows of this project and user.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn is_owner(&mut self, project: &str, user: &str) -> Result<bool> {
        let found: Vec<KnownId> =
            diesel::sql_query("SELECT user AS id FROM owners WHERE project IN (?, '') AND user = ? LIMIT 1")
                .bind::<Text, _>(project)
                .bind::<Text, _>(user)
                .load(&mut self.connection)
                .map_err(failed)?;
        Ok(!found.is_empty())
    }
}

fn first(rows: Vec<PlannedRow>) -> Option<Planned> {
    let row = rows.into_iter().next()?;
    let outcome = usize::try_from(row.outcome).ok().and_then(|place| OUTCOMES.get(place).copied());
    Some(Planned { ours: row.ours, outcome: outcome.unwrap_or(Outcome::Imported) })
}

fn number_of(table: Table) -> i32 {
    Table::ALL.iter().position(|other| *other == table).unwrap_or_default() as i32
}

/// The document that is made from a target row.
fn shown_as(row: &TargetRow) -> Option<(Kind, &str)> {
    match row {
        TargetRow::Client(row) => Some((Kind::Client, &row.id)),
        TargetRow::Action(row) => Some((Kind::Action, &row.id)),
        TargetRow::Session(row) => Some((Kind::Session, &row.id)),
        TargetRow::Attachment(row) => Some((Kind::Job, &row.id)),
        TargetRow::Backup(row) => Some((Kind::Backup, &row.id)),
        _ => None,
    }
}
