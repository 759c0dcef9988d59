//! Writes units into the target.

/// Compares a planned row with the row in the target.
mod compare;
/// Deletes rows that the source has deleted.
mod delete;
/// Rows to write.
mod pending;
/// Rows in the target.
mod stored;

use std::collections::BTreeSet;

use super::legacy::Table;
use super::unit::{TargetRow, Unit, Verdict};
use crate::store::import::{FIRST_VERSION, LoggedReport};
use crate::store::{Outcome, Tx};
use compare::{Compared, Standing};
use pending::Pending;
use stored::Stored;

/// Changes that are allowed to existing rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mode {
    /// `--update`: updates rows that an import wrote and that did not change since.
    pub update: bool,
    /// `--delete-missing`: deletes rows that the source has deleted.
    pub delete_missing: bool,
    /// Writes nothing; only the verdicts are made.
    pub is_dry: bool,
}

/// Finds which of these places the source has in units of their own.
pub type LivePlaces<'p> = dyn FnMut(Vec<String>) -> super::Result<BTreeSet<String>> + 'p;

/// Writes the units of one batch; returns a verdict for each unit with rows.
///
/// # Errors
/// The database's.
pub fn write(
    tx: &mut Tx<'_>,
    units: &[Unit],
    mode: Mode,
    live_places: &mut LivePlaces<'_>,
) -> Outcome<Vec<Option<Verdict>>> {
    let stored = Stored::load(tx, units, live_places)?;
    let mut pending = Pending::default();
    let mut verdicts: Vec<_> = units.iter().map(|unit| decide(unit, &stored, mode, &mut pending)).collect();
    if mode.is_dry {
        return Ok(verdicts);
    }
    pending.write(tx)?;
    for (unit, verdict) in units.iter().zip(&mut verdicts) {
        if let (Some(Verdict::Deleted), Some(id)) = (&*verdict, &unit.deleted_id)
            && !delete::delete(tx, unit.table, id)?
        {
            let detail = "it is deleted in the source, and stays in the target, where other rows need it";
            *verdict = Some(Verdict::Exists { detail: detail.to_owned(), is_usable: false });
        }
    }
    Ok(verdicts)
}

/// Decides what to do with a unit, and adds its rows to `pending`.
fn decide(unit: &Unit, stored: &Stored, mode: Mode, pending: &mut Pending) -> Option<Verdict> {
    if let Some(id) = &unit.deleted_id {
        return verdict_on_deleted(stored.version(unit.table, id)?, mode);
    }
    let first = unit.rows.first()?;
    if let TargetRow::Client(client) = first
        && let Some(other) = stored.namesake(client).or_else(|| pending.namesake(client))
    {
        return Some(Verdict::Named { id: other });
    }
    let standings: Vec<Standing> = unit.rows.iter().map(|row| standing(row, unit, stored, pending)).collect();
    if let Some(version) = changed_job(&unit.rows, &standings, stored) {
        let detail =
            format!("it is not there, and its job was changed here since the import, to version {version}");
        return Some(Verdict::Exists { detail, is_usable: false });
    }
    let gone = gone_places(unit, stored);
    let is_there = standings.first().is_some_and(|standing| *standing != Standing::Absent);
    let is_settled = |standing: &Standing| matches!(standing, Standing::Absent | Standing::Same { .. });
    if !is_there && standings.iter().all(is_settled) {
        pending.add_absent(unit, &standings, stored);
        return Some(Verdict::Written);
    }
    if gone.is_empty() && standings.iter().all(|standing| matches!(standing, Standing::Same { .. })) {
        return Some(Verdict::Unchanged);
    }
    let can_go = gone.iter().all(|(_, version)| *version == FIRST_VERSION);
    if mode.update && can_go && standings.iter().all(Standing::can_be_updated) {
        pending.add_update(unit, &standings, stored, gone);
        return Some(Verdict::Updated);
    }
    let is_usable = is_there && !matches!(standings.first(), Some(Standing::Foreign { .. }));
    Some(Verdict::Exists { detail: detail(unit, &standings, &gone), is_usable })
}

/// The verdict on a target row with this version that the source has deleted.
fn verdict_on_deleted(version: i32, mode: Mode) -> Option<Verdict> {
    let why = match (mode.delete_missing, version) {
        (true, FIRST_VERSION) => return Some(Verdict::Deleted),
        (true, version) => format!("it was changed here since the import, to version {version}"),
        (false, _) => "--delete-missing deletes it".to_owned(),
    };
    let detail = format!("it is deleted in the source and still in the target; {why}");
    Some(Verdict::Exists { detail, is_usable: false })
}

