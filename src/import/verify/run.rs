//! The verification: rows of the source or documents of the old service, batch by batch, against the target.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::TimeDelta;
use serde_json::Value;

use super::compare::{Difference, Entries, compare};
use super::explain::explains;
use super::ledger::{Ledger, Planned, Remark};
use super::old::{self, JobRows};
use super::report::{Finding, Line, Report};
use super::service::{OldService, View};
use super::{Kind, id_of, ours};
use crate::import::legacy::{State, Table};
use crate::import::plan::{Mapping, Planner};
use crate::import::staging::Staging;
use crate::import::unit::{Outcome, TargetRow, Unit};
use crate::import::{Result, Source};
use crate::store::sweep::Part;
use crate::store::{self, Store, Tx, clients};

/// How many documents are in memory at a time, of each side.
const BATCH: i64 = 100;

/// How many ids of the target are looked at at a time.
const IDS: i64 = 1000;

/// The two sides of a verification.
pub struct Verification<'v> {
    /// The target.
    pub store: &'v Store,
    /// The source of the import, and its options.
    pub source: Option<(Box<dyn Source>, Mapping)>,
    /// The old service. With it, its documents are compared; without it, what it would show of the source.
    pub service: Option<&'v OldService>,
}

/// Compares everything. The figures and the differences are in the report.
///
/// # Errors
/// A database, a file or the old service cannot be read.
pub fn verify(verification: Verification<'_>, report: &mut Report) -> Result<()> {
    let Verification { store, source, service } = verification;
    let mut run = Run { store, report, ledger: Ledger::new()?, has_plan: source.is_some() };
    let staging = match source {
        Some((source, mapping)) => Some(run.plan(source, mapping)?),
        None => None,
    };
    match (service, staging) {
        (Some(service), _) => Kind::ALL.into_iter().try_for_each(|kind| run.ask(service, kind))?,
        (None, Some(mut staging)) => {
            Kind::ALL.into_iter().try_for_each(|kind| run.read(&mut staging, kind))?
        }
        (None, None) => {
            return Err("There is nothing to compare with: give --from, --old-url or both.".into());
        }
    }
    for kind in Kind::ALL {
        run.look_for_others(kind)?;
    }
    Ok(())
}

struct Run<'r> {
    store: &'r Store,
    report: &'r mut Report,
    ledger: Ledger,
    /// Whether the import was planned, and the ledger has every target row.
    has_plan: bool,
}

/// A document of the old service.
struct Subject {
    /// Its id there.
    id: String,
    document: Value,
    planned: Option<Planned>,
    /// The rows of `user_credentials` of a job.
    trusts: Vec<String>,
}

