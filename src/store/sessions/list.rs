//! Lists of sessions.

use std::collections::HashMap;

use diesel::dsl::{count_star, sql};
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};

use super::{MEMBER_BYTES, Session, SessionView, complete, find};
use crate::store::engine::connection::MultiBackend;
use crate::store::engine::dialect::in_list;
use crate::store::listing::{
    self, FEW_ROWS, Listing, Query, Rows, empty_document, listing, load_page, size_of, sort_by_ids,
};
use crate::store::owners::{self, Noun};
use crate::store::page::Page;
use crate::store::schema::{job_attachments, sessions};
use crate::store::search::{Search, is_word};
use crate::store::{Outcome, Tx};

/// The statuses of a session.
pub const STATUSES: &[&str] =
    &["", "active", "running", "completed", "stop", "scheduled", "aborting", "removed"];
/// The results of a session's latest run.
pub const RESULTS: &[&str] = &["", "success", "fail", "aborted", "running"];

listing! {
    /// The keys of the list of sessions.
    KEYS: sessions, SessionView, |view| view.session.created_at;
    session_id: Id = id, "The session's id.", at("/session_id"), searched(is_word);
    status: Word(STATUSES) = status, "Where the latest run stands.", at("/status"), searched(is_word),
        sorting(|view| view.session.status.operand());
    result: Word(RESULTS) = result, "How the latest run ended.", at("/result"), searched(is_word),
        sorting(|view| view.session.result.operand());
}

/// The keys that have columns, or that only the server sets.
pub const KNOWN: &[&str] = &[
    "session_id",
    "project_id",
    "user_id",
    "description",
    "session_tag",
    "hold_off",
    "schedule",
    "policy",
    "status",
    "result",
    "time_start",
    "time_end",
    "time_started",
    "time_ended",
    "jobs",
    "last_start",
    "_version",
];

/// The columns that can make a session's document large, and the members that they are. Unknown members are in the metadata.
const LARGE: &[&str] = &["sessions.metadata", "sessions.scheduling", "sessions.description"];
const LARGE_MEMBERS: &[&str] = &["schedule", "description"];

/// A page of a project's sessions, or of every project's when `None`. The next chunk of a scan begins after the row `after`
/// instead of the marker.
///
/// # Errors
/// 400 if the marker is not in the list.
pub fn list(
    tx: &mut Tx<'_>,
    project: Option<&str>,
    asked: (&Query, &Search),
    page: Page,
    after: Option<&SessionView>,
) -> Outcome<Listing<SessionView>> {
    let (query, search) = asked;
    let is_scanned = !KEYS.residual(search).is_empty();
    let has_members = is_scanned || query.wants("jobs");
    let is_small = |name: &String| KNOWN.contains(&&**name) && !LARGE_MEMBERS.contains(&&**name);
    let is_light = !is_scanned && query.members.as_ref().is_some_and(|members| members.iter().all(is_small));
    let marked = owners::marked(tx, Noun::Session, project, query, after, |tx, project, id| {
        // Only its position matters.
        Ok(find(tx, project, id)?.map(|session| SessionView { session, members: Vec::new() }))
    })?;
    let matching = || KEYS.matching(sessions::table.into_boxed::<MultiBackend>(), project, asked);
    let views = listing::collect(
        &KEYS,
        query,
        listing::with_lookahead(page, search),
        after.or(marked.as_ref()),
        |part, (limit, offset), budget| {
            let rows = part.of(matching()?).limit(limit).offset(offset);
            let (nothing, no_schedule) = (empty_document(tx.connection), empty_document(tx.connection));
            if has_members && limit > FEW_ROWS {
                // Members count too: a session can have many.
                let size = size_of(tx.connection, LARGE);
                let sizes: Vec<(String, i64)> = rows.select((sessions::id, size)).load(tx.connection)?;
                let (parts, is_cut) = budget.parts(with_jobs(tx, project, sizes)?);
                let mut views = Vec::new();
                for ids in parts {
                    let found = sessions::table.filter(in_list(sessions::id, ids.clone()));
                    let found = found.select(Session::as_select()).load(tx.connection)?;
                    let mut found = complete(tx, found)?;
                    sort_by_ids(&mut found, &ids);
                    views.append(&mut found);
                }
                return Ok(Rows { rows: views, is_cut });
            }
            let found = load_page!(tx, budget, rows, limit, sessions[metadata, scheduling, description],
                Session::as_select(), if is_light => (
                sessions::id,
                sessions::project_id,
                sessions::user_id,
                no_schedule,
                sessions::policy,
                sql::<Nullable<Text>>("NULL"),
                sessions::hold_off,
                sessions::session_tag,
                sessions::status,
                sessions::result,
                sessions::time_start,
                sessions::time_end,
                sessions::time_started,
                sessions::time_ended,
                nothing,
                sessions::created_at,
                sessions::updated_at,
                sessions::version,
            ));
            let bare = |session| SessionView { session, members: Vec::new() };
            let is_cut = found.is_cut;
            let rows = match has_members {
                true => complete(tx, found.rows)?,
                false => found.rows.into_iter().map(bare).collect(),
            };
            Ok(Rows { rows, is_cut })
        },
    )?;
    listing::count_with(query, page, views, !KEYS.residual(search).is_empty(), || {
        Ok(matching()?.count().get_result(tx.connection)?)
    })
}

/// Adds the size of the members to the sizes of sessions.
fn with_jobs(
    tx: &mut Tx<'_>,
    project: Option<&str>,
    mut sizes: Vec<(String, i64)>,
) -> Outcome<Vec<(String, i64)>> {
    for some in sizes.chunks_mut(super::SESSIONS_AT_A_TIME) {
        let ids: Vec<String> = some.iter().map(|(id, _)| id.clone()).collect();
        // The index begins with the project.
        let projects: Vec<String> = match project {
            Some(project) => vec![project.to_owned()],
            None => {
                let sessions = sessions::table.filter(sessions::id.eq_any(ids.clone()));
                sessions.select(sessions::project_id).distinct().load(tx.connection)?
            }
        };
        let counts: Vec<(Option<String>, i64)> = job_attachments::table
            .filter(job_attachments::project_id.eq_any(projects))
            .filter(job_attachments::session_id.eq_any(ids))
            .group_by(job_attachments::session_id)
            .select((job_attachments::session_id, count_star()))
            .load(tx.connection)?;
        let counts: HashMap<Option<String>, i64> = counts.into_iter().collect();
        for (id, size) in some {
            *size += counts.get(&Some(id.clone())).copied().unwrap_or_default() * MEMBER_BYTES as i64;
        }
    }
    Ok(sizes)
}
