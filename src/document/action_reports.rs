//! The action report: which action ran, when, for how long, and with what result. Its log is a resource of its own.

use front::error::{Error, Result};
use serde_json::{Map, Value, json};

use super::job_attachments::{READ_ONLY, request_schema};
use super::shape::{
    Shape, about, closed, document, id, nullable, project_id, resource_id, rule, user_id, version, words,
};
use super::time::{self, iso};
use crate::document::collection::{Collection, Extra};
use crate::store;
use crate::store::listing::Kind;
use crate::store::reports::{ActionReport, ReportChange, ReportView};
use crate::store::types::json::Json;
use crate::store::types::time::Time;

pub use crate::store::reports::RESULTS;
/// The only result whose report has no log.
pub const SUCCESS: &str = "success";
/// The maximum size of a report's metadata, in bytes of JSON. It is low because a history has many rows.
const MAX_METADATA: usize = 65_536;
/// The longest run, in seconds: from the epoch to the year 9999.
const MAX_ELAPSED: i64 = 253_402_300_799;

/// The keys that the list of reports filters and sorts by.
pub static COLLECTION: Collection = Collection {
    noun: "action_reports",
    path: "action-reports",
    keys: store::reports::KEYS.keys,
    places: &[],
    extras: &[
        Extra { name: SINCE, kind: Kind::Time, description: "Only what ended then or later." },
        Extra { name: UNTIL, kind: Kind::Time, description: "Only what ended then or before." },
    ],
    is_strict: true,
    document: Some(&REPORT_DOCUMENT),
};

/// The list parameter for the earliest `report_date`, inclusive.
pub const SINCE: &str = "since";
/// The list parameter for the latest `report_date`, inclusive.
pub const UNTIL: &str = "until";

/// The keys that refer to other resources. They are set on creation and never change.
const REFERENCES: &[&str] = &["action_id", "action_attachment_id", "job_attachment_id"];
/// Further keys that only the service sets.
const OWN_READ_ONLY: &[&str] = &["job_id", "client_id", "has_log"];

/// Schemas of the keys that a change of a report can correct.
fn outcome() -> Value {
    let elapsed = json!({"type": "integer", "minimum": 0, "maximum": MAX_ELAPSED});
    let date = "When the run ended: ISO 8601, UTC unless it says, or epoch seconds. Now, if a new report does not say.";
    let metadata = json!({"type": "object"});
    json!({
        "result": about("How the run ended. One that succeeded has no log.", words(RESULTS)),
        "time_elapsed": about("How long it took, in seconds.", elapsed),
        "metadata": about("What else is worth keeping, up to 65536 bytes of JSON.", metadata),
        "report_date": about(date, time::input_schema()),
    })
}

/// The body of `POST /action-reports`.
pub static REPORT_CREATE: Shape = Shape::new("ActionReportCreate", || {
    let mut properties = outcome();
    for key in REFERENCES {
        let why = "What the report is about. It has to be there, and to agree with what else is named.";
        properties[*key] = about(why, nullable(id()));
    }
    let log = "What the run said; only where it did not succeed, and up to `[DEFAULT] action_report_max_log_size` bytes.";
    properties["log"] = about(log, json!({"type": ["string", "null"]}));
    let mut schema = request_schema(properties, &["result"], &[READ_ONLY, OWN_READ_ONLY]);
    let without = json!({"properties": {"log": {"type": "null"}}});
    let not_a_success = json!({"properties": {"result": {"not": {"enum": [SUCCESS]}}}});
    schema["allOf"] = json!([rule("a run that succeeded leaves no log", &[without, not_a_success])]);
    schema
})
.with_example(|| {
    json!({
        "job_attachment_id": "3c59dc048e8850243be8079a5c74d079",
        "result": "fail",
        "time_elapsed": 42,
        "report_date": "2026-12-01T03:31:25Z",
        "metadata": {"exit_status": 1},
        "log": "tar: /etc/shadow: Permission denied",
    })
});

/// The body of `PATCH /action-reports/{action_report_id}`.
pub static REPORT_PATCH: Shape = Shape::new("ActionReportPatch", || {
    let mut properties = outcome();
    properties["metadata"]["description"] =
        "Merged key by key with what is there; null takes a key away.".into();
    properties["result"]["description"] = "How the run ended. `success` takes the log away.".into();
    let mut schema = request_schema(properties, &[], &[READ_ONLY, OWN_READ_ONLY, REFERENCES]);
    if let Value::Object(schema) = &mut schema {
        // The change of a report may be empty.
        schema.remove("minProperties");
    }
    schema
})
.with_example(|| json!({"result": "aborted", "metadata": {"note": "The host was shut down."}}));

