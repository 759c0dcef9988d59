//! Action attachments: an action's place in a job.
//!
//! A transaction that changes one also increments the job's version by a compare-and-set, because every document of the
//! job changes. Of two concurrent changes of a job, one is therefore retried.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Integer};

use super::actions::Action;
use super::engine::connection::MultiBackend;
use super::engine::dialect::{self, case_by_id};
use super::jobs::Job;
use super::listing::{self, Listing, Query, Weight, listing, sort_by_ids};
use super::page::Page;
use super::schema::{action_attachments, action_reports, actions, jobs};
use super::search::Search;
use super::types::time::Time;
use super::versioned::{bump, bump_all, change};
use super::{Failure, Outcome, Tx};

/// A row of `action_attachments`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = action_attachments, treat_none_as_default_value = false, treat_none_as_null = true)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct ActionAttachment {
    pub id: String,
    pub project_id: String,
    pub user_id: String,
    pub action_id: String,
    pub job_id: String,
    pub priority: i32,
    pub retries: i32,
    pub retry_interval: i32,
    pub mandatory: bool,
    pub created_at: Time,
    pub updated_at: Time,
    pub version: i32,
}

impl Weight for ActionAttachment {
    fn row_id(&self) -> &str {
        &self.id
    }

    fn weight(&self) -> usize {
        0
    }
}

change! {
    /// A change of a place; `None` keeps a column.
    pub struct PlaceChange of action_attachments: ActionAttachment {
        priority: i32,
        retries: i32,
        retry_interval: i32,
        mandatory: bool,
    }
}

/// Inserts places.
pub fn insert(tx: &mut Tx<'_>, places: &[ActionAttachment]) -> Outcome<()> {
    Ok(dialect::insert_rows!(tx.connection, action_attachments::table, places)?)
}

/// The place of this id in the project, with its job; both are of one snapshot.
pub fn find(tx: &mut Tx<'_>, project: &str, id: &str) -> Outcome<Option<(ActionAttachment, Job)>> {
    Ok(action_attachments::table
        .inner_join(jobs::table)
        .filter(action_attachments::id.eq(id))
        .filter(action_attachments::project_id.eq(project))
        .select((ActionAttachment::as_select(), Job::as_select()))
        .first(tx.connection)
        .optional()?)
}

/// The places of a job's actions, in order.
pub fn of_job(tx: &mut Tx<'_>, job_id: &str) -> Outcome<Vec<ActionAttachment>> {
    Ok(action_attachments::table
        .filter(action_attachments::job_id.eq(job_id))
        .order(action_attachments::priority)
        .select(ActionAttachment::as_select())
        .load(tx.connection)?)
}

/// The jobs that an action is in.
pub fn jobs_with(tx: &mut Tx<'_>, action_id: &str) -> Outcome<Vec<String>> {
    Ok(action_attachments::table
        .filter(action_attachments::action_id.eq(action_id))
        .select(action_attachments::job_id)
        .distinct()
        .load(tx.connection)?)
}

/// A job's distinct actions, in the order of their first places.
pub fn actions_of(tx: &mut Tx<'_>, job_id: &str) -> Outcome<Vec<Action>> {
    let mut ids: Vec<String> = action_attachments::table
        .filter(action_attachments::job_id.eq(job_id))
        .order(action_attachments::priority)
        .select(action_attachments::action_id)
        .load(tx.connection)?;
    let mut seen = HashSet::new();
    ids.retain(|id| seen.insert(id.clone()));
    let mut found: Vec<Action> = actions::table
        .filter(actions::id.eq_any(ids.clone()))
        .select(Action::as_select())
        .load(tx.connection)?;
    sort_by_ids(&mut found, &ids);
    Ok(found)
}

/// Changes a place if its version is still the same. An empty change is not written.
pub fn update(tx: &mut Tx<'_>, place: &ActionAttachment, change: PlaceChange) -> Outcome<()> {
    if change.is_empty() {
        return Ok(());
    }
    bump!(tx, action_attachments, place, change).map(drop)
}

