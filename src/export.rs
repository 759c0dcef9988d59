//! Exports documents that were created or changed, for a return to the old service, which accepts them with their ids.

use std::io::Write;

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::Value;

use crate::import::verify::{Kind, ours};
use crate::store::Store;
use crate::store::sweep::Part;
use crate::store::types::time::Time;

/// The most documents in memory at a time.
const BATCH: i64 = 100;

/// The documents to export.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// Only documents that were created or changed at this time or later.
    pub since: Option<Time>,
    /// Only documents of this project.
    pub project: Option<String>,
    /// A client is down when its last poll is older than this (`[DEFAULT] client_down_time`).
    pub down_time: TimeDelta,
}

/// A line of the export.
#[derive(Debug, Serialize)]
struct Line<'l> {
    kind: &'static str,
    changed: &'static str,
    project_id: &'l str,
    document: &'l Value,
}

/// Writes a line for each document. Each batch is a snapshot. A change during the export is in this export, or in one
/// that selects changes since this one began.
///
/// # Errors
/// The database cannot be read; `out` cannot be written to.
pub fn export(store: &Store, selection: &Selection, out: &mut dyn Write) -> Result<(), String> {
    for (kind, noun) in [
        (Kind::Client, "client"),
        (Kind::Action, "action"),
        (Kind::Session, "session"),
        (Kind::Job, "job"),
        (Kind::Backup, "backup"),
    ] {
        let mut after: Option<String> = None;
        loop {
            let part = Part {
                after: after.as_deref(),
                project: selection.project.as_deref(),
                since: selection.since,
                limit: BATCH,
            };
            let (rows, documents) = store
                .read(|tx| {
                    let rows = ours::owned(tx, kind, &part)?;
                    let ids = rows.iter().map(|row| row.id.clone()).collect();
                    let documents = ours::documents(tx, kind, ids, selection.down_time)?;
                    Ok((rows, documents))
                })
                .map_err(|error| error.to_string())?;
            let Some(last) = rows.last() else { break };
            after = Some(last.id.clone());
            for row in &rows {
                let Some(document) = documents.get(&row.id) else { continue };
                let is_new = selection.since.is_none_or(|since| row.created_at >= since);
                let changed = if is_new { "created" } else { "updated" };
                let line = Line { kind: noun, changed, project_id: &row.project_id, document };
                serde_json::to_writer(&mut *out, &line)
                    .map_err(std::io::Error::from)
                    .and_then(|()| out.write_all(b"\n"))
                    .map_err(|error| format!("Cannot write the export: {error}."))?;
            }
        }
    }
    out.flush().map_err(|error| format!("Cannot write the export: {error}."))
}
