//! Plans of hand-made rows: the outcome of each row, the reason, and the rows to write.

mod actions;
mod clients;
mod jobs;

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
        let account = Account::from_units(&self.0);
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
