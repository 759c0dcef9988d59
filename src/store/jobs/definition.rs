//! Writing what a job is: its description, its schedule, and its actions in order.

use diesel::prelude::*;
use serde_json::{Map, Value};

use super::{ActionAttachment, Job};
use crate::store::document_type::Json;
use crate::store::schema::{action_attachments, jobs};
use crate::store::{Outcome, Tx, actions, new_id, swapped};

/// An action's place in a job, as a document asks for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceSpec {
    /// The action.
    pub action_id: String,
    /// How often it is tried again.
    pub retries: i32,
    /// Seconds between the tries.
    pub retry_interval: i32,
    /// Whether the rest of the job is given up when it fails.
    pub mandatory: bool,
}

impl PlaceSpec {
    fn is(&self, place: &ActionAttachment) -> bool {
        self.action_id == place.action_id
            && self.retries == place.retries
            && self.retry_interval == place.retry_interval
            && self.mandatory == place.mandatory
    }
}

/// The places of a job's actions, in order.
pub fn places(tx: &mut Tx<'_>, job_id: &str) -> Outcome<Vec<ActionAttachment>> {
    Ok(action_attachments::table
        .filter(action_attachments::job_id.eq(job_id))
        .order(action_attachments::priority)
        .select(ActionAttachment::as_select())
        .load(tx.connection)?)
}

/// Writes a new job for its first attachment, and returns the job's id: the attachment's, unless an older
/// job, whose first attachment is gone, still has it.
pub fn insert(
    tx: &mut Tx<'_>,
    (project, user): (&str, &str),
    attachment_id: &str,
    description: Option<String>,
    scheduling: Map<String, Value>,
    places: &[PlaceSpec],
) -> Outcome<String> {
    let taken = diesel::select(diesel::dsl::exists(jobs::table.filter(jobs::id.eq(attachment_id))));
    let id = if taken.get_result(tx.connection)? { new_id() } else { attachment_id.to_owned() };
    let job = Job {
        id: id.clone(),
        project_id: project.to_owned(),
        user_id: user.to_owned(),
        scheduling: scheduling.into(),
        description,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    diesel::insert_into(jobs::table).values(&job).execute(tx.connection)?;
    for (priority, place) in places.iter().enumerate() {
        insert_place(tx, (project, user), &id, priority, place)?;
    }
    Ok(id)
}

fn insert_place(
    tx: &mut Tx<'_>,
    (project, user): (&str, &str),
    job_id: &str,
    priority: usize,
    place: &PlaceSpec,
) -> Outcome<()> {
    let place = ActionAttachment {
        id: new_id(),
        project_id: project.to_owned(),
        user_id: user.to_owned(),
        action_id: place.action_id.clone(),
        job_id: job_id.to_owned(),
        priority: i32::try_from(priority).unwrap_or(i32::MAX),
        retries: place.retries,
        retry_interval: place.retry_interval,
        mandatory: place.mandatory,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    };
    diesel::insert_into(action_attachments::table).values(&place).execute(tx.connection)?;
    Ok(())
}

/// Changes the definition, for every client the job is on; returns the job's new version. `None` leaves a part as
/// it is; a definition that says the same is no change.
pub fn redefine(
    tx: &mut Tx<'_>,
    user: &str,
    job: &Job,
    description: Option<Option<String>>,
    scheduling: Option<Map<String, Value>>,
    wanted: Option<&[PlaceSpec]>,
) -> Outcome<i32> {
    let description = description.filter(|text| *text != job.description);
    let scheduling = scheduling.map(Json::from).filter(|unit| *unit != job.scheduling);
    let current = match wanted {
        Some(_) => places(tx, &job.id)?,
        None => Vec::new(),
    };
    let moved = wanted.filter(|wanted| {
        wanted.len() != current.len() || !wanted.iter().zip(&current).all(|(spec, place)| spec.is(place))
    });
    if description.is_none() && scheduling.is_none() && moved.is_none() {
        return Ok(job.version);
    }
    let version = job.version + 1;
    swapped(
        diesel::update(jobs::table.filter(jobs::id.eq(&job.id)).filter(jobs::version.eq(job.version)))
            .set((
                description.map(|text| jobs::description.eq(text)),
                scheduling.map(|unit| jobs::scheduling.eq(unit)),
                jobs::updated_at.eq(tx.now),
                jobs::version.eq(version),
            ))
            .execute(tx.connection)?,
    )?;
    if let Some(wanted) = moved {
        replace_places(tx, user, job, &current, wanted)?;
    }
    Ok(version)
}

/// Brings a job's places to what is wanted. A place that keeps its action keeps its row, and so its history.
fn replace_places(
    tx: &mut Tx<'_>,
    user: &str,
    job: &Job,
    current: &[ActionAttachment],
    wanted: &[PlaceSpec],
) -> Outcome<()> {
    let keeps = |index: usize, place: &ActionAttachment| {
        wanted.get(index).is_some_and(|spec| {
            spec.action_id == place.action_id && usize::try_from(place.priority).ok() == Some(index)
        })
    };
    let gone: Vec<String> = current
        .iter()
        .enumerate()
        .filter(|(index, place)| !keeps(*index, place))
        .map(|(_, place)| place.id.clone())
        .collect();
    actions::delete_places(tx, &job.project_id, gone)?;
    for (index, spec) in wanted.iter().enumerate() {
        match current.get(index).filter(|place| keeps(index, place)) {
            Some(place) if spec.is(place) => {}
            Some(place) => {
                diesel::update(action_attachments::table.filter(action_attachments::id.eq(&place.id)))
                    .set((
                        action_attachments::retries.eq(spec.retries),
                        action_attachments::retry_interval.eq(spec.retry_interval),
                        action_attachments::mandatory.eq(spec.mandatory),
                        action_attachments::updated_at.eq(tx.now),
                        action_attachments::version.eq(place.version + 1),
                    ))
                    .execute(tx.connection)?;
            }
            None => insert_place(tx, (&job.project_id, user), &job.id, index, spec)?,
        }
    }
    Ok(())
}
