//! Plans of hand-made rows, one case after the other: what becomes of a row, why, and which rows of ours it is.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use serde_json::{Value, json};

use super::{Mapping, Planner};
use crate::import::legacy::{
    Action, Backup, Body, Client, Job, JobAction, Problem, Report, Row, Session, State, Table, Trust,
};
use crate::import::staging::Staging;
use crate::import::unit::{Outcome, TargetRow, Unit, Verdict};
use crate::import::{Account, unit};

const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

fn at(text: &str) -> NaiveDateTime {
    text.parse().unwrap()
}

fn row(table: Table, id: &str, body: Body) -> Row {
    Row {
        table,
        id: id.to_owned(),
        state: State::Live,
        project: Some(A.to_owned()),
        user: "alice".to_owned(),
        created: Some(at("2020-01-02T03:04:05.678")),
        updated: None,
        version: None,
        body,
        problems: Vec::new(),
        raw: json!({ "id": id, "verbatim": true }),
    }
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    value.as_object().unwrap().clone()
}

fn client(id: &str, name: &str) -> Row {
    let body = Client { name: name.to_owned(), hostname: Some(name.to_owned()), ..Client::default() };
    row(Table::Clients, id, Body::Client(body))
}

fn central(id: &str, name: &str) -> Row {
    let mut client = client(id, name);
    if let Body::Client(body) = &mut client.body {
        body.is_central = true;
    }
    client
}

fn action(id: &str, definition: Value) -> Row {
    let body = Action {
        definition: object(definition),
        max_retries: Some(2),
        max_retries_interval: Some(60),
        mandatory: Some(true),
        report: None,
    };
    row(Table::Actions, id, Body::Action(body))
}

fn job(id: &str, entries: Option<Value>) -> Row {
    let body = Job {
        client: "web1".to_owned(),
        entries: entries.map(|entries| entries.as_array().unwrap().clone()),
        schedule: object(json!({"schedule_interval": "1 days"})),
        ..Job::default()
    };
    row(Table::Jobs, id, Body::Job(body))
}

fn with_job(mut row: Row, change: impl FnOnce(&mut Job)) -> Row {
    if let Body::Job(job) = &mut row.body {
        change(job);
    }
    row
}

fn in_session(id: &str, session: &str) -> Row {
    with_job(job(id, None), |job| job.session_id = Some(session.to_owned()))
}

fn session(id: &str, jobs: Value) -> Row {
    let body = Session {
        schedule: object(json!({"schedule_interval": "1 days"})),
        jobs: object(jobs),
        hold_off: Some(60),
        session_tag: Some(3),
        times: [Some(-1), None, Some(7), None],
        ..Session::default()
    };
    row(Table::Sessions, id, Body::Session(body))
}

fn place(id: &str, job: &str, action: &str, position: Option<i64>) -> Row {
    let body = JobAction { job_id: job.to_owned(), action_id: action.to_owned(), position };
    let mut row = row(Table::JobActions, id, Body::JobAction(body));
    (row.project, row.user) = (None, String::new());
    row
}

fn trust(id: &str, job: &str, trust: &str) -> Row {
    let body =
        Trust { job_id: job.to_owned(), trust_id: trust.to_owned(), trustor_user_id: "alice".to_owned() };
    let mut row = row(Table::UserCredentials, id, Body::Trust(body));
    row.project = None;
    row
}

fn report(action: &str, report: Report) -> Row {
    row(Table::ActionReports, action, Body::Report(Report { action_id: action.to_owned(), ..report }))
}

fn backup(id: &str, metadata: Value) -> Row {
    let body = Backup { metadata: object(metadata), ..Backup::default() };
    row(Table::Backups, id, Body::Backup(body))
}

fn deleted(mut row: Row) -> Row {
    row.state = State::Deleted;
    row
}

fn in_project(mut row: Row, project: Option<&str>) -> Row {
    row.project = project.map(str::to_owned);
    row
}

fn of_user(mut row: Row, user: &str) -> Row {
    row.user = user.to_owned();
    row
}

/// Everything that was planned, in order.
struct Plan(Vec<Unit>);

fn planner(rows: &[Row], mapping: Mapping) -> Planner {
    let mut staging = Staging::new().unwrap();
    for row in rows {
        staging.add(row).unwrap();
    }
    Planner::new(staging, mapping, crate::store::now()).unwrap()
}

/// Plans; the target says `verdict` of every unit with rows.
fn plan_with(rows: &[Row], mapping: Mapping, verdict: impl Fn(&Unit) -> Verdict) -> Plan {
    let mut planner = planner(rows, mapping);
    let mut units = Vec::new();
    while let Some(batch) = planner.next().unwrap() {
        for unit in batch {
            let verdict = (!unit.rows.is_empty()).then(|| verdict(&unit));
            planner.settle(&unit, verdict.as_ref()).unwrap();
            units.push(unit);
        }
    }
    let plan = Plan(units);
    plan.adds_up(rows);
    plan
}

fn plan(rows: &[Row]) -> Plan {
    plan_with(rows, Mapping::default(), |_| Verdict::Written)
}

