//! Whole job documents in one statement; of several requests at the same time, in one for all.

use std::collections::HashMap;
use std::sync::Arc;

use diesel::prelude::*;

use super::{HeadRow, JobView, Place, PlacedAction, complete, find_all, head, head_rows};
use crate::error::{Error, Result};
use crate::store::Store;
use crate::store::actions::ActionSpec;
use crate::store::dialect::{IfSmall, if_small, in_list, multiplies_selectivities, on_each};
use crate::store::job_attachments::JobAttachment;
use crate::store::jobs::Job;
use crate::store::schema::{action_attachments, actions, clients, job_attachments, jobs, sessions};
use crate::store::types::json::Json;

/// How many actions the documents of one statement have together: so many for each, and some more. With each action comes
/// all the rest of its job once more.
const USUAL_ACTIONS: usize = 3;
const MORE_ACTIONS: usize = 8;

/// Who asks for more documents than that does so alone. One reads the rows of all, and with many rows that is more to wait
/// for than a statement of one's own.
const MOST_SHARED: usize = 3;

/// The job document of that id, in `project`, or in any when `None`, if it can be had in one statement. `None` says
/// nothing about any other job: [`super::find`] and [`super::complete`] do.
///
/// # Errors
/// As [`Store::read`].
pub fn view(store: &Store, project: Option<&str>, id: &str) -> Result<Option<JobView>> {
    let found = views(store, &[id.to_owned()])?.and_then(|mut found| found.pop());
    Ok(found.filter(|view| project.is_none_or(|project| view.head.attachment.project_id == project)))
}

/// The job documents of these ids, in any project and in that order, each as it was at one moment. `None` if there is
/// one that cannot be had in one statement, because it is not there, has a trust (to join what few jobs have costs the
/// database a good deal for all), or they have very many actions.
///
/// # Errors
/// As [`Store::read`].
fn views(store: &Store, ids: &[String]) -> Result<Option<Vec<JobView>>> {
    let ask = |ids: &[String]| {
        let rows = store.read_statement(|tx| {
            Ok(on_each!(tx.connection, c => view_rows!()
                .filter(in_list(job_attachments::id, ids.to_vec()))
                .limit(most_rows(ids.len()) as i64 + 1)
                .load(c))?)
        })?;
        Ok::<_, Error>(in_order(rows, ids))
    };
    let found = match ids.len() {
        0 => return Ok(Some(Vec::new())),
        1..=MOST_SHARED => store.views.submit(ids, ask)?,
        _ => Some(ask(ids)?),
    };
    Ok(found.and_then(|found| found.into_iter().collect()))
}

/// As [`views`], but what cannot be had in one statement is read on one snapshot. `None` if one is not there.
///
/// # Errors
/// As [`Store::read`].
pub(super) fn documents(store: &Store, ids: &[String]) -> Result<Option<Vec<JobView>>> {
    if let Some(found) = views(store, ids)? {
        return Ok(Some(found));
    }
    let found = store.read(|tx| {
        let heads = find_all(tx, ids.to_vec())?;
        complete(tx, heads)
    })?;
    Ok((found.len() == ids.len()).then_some(found))
}

/// For how many clients the jobs are asked for in one statement. More of them save little, and every thread's memory grows to
/// what the largest answer needs; from 200 ranges on, one for each client and status, MySQL only guesses how many rows
/// there are.
pub(super) const MOST_CLIENTS: usize = 4;

/// How many rows the jobs on each of so many clients may have.
const ROWS_OF_A_CLIENT: usize = 40;

/// The documents of all jobs on each of these clients (rows) that have one of these statuses, in no order, as they were at
/// one moment. `None` for a client if its jobs cannot be had in one statement, as in [`views`], or if it is there twice.
///
/// # Errors
/// As [`Store::read`].
pub(super) fn views_on(
    store: &Store,
    on_clients: &[String],
    statuses: &[String],
) -> Result<Vec<Option<Vec<JobView>>>> {
    let most = on_clients.len().saturating_mul(ROWS_OF_A_CLIENT);
    let rows: Option<Vec<Row>> = store.read_statement(|tx| {
        if !multiplies_selectivities(tx.connection) {
            return Ok(Some(on_each!(tx.connection, c => view_rows!()
                .filter(in_list(job_attachments::client_id, on_clients.to_vec()))
                .filter(in_list(job_attachments::status, statuses.to_vec()))
                .limit(most as i64 + 1)
                .load(c))?));
        }
        // Which rows, first, out of one table. Joined at once, a client with very many completed jobs is taken for one with
        // very many jobs of any status, for which whole tables are read.
        let ids: Vec<String> = job_attachments::table
            .filter(in_list(job_attachments::client_id, on_clients.to_vec()))
            .filter(in_list(job_attachments::status, statuses.to_vec()))
            .select(job_attachments::id)
            .limit(most as i64 + 1)
            .load(tx.connection)?;
        if ids.is_empty() || ids.len() > most {
            return Ok(ids.is_empty().then(Vec::new));
        }
        // Those that are still wanted.
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
    let Some(views) = whole(rows) else { return Ok(vec![None; on_clients.len()]) };
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

/// An attachment's rows: one for each action, or one without.
type Row = (JobAttachment, Job, String, String, Option<Json>, Option<(Place, SmallAction)>);

/// A [`PlacedAction`] whose metadata is read only if there is little of it: of what is joined, each place of an action has
/// it once more.
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
    /// The action; `None` if its metadata is too large to have been read.
    fn whole(self) -> Option<PlacedAction> {
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

/// All such rows; a macro, because they have another type for each backend.
macro_rules! view_rows {
    () => {
        head_rows!()
            // One after the other: the two of them joined first, SQLite reads as a table of its own, and all of it.
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

/// How many rows so many jobs may have, so that not much comes several times.
fn most_rows(jobs: usize) -> usize {
    jobs.saturating_mul(USUAL_ACTIONS).saturating_add(MORE_ACTIONS)
}

/// The documents of those ids, as far as these rows are all that there is of them.
fn in_order(rows: Vec<Row>, ids: &[String]) -> Vec<Option<JobView>> {
    if rows.len() > most_rows(ids.len()) {
        return vec![None; ids.len()];
    }
    let Some(mut views) = whole(rows) else { return vec![None; ids.len()] };
    views.retain(|_, view| !view.head.job.has_trust);
    // Several may have asked for the same.
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

/// The documents that these rows are, by their ids, without any trust. `None` if there is an action that is too large.
fn whole(rows: Vec<Row>) -> Option<HashMap<String, JobView>> {
    let mut views: HashMap<String, JobView> = HashMap::new();
    for (attachment, job, client_name, client_project, session_scheduling, action) in rows {
        let action = match action {
            Some((place, action)) => Some((place, Arc::new(action.whole()?))),
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
