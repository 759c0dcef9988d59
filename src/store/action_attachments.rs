//! Action attachments: an action's place in a job. Whatever changes one swaps the job's version too: it changes every
//! document of the job, and of two changes of a job at the same moment one starts anew.

use diesel::prelude::*;

use super::actions::Action;
use super::jobs::Job;
use super::moment_type::Time;
use super::schema::{action_attachments, action_reports, actions, jobs};
use super::{Outcome, Tx, swapped};

/// A row of `action_attachments`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = action_attachments, treat_none_as_default_value = false)]
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

/// A change of a place; what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = action_attachments)]
#[allow(missing_docs)] // the columns
pub struct PlaceChange {
    pub priority: Option<i32>,
    pub retries: Option<i32>,
    pub retry_interval: Option<i32>,
    pub mandatory: Option<bool>,
}

/// Writes a new place.
pub fn insert(tx: &mut Tx<'_>, place: &ActionAttachment) -> Outcome<()> {
    diesel::insert_into(action_attachments::table).values(place).execute(tx.connection)?;
    Ok(())
}

/// The place of that id in the project with its job, both as they were at one moment.
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

/// A job's actions, in order.
pub fn actions_of(tx: &mut Tx<'_>, job_id: &str) -> Outcome<Vec<Action>> {
    Ok(action_attachments::table
        .inner_join(actions::table)
        .filter(action_attachments::job_id.eq(job_id))
        .order(action_attachments::priority)
        .select(Action::as_select())
        .load(tx.connection)?)
}

/// Changes a place that nobody else has changed meanwhile. An empty change is none.
pub fn update(tx: &mut Tx<'_>, place: &ActionAttachment, change: PlaceChange) -> Outcome<()> {
    if change == PlaceChange::default() {
        return Ok(());
    }
    swapped(
        diesel::update(
            action_attachments::table
                .filter(action_attachments::id.eq(&place.id))
                .filter(action_attachments::version.eq(place.version)),
        )
        .set((
            change,
            action_attachments::updated_at.eq(tx.now),
            action_attachments::version.eq(place.version + 1),
        ))
        .execute(tx.connection)?,
    )
}

/// Deletes some places of a project; reports of their runs stay, without the reference.
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
