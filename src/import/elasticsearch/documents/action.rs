//! Documents of the type `actions`.

use super::{Content, Unreadable, business_id, rename_keys, unreadable};
use crate::import::elasticsearch::fields::Fields;
use crate::import::legacy::{Action, Body, Report};

/// What the scheduler wrote into `freezer_action` when a run had ended.
pub const OUTCOME: [&str; 3] = ["result", "time_elapsed", "report_date"];

pub fn read(fields: &mut Fields, id: Option<&str>) -> Result<Content, Unreadable> {
    let id = business_id(fields, "action_id", id)?;
    let Some(definition) = fields.object("freezer_action") else {
        return unreadable(fields, "bad-json", "There is no object `freezer_action`.");
    };
    let mut inner = Fields::new("freezer_action.", definition);
    let has_outcome = OUTCOME.iter().any(|key| inner.map.get(*key).is_some_and(|value| !value.is_null()));
    let report = Report {
        action_id: id.clone(),
        result: inner.text("result"),
        time_elapsed: inner.text("time_elapsed"),
        report_date: inner.moment("report_date"),
        log: None,
    };
    let mut definition = std::mem::take(&mut inner.map);
    rename_keys(&mut definition);
    fields.problems.extend(inner.problems);
    let action = Action {
        definition,
        max_retries: fields.int("max_retries"),
        max_retries_interval: fields.int("max_retries_interval"),
        mandatory: fields.flag("mandatory"),
        report: has_outcome.then_some(report),
    };
    Ok(Content { id, created: None, body: Body::Action(action) })
}