document! {
    /// A report as [`render`] shows it.
    REPORT_DOCUMENT: "ActionReport";
    /// A report as the API shows it.
    render(view: &ReportView);
    "id": resource_id("The report's id."), "c9f0f895fb98ab9159f51fd0297e236d" => view.report.id;
    "project_id": project_id(), "8f3c1d6a2b7e4f0d9c5a1e6b3d8f2a47" => view.report.project_id;
    "user_id": user_id(), "c0ffee254729296a45a3885639ac7e10" => view.report.user_id;
    "action_id": about("The action that was run. Null once it is deleted.", nullable(id())),
        "d3486ae9136e7856bc42212385ea7970" => view.report.action_id;
    "action_attachment_id": about("The action's place in the job. Null once it is deleted.", nullable(id())),
        "8f14e45fceea167a5a36dedd4bea2543" => view.report.action_attachment_id;
    "job_attachment_id": about(
        "The job on its client: the id of the document in `/jobs`. Null once it is deleted.",
        nullable(id()),
    ), "3c59dc048e8850243be8079a5c74d079" => view.report.job_attachment_id;
    "job_id": about("The job's definition, which a fleet shares. It outlives the job.", nullable(id())),
        "3c59dc048e8850243be8079a5c74d079" => view.report.job_id;
    "client_id": about("The name of the client. It outlives the client.", json!({"type": ["string", "null"]})),
        "web1.example.com" => view.report.client_id;
    "result": outcome()["result"].take(), "success" => view.report.result;
    "time_elapsed": outcome()["time_elapsed"].take(), 42 => view.report.time_elapsed;
    "metadata": outcome()["metadata"].take(), json!({}) => view.report.metadata;
    "report_date": about("When the run ended.", time::output_schema()),
        "2026-12-01T03:31:25.000000Z" => iso(view.report.report_date);
    "has_log": about("Whether there is a log, at `log` below the report.", json!({"type": "boolean"})),
        false => view.has_log;
    "created_at": about("When the report was made.", time::output_schema()),
        "2026-12-01T03:31:25.123456Z" => iso(view.report.created_at);
    "updated_at": about("When it was changed last.", time::output_schema()),
        "2026-12-01T03:31:25.123456Z" => iso(view.report.updated_at);
    "version": version(), 1 => view.report.version;
}

/// A new report as parsed from a body.
#[derive(Debug, Clone)]
pub struct ReportSpec {
    /// The action that was run.
    pub action_id: Option<String>,
    /// Its place in the job.
    pub action_attachment_id: Option<String>,
    /// The job on its client.
    pub job_attachment_id: Option<String>,
    /// How the run ended.
    pub result: String,
    /// How long it took, in seconds.
    pub time_elapsed: i64,
    /// Further data about the run.
    pub metadata: Json,
    /// When the run ended; `None` means now.
    pub report_date: Option<Time>,
    /// What the run said.
    pub log: Option<String>,
}

/// Parses the body of a new report.
///
/// # Errors
/// 400 if the body does not have the shape, or has a log although the run succeeded.
pub fn parse(body: Value) -> Result<ReportSpec> {
    let body = REPORT_CREATE.check(body)?;
    let owned = |key| super::text(&body, key).map(str::to_owned);
    let reference = |key| owned(key).filter(|id| !id.is_empty());
    let spec = ReportSpec {
        action_id: reference("action_id"),
        action_attachment_id: reference("action_attachment_id"),
        job_attachment_id: reference("job_attachment_id"),
        result: owned("result").unwrap_or_default(),
        time_elapsed: body.get("time_elapsed").and_then(Value::as_i64).unwrap_or(0),
        metadata: Json::from(body.get("metadata").cloned().unwrap_or_else(|| json!({}))),
        report_date: report_date(&body)?,
        log: owned("log"),
    };
    check_metadata_size(&spec.metadata)?;
    Ok(spec)
}

/// A change of a report as parsed from a body.
#[derive(Debug, Clone)]
pub struct ReportPatch {
    result: Option<String>,
    time_elapsed: Option<i64>,
    metadata: Map<String, Value>,
    report_date: Option<Time>,
}

/// Parses the body of a change.
///
/// # Errors
/// 400 if the body does not have the shape.
pub fn parse_patch(body: Value) -> Result<ReportPatch> {
    let body = REPORT_PATCH.check(body)?;
    Ok(ReportPatch {
        result: super::text(&body, "result").map(str::to_owned),
        time_elapsed: body.get("time_elapsed").and_then(Value::as_i64),
        metadata: body.get("metadata").and_then(Value::as_object).cloned().unwrap_or_default(),
        report_date: report_date(&body)?,
    })
}

/// Applies a change to a report. The metadata is merged key by key, and null removes a key. A report whose result
/// becomes `success` loses its log.
///
/// # Errors
/// 400 if the metadata would become too large.
pub fn patched(report: &ActionReport, patch: &ReportPatch) -> Result<ReportChange> {
    let mut metadata = report.metadata.object();
    for (key, value) in &patch.metadata {
        match value {
            Value::Null => drop(metadata.remove(key)),
            value => drop(metadata.insert(key.clone(), value.clone())),
        }
    }
    let metadata = Json::from(metadata);
    if metadata != report.metadata {
        check_metadata_size(&metadata)?;
    }
    let change = ReportChange {
        result: patch.result.clone(),
        time_elapsed: patch.time_elapsed,
        report_date: patch.report_date,
        metadata: Some(metadata),
        log: None,
    };
    let change = change.without_repeats(report);
    let log = (change.result.as_deref() == Some(SUCCESS)).then_some(None);
    Ok(ReportChange { log, ..change })
}

/// The `report_date` of a body.
fn report_date(body: &Map<String, Value>) -> Result<Option<Time>> {
    let Some(value) = body.get("report_date") else { return Ok(None) };
    match time::from_value(value) {
        Some(time) => Ok(Some(time)),
        None => Err(Error::bad_request("At /report_date: there is no such time.")),
    }
}

fn check_metadata_size(metadata: &Json) -> Result<()> {
    match metadata.text().len() {
        0..=MAX_METADATA => Ok(()),
        _ => Err(Error::bad_request(format!("The metadata would exceed {MAX_METADATA} bytes."))),
    }
}
