//! The references of a report: they exist, are in the same project and fit together. A report outlives them.

use diesel::prelude::*;
use diesel::result::DatabaseErrorKind;
use diesel::result::Error::DatabaseError;
use freezer_api::store::schema::{action_attachments, action_reports, actions, job_attachments};
use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{action, job};
use crate::races::at_once;

on_every_backend! {
    the_other_references_follow_from_one,
    references_that_do_not_fit_together_are_refused,
    a_report_on_a_missing_resource_is_refused,
    the_database_refuses_dangling_references,
    a_report_outlives_its_references,
    reports_and_deletes_at_once_leave_nothing_dangling,
}

const KEYS: [&str; 3] = ["action_id", "action_attachment_id", "job_attachment_id"];

fn the_other_references_follow_from_one(api: &Api) {
    let alice = api.project();
    let about = Target::new(&alice, "web1");
    let shown =
        |report: &Value| [KEYS[0], KEYS[1], KEYS[2], "job_id", "client_id"].map(|key| report[key].clone());
    let of = |keys: &[&str]| {
        let mut body = json!({"result": "fail"});
        for key in keys {
            body[key] = json!(about.id(key));
        }
        shown(&alice.create_document("action-reports", body))
    };
    let (action, place, job) = (json!(about.action), json!(about.place), json!(about.job));
    let (client, none) = (json!("web1"), Value::Null);
    let all = [action.clone(), place.clone(), job.clone(), job.clone(), client.clone()];
    assert_eq!(of(&KEYS), all);
    assert_eq!(of(&KEYS[1..]), all);
    assert_eq!(of(&[KEYS[1]]), [action.clone(), place, none.clone(), job.clone(), none.clone()]);
    assert_eq!(of(&[KEYS[2]]), [none.clone(), none.clone(), job.clone(), job.clone(), client.clone()]);
    assert_eq!(of(&[KEYS[0], KEYS[2]]), [action.clone(), none.clone(), job.clone(), job, client]);
    assert_eq!(of(&[KEYS[0]]), [action, none.clone(), none.clone(), none.clone(), none]);
    // For a document of a fleet, these are its own client and the shared definition.
    alice.register("web2");
    let member = alice.attach(&about.job, "web2");
    let report =
        alice.create_document("action-reports", json!({"result": "fail", "job_attachment_id": member}));
    assert_eq!(shown(&report)[2..], [json!(member), json!(about.job), json!("web2")]);
}

fn references_that_do_not_fit_together_are_refused(api: &Api) {
    let alice = api.project();
    let (one, two) = (Target::new(&alice, "web1"), Target::new(&alice, "web2"));
    for (key, other) in [("action_id", &two), ("job_attachment_id", &two)] {
        let mut body = json!({"result": "fail", "action_attachment_id": one.place});
        body[key] = json!(other.id(key));
        let refusal = alice.post("/action-reports", body).expect(422);
        assert!(refusal["description"].as_str().unwrap().starts_with("The action attachment is of another"));
    }
    // An action that is no longer in the job may have been in it when the job ran.
    let body = json!({"result": "fail", "action_id": two.action, "job_attachment_id": one.job});
    alice.post("/action-reports", body).expect(201);
    assert_eq!(alice.rows().reports, 1);
}

fn a_report_on_a_missing_resource_is_refused(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let his = Target::new(&bob, "web1");
    for key in KEYS {
        for id in [his.id(key), "nothing"] {
            let mut body = json!({"result": "fail"});
            body[key] = json!(id);
            let refusal = alice.post("/action-reports", body.clone()).expect(422);
            assert!(refusal["description"].as_str().unwrap().ends_with(&format!("not found with ID {id}")));
            // This also holds for an administrator of another project.
            alice.with_roles("admin").post("/action-reports", body).expect(422);
        }
    }
    assert_eq!((alice.rows().reports, bob.rows().reports), (0, 0));
}

