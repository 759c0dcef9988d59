//! Writing what a job is: its description, its schedule, and its actions in order.

use super::Job;
use crate::store::action_attachments::{self as places, ActionAttachment};
use crate::store::engine::dialect::on_each;
use crate::store::schema::jobs;
use crate::store::types::json::Json;
use crate::store::versioned::{bump, lookups};
use crate::store::{Outcome, Owner, Tx, new_id};
use diesel::prelude::*;

/// An action's place in a job, as a document specifies it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceSpec {
    /// The action.
    pub action_id: String,
    /// How many times a failed action is retried.
    pub retries: i32,
    /// Seconds between retries.
    pub retry_interval: i32,
    /// Whether the rest of the job is skipped when it fails.
    pub mandatory: bool,
}

impl PlaceSpec {
    fn matches(&self, place: &ActionAttachment) -> bool {
        self.action_id == place.action_id
            && self.retries == place.retries
            && self.retry_interval == place.retry_interval
            && self.mandatory == place.mandatory
    }

    /// A stored place of the same action paired with its new row, if that differs.
    fn change_of<'p>(
        &self,
        place: &'p ActionAttachment,
        priority: i32,
    ) -> Option<(&'p ActionAttachment, ActionAttachment)> {
        let changed = ActionAttachment {
            priority,
            retries: self.retries,
            retry_interval: self.retry_interval,
            mandatory: self.mandatory,
            ..place.clone()
        };
        (priority != place.priority || !self.matches(place)).then_some((place, changed))
    }
}

lookups!(jobs: Job { is_taken });

/// The definition of that id in the project.
pub fn definition(tx: &mut Tx<'_>, project: &str, id: &str) -> Outcome<Option<Job>> {
    Ok(jobs::table
        .filter(jobs::id.eq(id))
        .filter(jobs::project_id.eq(project))
        .select(Job::as_select())
        .first(tx.connection)
        .optional()?)
}

/// Increments a definition's version with a compare-and-set and changes nothing else. Every change of a job's places and
/// clients begins with this: of two concurrent transactions one waits here, finds another version, and is retried.
pub fn touch(tx: &mut Tx<'_>, job: &Job) -> Outcome<()> {
    bump!(tx, jobs, job).map(drop)
}

/// The id of a new attachment.
#[derive(Debug, Clone, Copy)]
pub enum NewId<'i> {
    /// Generated for this attachment, so it is free.
    Fresh(&'i str),
    /// Chosen by the client, so another row may have it.
    Given(&'i str),
}

impl<'i> NewId<'i> {
    /// The id itself.
    pub fn id(self) -> &'i str {
        match self {
            Self::Fresh(id) | Self::Given(id) => id,
        }
    }
}

/// Writes the definition of a new job and returns its id: that of the first attachment, unless an older job, whose first
/// attachment was deleted, still has that id.
pub fn insert(
    tx: &mut Tx<'_>,
    owner: Owner<'_>,
    attachment_id: NewId<'_>,
    description: Option<String>,
    scheduling: Json,
    places: &[PlaceSpec],
) -> Outcome<String> {
    let is_taken = match attachment_id {
        NewId::Fresh(_) => false,
        NewId::Given(id) => is_taken(tx, id)?,
    };
    let id = if is_taken { new_id() } else { attachment_id.id().to_owned() };
    let job = Job {
        id: id.clone(),
        project_id: owner.project.to_owned(),
        user_id: owner.user.to_owned(),
        scheduling,
        description,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
        has_trust: false,
    };
    let insert = diesel::insert_into(jobs::table).values(&job);
    on_each!(tx.connection, c => insert.execute(c))?;
    let places: Vec<ActionAttachment> =
        (0..).zip(places).map(|(priority, place)| new_place(tx, owner, &id, priority, place)).collect();
    places::insert(tx, &places)?;
    Ok(id)
}