/// Updates places; each pair has the row as it was read, and the row with its new settings. One statement changes all
/// places that do not move. The caller has incremented the job's version before, so that no other transaction changes the
/// places at the same time.
///
/// Each place that moves has a statement of its own, in the given order; its new priority must be free by then.
pub fn update_all(tx: &mut Tx<'_>, places: &[(&ActionAttachment, ActionAttachment)]) -> Outcome<()> {
    let (moved, stay): (Vec<_>, Vec<_>) =
        places.iter().partition(|(stored, wanted)| stored.priority != wanted.priority);
    if !stay.is_empty() {
        let ids: Vec<String> = stay.iter().map(|(stored, _)| stored.id.clone()).collect();
        let id = action_attachments::id;
        let each = |value: fn(&ActionAttachment) -> i32| {
            stay.iter().map(|(stored, wanted)| (stored.id.clone(), value(wanted))).collect::<Vec<_>>()
        };
        let mandatory = stay.iter().map(|(stored, wanted)| (stored.id.clone(), wanted.mandatory)).collect();
        let columns = (
            action_attachments::retries.eq(case_by_id::<Integer, _, _>(id, each(|place| place.retries))),
            action_attachments::retry_interval
                .eq(case_by_id::<Integer, _, _>(id, each(|place| place.retry_interval))),
            action_attachments::mandatory.eq(case_by_id::<Bool, _, bool>(id, mandatory)),
        );
        let rows = bump_all!(tx, action_attachments, id.eq_any(ids), columns)?;
        if rows != stay.len() {
            return Err(Failure::Stale);
        }
    }
    for (stored, wanted) in moved {
        let change = PlaceChange {
            priority: Some(wanted.priority),
            retries: Some(wanted.retries),
            retry_interval: Some(wanted.retry_interval),
            mandatory: Some(wanted.mandatory),
        };
        update(tx, stored, change)?;
    }
    Ok(())
}

/// Deletes places of a project; the reports of their runs stay, without the reference.
pub fn delete(tx: &mut Tx<'_>, project: &str, places: Vec<String>) -> Outcome<()> {
    if places.is_empty() {
        return Ok(());
    }
    diesel::update(
        action_reports::table
            .filter(action_reports::project_id.eq(project))
            .filter(action_reports::action_attachment_id.eq_any(places.clone())),
    )
    .set(action_reports::action_attachment_id.eq(None::<String>))
    .execute(tx.connection)?;
    diesel::delete(action_attachments::table.filter(action_attachments::id.eq_any(places)))
        .execute(tx.connection)?;
    Ok(())
}

listing! {
    /// The keys of the list of action attachments.
    KEYS: action_attachments, ActionAttachment, |place| place.created_at;
    id: Id = id, "The attachment's id.";
    action_id: Id = action_id, "The action.";
    job_id: Id = job_id, "The job (its definition).";
    priority: Small = priority, "Its place in the order of the job's actions.",
        sorting(|place| place.priority.operand());
}

/// A page of a project's places.
///
/// # Errors
/// 400 for a marker that is none of them.
pub fn list(tx: &mut Tx<'_>, project: &str, query: &Query, page: Page) -> Outcome<Listing<ActionAttachment>> {
    let last = match &query.marker {
        Some(marker) => Some(find(tx, project, marker)?.ok_or_else(|| listing::no_marker(marker))?.0),
        None => None,
    };
    let nothing = Search::default();
    let matching = || {
        KEYS.matching(
            action_attachments::table.into_boxed::<MultiBackend>(),
            Some(project),
            (query, &nothing),
        )
    };
    let rows = listing::collect(
        &KEYS,
        query,
        listing::with_lookahead(page, &nothing),
        last.as_ref(),
        |part, (limit, offset), budget| {
            let rows = part.of(matching()?).select(ActionAttachment::as_select());
            Ok(budget.trim(rows.limit(limit).offset(offset).load(tx.connection)?))
        },
    )?;
    listing::count_with(query, page, rows, false, || Ok(matching()?.count().get_result(tx.connection)?))
}
