//! Complete job documents in one statement, and concurrent requests for them in one shared statement.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;
use front::error::{Error, Result};

use super::readers::Readers;
use super::{HeadRow, JobView, Place, PlacedAction, complete, find_all, head, head_rows};
use crate::store::Store;
use crate::store::actions::ActionSpec;
use crate::store::engine::dialect::{IfSmall, if_small, in_list, multiplies_selectivities, on_each};
use crate::store::job_attachments::JobAttachment;
use crate::store::jobs::Job;
use crate::store::schema::{action_attachments, actions, clients, job_attachments, jobs, sessions};
use crate::store::types::json::Json;

/// Limit on the rows of one statement: so many for each document, and [`MORE_ACTIONS`] once. There is a row per action, and
/// each repeats the job's columns.
const USUAL_ACTIONS: usize = 3;
const MORE_ACTIONS: usize = 8;

/// A request for more documents than this uses a statement of its own. One thread reads the rows of a shared statement for
/// all, and with many rows the others would wait longer than their own statement takes.
const MAX_SHARED: usize = 3;

/// The job document of that id, in `project`, or in any project when `None`, if one statement can read it. After `None`,
/// [`super::find`] and [`super::complete`] tell whether the job exists.
///
/// # Errors
/// As [`Store::read`].
pub fn view(store: &Store, readers: &Readers, project: Option<&str>, id: &str) -> Result<Option<JobView>> {
    let found = views(store, readers, &[id.to_owned()])?.and_then(|mut found| found.pop());
    Ok(found.filter(|view| project.is_none_or(|project| view.head.attachment.project_id == project)))
}

/// The job documents of these ids, in any project and in that order, each of one moment. `None` if one of them does not
/// exist, has a trust (few jobs have one, and the join would cost every request), or if they have too many actions for one
/// statement.
///
/// # Errors
/// As [`Store::read`].
fn views(store: &Store, readers: &Readers, ids: &[String]) -> Result<Option<Vec<JobView>>> {
    let ask = |ids: &[String]| {
        let rows = store.read_statement(|tx| {
            Ok(on_each!(tx.connection, c => view_rows!()
                .filter(in_list(job_attachments::id, ids.to_vec()))
                .limit(max_rows(ids.len()) as i64 + 1)
                .load(c))?)
        })?;
        Ok::<_, Error>(sort_by_ids(rows, ids))
    };
    let found = match ids.len() {
        0 => return Ok(Some(Vec::new())),
        1..=MAX_SHARED => readers.views.submit(ids, ask)?,
        _ => Some(ask(ids)?),
    };
    Ok(found.and_then(|found| found.into_iter().collect()))
}

/// As [`views`], but falls back to one snapshot. `None` if one of them does not exist.
///
/// # Errors
/// As [`Store::read`].
pub(super) fn documents(store: &Store, readers: &Readers, ids: &[String]) -> Result<Option<Vec<JobView>>> {
    if let Some(found) = views(store, readers, ids)? {
        return Ok(Some(found));
    }
    let found = store.read(|tx| {
        let heads = find_all(tx, ids.to_vec())?;
        complete(tx, heads)
    })?;
    Ok((found.len() == ids.len()).then_some(found))
}

/// Limit on the rows of a statement per client.
const ROWS_PER_CLIENT: usize = 40;

/// The documents of all jobs on each of these clients (rows) that have one of these statuses, unordered and of one moment.
/// `None` for a client whose jobs one statement cannot read (see [`views`]), or that is listed twice.
///
/// # Errors
/// As [`Store::read`].
pub(super) fn views_on(
    store: &Store,
    on_clients: &[String],
    statuses: &[String],
) -> Result<Vec<Option<Vec<JobView>>>> {
    let most = on_clients.len().saturating_mul(ROWS_PER_CLIENT);
    let rows: Option<Vec<Row>> = store.read_statement(|tx| {
        if !multiplies_selectivities(tx.connection) {
            return Ok(Some(on_each!(tx.connection, c => view_rows!()
                .filter(in_list(job_attachments::client_id, on_clients.to_vec()))
                .filter(in_list(job_attachments::status, statuses.to_vec()))
                .limit(most as i64 + 1)
                .load(c))?));
        }
        // First the ids, from one table. In one statement with the joins, the planner expects many jobs of any status on a
        // client with many completed ones, and reads whole tables.
        let ids: Vec<String> = job_attachments::table
            .filter(in_list(job_attachments::client_id, on_clients.to_vec()))
            .filter(in_list(job_attachments::status, statuses.to_vec()))
            .select(job_attachments::id)
            .limit(most as i64 + 1)
            .load(tx.connection)?;
        if ids.is_empty() || ids.len() > most {
            return Ok(ids.is_empty().then(Vec::new));
        }
        // Repeats the conditions: a job may no longer match.
        Ok(Some(on_each!(tx.connection, c => view_rows!()
            .filter(in_list(job_attachments::id, ids.clone()))
            .filter(in_list(job_attachments::client_id, on_clients.to_vec()))
            .filter(in_list(job_attachments::status, statuses.to_vec()))
            .limit(most as i64 + 1)
            .load(c))?))
    })?;
    let Some(rows) = rows.filter(|rows| rows.len() <= most) else {
        return Ok(vec![None; on_clients.len()]);
    };
    let mut found: HashMap<&str, Option<Vec<JobView>>> =
        on_clients.iter().map(|client| (&**client, Some(Vec::new()))).collect();
    let Some(views) = assemble(rows) else { return Ok(vec![None; on_clients.len()]) };
    for view in views.into_values() {
        if let Some(its) = found.get_mut(&*view.head.attachment.client_id) {
            match its {
                Some(views) if !view.head.job.has_trust => views.push(view),
                its => *its = None,
            }
        }
    }
    Ok(on_clients.iter().map(|client| found.remove(&**client).flatten()).collect())
}