impl Plan {
    /// Every row that was staged is one unit, once, and so is every entry in it.
    fn adds_up(&self, rows: &[Row]) {
        let account = Account::of(&self.0);
        let mut counted: BTreeMap<String, u64> = BTreeMap::new();
        for row in rows {
            *counted.entry(row.table.name().to_owned()).or_default() += 1;
            let (table, entries) = match &row.body {
                Body::Job(job) => ("jobs.job_actions", job.entries.as_ref().map_or(0, Vec::len)),
                Body::Session(session) => ("sessions.job", session.jobs.len()),
                _ => continue,
            };
            if entries > 0 {
                *counted.entry(table.to_owned()).or_default() += entries as u64;
            }
        }
        assert_eq!(account.errors(&counted), [""; 0], "{account:?}");
        for unit in &self.0 {
            assert!(unit.outcome == Outcome::Imported || unit.rows.is_empty(), "{unit:?}");
            assert!(unit.outcome == Outcome::Imported || !unit.notes.is_empty(), "{unit:?}");
            if unit.outcome == Outcome::Quarantined {
                let verbatim = unit.remainders.first().map(|remainder| &remainder.row["verbatim"]);
                assert_eq!(verbatim, Some(&json!(true)), "{unit:?}");
            }
        }
    }

    fn unit(&self, table: Table, id: &str) -> &Unit {
        let mut units = self.0.iter().filter(|unit| unit.table == table && unit.id == id);
        let unit = units.next().unwrap_or_else(|| panic!("no {table:?} {id}"));
        assert!(units.next().is_none(), "{id} is there twice");
        unit
    }

    /// What became of a row, and why.
    fn fate(&self, table: Table, id: &str) -> (Outcome, Vec<&'static str>) {
        let unit = self.unit(table, id);
        (unit.outcome, unit.notes.iter().map(|note| note.reason).collect())
    }

    /// The notes of a reason, as `table:id`.
    fn ids(&self, reason: &str) -> Vec<String> {
        let notes = self.0.iter().flat_map(|unit| &unit.notes).filter(|note| note.reason == reason);
        let mut ids: Vec<String> = notes.map(|note| format!("{}:{}", note.table, note.id)).collect();
        ids.sort();
        ids
    }

    fn attachment(&self, id: &str) -> &crate::store::job_attachments::JobAttachment {
        self.unit(Table::Jobs, id)
            .rows
            .iter()
            .find_map(|row| match row {
                TargetRow::Attachment(row) => Some(row.as_ref()),
                _ => None,
            })
            .unwrap()
    }

    fn client(&self, id: &str) -> &crate::store::clients::Client {
        match &self.unit(Table::Clients, id).rows[..] {
            [TargetRow::Client(client)] => client,
            other => panic!("{other:?}"),
        }
    }

    fn action(&self, id: &str) -> &crate::store::actions::Action {
        match self.unit(Table::Actions, id).rows.first() {
            Some(TargetRow::Action(action)) => action,
            other => panic!("{other:?}"),
        }
    }

    fn backup(&self, id: &str) -> &crate::store::backups::Backup {
        match &self.unit(Table::Backups, id).rows[..] {
            [TargetRow::Backup(backup)] => backup,
            other => panic!("{other:?}"),
        }
    }

    /// The places that a unit makes.
    fn places(&self, table: Table, id: &str) -> Vec<(String, i32)> {
        let rows = &self.unit(table, id).rows;
        let places = rows.iter().filter_map(|row| match row {
            TargetRow::Place(place) => Some((place.action_id.clone(), place.priority)),
            _ => None,
        });
        places.collect()
    }
}

use Outcome::{Imported, Merged, Quarantined, Skipped};

#[test]
fn what_is_deleted_is_skipped_and_comes_last_with_what_refers_to_it_first() {
    let mut null = job("j2", None);
    null.state = State::Null;
    let plan = plan(&[
        deleted(client("c1", "web1")),
        client("c2", "web2"),
        deleted(job("j1", Some(json!([{}])))),
        null,
        deleted(session("s1", json!({"j1": {}}))),
        deleted(action("a1", json!({"action": "backup"}))),
    ]);
    for (table, id, reason) in [
        (Table::Clients, "c1", "deleted"),
        (Table::Jobs, "j1", "deleted"),
        (Table::Jobs, "j2", "deleted-null"),
        (Table::Sessions, "s1", "deleted"),
        (Table::Actions, "a1", "deleted"),
    ] {
        assert_eq!(plan.fate(table, id), (Skipped, vec![reason]), "{id}");
    }
    let gone: Vec<&str> = plan.0.iter().filter_map(|unit| unit.deleted_id.as_deref()).collect();
    assert_eq!(gone, ["j1", "s1", "a1", "c1"]);
    assert_eq!(plan.0[0].id, "c2");
}

#[test]
fn a_row_without_a_project_gets_the_one_that_the_first_rule_gives() {
    let none = |row| in_project(row, None);
    let hinted = format!("{B}_web9");
    let rows = [
        of_user(none(client("c1", "web1")), "mapped"),
        of_user(none(client("c2", &hinted)), "bob"),
        of_user(none(action("a1", json!({"action": "exec"}))), "bob"),
        of_user(none(session("s1", json!({}))), "stranger"),
        of_user(none(backup("b1", json!({"client_id": hinted}))), "stranger"),
        none(report("a1", Report { result: Some("fail".to_owned()), ..Report::default() })),
    ];
    let mapping = |default: Option<&str>| Mapping {
        projects: BTreeMap::from([("mapped".to_owned(), A.to_owned())]),
        default_project: default.map(str::to_owned),
    };
    let plan = plan_with(&rows, mapping(None), |_| Verdict::Written);
    assert_eq!(plan.client("c1").project_id, A);
    assert_eq!(plan.client("c2").project_id, B);
    assert_eq!(plan.action("a1").project_id, B);
    assert_eq!(plan.backup("b1").project_id, B);
    assert_eq!(plan.fate(Table::Sessions, "s1"), (Quarantined, vec!["no-project"]));
    assert_eq!(plan.ids("no-project").len(), 5);
    assert_eq!(plan.fate(Table::ActionReports, "a1"), (Imported, vec![]));
    let plan = plan_with(&rows, mapping(Some("default")), |_| Verdict::Written);
    assert_eq!(plan.fate(Table::Sessions, "s1"), (Imported, vec!["no-project"]));
}

