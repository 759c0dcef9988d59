//! Reads the documents of this service from the database.

use std::collections::HashMap;

use chrono::TimeDelta;
use serde_json::Value;

use super::Kind;
use crate::document::{actions, backups, clients, jobs, sessions};
use crate::store::sweep::{self, Part};
use crate::store::{Outcome, Tx, sessions as session_rows};

/// The documents of these ids, as far as they are there, by id. A client is up that polled at most `down_time` ago.
///
/// # Errors
/// The database's.
pub fn documents(
    tx: &mut Tx<'_>,
    kind: Kind,
    ids: Vec<String>,
    down_time: TimeDelta,
) -> Outcome<HashMap<String, Value>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(match kind {
        Kind::Client => {
            let liveness = clients::Liveness { now: tx.now, down_time };
            let rows = sweep::clients_of(tx, ids)?;
            rows.iter().map(|row| (row.id.clone(), clients::render(row, liveness))).collect()
        }
        Kind::Action => {
            let rows = sweep::actions_of(tx, ids)?;
            rows.iter().map(|row| (row.id.clone(), actions::render(row))).collect()
        }
        Kind::Session => {
            let rows = sweep::sessions_of(tx, ids)?;
            let views = session_rows::complete(tx, rows)?;
            views.iter().map(|view| (view.session.id.clone(), sessions::render(view))).collect()
        }
        Kind::Job => {
            let heads = crate::store::jobs::find_all(tx, ids)?;
            let views = crate::store::jobs::complete(tx, heads)?;
            views.iter().map(|view| (view.head.attachment.id.clone(), jobs::render(view, true))).collect()
        }
        Kind::Backup => {
            let rows = sweep::backups_of(tx, ids)?;
            rows.iter().map(|row| (row.id.clone(), backups::render(row))).collect()
        }
    })
}

/// A row of the target, with its owner.
pub type Owned = sweep::Owned;

/// Some rows of the target, in the order of their ids.
///
/// # Errors
/// The database's.
pub fn owned(tx: &mut Tx<'_>, kind: Kind, part: &Part<'_>) -> Outcome<Vec<Owned>> {
    match kind {
        Kind::Client => sweep::owned_clients(tx, part),
        Kind::Action => sweep::owned_actions(tx, part),
        Kind::Session => sweep::owned_sessions(tx, part),
        Kind::Job => sweep::owned_jobs(tx, part),
        Kind::Backup => sweep::owned_backups(tx, part),
    }
}
