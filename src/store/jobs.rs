//! Jobs as the API sees them: an attachment with its job, its client, its session's schedule, its actions in
//! order, and its trust.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;
use serde_json::{Map, Value};

use super::actions::{self, Action};
use super::document_type::Json;
use super::job_attachments::JobAttachment;
use super::page::{self, Page, Place};
use super::schema::{
    action_attachments, actions as actions_table, clients, job_attachments, job_trusts, jobs, sessions,
};
use super::search::{Condition, Search};
use super::{Outcome, Tx, new_id, swapped};

/// A row of `jobs`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = jobs, treat_none_as_default_value = false)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct Job {
    pub id: String,
    pub project_id: String,
    pub user_id: String,
    pub scheduling: Json,
    pub description: Option<String>,
    pub created_at: NaiveDateTime,
    pub updated_at: NaiveDateTime,
    pub version: i32,
}

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
    pub created_at: NaiveDateTime,
    pub updated_at: NaiveDateTime,
    pub version: i32,
}

/// The trust of a job.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = job_trusts)]
#[allow(missing_docs)] // the columns; docs/DATABASE.md says what they are
pub struct JobTrust {
    pub job_id: String,
    pub trust_id: String,
    pub trustor_user_id: String,
}

/// An attachment and what belongs to it one to one.
#[derive(Debug, Clone, Queryable)]
pub struct JobHead {
    /// The job on the client.
    pub attachment: JobAttachment,
    /// The definition.
    pub job: Job,
    /// The client's name.
    pub client_name: String,
    /// The client's project; another one for a central client.
    pub client_project: String,
    /// The schedule of the session it is in.
    pub session_scheduling: Option<Json>,
}

impl JobHead {
    /// The revision of the document: both parts only rise, so the sum does too.
    pub fn version(&self) -> i32 {
        self.job.version + self.attachment.version
    }

    /// The schedule it runs by: its session's, else its own.
    pub fn scheduling(&self) -> &Json {
        self.session_scheduling.as_ref().unwrap_or(&self.job.scheduling)
    }
}

/// A whole job document's rows.
#[derive(Debug, Clone)]
pub struct JobView {
    /// The attachment and what belongs to it one to one.
    pub head: JobHead,
    /// The actions with their places, in order.
    pub actions: Vec<(ActionAttachment, Action)>,
    /// The trust, if a central scheduler runs it.
    pub trust: Option<JobTrust>,
}

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

type HeadColumns = (
    diesel::dsl::AsSelect<JobAttachment, super::connection::MultiBackend>,
    diesel::dsl::AsSelect<Job, super::connection::MultiBackend>,
    clients::client_id,
    clients::project_id,
    diesel::dsl::Nullable<sessions::scheduling>,
);

fn head_columns() -> HeadColumns {
    (
        JobAttachment::as_select(),
        Job::as_select(),
        clients::client_id,
        clients::project_id,
        sessions::scheduling.nullable(),
    )
}

/// The job document of that id, without its actions; in `project`, or in any when `None`.
pub fn find(tx: &mut Tx<'_>, project: Option<&str>, id: &str) -> Outcome<Option<JobHead>> {
    let mut query = job_attachments::table
        .inner_join(jobs::table)
        .inner_join(clients::table)
        .left_join(sessions::table)
        .filter(job_attachments::id.eq(id.to_owned()))
        .select(head_columns())
        .into_boxed();
    if let Some(project) = project {
        query = query.filter(job_attachments::project_id.eq(project.to_owned()));
    }
    Ok(query.first(tx.connection).optional()?)
}

/// The job documents of these ids, without their actions, in the order of lists.
fn find_all(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<Vec<JobHead>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut heads: Vec<JobHead> = job_attachments::table
        .inner_join(jobs::table)
        .inner_join(clients::table)
        .left_join(sessions::table)
        .filter(job_attachments::id.eq_any(ids))
        .select(head_columns())
        .load(tx.connection)?;
    let place = |head: &JobHead| (head.attachment.created_at, head.attachment.id.clone());
    heads.sort_by_cached_key(place);
    Ok(heads)
}