#[test]
fn clients_of_one_name_in_a_project_are_one() {
    let mut newest = client("c3", "web1");
    newest.updated = Some(at("2021-01-01T00:00:00"));
    let mut described = client("c1", "web1");
    if let Body::Client(client) = &mut described.body {
        client.description = Some("rack 3".to_owned());
    }
    let plan = plan(&[
        described,
        of_user(client("c2", "web1"), "bob"),
        newest,
        in_project(client("c4", "web1"), Some(B)),
        central("k1", "node"),
        client("k2", "node"),
        in_project(central("k3", "node"), Some(B)),
        job("j1", None),
    ]);
    assert_eq!(plan.fate(Table::Clients, "c1"), (Merged, vec!["duplicate-client"]));
    assert_eq!(plan.unit(Table::Clients, "c1").notes[0].into.as_deref(), Some("c3"));
    assert_eq!(plan.fate(Table::Clients, "c2"), (Merged, vec!["duplicate-client"]));
    assert_eq!(plan.client("c3").description.as_deref(), Some("rack 3"));
    assert_eq!(plan.client("c4").project_id, B);
    assert_eq!(plan.fate(Table::Clients, "k2"), (Merged, vec!["central-and-private"]));
    assert_eq!(plan.fate(Table::Clients, "k3"), (Merged, vec!["central-duplicate"]));
    assert_eq!(plan.attachment("j1").client_id, "c3");
}

#[test]
fn of_duplicate_documents_the_last_written_is_kept_and_then_the_one_that_says_what_it_can() {
    let document = |id: &str, name: &str, version, is_full: bool| {
        let mut row = client(id, name);
        (row.created, row.version) = (None, version);
        if let Body::Client(client) = &mut row.body {
            client.supported[0] = is_full.then(|| vec!["backup".to_owned()]);
        }
        row
    };
    let plan = plan(&[
        document("a1", "x", Some(2), true),
        document("a2", "x", Some(3), false),
        document("b1", "y", None, false),
        document("b2", "y", None, true),
        document("c1", "z", None, false),
        document("c2", "z", None, false),
    ]);
    for (id, outcome) in
        [("a1", Merged), ("a2", Imported), ("b1", Merged), ("b2", Imported), ("c1", Imported), ("c2", Merged)]
    {
        assert_eq!(plan.unit(Table::Clients, id).outcome, outcome, "{id}");
    }
    assert!(plan.unit(Table::Clients, "a2").is_time_made_up);
    assert_eq!(plan.client("a2").supported_actions.value(), json!(["backup"]));
}

#[test]
fn a_job_has_the_client_of_its_project_then_a_central_one_then_a_deleted_one_then_one_that_is_made() {
    let on = |id: &str, name: &str| with_job(job(id, None), |job| job.client = name.to_owned());
    let mut older = deleted(client("d1", "gone"));
    older.updated = Some(at("2019-01-01T00:00:00"));
    let plan = plan(&[
        client("c1", "web1"),
        in_project(central("k1", "node"), Some(B)),
        older,
        deleted(client("d2", "gone")),
        on("j1", "web1"),
        on("j2", "node"),
        on("j3", "gone"),
        on("j4", "p_never"),
        on("j5", "p_never"),
        on("j6", ""),
    ]);
    assert_eq!(plan.attachment("j1").client_id, "c1");
    assert_eq!(plan.attachment("j2").client_id, "k1");
    assert_eq!(plan.attachment("j3").client_id, "d2");
    assert_eq!(plan.fate(Table::Clients, "d1"), (Skipped, vec!["deleted"]));
    assert_eq!(plan.fate(Table::Clients, "d2"), (Imported, vec!["deleted"]));
    assert_eq!(plan.ids("client-undeleted"), ["jobs:j3"]);
    assert_eq!(plan.ids("client-missing"), ["jobs:j4", "jobs:j5", "jobs:j6"]);
    assert_eq!(plan.fate(Table::Jobs, "j6"), (Quarantined, vec!["client-missing"]));
    let made = &plan.attachment("j4").client_id;
    assert_eq!(*made, plan.attachment("j5").client_id);
    let client = plan.client(made);
    assert!(plan.unit(Table::Clients, made).is_made_up());
    assert_eq!((client.client_id.as_str(), client.hostname.as_deref()), ("p_never", Some("never")));
    assert_eq!(client.description.as_deref(), Some("imported: named by a job"));
    assert_eq!(*made, crate::import::ids::made("client", &[A, "p_never"]));
}

