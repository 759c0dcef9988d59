//! Lists of jobs, among them the schedulers' polls.

use diesel::prelude::*;

use super::{JobView, STATUSES, complete, find_all};
use crate::store::moment_type::Time;
use crate::store::page::{self, Page, Place};
use crate::store::schema::{clients, job_attachments};
use crate::store::search::{Condition, Search};
use crate::store::{Outcome, Tx};

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
    /// Whether it polls for every project.
    pub is_central: bool,
    /// When it polled last, as far as was noted.
    pub last_seen_at: Option<Time>,
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
        .select((clients::id, clients::project_id, clients::is_central, clients::last_seen_at))
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