/// Adds the actions and trusts to some heads, in two statements however many they are.
pub fn complete(tx: &mut Tx<'_>, heads: Vec<JobHead>) -> Outcome<Vec<JobView>> {
    if heads.is_empty() {
        return Ok(Vec::new());
    }
    let mut ids: Vec<String> = heads.iter().map(|head| head.job.id.clone()).collect();
    ids.sort();
    ids.dedup();
    let places: Vec<(ActionAttachment, Action)> = action_attachments::table
        .inner_join(actions_table::table)
        .filter(action_attachments::job_id.eq_any(ids.clone()))
        .order((action_attachments::job_id, action_attachments::priority))
        .select((ActionAttachment::as_select(), Action::as_select()))
        .load(tx.connection)?;
    let trusts: Vec<JobTrust> = job_trusts::table
        .filter(job_trusts::job_id.eq_any(ids))
        .select(JobTrust::as_select())
        .load(tx.connection)?;
    let mut places_of: HashMap<String, Vec<(ActionAttachment, Action)>> = HashMap::new();
    for (place, action) in places {
        places_of.entry(place.job_id.clone()).or_default().push((place, action));
    }
    Ok(heads
        .into_iter()
        .map(|head| JobView {
            // Cloned: in a fleet several documents show one job.
            actions: places_of.get(&head.job.id).cloned().unwrap_or_default(),
            trust: trusts.iter().find(|trust| trust.job_id == head.job.id).cloned(),
            head,
        })
        .collect())
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

/// A page of jobs, and the clients it was asked for.
pub struct Listing {
    /// The jobs.
    pub views: Vec<JobView>,
    /// The clients that were named: a list for a client is that client's poll.
    pub polled: Vec<PolledClient>,
}

/// A client whose poll this may be.
#[derive(Debug, Clone, Queryable)]
pub struct PolledClient {
    /// The row's id.
    pub id: String,
    /// Whose it is.
    pub project_id: String,
    /// When it polled last, as far as was noted.
    pub last_seen_at: Option<NaiveDateTime>,
}

/// A page of the job documents of a project, or of all projects when `None`.
pub fn list(
    tx: &mut Tx<'_>,
    project: Option<&str>,
    search: &Search,
    page: Page,
    keep: impl Fn(&JobView, &Search) -> bool,
) -> Outcome<Listing> {
    let mut polled = Vec::new();
    let mut clients_named = Vec::new();
    for (condition, wanted) in search.conditions().filter(|(c, _)| column(&c.key) == Some(Column::Client)) {
        if let Some(name) = condition.word() {
            let named = clients_of_name(tx, project, name)?;
            clients_named.push((named.iter().map(|client| client.id.clone()).collect::<Vec<_>>(), wanted));
            if wanted {
                polled.extend(named);
            }
        }
    }
    if clients_named.iter().any(|(ids, wanted)| *wanted && ids.is_empty()) {
        return Ok(Listing { views: Vec::new(), polled });
    }
    let rest = search.without(pushed);
    let filter = |view: &JobView| keep(view, &rest);
    let views = page::collect(
        page,
        (!rest.is_empty()).then_some(&filter as &dyn Fn(&JobView) -> bool),
        |view| Place { created_at: view.head.attachment.created_at, id: view.head.attachment.id.clone() },
        |window| {
            // Which rows, first, out of one table and in its index's order; the joins come after the limit. In one
            // statement the planner may begin with the joined tables, and sort the project for a page of ten.
            let mut query = job_attachments::table
                .select(job_attachments::id)
                .order((job_attachments::created_at, job_attachments::id))
                .limit(window.limit)
                .offset(window.offset)
                .into_boxed();
            if let Some(project) = project {
                query = query.filter(job_attachments::project_id.eq(project.to_owned()));
            }
            if let Some(Place { created_at, id }) = window.after {
                // The first half is what an index can begin at; with an OR it would begin at the list's beginning.
                query = query
                    .filter(job_attachments::created_at.ge(created_at))
                    .filter(job_attachments::created_at.gt(created_at).or(job_attachments::id.gt(id)));
            }
            if !search.is_empty() {
                query = query.filter(Search::never_kept());
            }
            for (ids, wanted) in &clients_named {
                query = match wanted {
                    true => query.filter(job_attachments::client_id.eq_any(ids.clone())),
                    false => query.filter(job_attachments::client_id.ne_all(ids.clone())),
                };
            }
            for (condition, wanted) in search.conditions() {
                let (Some(column), Some(word)) = (column(&condition.key), condition.word()) else { continue };
                let word = word.to_owned();
                query = match (column, wanted) {
                    (Column::Client, _) => query,
                    (Column::Id, true) => query.filter(job_attachments::id.eq(word)),
                    (Column::Id, false) => query.filter(job_attachments::id.ne(word)),
                    (Column::Session, true) if word.is_empty() => {
                        query.filter(job_attachments::session_id.is_null())
                    }
                    (Column::Session, false) if word.is_empty() => {
                        query.filter(job_attachments::session_id.is_not_null())
                    }
                    (Column::Session, true) => query.filter(job_attachments::session_id.eq(word)),
                    (Column::Session, false) => query.filter(
                        job_attachments::session_id.ne(word).or(job_attachments::session_id.is_null()),
                    ),
                    (Column::Status, true) => query.filter(job_attachments::status.eq(word)),
                    // As a list of what may be: an index serves that, and does not serve "anything but".
                    (Column::Status, false) => {
                        query.filter(job_attachments::status.eq_any(other_statuses(&word)))
                    }
                    (Column::Event, true) => query.filter(job_attachments::event.eq(word)),
                    (Column::Event, false) => query.filter(job_attachments::event.ne(word)),
                    (Column::Result, true) => query.filter(job_attachments::result.eq(word)),
                    (Column::Result, false) => query.filter(job_attachments::result.ne(word)),
                };
            }
            let ids: Vec<String> = query.load(tx.connection)?;
            let heads = find_all(tx, ids)?;
            complete(tx, heads)
        },
    )?;
    Ok(Listing { views, polled })
}

/// The clients that a project, or anybody when `None`, calls by that name.
fn clients_of_name(tx: &mut Tx<'_>, project: Option<&str>, name: &str) -> Outcome<Vec<PolledClient>> {
    let mut query = clients::table
        .filter(clients::client_id.eq(name.to_owned()))
        .select((clients::id, clients::project_id, clients::last_seen_at))
        .into_boxed();
    if let Some(project) = project {
        query = query.filter(clients::project_id.eq(project.to_owned()).or(clients::is_central.eq(true)));
    }
    Ok(query.load(tx.connection)?)
}

/// The columns that a search can use.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Column {
    Id,
    Client,
    Session,
    Status,
    Event,
    Result,
}

fn column(key: &str) -> Option<Column> {
    match key {
        "job_id" => Some(Column::Id),
        "client_id" => Some(Column::Client),
        "session_id" => Some(Column::Session),
        "status" | "job_schedule.status" => Some(Column::Status),
        "event" | "job_schedule.event" => Some(Column::Event),
        "result" | "job_schedule.result" => Some(Column::Result),
        _ => None,
    }
}

/// Whether the database takes the whole of a condition over.
fn pushed(condition: &Condition) -> bool {
    column(&condition.key).is_some() && condition.word().is_some()
}

/// Every status a job can have (contract, api-v2 §4) but one.
fn other_statuses(status: &str) -> Vec<&'static str> {
    STATUSES.iter().copied().filter(|other| *other != status).collect()
}

/// Every status a job can have; the API takes no other.
pub const STATUSES: &[&str] = &["", "completed", "stop", "scheduled", "running", "aborting", "removed"];