#[test]
fn an_id_that_no_column_holds_is_replaced_wherever_it_is_named() {
    let mut dashed = client("ü/1", "web1");
    if let Body::Client(client) = &mut dashed.body {
        client.uuid = Some("other".to_owned());
    }
    let plan = plan(&[
        dashed,
        action("a 1", json!({"action": "exec"})),
        session("s 1", json!({"j 1": {"status": "running"}})),
        in_session("j 1", "s 1"),
        place("p1", "j 1", "a 1", Some(0)),
        backup("b1", json!({"job_id": "j 1"})),
    ]);
    let id = |table, id| crate::import::ids::replacing(table, id);
    let attachment = plan.attachment("j 1");
    assert_eq!(attachment.id, id(Table::Jobs, "j 1"));
    assert_eq!(attachment.client_id, id(Table::Clients, "ü/1"));
    assert_eq!(attachment.session_id, Some(id(Table::Sessions, "s 1")));
    assert_eq!(attachment.session_status, "running");
    assert_eq!(plan.places(Table::JobActions, "p1"), [(id(Table::Actions, "a 1"), 0)]);
    assert_eq!(plan.backup("b1").promoted.job_id, Some(id(Table::Jobs, "j 1")));
    assert_eq!(plan.ids("id-unusable").len(), 4);
    assert_eq!(plan.ids("uuid-differs"), ["clients:ü/1"]);
}

#[test]
fn of_documents_with_one_id_equal_ones_are_one_and_others_are_quarantined_but_one() {
    let versioned = |mut row: Row, version| {
        row.version = version;
        row
    };
    let exec = || action("a1", json!({"action": "exec"}));
    let rows = [
        versioned(exec(), Some(1)),
        versioned(exec(), Some(2)),
        versioned(action("a1", json!({"action": "admin"})), None),
        client("c1", "web1"),
        in_project(client("c1", "web2"), Some(B)),
    ];
    let plan = plan(&rows);
    let fates = |table| {
        let units = plan.0.iter().filter(move |unit| unit.table == table);
        units
            .map(|unit| (unit.number, unit.outcome, unit.notes.first().map(|note| note.reason)))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        fates(Table::Actions),
        [(1, Merged, Some("same")), (2, Imported, None), (3, Quarantined, Some("duplicate-id"))]
    );
    // Two schedulers with one uuid are two clients all the same.
    assert_eq!(fates(Table::Clients), [(4, Imported, Some("duplicate-id")), (5, Imported, None)]);
}

#[test]
fn an_actions_columns_hold_what_they_can_and_its_metadata_the_rest() {
    let mut bare = action("a2", json!({"action": "backup", "src_file": "/etc", "remove_older_then": 30}));
    if let Body::Action(action) = &mut bare.body {
        (action.max_retries, action.max_retries_interval, action.mandatory) = (None, Some(-1), None);
    }
    let name = "n".repeat(300);
    let plan = plan(&[
        action(
            "a1",
            json!({"action": "backup", "mode": "fs", "path_to_backup": "/srv", "restore_abs_path": null,
                   "timeout": 9, "priority": "high", "storage": "swift", "snapshot": null, "backup_name": name}),
        ),
        bare,
        action("a3", json!({"action": "x".repeat(65)})),
        action("a4", json!({"action": "exec", "text": "a\u{0}b"})),
        action("a5", json!({"action": "exec", "text": "x".repeat(crate::document::MAX_DOCUMENT)})),
    ]);
    let full = plan.action("a1");
    assert_eq!(full.spec.metadata.value(), json!({"priority": "high", "storage": "swift", "snapshot": null}));
    assert_eq!((full.spec.src_file.as_deref(), full.spec.timeout), (Some("/srv"), Some(9)));
    assert_eq!(full.spec.backup_name.as_deref().map(str::len), Some(255));
    assert_eq!(plan.ids("too-long"), ["actions:a1", "actions:a3"]);
    assert_eq!(plan.unit(Table::Actions, "a1").remainders[0].row, json!({"backup_name": name}));
    let bare = plan.action("a2");
    assert_eq!(bare.spec.src_file.as_deref(), Some("/etc"));
    assert_eq!(bare.spec.metadata.value(), json!({"remove_older_than": 30}));
    assert_eq!((bare.spec.max_retries, bare.spec.max_retries_interval, bare.spec.mandatory), (5, 6, false));
    assert_eq!(plan.fate(Table::Actions, "a2"), (Imported, vec!["unknown-value", "defaulted"]));
    assert_eq!(plan.fate(Table::Actions, "a3"), (Quarantined, vec!["too-long"]));
    assert_eq!(plan.fate(Table::Actions, "a4"), (Quarantined, vec!["zero-byte"]));
    assert_eq!(plan.fate(Table::Actions, "a5"), (Quarantined, vec!["too-large"]));
}