fn the_database_refuses_dangling_references(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let (hers, his) = (Target::new(&alice, "web1"), Target::new(&bob, "web1"));
    let mut body = json!({"result": "fail"});
    for key in KEYS {
        body[key] = json!(hers.id(key));
    }
    let id = alice.create_document("action-reports", body)["id"].as_str().unwrap().to_owned();
    let mut connection = api.database();
    let report = || action_reports::table.filter(action_reports::id.eq(id.clone()));
    macro_rules! point {
        ($column:ident, $at:expr) => {
            diesel::update(report()).set(action_reports::$column.eq($at)).execute(&mut connection)
        };
    }
    // Neither an unknown row nor a row of another project can be referred to.
    for other in ["nothing", &his.action] {
        assert_foreign_key_error(point!(action_id, other));
    }
    for other in ["nothing", &his.place] {
        assert_foreign_key_error(point!(action_attachment_id, other));
    }
    for other in ["nothing", &his.job] {
        assert_foreign_key_error(point!(job_attachment_id, other));
    }
    // Nor can a row be deleted while a report refers to it.
    assert_foreign_key_error(
        diesel::delete(action_attachments::table.find(&hers.place)).execute(&mut connection),
    );
    assert_foreign_key_error(diesel::delete(job_attachments::table.find(&hers.job)).execute(&mut connection));
    assert_foreign_key_error(diesel::delete(actions::table.find(&hers.action)).execute(&mut connection));
    let shown = alice.show("action-reports", &id);
    for key in KEYS {
        assert_eq!(shown[key], json!(hers.id(key)));
    }
}

fn a_report_outlives_its_references(api: &Api) {
    let alice = api.project();
    let about = Target::new(&alice, "web1");
    let mut body = json!({"result": "fail", "log": "kept"});
    for key in KEYS {
        body[key] = json!(about.id(key));
    }
    let before = alice.create_document("action-reports", body);
    let id = before["id"].as_str().unwrap();
    let mut expected = before.clone();

    alice.delete(&format!("/actions/{}", about.action)).expect(204);
    expected["action_id"] = Value::Null;
    expected["action_attachment_id"] = Value::Null;
    assert_eq!(alice.show("action-reports", id), expected);

    alice.delete(&format!("/jobs/{}", about.job)).expect(204);
    expected["job_attachment_id"] = Value::Null;
    assert_eq!(alice.show("action-reports", id), expected);

    // The ids of the job and the client stay in the report.
    alice.delete("/clients/web1").expect(204);
    assert_eq!(alice.show("action-reports", id), expected);
    assert_eq!((&expected["job_id"], &expected["client_id"]), (&json!(about.job), &json!("web1")));
    assert_eq!(alice.get(&format!("/action-reports/{id}/log")).body, b"kept");
}

fn reports_and_deletes_at_once_leave_nothing_dangling(api: &Api) {
    let alice = api.project();
    for _ in 0..3 {
        let about = Target::new(&alice, "web1");
        let mut body = json!({"result": "fail"});
        for key in KEYS {
            body[key] = json!(about.id(key));
        }
        let made = at_once(16, |n| match n {
            7 => {
                alice.delete(&format!("/jobs/{}", about.job)).expect(204);
                None
            }
            _ => {
                let answer = alice.post("/action-reports", body.clone());
                // The report came before the delete, after it, or so close to it that the caller is told to try
                // again.
                assert!([201, 409, 422].contains(&answer.status), "{answer}");
                (answer.status == 201).then(|| answer.json()["id"].as_str().unwrap().to_owned())
            }
        });
        for id in made.into_iter().flatten() {
            let shown = alice.show("action-reports", &id);
            assert_eq!(
                (&shown["job_attachment_id"], &shown["action_attachment_id"]),
                (&Value::Null, &Value::Null)
            );
            assert_eq!((&shown["job_id"], &shown["client_id"]), (&json!(about.job), &json!("web1")));
        }
    }
}

/// A job of one action on a client, to report on.
struct Target {
    action: String,
    place: String,
    job: String,
}

impl Target {
    fn new(caller: &Caller<'_>, client: &str) -> Self {
        caller.register(client);
        let action = caller.create("actions", action());
        let mut body = job(client);
        body["job_actions"] = json!([{"action_id": action}]);
        let job = caller.create("jobs", body);
        let place = action_attachments::table
            .filter(action_attachments::action_id.eq(&action))
            .select(action_attachments::id)
            .first(&mut caller.api.database())
            .unwrap();
        Self { action, place, job }
    }

    fn id(&self, key: &str) -> &str {
        match key {
            "action_id" => &self.action,
            "action_attachment_id" => &self.place,
            _ => &self.job,
        }
    }
}

/// Checks that a foreign key refused the statement. SQLite's refusal of a delete has no error kind.
#[track_caller]
fn assert_foreign_key_error(outcome: QueryResult<usize>) {
    match outcome {
        Err(DatabaseError(DatabaseErrorKind::ForeignKeyViolation, _)) => {}
        Err(DatabaseError(_, information)) => {
            let message = information.message().to_lowercase();
            assert!(message.contains("foreign key constraint failed"), "{message}");
        }
        other => panic!("{other:?}"),
    }
}