fn new_place(
    tx: &Tx<'_>,
    owner: Owner<'_>,
    job_id: &str,
    priority: i32,
    place: &PlaceSpec,
) -> ActionAttachment {
    ActionAttachment {
        id: new_id(),
        project_id: owner.project.to_owned(),
        user_id: owner.user.to_owned(),
        action_id: place.action_id.clone(),
        job_id: job_id.to_owned(),
        priority,
        retries: place.retries,
        retry_interval: place.retry_interval,
        mandatory: place.mandatory,
        created_at: tx.now,
        updated_at: tx.now,
        version: 1,
    }
}

/// A change of a definition; `None` keeps a part.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DefinitionChange {
    /// The description; `Some(None)` removes it.
    pub description: Option<Option<String>>,
    /// The schedule.
    pub scheduling: Option<Json>,
    /// The places of the actions, in order.
    pub places: Option<Vec<PlaceSpec>>,
}

impl DefinitionChange {
    /// The change from the stored definition and its places to these parts. A part that is equal to the stored one is left
    /// out.
    pub fn between(
        stored: (&Job, &[ActionAttachment]),
        description: Option<Option<String>>,
        scheduling: Option<Json>,
        places: Option<Vec<PlaceSpec>>,
    ) -> Self {
        let (job, current) = stored;
        let is_same = |places: &[PlaceSpec]| {
            places.len() == current.len()
                && places.iter().zip(current).all(|(spec, place)| spec.matches(place))
        };
        Self {
            description: description.filter(|text| *text != job.description),
            scheduling: scheduling.filter(|unit| *unit != job.scheduling),
            places: places.filter(|places| !is_same(places)),
        }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Changes a definition, for every client that the job is on, and returns its new version. `current`: the stored places, if
/// they change.
pub fn redefine(
    tx: &mut Tx<'_>,
    user: &str,
    job: &Job,
    current: &[ActionAttachment],
    change: &DefinitionChange,
) -> Outcome<i32> {
    if change.is_empty() {
        return Ok(job.version);
    }
    let DefinitionChange { description, scheduling, places } = change.clone();
    let columns = (
        description.map(|text| jobs::description.eq(text)),
        scheduling.map(|unit| jobs::scheduling.eq(unit)),
    );
    let version = bump!(tx, jobs, job, columns)?;
    if let Some(places) = places {
        replace_places(tx, user, job, current, &places)?;
    }
    Ok(version)
}

/// Replaces a job's places. A place that keeps its action keeps its row, so that its reports keep their reference.
fn replace_places(
    tx: &mut Tx<'_>,
    user: &str,
    job: &Job,
    current: &[ActionAttachment],
    wanted: &[PlaceSpec],
) -> Outcome<()> {
    let kept = |index: usize| {
        let (place, spec) = (current.get(index)?, wanted.get(index)?);
        (place.action_id == spec.action_id).then_some(place)
    };
    let gone = current.iter().enumerate().filter(|(index, _)| kept(*index).is_none());
    let gone: Vec<String> = gone.map(|(_, place)| place.id.clone()).collect();
    places::delete(tx, &job.project_id, gone)?;
    let (mut changed, mut new) = (Vec::new(), Vec::new());
    for (index, (spec, priority)) in wanted.iter().zip(priorities(current, wanted.len())).enumerate() {
        match kept(index) {
            Some(place) => changed.extend(spec.change_of(place, priority)),
            None => new.push(new_place(tx, Owner::new(&job.project_id, user), &job.id, priority, spec)),
        }
    }
    places::update_all(tx, &changed)?;
    places::insert(tx, &new)
}

/// The priorities of `count` places: the stored ones, which may have gaps, and then consecutive ones. If those exceed
/// `i32`, all places are numbered from 0.
fn priorities(current: &[ActionAttachment], count: usize) -> Vec<i32> {
    let last = current.last().map_or(-1, |place| i64::from(place.priority));
    let added = (last + 1..).map(i32::try_from);
    let priorities = current.iter().map(|place| Ok(place.priority)).chain(added).take(count);
    priorities.collect::<std::result::Result<_, _>>().unwrap_or_else(|_| (0..).take(count).collect())
}