#[test]
fn the_inline_definition_of_an_entry_decides_what_its_job_runs() {
    let exec = json!({"action": "exec", "command": "true"});
    let entry = |id: Value, definition: &Value| json!({"action_id": id, "freezer_action": definition});
    let mut linked =
        entry(json!("a1"), &json!({"action": "exec", "command": "true", "mode": null, "os_trust_id": "t"}));
    linked["max_retries"] = json!(9);
    let rows = [
        client("c1", "web1"),
        action("a1", exec.clone()),
        in_project(action("a2", exec.clone()), Some(B)),
        deleted(action("a3", exec.clone())),
        action("a9", json!({"action": "x".repeat(65)})),
        job(
            "j1",
            Some(json!([
                linked,
                entry(json!("a1"), &json!({"action": "exec", "command": "false"})),
                entry(json!("a1"), &exec),
                entry(json!("a2"), &exec),
                entry(json!("a3"), &exec),
                entry(json!("never"), &exec),
                entry(json!("never"), &exec),
                entry(json!(""), &exec),
                {"freezer_action": {}},
                7,
                entry(json!("a9"), &exec),
            ])),
        ),
        job("j2", Some(json!([entry(json!("never"), &exec)]))),
    ];
    let plan = plan(&rows);
    let made = |job: &str, index: &str| crate::import::ids::made("action", &[job, index]);
    assert_eq!(
        plan.places(Table::Jobs, "j1"),
        [
            ("a1".to_owned(), 0),
            (made("j1", "1"), 1),
            ("a1".to_owned(), 2),
            (made("j1", "3"), 3),
            ("a3".to_owned(), 4),
            ("never".to_owned(), 5),
            ("never".to_owned(), 6),
            (made("j1", "7"), 7),
            (made("j1", "10"), 8),
        ]
    );
    assert_eq!(plan.places(Table::Jobs, "j2"), [(made("j2", "0"), 0)]);
    let of = |index: &str| format!("jobs.job_actions:j1/{index}");
    for (reason, ids) in [
        ("action-diverged", vec![of("1"), of("10")]),
        ("action-twice", vec![of("2"), of("6")]),
        ("action-foreign-project", vec![of("3")]),
        ("action-restored", vec![of("4"), of("5"), "jobs.job_actions:j2/0".to_owned()]),
        ("action-inlined", vec![of("7")]),
        ("job-action-skipped", vec![of("8"), of("9")]),
    ] {
        let mut ids = ids;
        ids.sort();
        assert_eq!(plan.ids(reason), ids, "{reason}");
    }
    let retries = plan.unit(Table::Jobs, "j1").rows.iter().find_map(|row| match row {
        TargetRow::Place(place) => Some((place.retries, place.retry_interval, place.mandatory)),
        _ => None,
    });
    assert_eq!(retries, Some((9, 60, true)));
    // Every action is before its place.
    let rows = &plan.unit(Table::Jobs, "j1").rows;
    assert!(matches!(rows[..2], [TargetRow::Job(_), TargetRow::Attachment(_)]));
    // The restored one is not to be deleted from the target.
    assert_eq!(plan.unit(Table::Actions, "a3").deleted_id, None);
}

#[test]
fn an_exit_status_is_a_report_of_the_run_that_ended() {
    let exec = json!([{"freezer_action": {"action": "exec"}, "exit_status": "fail"}]);
    let ran = |id: &str, ended: i64| {
        with_job(job(id, Some(exec.clone())), |job| {
            job.schedule.extend(object(json!({"time_started": 100, "time_ended": ended})));
        })
    };
    let plan = plan(&[client("c1", "web1"), ran("j1", 130), ran("j2", -1)]);
    let report = plan.unit(Table::Jobs, "j1").rows.iter().find_map(|row| match row {
        TargetRow::Report(report, None) => Some(report),
        _ => None,
    });
    let report = report.unwrap();
    assert_eq!((report.result.as_str(), report.time_elapsed), ("fail", 30));
    assert_eq!((report.job_id.as_deref(), report.client_id.as_deref()), (Some("j1"), Some("web1")));
    assert_eq!(plan.unit(Table::Jobs, "j2").remainders[0].row, json!({"exit_status": "fail"}));
    assert_eq!(plan.ids("other-key"), ["jobs.job_actions:j2/0"]);
}

#[test]
fn places_are_numbered_anew_and_those_whose_action_is_not_there_are_not_attached() {
    let exec = || json!({"action": "exec"});
    let plan = plan(&[
        client("c1", "web1"),
        action("a1", exec()),
        action("a2", exec()),
        deleted(action("a3", exec())),
        in_project(action("a4", exec()), Some(B)),
        action("a5", json!({"action": "x".repeat(65)})),
        job("j1", None),
        deleted(job("j2", None)),
        with_job(job("j3", None), |job| job.client = String::new()),
        place("p1", "j1", "a2", Some(1)),
        place("p2", "j1", "a1", Some(0)),
        place("p3", "j1", "a1", Some(1)),
        place("p4", "j1", "a3", Some(2)),
        place("p5", "j1", "a4", Some(3)),
        place("p6", "j1", "a5", Some(4)),
        place("p7", "j1", "never", Some(5)),
        place("p8", "j2", "a1", Some(0)),
        place("p9", "never", "a1", Some(0)),
        place("pa", "j3", "a1", Some(0)),
        deleted(place("pb", "j1", "a1", Some(0))),
        place("pc", "j1", "a2", Some(9)),
    ]);
    for (id, fate) in [
        ("p1", (Imported, vec![])),
        ("p2", (Imported, vec![])),
        ("p3", (Imported, vec!["action-twice"])),
        ("p4", (Skipped, vec!["action-deleted"])),
        ("p5", (Skipped, vec!["action-foreign-project"])),
        ("p6", (Quarantined, vec!["too-long"])),
        ("p7", (Quarantined, vec!["job-action-dangling"])),
        ("p8", (Skipped, vec!["job-action-dangling"])),
        ("p9", (Skipped, vec!["job-action-dangling"])),
        ("pa", (Quarantined, vec!["client-missing"])),
        ("pb", (Skipped, vec!["deleted"])),
        ("pc", (Imported, vec!["action-twice"])),
    ] {
        assert_eq!(plan.fate(Table::JobActions, id), fate, "{id}");
    }
    let placed = ["p2", "p1", "p3", "pc"].map(|id| plan.places(Table::JobActions, id)[0].clone());
    assert_eq!(
        placed.map(|(action, priority)| format!("{action} {priority}")),
        ["a1 0", "a2 1", "a1 2", "a2 3"]
    );
}

