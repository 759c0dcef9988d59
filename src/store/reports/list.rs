//! The list of a project's reports.

use diesel::prelude::*;

use super::{ReportView, find};
use crate::store::engine::connection::MultiBackend;
use crate::store::listing::{
    self, Condition, Filter, Listing, Op, Operand, Query, by_number, by_text, by_time, empty_document,
    load_page, ordered,
};
use crate::store::page::Page;
use crate::store::schema::{action_reports, clients, job_attachments};
use crate::store::search::Search;
use crate::store::{Outcome, Tx, is_id};

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
        query,
        listing::with_lookahead(page, &Search::default()),
        last.as_ref(),
        |_| true,
        |phase, last, (limit, offset), budget| {
            let rows = matching(project, &conditions)?;
            let last = last.map(|view| &view.report);
            let rows = match query.order() {
                "report_date" => {
                    ordered!(
                        rows,
                        query,
                        phase,
                        action_reports.report_date,
                        last.map(|r| r.report_date),
                        last
                    )
                }
                "time_elapsed" => {
                    ordered!(
                        rows,
                        query,
                        phase,
                        action_reports.time_elapsed,
                        last.map(|r| r.time_elapsed),
                        last
                    )
                }
                "result" => {
                    ordered!(rows, query, phase, action_reports.result, last.map(|r| r.result.clone()), last)
                }
                _ => ordered!(rows, query, action_reports, last),
            };
            let rows = rows.limit(limit).offset(offset);
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
        let Some(members) = &self.members else { return condition(filter) };
        let its = by_text!(action_reports::job_attachment_id, members);
        if filter.values.is_empty() {
            return Ok(its);
        }
        let own = condition(filter)?;
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
    Ok(Some(Filter { values: members, ..filter.clone() }))
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

fn condition(filter: &Filter) -> Outcome<Condition<action_reports::table>> {
    Ok(match filter.key {
        "id" => by_text!(action_reports::id, filter),
        "job_id" => by_text!(action_reports::job_id, filter),
        "client_id" => by_text!(action_reports::client_id, filter),
        "action_id" => by_text!(action_reports::action_id, filter),
        "action_attachment_id" => by_text!(action_reports::action_attachment_id, filter),
        "job_attachment_id" => by_text!(action_reports::job_attachment_id, filter),
        "result" => by_text!(action_reports::result, filter),
        "time_elapsed" => by_number!(action_reports::time_elapsed, filter, integers),
        "report_date" => by_time!(action_reports::report_date, filter),
        "created_at" => by_time!(action_reports::created_at, filter),
        other => return Err(listing::no_column(other)),
    })
}
