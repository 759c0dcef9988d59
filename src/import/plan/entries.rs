//! Actions inside jobs, in releases before the table `job_actions` and in Elasticsearch.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::draft::{Draft, Times};
use super::text::{Word, natural, word};
use super::{actions, refusal};
use crate::document::action_reports::RESULTS;
use crate::import::ids;
use crate::import::legacy::{Action, Table};
use crate::import::staging::table::Head;
use crate::import::unit::{Outcome, TargetRow};
use crate::store::action_attachments::ActionAttachment;
use crate::store::reports::ActionReport;
use crate::store::types::json::Json;
use crate::store::types::time::Time;

/// The table that entries are counted under.
pub const ENTRIES: &str = "jobs.job_actions";

/// The approximate number of bytes of an entry besides its action.
const BESIDE: usize = 512;

/// The job that the entries are in.
pub struct JobContext<'j> {
    /// The job's id in the target.
    pub job: &'j str,
    /// The job's id in the source, from which the ids of its entries are made.
    pub key: &'j str,
    /// Its project.
    pub project: &'j str,
    /// Its user.
    pub user: &'j str,
    /// The name of its client.
    pub client: &'j str,
    /// When it was made and changed.
    pub times: Times,
    /// When its latest run started.
    pub started: Option<i64>,
    /// When it ended.
    pub ended: Option<i64>,
}