#[test]
fn a_schedule_is_kept_without_what_the_api_does_not_know() {
    let scheduled =
        |id: &str, schedule: Value| with_job(job(id, None), |job| job.schedule = object(schedule));
    let plan = plan(&[
        client("c1", "web1"),
        scheduled(
            "j1",
            json!({"schedule_cron": "0 3 * * *", "schedule_interval": "1  days", "interval_uint": 1}),
        ),
        scheduled(
            "j2",
            json!({"schedule_interval": "every day", "event": "", "status": "paused", "result": "maybe"}),
        ),
        scheduled(
            "j3",
            json!({"status": "läuft", "job_event": "stop", "current_pid": 12,
                               "time_created": 1_500_000_000, "time_started": -1, "time_ended": 7}),
        ),
    ]);
    let scheduling = |id: &str| match plan.unit(Table::Jobs, id).rows.first() {
        Some(TargetRow::Job(job)) => job.scheduling.value(),
        other => panic!("{other:?}"),
    };
    assert_eq!(plan.fate(Table::Jobs, "j1"), (Imported, vec!["schedule-unknown-key"]));
    assert_eq!(scheduling("j1"), json!({"schedule_interval": "1 days"}));
    assert_eq!(
        plan.fate(Table::Jobs, "j2"),
        (Imported, vec!["bad-schedule", "unknown-value", "unknown-value"])
    );
    assert_eq!(scheduling("j2"), json!({"schedule_interval": "every day"}));
    assert_eq!(plan.attachment("j2").status, "paused");
    assert_eq!(plan.fate(Table::Jobs, "j3"), (Imported, vec!["not-ascii"]));
    let attachment = plan.attachment("j3");
    assert_eq!((attachment.event.as_str(), attachment.status.as_str()), ("stop", ""));
    assert!(!attachment.event_delivered);
    assert_eq!(
        (attachment.current_pid, attachment.time_started, attachment.time_ended),
        (Some(12), None, Some(7))
    );
    assert_eq!(attachment.created_at.0, at("2017-07-14T02:40:00"));
    assert_eq!(plan.attachment("j1").created_at.0, at("2020-01-02T03:04:05"));
}

#[test]
fn a_job_is_in_the_session_that_it_names_itself_if_that_is_there() {
    let known = json!({"client_id": "web1", "status": "completed", "result": "success", "time_started": 5, "time_ended": ""});
    let mut differing = in_session("j3", "s1");
    if let Body::Job(job) = &mut differing.body {
        job.schedule = object(json!({"schedule_interval": "2 days"}));
        job.session_tag = Some(4);
    }
    let plan = plan(&[
        client("c1", "web1"),
        in_project(client("c2", "web1"), Some(B)),
        session("s1", json!({"j1": known, "j2": {}, "j4": {}, "ghost": {}, "j5": {}, "j6": {}})),
        deleted(session("s2", json!({}))),
        in_session("j1", "s1"),
        in_session("j2", "s2"),
        differing,
        job("j4", None),
        deleted(in_session("j5", "s1")),
        in_project(in_session("j6", "s1"), Some(B)),
        in_session("j7", "never"),
    ]);
    let attachment = plan.attachment("j1");
    assert_eq!(attachment.session_id.as_deref(), Some("s1"));
    assert_eq!(
        (attachment.session_status.as_str(), attachment.session_result.as_str()),
        ("completed", "success")
    );
    assert_eq!((attachment.session_time_started, attachment.session_time_ended), (Some(5), None));
    assert_eq!(
        plan.ids("membership-conflict"),
        ["sessions.job:s1/j2", "sessions.job:s1/j4", "sessions.job:s1/j6"]
    );
    assert_eq!(plan.ids("session-job-missing"), ["sessions.job:s1/ghost", "sessions.job:s1/j5"]);
    assert_eq!(plan.ids("session-missing"), ["jobs:j2", "jobs:j6", "jobs:j7"]);
    assert_eq!(plan.ids("membership-gap"), ["sessions.job:s1/j3"]);
    assert_eq!(plan.ids("schedule-differs"), ["jobs:j3"]);
    assert_eq!(plan.attachment("j3").session_tag, 4);
    assert_eq!((plan.attachment("j2").session_id.as_deref(), plan.attachment("j2").session_tag), (None, 0));
    let entries = &plan.unit(Table::Sessions, "s1").entries;
    assert_eq!(entries.iter().filter(|(_, outcome)| *outcome == Imported).count(), 1);
    assert_eq!(entries.len(), 6);
}

#[test]
fn a_sessions_keys_without_a_column_are_its_metadata() {
    let mut other = session("s1", json!({}));
    if let Body::Session(session) = &mut other.body {
        session.other = object(json!({"extra_key": [1], "last_start": "", "jobs": {}, "session_id": "x"}));
        (session.hold_off, session.status) = (None, Some("active".to_owned()));
        session.description = Some("ü".repeat(40_000));
    }
    let plan = plan(&[other]);
    let unit = plan.unit(Table::Sessions, "s1");
    let [TargetRow::Session(session)] = &unit.rows[..] else { panic!("{unit:?}") };
    assert_eq!(session.metadata.value(), json!({"extra_key": [1]}));
    assert_eq!((session.hold_off, session.session_tag, session.status.as_str()), (30, 3, "active"));
    assert_eq!((session.time_start, session.time_started, session.policy.as_str()), (None, Some(7), "all"));
    assert_eq!(session.description.as_ref().map(String::len), Some(65_534));
    assert_eq!(plan.fate(Table::Sessions, "s1"), (Imported, vec!["defaulted", "too-long"]));
}

