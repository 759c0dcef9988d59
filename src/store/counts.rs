//! Counts the rows of a project, for its quotas.

use diesel::prelude::*;

use super::schema::{action_reports, actions, backups, clients, job_attachments, sessions};
use super::{Outcome, Tx};

/// What a quota limits: the rows of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names say it
pub enum Resource {
    Clients,
    Actions,
    /// A job on a client, which is what `/jobs` lists.
    Jobs,
    Sessions,
    Backups,
    Reports,
}

/// Counts a project's rows. The count reads an index only: each of these tables has one that begins with the project.
pub fn count(tx: &mut Tx<'_>, resource: Resource, project: &str) -> Outcome<i64> {
    macro_rules! rows_of {
        ($table:ident) => {
            $table::table.filter($table::project_id.eq(project)).count().get_result(tx.connection)?
        };
    }
    Ok(match resource {
        Resource::Clients => rows_of!(clients),
        Resource::Actions => rows_of!(actions),
        Resource::Jobs => rows_of!(job_attachments),
        Resource::Sessions => rows_of!(sessions),
        Resource::Backups => rows_of!(backups),
        Resource::Reports => rows_of!(action_reports),
    })
}
