//! Finds the project of a resource by its id and user.

use diesel::prelude::*;

use super::listing::{self, Query};
use super::schema::{actions, backups, clients, job_attachments, sessions};
use super::{Outcome, Tx};

/// A kind of resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noun {
    /// `clients`, known by their names.
    Client,
    /// `actions`
    Action,
    /// `job_attachments`, which are the job documents.
    Job,
    /// `sessions`
    Session,
    /// `backups`
    Backup,
}

impl Noun {
    /// Its name at the beginning of a sentence.
    pub fn title(self) -> &'static str {
        match self {
            Self::Client => "Client",
            Self::Action => "Action",
            Self::Job => "Job",
            Self::Session => "Session",
            Self::Backup => "Backup",
        }
    }
}

/// Whether a text can be the name of a client.
pub fn is_client_name(name: &str) -> bool {
    (1..=255).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

macro_rules! projects {
    ($tx:expr, $table:ident, $id:ident, $value:expr, $project:expr, $user:expr) => {{
        let mut rows = $table::table.filter($table::$id.eq($value.to_owned())).into_boxed();
        if let Some(project) = $project {
            rows = rows.filter($table::project_id.eq(project.to_owned()));
        }
        if let Some(user) = $user {
            rows = rows.filter($table::user_id.eq(user.to_owned()));
        }
        rows.order(($table::created_at, $table::id))
            .select($table::project_id)
            .limit(MAX_PROJECTS)
            .load($tx.connection)?
    }};
}

/// The most projects that are returned. A user with clients of one name in more projects has to name the project.
const MAX_PROJECTS: i64 = 1000;

/// The projects of the resources with this id, or of the clients with this name, in one project or all, of one user or
/// all. An id has at most one project; a client's name may exist in each project.
pub fn projects_of(
    tx: &mut Tx<'_>,
    noun: Noun,
    id: &str,
    project: Option<&str>,
    user: Option<&str>,
) -> Outcome<Vec<String>> {
    Ok(match noun {
        Noun::Client => projects!(tx, clients, client_id, id, project, user),
        Noun::Action => projects!(tx, actions, id, id, project, user),
        Noun::Job => projects!(tx, job_attachments, id, id, project, user),
        Noun::Session => projects!(tx, sessions, id, id, project, user),
        Noun::Backup => projects!(tx, backups, id, id, project, user),
    })
}

/// The row that a page begins after if it does not begin after the row `after`: that of the marker, if there is one. `find`
/// reads the row of an id in a project.
///
/// # Errors
/// 400 if the marker is not in the list.
pub fn marked<R>(
    tx: &mut Tx<'_>,
    noun: Noun,
    project: Option<&str>,
    query: &Query,
    after: Option<&R>,
    find: impl FnOnce(&mut Tx<'_>, &str, &str) -> Outcome<Option<R>>,
) -> Outcome<Option<R>> {
    let Some(marker) = query.marker.as_ref().filter(|_| after.is_none()) else { return Ok(None) };
    let user = query.filters.iter().find(|filter| filter.key == "user_id");
    let user = user.and_then(|filter| filter.texts().into_iter().next());
    let mut projects = projects_of(tx, noun, marker, project, user.as_deref())?;
    let project = projects.pop().ok_or_else(|| listing::no_marker(marker))?;
    Ok(Some(find(tx, &project, marker)?.ok_or_else(|| listing::no_marker(marker))?))
}

/// Whether a resource with this id exists in any project.
pub fn exists(tx: &mut Tx<'_>, noun: Noun, id: &str) -> Outcome<bool> {
    Ok(!projects_of(tx, noun, id, None, None)?.is_empty())
}