impl Run<'_> {
    /// Reads the source and makes the plan of an import of it.
    fn plan(&mut self, mut source: Box<dyn Source>, mapping: Mapping) -> Result<Staging> {
        let mut staging = Staging::new()?;
        source.read(&mut |row| staging.add(&row))?;
        let mut planner = Planner::new(staging, mapping, store::now())?;
        let store = self.store;
        self.ledger.fill(&mut planner, |units| clients_by_name(store, units))?;
        Ok(planner.into_staging())
    }

    /// Compares the rows of the staging file.
    fn read(&mut self, staging: &mut Staging, kind: Kind) -> Result<()> {
        let mut after = 0;
        loop {
            let rows = staging.page(kind.table(), after, BATCH)?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            after = *last;
            let mut subjects = Vec::new();
            for (number, row) in rows.into_iter().filter(|(_, row)| row.state == State::Live) {
                let around = match kind {
                    Kind::Job => JobRows {
                        places: staging.places_read(&row.id)?,
                        trusts: staging.trusts_read(&row.id)?,
                    },
                    _ => JobRows::default(),
                };
                let Some(document) = old::document(&row, &around) else { continue };
                let trusts = around.trusts.into_iter().map(|trust| trust.id).collect();
                let planned = self.ledger.planned(kind.table(), number)?;
                subjects.push(Subject { id: row.id, document, planned, trusts });
            }
            self.compare(kind, subjects)?;
        }
    }

    /// Compares what the old service shows.
    fn ask(&mut self, service: &OldService, kind: Kind) -> Result<()> {
        service.each(kind, &mut |view: &View, page| {
            let mut subjects = Vec::new();
            let mut ids = BTreeSet::new();
            for document in page {
                let Some(id) = id_of(kind, &document) else {
                    let name = kind.name();
                    return Err(format!("The old service shows a document of {name} that has no id.").into());
                };
                let text = |key| document.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
                let project = match text("project_id") {
                    project if project.is_empty() => view.project.clone(),
                    project => project,
                };
                self.ledger.note_owner(&project, &text("user_id"))?;
                let planned = match self.has_plan {
                    true => self.ledger.planned_as(kind.table(), &id)?,
                    false => None,
                };
                // Several views show the same document.
                if self.ledger.note_asked(kind, &id)? && ids.insert(id.clone()) {
                    subjects.push(Subject { id, document, planned, trusts: Vec::new() });
                }
            }
            self.compare(kind, subjects)
        })
    }

    fn compare(&mut self, kind: Kind, subjects: Vec<Subject>) -> Result<()> {
        let our_id = |subject: &Subject| match self.has_plan {
            true => subject.planned.as_ref().and_then(|planned| planned.ours.clone()),
            false => Some(subject.id.clone()),
        };
        let ids: BTreeSet<String> = subjects.iter().filter_map(our_id).collect();
        let ids: Vec<String> = ids.into_iter().collect();
        let wanted: Vec<Option<String>> = subjects.iter().map(our_id).collect();
        let found = self
            .store
            .read(|tx| documents_in_target(tx, kind, ids.clone()))
            .map_err(|error| error.to_string())?;
        for (subject, our_id) in subjects.into_iter().zip(wanted) {
            self.report.figures(kind).compared += 1;
            match our_id.as_ref().and_then(|id| found.get(id)) {
                Some(document) => {
                    self.note_ours(kind, our_id.as_deref())?;
                    self.judge(kind, subject, document.clone())?;
                }
                None => self.miss(kind, &subject)?,
            }
        }
        Ok(())
    }

    fn note_ours(&mut self, kind: Kind, id: Option<&str>) -> Result<()> {
        if let (false, Some(id)) = (self.has_plan, id) {
            self.ledger.note_known(kind, id)?;
        }
        Ok(())
    }

    /// Counts a document that the target does not show.
    fn miss(&mut self, kind: Kind, subject: &Subject) -> Result<()> {
        let reasons: BTreeSet<String> = match &subject.planned {
            Some(planned) if planned.outcome != Outcome::Imported => {
                let remarks = self.ledger.remarks(kind.table(), &subject.id)?;
                remarks
                    .into_iter()
                    .filter(|remark| remark.entry.is_empty())
                    .map(|remark| remark.reason)
                    .collect()
            }
            None if !self.has_plan && kind == Kind::Client && self.has_namesake(&subject.document)? => {
                BTreeSet::from(["duplicate-client".to_owned()])
            }
            _ => BTreeSet::new(),
        };
        let line = Line {
            table: kind.name(),
            id: &subject.id,
            finding: Finding::Missing,
            path: "",
            old: None,
            ours: None,
            reason: reasons.first().map(String::as_str),
        };
        self.report.line(&line)?;
        let figures = self.report.figures(kind);
        match reasons.is_empty() {
            true => figures.missing += 1,
            false => figures.explained += 1,
        }
        for reason in reasons {
            *figures.reasons.entry(reason).or_default() += 1;
        }
        Ok(())
    }

    /// Whether the target has another client of that name for the same project.
    fn has_namesake(&self, document: &Value) -> Result<bool> {
        let text = |pointer| document.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let (project, name) = (text("/project_id"), text("/client/client_id"));
        let found =
            self.store.read(|tx| clients::by_name(tx, project, name)).map_err(|error| error.to_string())?;
        Ok(found.is_some())
    }

    /// Compares a document that both sides show.
    fn judge(&mut self, kind: Kind, subject: Subject, ours: Value) -> Result<()> {
        let remarks = match self.has_plan {
            true => self.ledger.remarks(kind.table(), &subject.id)?,
            false => Vec::new(),
        };
        let mut entries = Entries::default();
        for remark in &remarks {
            let Some(number) = remark.entry.parse().ok().filter(|_| kind == Kind::Job) else { continue };
            if remark.is_gone() {
                entries.gone.insert(number);
            } else if let Some(action) = &remark.into {
                entries.actions.insert(number, action.clone());
            }
        }
        let mut old = subject.document.clone();
        let mut reasons = self.translate(kind, &mut old)?;
        let mut is_different = false;
        for difference in compare(kind, old, ours, &entries) {
            let reason = self.reason(kind, &subject, &difference, &remarks)?;
            let line = Line {
                table: kind.name(),
                id: &subject.id,
                finding: Finding::Different,
                path: &difference.path,
                old: difference.old.as_ref(),
                ours: difference.ours.as_ref(),
                reason: reason.as_deref(),
            };
            self.report.line(&line)?;
            is_different |= reason.is_none();
            reasons.extend(reason);
        }
        let figures = self.report.figures(kind);
        match (is_different, reasons.is_empty()) {
            (true, _) => figures.different += 1,
            (false, false) => figures.explained += 1,
            (false, true) => figures.equal += 1,
        }
        for reason in reasons {
            *figures.reasons.entry(reason).or_default() += 1;
        }
        Ok(())
    }

    /// In references, replaces old ids that could not be kept with the new ids. Returns the reasons.
    fn translate(&mut self, kind: Kind, document: &mut Value) -> Result<BTreeSet<String>> {
        let mut reasons = BTreeSet::new();
        let mut renamed = |table: Table, id: &str| -> Result<Option<String>> {
            if !self.has_plan || id.is_empty() || store::is_id(id) {
                return Ok(None);
            }
            let new =
                self.ledger.planned_as(table, id)?.and_then(|planned| planned.ours).filter(|new| new != id);
            if new.is_some() {
                reasons.insert("id-unusable".to_owned());
            }
            Ok(new)
        };
        match kind {
            Kind::Job => {
                if let Some(Value::String(id)) = document.get_mut("session_id")
                    && let Some(new) = renamed(Table::Sessions, id)?
                {
                    *id = new;
                }
                for entry in
                    document.get_mut("job_actions").and_then(Value::as_array_mut).into_iter().flatten()
                {
                    if let Some(Value::String(id)) = entry.get_mut("action_id")
                        && let Some(new) = renamed(Table::Actions, id)?
                    {
                        *id = new;
                    }
                }
            }
            Kind::Session => {
                let Some(Value::Object(jobs)) = document.get_mut("jobs") else { return Ok(reasons) };
                let mut translated = serde_json::Map::new();
                for (id, job) in std::mem::take(jobs) {
                    translated.insert(renamed(Table::Jobs, &id)?.unwrap_or(id), job);
                }
                *jobs = translated;
            }
            Kind::Client | Kind::Action | Kind::Backup => {}
        }
        Ok(reasons)
    }

    /// Why the plan makes this difference, if it does: what it says of the row, of the entry in it, or of the row that is
    /// shown there.
    fn reason(
        &mut self,
        kind: Kind,
        subject: &Subject,
        difference: &Difference,
        remarks: &[Remark],
    ) -> Result<Option<String>> {
        let path = &*difference.path;
        let mut steps = path.splitn(4, '/').skip(1);
        let (list, entry, rest) =
            (steps.next().unwrap_or_default(), steps.next().unwrap_or_default(), steps.next());
        let is_entry = matches!(list, "job_actions" | "jobs");
        let is_about = |remark: &&Remark| {
            (remark.entry.is_empty() || (is_entry && remark.entry == entry)) && explains(&remark.reason, path)
        };
        if let Some(remark) = remarks.iter().find(is_about) {
            return Ok(Some(remark.reason.clone()));
        }
        if !self.has_plan {
            return Ok(None);
        }
        if list == "user_credentials" {
            for id in &subject.trusts {
                let remarks = self.ledger.remarks(Table::UserCredentials, id)?;
                if let Some(remark) = remarks.into_iter().find(Remark::is_gone) {
                    return Ok(Some(remark.reason));
                }
            }
        }
        if !is_entry {
            return Ok(None);
        }
        let shown = match kind {
            Kind::Session => self.ledger.remarks(Table::Jobs, entry)?,
            Kind::Job => {
                let action = subject
                    .document
                    .pointer(&format!("/job_actions/{entry}/action_id"))
                    .and_then(Value::as_str);
                match action {
                    Some(id) => self.ledger.remarks(Table::Actions, id)?,
                    None => Vec::new(),
                }
            }
            _ => Vec::new(),
        };
        let rest = rest.map(|rest| format!("/{rest}")).unwrap_or_default();
        let is_about = |remark: &&Remark| match kind {
            Kind::Session => remark.entry.is_empty() && explains(&remark.reason, path),
            // An action that is not imported cannot be attached.
            _ if rest.is_empty() => difference.ours.is_none() && remark.entry.is_empty() && remark.is_gone(),
            _ => remark.entry.is_empty() && explains(&remark.reason, &rest),
        };
        Ok(shown.iter().find(is_about).map(|remark| remark.reason.clone()))
    }

    /// Looks for documents of this service without a counterpart in the old service.
    fn look_for_others(&mut self, kind: Kind) -> Result<()> {
        let mut after: Option<String> = None;
        loop {
            let part = Part { after: after.as_deref(), limit: IDS, ..Part::default() };
            let rows =
                self.store.read(|tx| ours::owned(tx, kind, &part)).map_err(|error| error.to_string())?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = Some(last.id.clone());
            let ids = rows.iter().map(|row| row.id.clone()).collect();
            let unknown: BTreeSet<String> = self.ledger.unknown(kind, ids)?.into_iter().collect();
            for row in rows.iter().filter(|row| unknown.contains(&row.id)) {
                let is_made = !self.has_plan && is_made_up(&row.id);
                // Without the source, only what the views of the old service can show is looked for.
                if !self.has_plan && !is_made && !self.ledger.is_owner(&row.project_id, &row.user_id)? {
                    continue;
                }
                let line = Line {
                    table: kind.name(),
                    id: &row.id,
                    finding: Finding::OnlyInTarget,
                    path: "",
                    old: None,
                    ours: None,
                    reason: is_made.then_some("made-by-import"),
                };
                self.report.line(&line)?;
                let figures = self.report.figures(kind);
                match is_made {
                    true => *figures.reasons.entry("made-by-import".to_owned()).or_default() += 1,
                    false => figures.only_in_target += 1,
                }
            }
        }
    }
}

