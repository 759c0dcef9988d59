//! The list of a project's reports.

use diesel::prelude::*;

use super::{ReportView, find};
use crate::store::engine::connection::MultiBackend;
use crate::store::listing::{
    self, Condition, Filter, Listing, Op, Operand, Query, empty_document, listing, load_page,
};
use crate::store::page::Page;
use crate::store::schema::{action_reports, clients, job_attachments};
use crate::store::search::Search;
use crate::store::{Outcome, Tx, is_id};

/// The results of a run.
pub const RESULTS: &[&str] = &["success", "fail", "aborted"];

listing! {
    /// The keys of the list of reports.
    KEYS: action_reports, ReportView, |view| view.report.created_at;
    id: Id = id, "The report's id.";
    job_id: Id = job_id, "The job: its definition's id, or the document's of one client of a fleet.", nullable();
    client_id: Text = client_id, "The client: its name, or its uuid while it is registered.", nullable();
    action_id: Id = action_id, "The action, while it is there.", nullable();
    action_attachment_id: Id = action_attachment_id, "The action's place, while it is there.", nullable();
    job_attachment_id: Id = job_attachment_id, "The job on its client, while it is there.", nullable();
    result: Word(RESULTS) = result, "How the run ended.", sorting(|view| view.report.result.operand());
    time_elapsed: Integer = time_elapsed, "How long it took, in seconds.",
        sorting(|view| view.report.time_elapsed.operand());
    report_date: Time = report_date, "When it ended.", sorting(|view| view.report.report_date.operand());
}

/// A page of a project's reports.
///
/// # Errors
/// 400 for a marker that is none of them.
pub fn list(tx: &mut Tx<'_>, project: &str, query: &Query, page: Page) -> Outcome<Listing<ReportView>> {
    let mut conditions = Vec::with_capacity(query.filters.len());
    for filter in &query.filters {
        conditions.push(ReportFilter::resolve(tx, project, filter)?);
    }
    let last = match &query.marker {
        Some(marker) => Some(find(tx, project, marker)?.ok_or_else(|| listing::no_marker(marker))?),
        None => None,
    };
    let is_light = !query.wants("metadata");
    let rows = listing::collect(
        &KEYS,
        query,
        listing::with_lookahead(page, &Search::default()),
        last.as_ref(),
        |part, (limit, offset), budget| {
            let rows = part.of(matching(project, &conditions)?).limit(limit).offset(offset);
            let (nothing, has_log) = (empty_document(tx.connection), action_reports::log.is_not_null());
            Ok(
                load_page!(tx, budget, rows, limit, action_reports[metadata], ReportView::as_select(), if is_light => (
                    (
                        action_reports::id,
                        action_reports::project_id,
                        action_reports::user_id,
                        action_reports::action_id,
                        action_reports::action_attachment_id,
                        action_reports::job_attachment_id,
                        action_reports::result,
                        action_reports::time_elapsed,
                        nothing,
                        action_reports::job_id,
                        action_reports::client_id,
                        action_reports::report_date,
                        action_reports::created_at,
                        action_reports::updated_at,
                        action_reports::version,
                    ),
                    has_log,
                )),
            )
        },
    )?;
    listing::count_with(query, page, rows, false, || {
        Ok(matching(project, &conditions)?.count().get_result(tx.connection)?)
    })
}

/// The rows that match the conditions.
fn matching(
    project: &str,
    conditions: &[ReportFilter],
) -> Outcome<action_reports::BoxedQuery<'static, MultiBackend>> {
    let mut rows =
        action_reports::table.filter(action_reports::project_id.eq(project.to_owned())).into_boxed();
    if !conditions.is_empty() {
        rows = rows.filter(Search::uncached());
    }
    for asked in conditions {
        rows = rows.filter(asked.condition()?);
    }
    Ok(rows)
}

/// A filter whose client ids and job ids are resolved.
struct ReportFilter {
    filter: Filter,
    /// The values of a `job_id` filter that are ids of job attachments, and not of jobs.
    members: Option<Filter>,
}

impl ReportFilter {
    fn resolve(tx: &mut Tx<'_>, project: &str, filter: &Filter) -> Outcome<Self> {
        let mut filter = filter.clone();
        let members = match filter.key {
            "job_id" => members(tx, project, &mut filter)?,
            "client_id" => {
                let names = names(tx, project, &filter)?;
                filter.values.extend(names.into_iter().map(Operand::Text));
                None
            }
            _ => None,
        };
        Ok(Self { filter, members })
    }

    fn condition(&self) -> Outcome<Condition<action_reports::table>> {
        let filter = &self.filter;
        let Some(members) = &self.members else { return KEYS.condition(filter) };
        let its = KEYS.condition(members)?;
        if filter.values.is_empty() {
            return Ok(its);
        }
        let own = KEYS.condition(filter)?;
        Ok(match filter.op {
            Op::NotIn => Box::new(own.and(its)),
            _ => Box::new(own.or(its)),
        })
    }
}

/// Moves the values that are ids of a job's further attachments out of a `job_id` filter, into a filter of their own, so
/// that each of the two can use an index. (The first attachment of a job has the job's id.)
fn members(tx: &mut Tx<'_>, project: &str, filter: &mut Filter) -> Outcome<Option<Filter>> {
    let ids: Vec<String> = job_attachments::table
        .filter(job_attachments::project_id.eq(project))
        .filter(job_attachments::id.eq_any(filter.texts()))
        .filter(job_attachments::job_id.ne(job_attachments::id))
        .select(job_attachments::id)
        .load(tx.connection)?;
    if ids.is_empty() {
        return Ok(None);
    }
    let (members, definitions) = std::mem::take(&mut filter.values)
        .into_iter()
        .partition(|value| matches!(value, Operand::Text(id) if ids.contains(id)));
    filter.values = definitions;
    Ok(Some(Filter { key: "job_attachment_id", values: members, op: filter.op }))
}

/// The names of the clients whose ids are among the values of the filter.
fn names(tx: &mut Tx<'_>, project: &str, filter: &Filter) -> Outcome<Vec<String>> {
    let uuids: Vec<String> = filter.texts().into_iter().filter(|text| is_id(text)).collect();
    if uuids.is_empty() {
        return Ok(Vec::new());
    }
    Ok(clients::table
        .filter(clients::id.eq_any(uuids))
        .filter(clients::project_id.eq(project).or(clients::is_central.eq(true)))
        .select(clients::client_id)
        .load(tx.connection)?)
}
