//! Whole tables in the order of their ids, over all projects: for commands that look at every row once.
//!
//! A part begins after an id, so that the primary key finds it, and the table is read once however many parts there are.

use diesel::prelude::*;

use super::actions::Action;
use super::backups::Backup;
use super::clients::Client;
use super::engine::connection::MultiBackend;
use super::engine::dialect::in_list;
use super::schema::{actions, backups, clients, job_attachments, jobs, sessions};
use super::sessions::Session;
use super::types::time::Time;
use super::{Outcome, Tx};

/// Which rows.
#[derive(Debug, Clone, Copy, Default)]
pub struct Part<'p> {
    /// Rows whose ids come after this one.
    pub after: Option<&'p str>,
    /// Rows of this project only.
    pub project: Option<&'p str>,
    /// Rows that were created or changed at this time or later.
    pub since: Option<Time>,
    /// How many at most.
    pub limit: i64,
}

/// Whose a row is, and when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Owned {
    /// Its id.
    pub id: String,
    /// Its project.
    pub project_id: String,
    /// The user that made it.
    pub user_id: String,
    /// When it was created.
    pub created_at: Time,
}

macro_rules! sweep {
    ($table:ident: $row:ty, $owned:ident, $of:ident) => {
        /// Some rows of the table.
        pub fn $owned(tx: &mut Tx<'_>, part: &Part<'_>) -> Outcome<Vec<Owned>> {
            let columns = ($table::id, $table::project_id, $table::user_id, $table::created_at);
            let mut rows = $table::table.into_boxed::<MultiBackend>();
            if let Some(after) = part.after {
                rows = rows.filter($table::id.gt(after));
            }
            if let Some(project) = part.project {
                rows = rows.filter($table::project_id.eq(project));
            }
            if let Some(since) = part.since {
                rows = rows.filter($table::updated_at.ge(since));
            }
            Ok(rows.order($table::id).limit(part.limit).select(columns).load(tx.connection)?)
        }

        /// The rows of these ids, of which there is at least one, in no order.
        pub fn $of(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<Vec<$row>> {
            Ok($table::table
                .filter(in_list($table::id, ids))
                .select(<$row>::as_select())
                .load(tx.connection)?)
        }
    };
}

sweep!(clients: Client, owned_clients, clients_of);
sweep!(actions: Action, owned_actions, actions_of);
sweep!(sessions: Session, owned_sessions, sessions_of);
sweep!(backups: Backup, owned_backups, backups_of);

/// Some job documents, by their attachments. One has changed when its job has, too.
pub fn owned_jobs(tx: &mut Tx<'_>, part: &Part<'_>) -> Outcome<Vec<Owned>> {
    use job_attachments as table;
    let mut rows = table::table.inner_join(jobs::table).into_boxed::<MultiBackend>();
    if let Some(after) = part.after {
        rows = rows.filter(table::id.gt(after));
    }
    if let Some(project) = part.project {
        rows = rows.filter(table::project_id.eq(project));
    }
    if let Some(since) = part.since {
        rows = rows.filter(table::updated_at.ge(since).or(jobs::updated_at.ge(since)));
    }
    Ok(rows
        .order(table::id)
        .limit(part.limit)
        .select((table::id, table::project_id, table::user_id, table::created_at))
        .load(tx.connection)?)
}