/// The plan for an entry.
pub struct PlannedEntry {
    outcome: Outcome,
    notes: Vec<(&'static str, String)>,
    into: Option<String>,
    remainder: Option<(&'static str, Value)>,
    rows: Vec<TargetRow>,
    /// The approximate number of bytes in the job's document.
    pub weight: usize,
}

impl PlannedEntry {
    /// Adds it to its job.
    pub fn apply(self, draft: &mut Draft, index: usize) {
        let key = index.to_string();
        draft.entry(ENTRIES, self.outcome);
        for what in self.notes {
            draft.entry_note(ENTRIES, &key, self.outcome, what);
            if let Some(into) = &self.into {
                draft.refers_to(into);
            }
        }
        if let Some((reason, row)) = self.remainder {
            draft.entry_remainder(ENTRIES, &key, reason, row);
        }
        for row in self.rows {
            draft.push(row);
        }
    }

    fn refused(entry: &Value, reason: &'static str, detail: String) -> Self {
        Self {
            outcome: Outcome::Quarantined,
            notes: vec![(reason, detail)],
            into: None,
            remainder: Some((reason, entry.clone())),
            rows: Vec::new(),
            weight: 0,
        }
    }
}

/// Plans the entries of a job. Actions that are made again under their old ids go into `restored`.
pub fn plan(
    about: &JobContext<'_>,
    entries: &[Value],
    known: &HashMap<String, Head>,
    restored: &mut BTreeSet<String>,
) -> Vec<PlannedEntry> {
    // The actions that this job made under their old ids, with their definitions.
    let mut own: HashMap<String, i64> = HashMap::new();
    let mut attached = BTreeSet::new();
    let mut priority = 0;
    let mut planned = Vec::with_capacity(entries.len());
    for (index, value) in entries.iter().enumerate() {
        let mut entry = one(about, (index, value), known, restored, &mut own);
        if let Some(TargetRow::Place(place)) =
            entry.rows.iter_mut().find(|row| matches!(row, TargetRow::Place(_)))
        {
            place.priority = priority;
            priority += 1;
            if !attached.insert(place.action_id.clone()) {
                entry
                    .notes
                    .push(("action-twice", format!("Action {} is in the job again.", place.action_id)));
            }
        }
        planned.push(entry);
    }
    planned
}

/// The source of an entry's action.
enum Source<'k> {
    /// An existing row.
    Linked(&'k Head),
    /// An action made for this entry, and why.
    Made { id: String, reason: &'static str, detail: String },
    /// An action made for an earlier entry of the job.
    Again(String),
}

fn one(
    about: &JobContext<'_>,
    (index, value): (usize, &Value),
    known: &HashMap<String, Head>,
    restored: &mut BTreeSet<String>,
    own: &mut HashMap<String, i64>,
) -> PlannedEntry {
    let skipped = |detail: &str| PlannedEntry::refused(value, "job-action-skipped", detail.to_owned());
    let Some(entry) = value.as_object() else { return skipped("The entry is no object.") };
    let definition = entry.get("freezer_action").and_then(Value::as_object);
    let Some(definition) = definition.filter(|definition| {
        definition.get("action").and_then(Value::as_str).is_some_and(|word| !word.is_empty())
    }) else {
        return skipped("The entry has no freezer_action with an action.");
    };
    if let Some((reason, detail)) = refusal::word(definition) {
        return PlannedEntry::refused(value, reason, detail);
    }
    let action = Action {
        definition: definition.clone(),
        max_retries: entry.get("max_retries").and_then(Value::as_i64),
        max_retries_interval: entry.get("max_retries_interval").and_then(Value::as_i64),
        mandatory: entry.get("mandatory").and_then(Value::as_bool),
        report: None,
    };
    let core = actions::core(definition);
    let asked = entry.get("action_id").and_then(Value::as_str).filter(|id| !id.is_empty());
    let number = index.to_string();
    let key: &[&str] = &[about.key, &number];
    let row = asked.and_then(|id| known.get(id));
    let source = match asked {
        None => Source::Made {
            id: ids::made("action", key),
            reason: "action-inlined",
            detail: "The entry has no action_id.".to_owned(),
        },
        Some(id) => referred((about, key), (id, core), row, restored, own),
    };
    build(about, (key, value), &action, source, row)
}

/// The action that an entry with an id refers to.
fn referred<'k>(
    (about, key): (&JobContext<'_>, &[&str]),
    (asked, core): (&str, i64),
    row: Option<&'k Head>,
    restored: &mut BTreeSet<String>,
    own: &mut HashMap<String, i64>,
) -> Source<'k> {
    let copy = |reason, detail: String| Source::Made { id: ids::made("action", key), reason, detail };
    match row {
        Some(row) if row.is_present() && row.project.as_deref() != Some(about.project) => copy(
            "action-foreign-project",
            format!("Action {asked} is in another project; the job has one of its own now."),
        ),
        Some(row) if row.is_present() && !row.is_usable() => copy(
            "action-diverged",
            format!("Action {asked} is not imported ({}); the job has one of its own now.", row.reason()),
        ),
        Some(row) if row.is_present() && row.core == core => Source::Linked(row),
        Some(row) if row.is_present() => copy(
            "action-diverged",
            format!(
                "The job runs another definition than that of action {asked}; it has one of its own now."
            ),
        ),
        _ => {
            let what = if row.is_some() { "is deleted" } else { "never was" };
            let id = match row {
                Some(row) => row.target().to_owned(),
                None if crate::store::is_id(asked) => asked.to_owned(),
                None => ids::replacing(Table::Actions, asked),
            };
            match own.get(asked) {
                Some(made) if *made == core => return Source::Again(id),
                Some(_) => {}
                None if restored.insert(asked.to_owned()) => {
                    own.insert(asked.to_owned(), core);
                    let detail = format!("Action {asked} {what}, and the job runs it; it is made anew.");
                    return Source::Made { id, reason: "action-restored", detail };
                }
                None => {}
            }
            copy(
                "action-restored",
                format!("Action {asked} {what}, and the job runs it; the job has one of its own now."),
            )
        }
    }
}

fn build(
    about: &JobContext<'_>,
    (key, value): (&[&str], &Value),
    action: &Action,
    source: Source<'_>,
    row: Option<&Head>,
) -> PlannedEntry {
    let mut notes = Vec::new();
    let mut into = None;
    let mut remainder = None;
    let mut rows = Vec::new();
    let (retries, interval, mandatory) = match row {
        Some(row) => (row.retries, row.retry_interval, row.mandatory),
        None => actions::runs(action),
    };
    let mut weight = BESIDE;
    let action_id = match source {
        Source::Linked(row) => {
            weight += usize::try_from(row.size).unwrap_or(usize::MAX / 2);
            row.target().to_owned()
        }
        Source::Again(id) => {
            weight += crate::document::size(&action.definition);
            id
        }
        Source::Made { id, reason, detail } => {
            let spec = actions::specified(action, |key, text| {
                notes.push(("too-long", format!("{key} is cut to its column.")));
                remainder = Some(("too-long", json!({ key: text })));
            });
            weight += actions::weight(&spec);
            rows.push(TargetRow::Action(Box::new(actions::new(
                &id,
                (about.project, about.user),
                spec,
                about.times,
            ))));
            notes.insert(0, (reason, detail));
            into = Some(id.clone());
            id
        }
    };
    let place = ActionAttachment {
        id: ids::made("place", key),
        project_id: about.project.to_owned(),
        user_id: about.user.to_owned(),
        action_id,
        job_id: about.job.to_owned(),
        priority: 0,
        retries: natural(action.max_retries).unwrap_or(retries),
        retry_interval: natural(action.max_retries_interval).unwrap_or(interval),
        mandatory: action.mandatory.unwrap_or(mandatory),
        created_at: about.times.created,
        updated_at: about.times.updated,
        version: 1,
    };
    let report = value.get("exit_status").and_then(Value::as_str).filter(|status| !status.is_empty());
    let report = report.and_then(|status| match ended(about, key, status, &place) {
        Some(report) => Some(report),
        None => {
            notes.push((
                "other-key",
                "exit_status is of no run that ended; it is in the side file.".to_owned(),
            ));
            remainder = Some(("other-key", json!({ "exit_status": status })));
            None
        }
    });
    rows.push(TargetRow::Place(Box::new(place)));
    rows.extend(report);
    PlannedEntry { outcome: Outcome::Imported, notes, into, remainder, rows, weight }
}

/// The report of an action in a finished run.
fn ended(about: &JobContext<'_>, key: &[&str], status: &str, place: &ActionAttachment) -> Option<TargetRow> {
    let ended = about.ended?;
    let date = Time(chrono::DateTime::from_timestamp(ended, 0)?.naive_utc());
    let Word { stored, .. } = word(Some(status), RESULTS);
    if stored.is_empty() {
        return None;
    }
    let elapsed = about.started.map_or(0, |started| (ended - started).max(0));
    let report = ActionReport {
        id: ids::made("report", key),
        project_id: about.project.to_owned(),
        user_id: about.user.to_owned(),
        action_id: Some(place.action_id.clone()),
        action_attachment_id: Some(place.id.clone()),
        job_attachment_id: Some(about.job.to_owned()),
        result: stored,
        time_elapsed: elapsed,
        metadata: Json::from(json!({})),
        job_id: Some(about.job.to_owned()),
        client_id: Some(about.client.to_owned()),
        report_date: date,
        created_at: date,
        updated_at: date,
        version: 1,
    };
    Some(TargetRow::Report(Box::new(report), None))
}