/// Where the client of a unit is in the target, if a client has its name there under another id.
fn clients_by_name(store: &Store, units: &[Unit]) -> Result<Vec<Option<String>>> {
    let planned: BTreeMap<usize, (&str, &str, &str)> = units
        .iter()
        .enumerate()
        .filter_map(|(place, unit)| match unit.rows.first() {
            Some(TargetRow::Client(row)) => Some((place, (&*row.id, &*row.project_id, &*row.client_id))),
            _ => None,
        })
        .collect();
    let mut names = vec![None; units.len()];
    if planned.is_empty() {
        return Ok(names);
    }
    let ids: Vec<String> = planned.values().map(|(id, ..)| (*id).to_owned()).collect();
    let found = store
        .read(|tx| {
            let there = documents_in_target(tx, Kind::Client, ids.clone())?;
            let mut found = BTreeMap::new();
            for (place, (id, project, name)) in
                planned.iter().filter(|(_, (id, ..))| !there.contains_key(*id))
            {
                if let Some(other) = clients::own(tx, project, name)?.filter(|other| other.id != **id) {
                    found.insert(*place, other.id);
                }
            }
            Ok(found)
        })
        .map_err(|error| error.to_string())?;
    for (place, id) in found {
        names[place] = Some(id);
    }
    Ok(names)
}

/// The documents of this service. The time of a client's last poll does not matter to the comparison.
fn documents_in_target(
    tx: &mut Tx<'_>,
    kind: Kind,
    ids: Vec<String>,
) -> store::Outcome<HashMap<String, Value>> {
    ours::documents(tx, kind, ids, TimeDelta::zero())
}

/// Whether an id is of those that an import makes from what the row stands for.
fn is_made_up(id: &str) -> bool {
    uuid::Uuid::try_parse(id).is_ok_and(|id| id.get_version_num() == 5)
}
