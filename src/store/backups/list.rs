//! Lists of backups.

use diesel::prelude::*;

use super::{Backup, PromotedColumns, find, is_container, is_name, is_term};
use crate::store::engine::connection::MultiBackend;
use crate::store::listing::{self, Listing, Query, empty_document, listing, load_page};
use crate::store::owners::{self, Noun};
use crate::store::page::Page;
use crate::store::schema::backups;
use crate::store::search::Search;
use crate::store::{Outcome, Tx, is_id};

/// The statuses of a backup.
pub const STATUSES: &[&str] = &["creating", "available", "error", "deleting", "deleted", "restoring"];

listing! {
    /// The keys of the list of backups. Most columns are copies from the metadata.
    KEYS: backups, Backup, |backup| backup.created_at;
    backup_id: Id = id, "The entry's id.", at("/backup_id"), searched(is_id);
    status: Word(STATUSES) = status, "Where the backup stands.", at("/status"), searched(is_id),
        sorting(|backup| backup.status.operand());
    job_id: Id = job_id, "The job that made it.", nullable(), at("/backup_metadata/job_id"), searched(is_id);
    backup_name: Text = backup_name, "The backup's name.", nullable(), at("/backup_metadata/backup_name"),
        searched(is_name), sorting(|backup| backup.promoted.backup_name.operand());
    container: Text = container, "Where it is stored.", nullable(), at("/backup_metadata/container"),
        searched(is_container);
    hostname: Text = hostname, "The host it was taken of.", nullable(), at("/backup_metadata/hostname"),
        searched(is_name), sorting(|backup| backup.promoted.hostname.operand());
    action: Text = action, "What was done.", nullable(), at("/backup_metadata/action"), searched(is_term);
    mode: Text = mode, "What was backed up.", nullable(), at("/backup_metadata/mode"), searched(is_term);
    time_stamp: Integer = time_stamp, "When it was taken, in seconds since 1970.", nullable(),
        at("/backup_metadata/time_stamp"), sorting(|backup| backup.promoted.time_stamp.operand());
    curr_backup_level: Small = curr_backup_level, "Its level; 0 is a full backup.", nullable(),
        at("/backup_metadata/curr_backup_level");
}

/// A page of a project's backups.
///
/// As the next chunk of a scan, the page begins after the row `after` instead of the marker.
///
/// # Errors
/// 400 for a marker that is none of them.
pub fn list(
    tx: &mut Tx<'_>,
    project: Option<&str>,
    asked: (&Query, &Search),
    page: Page,
    after: Option<&Backup>,
) -> Outcome<Listing<Backup>> {
    let (query, search) = asked;
    let is_light = KEYS.residual(search).is_empty() && !query.wants("backup_metadata");
    let marked = owners::marked(tx, Noun::Backup, project, query, after, find)?;
    let matching = || -> Outcome<backups::BoxedQuery<'static, MultiBackend>> {
        let mut rows = KEYS.filtered(backups::table.into_boxed(), project, asked)?;
        if let Some(time) = search.time_after {
            rows = rows.filter(backups::time_stamp.ge(time));
        }
        if let Some(time) = search.time_before {
            rows = rows.filter(backups::time_stamp.le(time));
        }
        Ok(KEYS.searched(rows, search))
    };
    let rows = listing::collect(
        &KEYS,
        query,
        listing::with_lookahead(page, search),
        after.or(marked.as_ref()),
        |part, (limit, offset), budget| {
            let rows = part.of(matching()?).limit(limit).offset(offset);
            let nothing = empty_document(tx.connection);
            Ok(load_page!(tx, budget, rows, limit, backups[metadata], Backup::as_select(), if is_light => (
                backups::id,
                backups::project_id,
                backups::user_id,
                backups::status,
                PromotedColumns::as_select(),
                nothing,
                backups::created_at,
                backups::updated_at,
                backups::version,
            )))
        },
    )?;
    listing::count_with(query, page, rows, !KEYS.residual(search).is_empty(), || {
        Ok(matching()?.count().get_result(tx.connection)?)
    })
}
