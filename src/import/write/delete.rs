//! Deletes rows that the source has deleted, by the service's own rules: dependent rows go or stay as after a DELETE of
//! the API.

use crate::import::legacy::Table;
use crate::store::actions::Action;
use crate::store::backups::Backup;
use crate::store::clients::Client;
use crate::store::import::{FIRST_VERSION, Imported};
use crate::store::job_attachments::JobAttachment;
use crate::store::sessions::Session;
use crate::store::{Outcome, Tx, actions, backups, clients, job_attachments, sessions};

/// Deletes a row that did not change since an import wrote it; returns whether it did. A client with attached jobs stays.
///
/// # Errors
/// The database's.
pub fn delete(tx: &mut Tx<'_>, table: Table, id: &str) -> Outcome<bool> {
    fn find<T: Imported>(tx: &mut Tx<'_>, id: &str) -> Outcome<Option<T>> {
        Ok(T::by_ids(tx, vec![id.to_owned()])?.pop())
    }
    match table {
        Table::Backups => match find::<Backup>(tx, id)? {
            Some(row) if row.version == FIRST_VERSION => {
                return backups::delete(tx, &row.project_id, id, Some(row.version));
            }
            _ => return Ok(false),
        },
        Table::Jobs => match find::<JobAttachment>(tx, id)? {
            Some(row) if row.version == FIRST_VERSION => {
                job_attachments::delete_all(tx, &row.project_id, std::slice::from_ref(&row))?;
            }
            _ => return Ok(false),
        },
        Table::Sessions => match find::<Session>(tx, id)? {
            Some(row) if row.version == FIRST_VERSION => sessions::delete(tx, &row)?,
            _ => return Ok(false),
        },
        Table::Actions => match find::<Action>(tx, id)? {
            Some(row) if row.version == FIRST_VERSION => {
                actions::delete(tx, &row.project_id, id, Some(row.version))?;
            }
            _ => return Ok(false),
        },
        Table::Clients => match find::<Client>(tx, id)? {
            Some(row) if row.version == FIRST_VERSION && clients::attached_jobs(tx, id)?.is_empty() => {
                clients::delete(tx, &row)?;
            }
            _ => return Ok(false),
        },
        _ => return Ok(false),
    }
    Ok(true)
}
