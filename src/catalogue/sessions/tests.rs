//! Tables of cases: a session with its parts and a request, and the plan with its answer.

use front::error::Error;
use serde_json::json;

use super::*;
use crate::store::now;

/// A session of tag 2 whose run began so many seconds ago, with a part for each status and result; the jobs are `j0`, `j1`
/// and so on.
fn rows(age: Option<i64>, status: &str, parts: &[(&str, &str)], at: Time) -> RunRows {
    let session = Session {
        id: "s".into(),
        project_id: "p".into(),
        user_id: "u".into(),
        scheduling: json!({}).into(),
        policy: "all".into(),
        description: None,
        hold_off: 30,
        session_tag: 2,
        status: status.into(),
        result: String::new(),
        time_start: age.map(|age| at.and_utc().timestamp() - age),
        time_end: None,
        time_started: None,
        time_ended: None,
        metadata: json!({}).into(),
        created_at: at,
        updated_at: at,
        version: 7,
    };
    let part = |(number, (status, result)): (usize, &(&str, &str))| Part {
        id: format!("j{number}"),
        version: 1,
        status: (*status).into(),
        result: (*result).into(),
        time_started: Some(5),
    };
    RunRows { session, parts: parts.iter().enumerate().map(part).collect() }
}

#[test]
fn starts() {
    let at = now();
    for (tag, age, answer, kind) in [
        (2, None, ("success", 3), "begins"),
        (2, Some(31), ("success", 3), "begins"),
        (2, Some(5), ("hold-off", 2), "nothing"),
        (1, Some(5), ("success", 2), "joins"),
        (1, Some(31), ("out-of-sync", 2), "nothing"),
    ] {
        let (plan, answered) = start(&rows(age, "active", &[("", "")], at), "j0", tag, at).unwrap();
        assert_eq!((answered.result, answered.tag), answer, "{tag} {age:?}");
        let planned = match plan {
            RunPlan::Nothing => "nothing",
            RunPlan::Part { change, session, .. } => {
                assert_eq!((&*change.status, session), ("running", SessionChange::default()));
                "joins"
            }
            RunPlan::Begin { change, session, .. } => {
                assert_eq!(change.time_started, Some(at.and_utc().timestamp()));
                assert_eq!((session.session_tag, session.time_end), (Some(3), Some(None)));
                "begins"
            }
        };
        assert_eq!(planned, kind, "{tag} {age:?}");
    }
}

#[test]
fn refused_starts_and_ends() {
    let at = now();
    let mut last = rows(None, "active", &[("", "")], at);
    last.session.session_tag = i32::MAX;
    let other = rows(None, "active", &[("", "")], at);
    let text = |refusal: Refusal| Error::from(refusal).description;
    assert_eq!(
        text(start(&other, "j0", 3, at).unwrap_err()),
        "requested tag value too high. Session tag: 2, requested: 3"
    );
    assert_eq!(text(start(&last, "j0", i32::MAX.into(), at).unwrap_err()), "The session tag is used up.");
    // Membership comes before the tag.
    assert_eq!(text(start(&other, "j9", 3, at).unwrap_err()), "job_id not found in session");
    assert_eq!(text(end(&other, "j9", "success", Some(1), at).unwrap_err()), "job_id not found in session");
}

#[test]
fn the_last_end_ends_the_run() {
    let at = now();
    let done = ("completed", "success");
    for (name, status, parts, tag, ended) in [
        ("the only job", "running", vec![("running", "")], Some(2), Some("success")),
        ("without a tag", "running", vec![("running", "")], None, Some("success")),
        ("one still runs", "running", vec![("running", ""), ("running", "")], Some(2), None),
        ("the others have ended", "running", vec![("running", ""), done], Some(2), Some("success")),
        (
            "another has failed",
            "running",
            vec![("running", ""), ("completed", "fail")],
            Some(2),
            Some("fail"),
        ),
        ("the run is over", "completed", vec![("running", ""), done], Some(2), None),
    ] {
        let (plan, answer) = end(&rows(Some(5), status, &parts, at), "j0", "success", tag, at).unwrap();
        assert_eq!((answer.result, answer.tag), ("success", 2), "{name}");
        let RunPlan::Part { part, change, session } = plan else { panic!("{name}: {plan:?}") };
        assert_eq!((&*part.id, &*change.status, &*change.result), ("j0", "completed", "success"), "{name}");
        assert_eq!((change.time_started, change.time_ended), (Some(5), Some(at.and_utc().timestamp())));
        assert_eq!(session.result.as_deref(), ended, "{name}");
    }
}

#[test]
fn the_end_of_an_earlier_run_changes_nothing() {
    let at = now();
    let (plan, answer) =
        end(&rows(Some(5), "running", &[("running", "")], at), "j0", "fail", Some(1), at).unwrap();
    assert_eq!((plan, answer.tag), (RunPlan::Nothing, 2));
}

#[test]
fn a_document_creates_replaces_or_changes_a_session() {
    let document = SessionChange { description: Some(Some("nightly".into())), ..SessionChange::default() };
    let new = creation("s", Owner { project: "p", user: "u" }, document.clone(), now());
    let defaults = (&*new.policy, new.hold_off, new.session_tag, &*new.status, new.version);
    assert_eq!(defaults, ("all", DEFAULT_HOLD_OFF, 0, "active", 1));
    assert_eq!(new.description.as_deref(), Some("nightly"));

    let running = Session { status: "running".into(), session_tag: 4, hold_off: 60, ..new };
    let replaced = replacement(document.clone(), now()).applied_to(&running, now());
    assert_eq!((&*replaced.status, replaced.session_tag, replaced.hold_off), ("active", 0, DEFAULT_HOLD_OFF));
    assert_eq!(replaced.description.as_deref(), Some("nightly"));

    assert!(patch(&running, document).is_empty(), "it has this description already");
    let shorter =
        SessionChange { hold_off: Some(30), status: Some("running".into()), ..SessionChange::default() };
    assert_eq!(patch(&running, shorter), SessionChange { hold_off: Some(30), ..SessionChange::default() });
}