fn standing(row: &TargetRow, unit: &Unit, stored: &Stored, pending: &Pending) -> Standing {
    fn compare<T: Compared>(row: &T, there: Option<&T>, unit: &Unit) -> Standing {
        compare::standing(row, there, unit.is_time_made_up)
    }
    match row {
        TargetRow::Client(row) => compare(&**row, pending.client(&row.id, stored), unit),
        TargetRow::Action(row) => compare(&**row, pending.action(&row.id, stored), unit),
        TargetRow::Session(row) => compare(&**row, pending.session(&row.id, stored), unit),
        TargetRow::Job(row) => compare(&**row, pending.job(&row.id, stored), unit),
        TargetRow::Attachment(row) => compare(&**row, pending.attachment(&row.id, stored), unit),
        TargetRow::Place(row) => compare(&**row, pending.place(&row.id, stored), unit),
        TargetRow::Backup(row) => compare(&**row, pending.backup(&row.id, stored), unit),
        TargetRow::Report(row, log) => {
            let row = LoggedReport { report: (**row).clone(), log: log.clone() };
            compare(&row, pending.report(&row.report.id, stored), unit)
        }
        TargetRow::Trust(trust) => match pending.trust(&trust.job_id, stored) {
            None => Standing::Absent,
            Some(there) if there.trust_id != trust.trust_id => {
                Standing::Differs { columns: vec!["trust_id"], version: stored.version_of_job(&trust.job_id) }
            }
            Some(there) if there.trustor_user_id != trust.trustor_user_id => {
                let columns = vec!["trustor_user_id"];
                Standing::Differs { columns, version: stored.version_of_job(&trust.job_id) }
            }
            Some(_) => Standing::Same { version: FIRST_VERSION },
        },
    }
}

/// The version of a changed job, if its place or trust is missing: the change may have deleted it.
fn changed_job(rows: &[TargetRow], standings: &[Standing], stored: &Stored) -> Option<i32> {
    let (row, standing) = rows.first().zip(standings.first())?;
    let job = match row {
        TargetRow::Place(place) => &place.job_id,
        TargetRow::Trust(trust) => &trust.job_id,
        _ => return None,
    };
    let version = stored.version_of_job(job);
    (*standing == Standing::Absent && version != FIRST_VERSION).then_some(version)
}

/// Places of the job that only the target has.
fn gone_places(unit: &Unit, stored: &Stored) -> Vec<(String, i32)> {
    let is_wanted = |id: &str| {
        stored.is_live_place(id)
            || unit.rows.iter().any(|row| matches!(row, TargetRow::Place(place) if place.id == id))
    };
    let jobs = unit.rows.iter().filter_map(|row| match row {
        TargetRow::Job(job) => Some(&job.id),
        _ => None,
    });
    let places = jobs.flat_map(|job| stored.places_in(job)).filter(|place| !is_wanted(&place.id));
    places.map(|place| (place.id.clone(), place.version)).collect()
}

/// A sentence about the first rows that differ.
fn detail(unit: &Unit, standings: &[Standing], gone: &[(String, i32)]) -> String {
    const SHOWN: usize = 5;
    let rows = unit.rows.iter().zip(standings).filter_map(|(row, standing)| {
        let what = match standing {
            Standing::Same { .. } => return None,
            Standing::Absent => "is not there".to_owned(),
            Standing::Foreign { project } => format!("is in project {project}"),
            Standing::Differs { columns, version } if *version == FIRST_VERSION => {
                format!("differs in {}", columns.join(", "))
            }
            Standing::Differs { columns, version } => {
                format!("was changed here (version {version}), and differs in {}", columns.join(", "))
            }
        };
        Some(format!("{} {what}", name(row)))
    });
    let more = gone.iter().map(|(id, _)| format!("action_attachments {id} is in the target only"));
    let sentences: Vec<String> = rows.chain(more).take(SHOWN).collect();
    sentences.join("; ")
}

/// The table and the id of a target row.
fn name(row: &TargetRow) -> String {
    match row {
        TargetRow::Client(row) => format!("clients {}", row.id),
        TargetRow::Action(row) => format!("actions {}", row.id),
        TargetRow::Session(row) => format!("sessions {}", row.id),
        TargetRow::Job(row) => format!("jobs {}", row.id),
        TargetRow::Attachment(row) => format!("job_attachments {}", row.id),
        TargetRow::Place(row) => format!("action_attachments {}", row.id),
        TargetRow::Trust(row) => format!("job_trusts of job {}", row.job_id),
        TargetRow::Report(row, _) => format!("action_reports {}", row.id),
        TargetRow::Backup(row) => format!("backups {}", row.id),
    }
}

/// Whether rows of that table can be deleted by the id that the source has.
fn is_deletable(table: Table) -> bool {
    matches!(table, Table::Clients | Table::Actions | Table::Sessions | Table::Jobs | Table::Backups)
}