#[test]
fn a_report_is_a_row_only_if_it_says_something() {
    let text = |text: &str| Some(text.to_owned());
    let plan = plan(&[
        action("a1", json!({"action": "exec"})),
        action("a2", json!({"action": "exec"})),
        report("a1", Report::default()),
        report(
            "a2",
            Report {
                result: text("fail"),
                time_elapsed: text("1h"),
                log: Some(b"tar".to_vec()),
                ..Report::default()
            },
        ),
        report("a3", Report { result: text("success"), log: Some(b"x".to_vec()), ..Report::default() }),
        report("a4", Report::default()),
    ]);
    assert_eq!(plan.fate(Table::ActionReports, "a1"), (Skipped, vec!["empty-report"]));
    assert_eq!(plan.fate(Table::ActionReports, "a4"), (Skipped, vec!["empty-report"]));
    assert_eq!(plan.fate(Table::ActionReports, "a2"), (Imported, vec![]));
    let of = |id: &str| match &plan.unit(Table::ActionReports, id).rows[..] {
        [TargetRow::Report(report, log)] => (report.clone(), log.clone()),
        other => panic!("{other:?}"),
    };
    let (report, log) = of("a2");
    assert_eq!((report.action_id.as_deref(), report.time_elapsed), (Some("a2"), 0));
    assert_eq!((report.metadata.value(), log), (json!({"time_elapsed": "1h"}), Some(b"tar".to_vec())));
    assert_eq!(report.report_date, report.created_at);
    let (report, log) = of("a3");
    assert_eq!((report.action_id, log), (None, None));
    assert_eq!(plan.fate(Table::ActionReports, "a3"), (Imported, vec!["report-orphan", "other-key"]));
}

#[test]
fn a_job_keeps_its_newest_trust() {
    let mut newest = trust("t2", "j1", "two");
    newest.updated = Some(at("2022-01-01T00:00:00"));
    let long = "x".repeat(65);
    let plan = plan(&[
        client("c1", "web1"),
        job("j1", None),
        job("j2", None),
        trust("t1", "j1", "one"),
        newest,
        trust("t3", "never", "three"),
        deleted(trust("t4", "never", "four")),
        trust("t5", "j2", &long),
        trust("t6", "j2", "a"),
        trust("t7", "j2", "b"),
    ]);
    for (id, fate) in [
        ("t1", (Quarantined, vec!["trust-extra"])),
        ("t2", (Imported, vec![])),
        ("t3", (Quarantined, vec!["trust-orphan"])),
        ("t4", (Skipped, vec!["deleted"])),
        ("t5", (Quarantined, vec!["too-long"])),
        ("t6", (Imported, vec![])),
        ("t7", (Quarantined, vec!["trust-extra"])),
    ] {
        assert_eq!(plan.fate(Table::UserCredentials, id), fate, "{id}");
    }
    let has_trust = |id: &str| match plan.unit(Table::Jobs, id).rows.first() {
        Some(TargetRow::Job(job)) => job.has_trust,
        other => panic!("{other:?}"),
    };
    assert!(has_trust("j1"));
}

#[test]
fn a_backup_keeps_its_metadata_and_has_columns_of_what_fits() {
    let good =
        json!({"hostname": "h", "container": "c", "backup_name": "b", "time_stamp": 7, "job_id": "j1"});
    let mut named = backup("b1", good.clone());
    let mut broken = backup("b5", json!({}));
    broken.problems = vec![Problem {
        reason: "bad-json".to_owned(),
        detail: "backup_metadata is no JSON".to_owned(),
        value: Some(json!("{\"a")),
    }];
    if let Body::Backup(backup) = &mut named.body {
        (backup.user_name, backup.legacy_id) = (Some("alice".to_owned()), Some("c_h_b_7_0".to_owned()));
    }
    let mut vanished =
        backup("b4", json!({"hostname": "h", "container": "c", "backup_name": "b", "time_stamp": 7}));
    if let Body::Backup(backup) = &mut vanished.body {
        (backup.status, backup.job_id) = (Some("vanished".to_owned()), Some("not/an id".to_owned()));
    }
    let plan = plan(&[
        client("c1", "web1"),
        job("j1", None),
        named,
        backup("b2", json!({"time_stamp": "soon", "hostname": "h", "container": [1]})),
        backup(
            "b3",
            json!({"hostname": "h", "container": "c", "backup_name": "b", "time_stamp": 7, "n": 1e22}),
        ),
        vanished,
        broken,
    ]);
    let named = plan.backup("b1");
    assert_eq!(named.status, "available");
    assert_eq!((named.promoted.job_id.as_deref(), named.promoted.time_stamp), (Some("j1"), Some(7)));
    assert_eq!(named.metadata.object()["user_name"], "alice");
    assert_eq!(named.metadata.object()["legacy_backup_id"], "c_h_b_7_0");
    assert_eq!(plan.fate(Table::Backups, "b1"), (Imported, vec![]));
    assert_eq!(plan.fate(Table::Backups, "b2"), (Imported, vec!["backup-odd"]));
    assert_eq!(plan.fate(Table::Backups, "b3"), (Imported, vec!["number-precision"]));
    assert_eq!(plan.fate(Table::Backups, "b4"), (Imported, vec!["backup-job-missing", "unknown-value"]));
    let vanished = plan.backup("b4");
    assert_eq!((vanished.status.as_str(), vanished.promoted.job_id.as_deref()), ("vanished", None));
    assert_eq!(vanished.metadata.object()["job_id"], "not/an id");
    assert_eq!(plan.fate(Table::Backups, "b5"), (Quarantined, vec!["bad-json"]));
}

