//! Tables of cases: stored rows and a document, and the plan or the refusal.

use front::error::Error;
use serde_json::{Value, json};

use super::*;
use crate::document::jobs::{JOB, JOB_PATCH, parse};
use crate::store::jobs::Job;
use crate::store::{Owner, now};

fn time() -> Time {
    now()
}

fn client(name: &str, actions: &[&str]) -> Client {
    Client {
        id: format!("{name}-row"),
        project_id: "p".into(),
        user_id: "u".into(),
        client_id: name.into(),
        config_id: None,
        description: None,
        uuid: format!("{name}-row"),
        hostname: None,
        supported_actions: json!(actions).into(),
        supported_modes: json!(["fs"]).into(),
        supported_storages: json!(["swift"]).into(),
        supported_engines: json!(["tar"]).into(),
        is_central: false,
        last_seen_at: None,
        created_at: time(),
        updated_at: time(),
        version: 1,
    }
}

fn session(id: &str) -> Session {
    Session {
        id: id.into(),
        project_id: "p".into(),
        user_id: "u".into(),
        scheduling: json!({"schedule_interval": "7 days"}).into(),
        policy: "all".into(),
        description: None,
        hold_off: 30,
        session_tag: 4,
        status: "active".into(),
        result: String::new(),
        time_start: None,
        time_end: None,
        time_started: None,
        time_ended: None,
        metadata: json!({}).into(),
        created_at: time(),
        updated_at: time(),
        version: 1,
    }
}

fn action(id: &str, kind: &str) -> Action {
    let spec = crate::document::actions::parse(json!({"freezer_action": {"action": kind}})).unwrap().spec;
    Action {
        id: id.into(),
        project_id: "p".into(),
        user_id: "u".into(),
        spec,
        created_at: time(),
        updated_at: time(),
        version: 1,
    }
}

fn place(action: &str, priority: i32) -> ActionAttachment {
    ActionAttachment {
        id: format!("place-{priority}"),
        project_id: "p".into(),
        user_id: "u".into(),
        action_id: action.into(),
        job_id: "j".into(),
        priority,
        retries: 5,
        retry_interval: 60,
        mandatory: false,
        created_at: time(),
        updated_at: time(),
        version: 1,
    }
}

/// A job on client `a` that runs and is in no session, with what a document can refer to.
fn rows() -> JobRows {
    let attachment = JobAttachment {
        status: "running".into(),
        time_started: Some(100),
        ..JobAttachment::new("j", Owner::new("p", "u"), "j", "a-row", time())
    };
    let job = Job {
        id: "j".into(),
        project_id: "p".into(),
        user_id: "u".into(),
        scheduling: json!({"schedule_interval": "1 days"}).into(),
        description: Some("nightly".into()),
        created_at: time(),
        updated_at: time(),
        version: 3,
        has_trust: false,
    };
    let head = JobHead {
        attachment,
        job,
        client_name: "a".into(),
        client_project: "p".into(),
        session_scheduling: None,
        trust: None,
    };
    JobRows {
        head,
        references: References::default(),
        attachment_on_client: None,
        places: Vec::new(),
        clients: Vec::new(),
    }
}

fn in_session(mut rows: JobRows, id: &str) -> JobRows {
    rows.head.attachment.session_id = Some(id.into());
    rows.head.session_scheduling = Some(session(id).scheduling);
    rows
}

fn moving(mut rows: JobRows, client: Client, attachment: Option<&str>) -> JobRows {
    rows.references.client = Some(client);
    rows.attachment_on_client = attachment.map(str::to_owned);
    rows
}

fn with_actions(mut rows: JobRows, places: &[&str], known: &[(&str, &str)]) -> JobRows {
    rows.places = (0..).zip(places).map(|(priority, id)| place(id, priority)).collect();
    rows.references.actions = known.iter().map(|(id, kind)| action(id, kind)).collect();
    rows.clients = vec![client("a", &["backup"])];
    rows
}

fn new_id() -> String {
    "new".to_owned()
}

fn patch(rows: &JobRows, body: Value) -> Result<Plan, Refusal> {
    plan(rows, &parse(&JOB_PATCH, body).unwrap(), Room::UNLIMITED, time(), new_id)
}