/// A row of the wide join: one for each action of an attachment, or a single one without an action.
type Row = (JobAttachment, Job, String, String, Option<Json>, Option<(Place, SmallAction)>);

/// A [`PlacedAction`] whose metadata is null if it is large: the wide join would repeat it for each place of the action.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = actions)]
struct SmallAction {
    id: String,
    project_id: String,
    user_id: String,
    #[diesel(embed)]
    spec: SmallSpec,
}

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = actions)]
struct SmallSpec {
    action: String,
    mode: Option<String>,
    src_file: Option<String>,
    backup_name: Option<String>,
    container: Option<String>,
    restore_abs_path: Option<String>,
    priority: Option<i32>,
    max_retries: i32,
    max_retries_interval: i32,
    mandatory: bool,
    timeout: Option<i32>,
    log_file: Option<String>,
    #[diesel(select_expression = if_small(actions::metadata))]
    #[diesel(select_expression_type = IfSmall<actions::metadata>)]
    metadata: Option<Json>,
}

impl SmallAction {
    /// The action; `None` if its metadata is large and was not read.
    fn complete(self) -> Option<PlacedAction> {
        let spec = self.spec;
        let spec = ActionSpec {
            action: spec.action,
            mode: spec.mode,
            src_file: spec.src_file,
            backup_name: spec.backup_name,
            container: spec.container,
            restore_abs_path: spec.restore_abs_path,
            priority: spec.priority,
            max_retries: spec.max_retries,
            max_retries_interval: spec.max_retries_interval,
            mandatory: spec.mandatory,
            timeout: spec.timeout,
            log_file: spec.log_file,
            metadata: spec.metadata?,
        };
        Some(PlacedAction { id: self.id, project_id: self.project_id, user_id: self.user_id, spec })
    }
}

/// The query for [`Row`]s. A macro, because its type differs per backend.
macro_rules! view_rows {
    () => {
        head_rows!()
            // As two joins: SQLite materializes a nested join of the two tables as a whole.
            .left_join(action_attachments::table.on(action_attachments::job_id.eq(job_attachments::job_id)))
            .left_join(actions::table.on(actions::id.eq(action_attachments::action_id)))
            .select((
                JobAttachment::as_select(),
                Job::as_select(),
                clients::client_id,
                clients::project_id,
                sessions::scheduling.nullable(),
                Option::<(Place, SmallAction)>::as_select(),
            ))
    };
}
use view_rows;

/// Limit on the rows of so many jobs, so that little is repeated.
fn max_rows(jobs: usize) -> usize {
    jobs.saturating_mul(USUAL_ACTIONS).saturating_add(MORE_ACTIONS)
}

/// The documents of these ids; `None` for each that these rows do not hold completely.
fn sort_by_ids(rows: Vec<Row>, ids: &[String]) -> Vec<Option<JobView>> {
    if rows.len() > max_rows(ids.len()) {
        return vec![None; ids.len()];
    }
    let Some(mut views) = assemble(rows) else { return vec![None; ids.len()] };
    views.retain(|_, view| !view.head.job.has_trust);
    // Several requests may have asked for the same document.
    let mut wanted: HashMap<&str, usize> = HashMap::with_capacity(ids.len());
    for id in ids {
        *wanted.entry(id).or_default() += 1;
    }
    let mut take = |id: &String| match wanted.get_mut(&**id) {
        Some(times) if *times > 1 => {
            *times -= 1;
            views.get(id).cloned()
        }
        _ => views.remove(id),
    };
    ids.iter().map(&mut take).collect()
}

/// Assembles the documents by their ids, without trusts. `None` if an action's metadata was too large to be read.
fn assemble(rows: Vec<Row>) -> Option<HashMap<String, JobView>> {
    let mut views: HashMap<String, JobView> = HashMap::new();
    for (attachment, job, client_name, client_project, session_scheduling, action) in rows {
        let action = match action {
            Some((place, action)) => Some((place, Arc::new(action.complete()?))),
            None => None,
        };
        match views.get_mut(&attachment.id) {
            Some(view) => view.actions.extend(action),
            None => {
                let id = attachment.id.clone();
                let row: HeadRow = (attachment, job, client_name, client_project, session_scheduling);
                views.insert(id, JobView { head: head(row), actions: action.into_iter().collect() });
            }
        }
    }
    for view in views.values_mut() {
        view.actions.sort_by_key(|(place, _)| place.priority);
    }
    Some(views)
}