#[test]
fn what_a_reader_could_not_read_is_said_once() {
    let broken = |table, id: &str, reason: &str, detail: &str| {
        let mut row = row(table, id, Body::Broken);
        row.problems =
            vec![Problem { reason: reason.to_owned(), detail: detail.to_owned(), value: Some(json!("x")) }];
        row
    };
    let mut odd = client("c1", "web 1");
    odd.problems = vec![Problem {
        reason: "other-key".to_owned(),
        detail: "key x".to_owned(),
        value: Some(json!({"x": 1})),
    }];
    let plan = plan(&[
        broken(Table::Unknown, "7", "bad-line", "line 7 is no JSON"),
        broken(Table::Unknown, "8", "unknown-kind", "no shape that is known"),
        broken(Table::Unknown, "9", "unknown-kind", "skipped: no shape that is known"),
        broken(Table::Jobs, "10", "no-id", "no id"),
        odd,
    ]);
    assert_eq!(plan.fate(Table::Unknown, "7"), (Quarantined, vec!["bad-line"]));
    assert_eq!(plan.fate(Table::Unknown, "8"), (Quarantined, vec!["unknown-kind"]));
    assert_eq!(plan.fate(Table::Unknown, "9"), (Skipped, vec!["unknown-kind"]));
    assert_eq!(plan.fate(Table::Jobs, "10"), (Quarantined, vec!["no-id"]));
    assert_eq!(plan.unit(Table::Jobs, "10").remainders.len(), 1);
    assert_eq!(plan.fate(Table::Clients, "c1"), (Imported, vec!["other-key", "bad-client-id"]));
    assert_eq!(plan.unit(Table::Clients, "c1").remainders[0].row, json!({"x": 1}));
}

#[test]
fn no_row_refers_to_one_that_the_target_refused() {
    let exec = json!({"action": "exec"});
    let rows = [
        client("c1", "web1"),
        client("c2", "web2"),
        action("a1", exec.clone()),
        session("s1", json!({})),
        in_session("j1", "s1"),
        with_job(job("j2", Some(json!([{"action_id": "a1", "freezer_action": exec}]))), |job| {
            job.client = "web2".to_owned();
        }),
        with_job(job("j3", None), |job| job.client = "web2".to_owned()),
        place("p1", "j3", "a1", Some(0)),
        trust("t1", "j1", "one"),
        report("a1", Report { result: Some("fail".to_owned()), ..Report::default() }),
    ];
    let plan = plan_with(&rows, Mapping::default(), |unit| match unit.id.as_str() {
        "c1" | "a1" | "s1" => Verdict::Exists { detail: "differs".to_owned(), is_usable: false },
        "c2" => Verdict::Named { id: "theirs".to_owned() },
        _ => Verdict::Written,
    });
    assert_eq!(plan.fate(Table::Jobs, "j1"), (Quarantined, vec!["exists"]));
    assert_eq!(plan.attachment("j2").client_id, "theirs");
    assert_eq!(plan.places(Table::Jobs, "j2"), [(crate::import::ids::made("action", &["j2", "0"]), 0)]);
    assert_eq!(plan.fate(Table::JobActions, "p1"), (Quarantined, vec!["exists"]));
    assert_eq!(plan.fate(Table::UserCredentials, "t1"), (Quarantined, vec!["exists"]));
    assert_eq!(plan.fate(Table::ActionReports, "a1"), (Imported, vec!["report-orphan"]));
}

#[test]
fn the_ids_of_the_source_and_those_that_an_import_makes_are_known() {
    let mut planner = planner(&[deleted(client("c1", "web1")), client("ü", "web2")], Mapping::default());
    let asked = [
        "c1".to_owned(),
        crate::import::ids::replacing(Table::Clients, "ü"),
        crate::import::ids::made("client", &["a"]),
        "c9".to_owned(),
    ];
    let known = planner.knows(Table::Clients, &asked).unwrap();
    assert_eq!(known, asked[..3].iter().cloned().collect());
    assert!(planner.knows(Table::Jobs, &asked[..1]).unwrap().is_empty());
}

#[test]
fn projects_of_several_users_are_named() {
    let rows =
        [client("c1", "web1"), of_user(client("c2", "web2"), "bob"), in_project(client("c3", "x"), Some(B))];
    let remarks: Vec<unit::Note> = planner(&rows, Mapping::default()).remarks().unwrap();
    assert_eq!(
        remarks.iter().map(|note| (note.reason, note.id.as_str())).collect::<Vec<_>>(),
        [("many-users", A)]
    );
}

#[test]
fn batches_are_of_one_table_and_of_no_more_than_500_rows() {
    let mut rows = vec![client("c0", "web1")];
    rows.extend((0..1200).map(|index| job(&format!("j{index:04}"), None)));
    let mut planner = planner(&rows, Mapping::default());
    let mut sizes = Vec::new();
    while let Some(batch) = planner.next().unwrap() {
        assert!(batch.iter().all(|unit| unit.table == batch[0].table));
        sizes.push(batch.len());
    }
    assert_eq!(sizes, [1, 500, 500, 200]);
}

#[test]
fn the_plan_is_the_same_whatever_the_order_of_the_documents() {
    let exec = json!([{"action_id": "never", "freezer_action": {"action": "exec"}}]);
    let rows =
        [client("c1", "web1"), job("j1", Some(exec.clone())), job("j2", Some(exec)), client("c2", "web1")];
    let mut turned = rows.to_vec();
    turned.reverse();
    let said = |plan: Plan| {
        let units = plan.0.iter().map(|unit| format!("{} {:?} {:?}", unit.id, unit.notes, unit.rows));
        units.collect::<Vec<_>>()
    };
    assert_eq!(said(plan(&rows)), said(plan(&turned)));
}