fn replaced(rows: &JobRows, body: Value) -> Result<Plan, Refusal> {
    replacement(rows, &parse(&JOB, body).unwrap(), Room::UNLIMITED, time(), new_id)
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> (u16, String) {
    let error = Error::from(outcome.unwrap_err());
    (error.status(), error.description)
}

#[test]
fn a_report_on_a_run_is_one_update() {
    let schedule = |schedule: Value| json!({ "job_schedule": schedule });
    let none = AttachmentChange::default;
    for (name, body, change) in [
        ("a status", schedule(json!({"status": "scheduled"})), {
            AttachmentChange { status: Some("scheduled".into()), ..none() }
        }),
        ("what it is already", schedule(json!({"status": "running", "time_started": 100})), none()),
        ("no end yet", schedule(json!({"time_ended": -1, "result": ""})), none()),
        ("its own client", json!({"client_id": "a"}), none()),
        ("its own client by uuid", json!({"client_id": "a-row"}), none()),
        ("its own description", json!({"description": "nightly"}), none()),
        ("its own schedule", schedule(json!({"schedule_interval": "1 days"})), none()),
        (
            "a session that it has left, with the schedule",
            { json!({"session_id": "gone", "job_schedule": {"schedule_interval": "9 days"}}) },
            none(),
        ),
    ] {
        let plan = patch(&rows(), body).unwrap();
        assert!(plan.is_one_update(), "{name}: {plan:?}");
        assert_eq!(plan.run, change, "{name}");
    }
}

#[test]
fn other_changes_are_more_than_one_update() {
    let known = || with_actions(rows(), &["x"], &[("x", "backup"), ("y", "backup")]);
    for (name, rows, body) in [
        ("a description", rows(), json!({"description": "weekly"})),
        ("a schedule", rows(), json!({"job_schedule": {"schedule_interval": "2 days"}})),
        ("another action", known(), json!({"job_actions": [{"action_id": "y"}]})),
        ("a further action", known(), json!({"job_actions": [{"action_id": "x"}, {"action_id": "y"}]})),
        ("a place's settings", known(), json!({"job_actions": [{"action_id": "x", "max_retries": 9}]})),
        ("a new action", known(), json!({"job_actions": [{"freezer_action": {"action": "backup"}}]})),
        ("another client", moving(rows(), client("b", &[]), None), json!({"client_id": "b"})),
        ("leaving", in_session(rows(), "s"), json!({"session_id": ""})),
        ("an end", rows(), json!({"job_schedule": {"result": "success", "time_ended": 200}})),
    ] {
        let plan = patch(&rows, body).unwrap();
        assert!(!plan.is_one_update(), "{name}: {plan:?}");
    }
    let repeated = patch(&known(), json!({"job_actions": [{"action_id": "x"}]})).unwrap();
    assert_eq!(repeated, Plan::default());
}

#[test]
fn a_run_is_history_once() {
    let end = json!({"job_schedule": {"status": "completed", "result": "success", "time_ended": 200}});
    let finished = patch(&rows(), end.clone()).unwrap().finished.unwrap();
    assert_eq!((finished.started, finished.ended, &*finished.result), (Some(100), 200, "success"));
    assert_eq!(finished.client_name, "a");
    let mut ended = rows();
    ended.head.attachment.time_ended = Some(200);
    ended.head.attachment.result = "success".into();
    assert_eq!(patch(&ended, end).unwrap().finished, None);
}

#[test]
fn refusals_in_their_order() {
    let known = || with_actions(rows(), &["x"], &[("x", "backup"), ("z", "restore")]);
    let bad_schedule = json!({"schedule_interval": "7 fortnights"});
    for (name, rows, body, refused) in [
        ("a session before a client", rows(), json!({"session_id": "s", "client_id": "b"}), {
            (422, "Session not found with ID s")
        }),
        (
            "a client before an action",
            known(),
            json!({"client_id": "b", "job_actions": [{"action_id": "q"}]}),
            { (422, "Client not found with ID b") },
        ),
        (
            "a client that has the job",
            moving(rows(), client("b", &[]), Some("k")),
            json!({"client_id": "b"}),
            { (409, "This job already is on client b, as k.") },
        ),
        ("an action", known(), json!({"job_actions": [{"action_id": "q"}]}), {
            (422, "Action not found with ID q")
        }),
        ("a capability", known(), json!({"job_actions": [{"action_id": "z"}]}), {
            (422, "Client a does not support action: restore")
        }),
        (
            "a capability of the new client",
            {
                let mut rows = moving(rows(), client("b", &["exec"]), None);
                rows.references.actions = vec![action("x", "backup")];
                rows
            },
            json!({"client_id": "b", "job_schedule": bad_schedule}),
            { (422, "Client b does not support action: backup") },
        ),
    ] {
        let (status, text) = refused;
        assert_eq!(refusal(patch(&rows, body)), (status, text.to_owned()), "{name}");
    }
    let (status, text) = refusal(patch(&rows(), json!({ "job_schedule": bad_schedule })));
    assert!(status == 400 && text.starts_with("At /job_schedule/schedule_interval"), "{status} {text}");
}

#[test]
fn quotas_come_after_actions_and_before_the_schedule() {
    let body = json!({
        "job_actions": [{"freezer_action": {"action": "backup"}}],
        "job_schedule": {"schedule_interval": "7 fortnights"},
    });
    let document = parse(&JOB_PATCH, body).unwrap();
    let full = Room { job: Ok(()), actions: Err(Error::forbidden("quota")) };
    let rows = with_actions(rows(), &[], &[]);
    assert_eq!(refusal(plan(&rows, &document, full.clone(), time(), new_id)).0, 403);
    let mut rows = rows;
    rows.clients = vec![client("a", &["exec"])];
    assert_eq!(refusal(plan(&rows, &document, full, time(), new_id)).0, 422);
}

#[test]
fn entries_are_checked_for_every_client_only_if_they_change() {
    let mut rows = with_actions(rows(), &["z"], &[("z", "restore"), ("x", "backup")]);
    let same = json!({"job_actions": [{"action_id": "z"}]});
    assert_eq!(patch(&rows, same.clone()).unwrap(), Plan::default());
    let mut replacing = same;
    replacing["client_id"] = json!("a");
    assert_eq!(refusal(replaced(&rows, replacing)).0, 422);
    rows.clients.push(client("c", &["exec"]));
    let other = json!({"job_actions": [{"action_id": "x"}]});
    assert_eq!(refusal(patch(&rows, other.clone())).1, "Client c does not support action: backup");
    // The client that it leaves does not matter.
    rows.clients = vec![client("a", &["exec"])];
    let rows = moving(rows, client("b", &["backup"]), None);
    let mut moved = other;
    moved["client_id"] = json!("b");
    let plan = patch(&rows, moved).unwrap();
    assert_eq!(plan.run.client_id.as_deref(), Some("b-row"));
    assert!(plan.moves());
}

#[test]
fn a_new_action_is_linked_where_its_entry_stands() {
    let rows = with_actions(rows(), &["x"], &[("x", "backup")]);
    let entries = json!([
        {"freezer_action": {"action": "backup"}, "max_retries": 1},
        {"action_id": "x"},
    ]);
    let plan = patch(&rows, json!({ "job_actions": entries })).unwrap();
    let places = plan.definition.places.unwrap();
    let ids: Vec<&str> = places.iter().map(|place| place.action_id.as_str()).collect();
    assert_eq!((ids, plan.new_actions[0].id.as_str()), (vec!["new", "x"], "new"));
    assert_eq!((places[0].retries, plan.new_actions.len()), (1, 1));
}

#[test]
fn membership_changes_without_a_schedule_only() {
    let mut joining = rows();
    joining.references.session = Some(session("s"));
    let with_schedule = json!({"session_id": "s", "job_schedule": {"status": "scheduled"}});
    for (name, rows, body, expected) in [
        ("joins", joining.clone(), json!({"session_id": "s"}), "joins"),
        ("has a schedule", joining.clone(), with_schedule, "stays"),
        ("is in it", in_session(joining, "s"), json!({"session_id": "s"}), "stays"),
        ("leaves", in_session(rows(), "s"), json!({"session_id": ""}), "leaves"),
        ("is in none", rows(), json!({"session_id": ""}), "stays"),
        ("says nothing of it", in_session(rows(), "s"), json!({"description": "x"}), "stays"),
    ] {
        let outcome = match patch(&rows, body).unwrap().membership {
            Some(Membership::Joins(change)) => {
                assert_eq!(change.session_tag, Some(4), "{name}");
                assert_eq!(change.session_status.as_deref(), Some("running"), "{name}");
                "joins"
            }
            Some(Membership::Leaves(change)) => {
                assert_eq!(change.event.as_deref(), Some("stop"), "{name}");
                "leaves"
            }
            None => "stays",
        };
        assert_eq!(outcome, expected, "{name}");
    }
}

#[test]
fn the_schedule_of_a_session_is_not_the_jobs_own() {
    let unit = |interval: &str| json!({ "schedule_interval": interval });
    let body = |interval: &str| json!({ "job_schedule": unit(interval) });
    for (name, rows, body, own) in [
        ("its session's", in_session(rows(), "s"), body("7 days"), None),
        ("one of its own", in_session(rows(), "s"), body("2 days"), Some("2 days")),
        ("none", rows(), json!({"job_schedule": {"status": "scheduled"}}), None),
        (
            "that of a session it has left",
            rows(),
            { json!({"session_id": "s", "job_schedule": unit("7 days")}) },
            None,
        ),
    ] {
        let scheduling = patch(&rows, body).unwrap().definition.scheduling;
        assert_eq!(scheduling, own.map(|interval| unit(interval).into()), "{name}");
    }
}

#[test]
fn a_replacement_resets_what_it_leaves_out() {
    let plan = replaced(&in_session(rows(), "s"), json!({"client_id": "a", "job_actions": []})).unwrap();
    assert_eq!(plan.definition.description, Some(None));
    assert!(matches!(plan.membership, Some(Membership::Leaves(_))));
    assert_eq!(plan.reset.status.as_deref(), Some(""));
    assert_eq!(plan.reset.time_started, Some(None));
    // The stop that leaving requests stays.
    assert_eq!(plan.reset.event, None);
    let plan = replaced(&rows(), json!({"client_id": "a", "job_actions": []})).unwrap();
    assert_eq!(plan.reset.event.as_deref(), Some(""));
    assert_eq!(plan.finished, None);
}

#[test]
fn a_new_job_has_the_times_of_its_document_only_under_a_given_id() {
    let body = json!({
        "client_id": "a",
        "job_actions": [],
        "job_schedule": {"time_started": 5, "status": "scheduled"},
    });
    let document = parse(&JOB, body).unwrap();
    let references = References { client: Some(client("a", &["backup"])), ..References::default() };
    for (times, expected) in [(RunTimes::Unset, None), (RunTimes::AsGiven, Some(5))] {
        let (_, new) = creation(&references, &document, (times, Room::UNLIMITED), time(), new_id).unwrap();
        assert_eq!((new.run.time_started, &*new.run.status), (expected, "scheduled"));
    }
    let nothing = References::default();
    let unknown = creation(&nothing, &document, (RunTimes::Unset, Room::UNLIMITED), time(), new_id);
    assert_eq!(refusal(unknown).1, "Client not found with ID a");
}

#[test]
fn documents_mention_what_must_be_read() {
    let patch = |body| mentions(&parse(&JOB_PATCH, body).unwrap());
    assert_eq!(patch(json!({"job_schedule": {"status": "running"}})), Mentions::default());
    let mentioned = patch(json!({"session_id": "s", "job_schedule": {}, "client_id": "a"}));
    assert_eq!((mentioned.session, mentioned.client.as_deref()), (None, Some("a")));
    let entries = json!([{"action_id": "x"}, {"freezer_action": {"action": "backup"}}]);
    let mentioned = patch(json!({ "job_actions": entries }));
    assert_eq!(mentioned.actions, Some(vec![Some("x".to_owned()), None]));
    let replacing = replacement_mentions(&parse(&JOB, json!({"client_id": "a", "job_actions": []})).unwrap());
    assert_eq!((replacing.actions, replacing.is_replacement), (Some(Vec::new()), true));
}

#[test]
fn a_start_resets_the_status_and_the_result() {
    for (event, reset) in [(Event::Start, Some("")), (Event::Stop, None), (Event::Abort, None)] {
        let change = requesting(event);
        assert_eq!((change.status.as_deref(), change.result.as_deref()), (reset, reset));
        assert_eq!((change.event.as_deref(), change.event_delivered), (Some(event.word()), Some(false)));
    }
}
