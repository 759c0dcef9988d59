//! An action's place in a job.

use serde_json::{Value, json};

use super::{Plan, id};
use crate::api::{Api, Caller};
use crate::documents::{action, client};

on_every_backend! {
    an_action_is_put_into_a_job,
    a_new_place_is_the_last_without_a_priority,
    a_place_is_changed,
    a_place_is_deleted,
    a_changed_place_changes_every_document_of_the_job,
    an_attachment_can_be_sent_back_as_it_was_read,
    a_document_may_be_written_over_gaps,
    places_that_keep_their_action_keep_their_history_over_gaps,
    the_highest_priority_leaves_room_for_documents,
    a_document_of_a_fleet_is_checked_for_all_its_clients,
}

fn an_action_is_put_into_a_job(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let new = alice.create("actions", action());
    let made = alice.create_document("action-attachments", json!({"action_id": new, "job_id": job}));
    let at = made["created_at"].clone();
    assert_eq!(
        made,
        json!({
            "id": made["id"], "project_id": alice.project, "user_id": alice.user, "action_id": new, "job_id": job,
            // The defaults of the action.
            "priority": 1, "retries": 3, "retry_interval": 60, "mandatory": true,
            "created_at": at, "updated_at": at, "version": 1,
        })
    );
    let body = json!({"action_id": new, "job_id": job, "retries": 0, "retry_interval": 1, "mandatory": false, "priority": 7});
    let again = alice.colleague().create_document("action-attachments", body);
    assert_eq!(again["user_id"], json!(alice.colleague().user));
    let entry = alice.show("jobs", &job)["job_actions"][2].clone();
    for (key, value) in [
        ("action_id", json!(new)),
        ("max_retries", json!(0)),
        ("max_retries_interval", json!(1)),
        ("mandatory", json!(false)),
    ] {
        assert_eq!(entry[key], value, "{key}");
    }
}

fn a_new_place_is_the_last_without_a_priority(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    let new: Vec<String> = (0..4).map(|_| alice.create("actions", crate::documents::action())).collect();
    let ten = place(&alice, &job, &new[0], json!(10));
    place(&alice, &job, &new[1], Value::Null);
    place(&alice, &job, &new[2], json!(5));
    assert_order(&alice, &job, &[&action, &new[2], &new[0], &new[1]]);
    let body = json!({"action_id": new[3], "job_id": job, "priority": 10});
    let refusal = alice.post("/action-attachments", body).expect(409);
    assert!(refusal["description"].as_str().unwrap().contains(&ten), "{refusal}");
    assert_eq!(alice.rows().action_attachments, 4);

    let last = place(&alice, &job, &new[3], json!(i32::MAX));
    alice.post("/action-attachments", json!({"action_id": new[3], "job_id": job})).expect(409);
    alice.delete(&format!("/action-attachments/{last}")).expect(204);
    place(&alice, &job, &new[3], Value::Null);
    // In an empty job the priorities begin at 0.
    for place in alice.places(&job) {
        alice.delete(&format!("/action-attachments/{place}")).expect(204);
    }
    assert_eq!(alice.show("jobs", &job)["job_actions"], json!([]));
    let first = alice.create_document("action-attachments", json!({"action_id": action, "job_id": job}));
    assert_eq!(first["priority"], 0);
}

fn a_place_is_changed(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    let new = alice.create("actions", crate::documents::action());
    let second = place(&alice, &job, &new, Value::Null);
    let first = alice.places(&job)[0].clone();
    let refusal = alice.patch(&format!("/action-attachments/{second}"), json!({"priority": 0})).expect(409);
    assert!(refusal["description"].as_str().unwrap().contains(&first), "{refusal}");
    alice.patch_document("action-attachments", &first, json!({"priority": 9}));
    assert_order(&alice, &job, &[&new, &action]);
    let body = json!({"retries": 8, "retry_interval": 9, "mandatory": false});
    let changed = alice.patch_document("action-attachments", &first, body);
    assert_eq!((&changed["priority"], &changed["version"]), (&json!(9), &json!(3)));
    assert!(changed["updated_at"].as_str() > changed["created_at"].as_str());
    let entry = alice.show("jobs", &job)["job_actions"][1].clone();
    assert_eq!((&entry["max_retries"], &entry["max_retries_interval"]), (&json!(8), &json!(9)));
    assert_eq!(entry["mandatory"], json!(false));
    // The action keeps its own numbers, which are only defaults.
    assert_eq!(alice.show("actions", &action)["max_retries"], 3);
}

fn a_place_is_deleted(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    alice.report(&job, json!({"status": "completed", "result": "fail", "time_started": 5, "time_ended": 9}));
    let first = alice.places(&job)[0].clone();
    assert_eq!(alice.reports()[0].action_attachment_id.as_ref(), Some(&first));
    let path = format!("/action-attachments/{first}");
    alice.delete(&path).expect(204);
    alice.get(&path).expect(404);
    alice.delete(&path).expect(404);
    alice.patch(&path, json!({"priority": 3})).expect(404);
    assert_eq!(alice.show("jobs", &job)["job_actions"], json!([]));
    // The action and the history stay.
    alice.show("actions", &action);
    let report = alice.reports().remove(0);
    assert_eq!((report.action_attachment_id, report.action_id), (None, Some(action.clone())));
    // Deleting the action deletes its places.
    let again = place(&alice, &job, &action, Value::Null);
    alice.delete(&format!("/actions/{action}")).expect(204);
    alice.get(&format!("/action-attachments/{again}")).expect(404);
}

fn a_changed_place_changes_every_document_of_the_job(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    alice.register("b");
    let other = alice.put_on(&job, "b");
    let versions = || [&job, &other].map(|id| alice.show("jobs", id)["_version"].as_i64().unwrap());
    let mut before = versions();
    let mut risen = |what: &str| {
        let now = versions();
        assert!(now.iter().zip(before).all(|(now, before)| *now == before + 1), "{what}: {before:?} {now:?}");
        before = now;
    };
    let new = place(&alice, &job, &action, Value::Null);
    risen("made");
    alice.patch_document("action-attachments", &new, json!({"priority": 5}));
    risen("moved");
    alice.patch_document("action-attachments", &new, json!({"retries": 5}));
    risen("changed");
    alice.delete(&format!("/action-attachments/{new}")).expect(204);
    risen("deleted");
    assert_eq!(alice.show("jobs", &other)["job_actions"].as_array().unwrap().len(), 1);
}

fn an_attachment_can_be_sent_back_as_it_was_read(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let first = alice.places(&job)[0].clone();
    let whole = alice.show("action-attachments", &first);
    let version = alice.show("jobs", &job)["_version"].clone();
    assert_eq!(alice.patch_document("action-attachments", &first, whole.clone()), whole);
    let mut planted = whole.clone();
    for key in ["id", "project_id", "user_id", "created_at", "updated_at"] {
        planted[key] = json!("planted");
    }
    planted["version"] = json!(77);
    assert_eq!(alice.patch_document("action-attachments", &first, planted), whole);
    assert_eq!(alice.show("jobs", &job)["_version"], version);
}

fn a_document_may_be_written_over_gaps(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    let new: Vec<String> = (0..3).map(|_| alice.create("actions", crate::documents::action())).collect();
    place(&alice, &job, &new[0], json!(10));
    place(&alice, &job, &new[1], json!(20));
    let path = format!("/jobs/{job}");
    for wanted in [
        vec![&new[0], &new[1], &new[2], &action],
        vec![&new[1]],
        vec![&new[1], &new[1], &new[0], &new[2], &action],
        vec![&action, &new[1]],
    ] {
        let entries: Vec<Value> = wanted.iter().map(|id| json!({"action_id": id})).collect();
        alice.patch(&path, json!({"job_actions": entries})).expect(200);
        assert_order(&alice, &job, &wanted);
    }
}

fn places_that_keep_their_action_keep_their_history_over_gaps(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    let (new, other) = (
        alice.create("actions", crate::documents::action()),
        alice.create("actions", crate::documents::action()),
    );
    let ten = place(&alice, &job, &new, json!(10));
    let first = alice.places(&job)[0].clone();
    alice.report(
        &job,
        json!({"status": "completed", "result": "success", "time_started": 5, "time_ended": 9}),
    );
    let of = |places: &[&String]| {
        let mut reports: Vec<_> =
            alice.reports().into_iter().filter_map(|report| report.action_attachment_id).collect();
        let mut places: Vec<String> = places.iter().map(|id| (*id).clone()).collect();
        reports.sort();
        places.sort();
        assert_eq!(reports, places);
    };
    of(&[&first, &ten]);
    // An old client sends the document back with one more action.
    let mut whole = alice.show("jobs", &job);
    whole["job_actions"].as_array_mut().unwrap().push(json!({"action_id": other}));
    alice.patch(&format!("/jobs/{job}"), whole).expect(200);
    of(&[&first, &ten]);
    assert_eq!(alice.show("action-attachments", &ten)["priority"], 10);
    assert_eq!(alice.places(&job).len(), 3);
    // One place has another number of retries.
    let entries = json!([{"action_id": action}, {"action_id": new, "max_retries": 9}]);
    alice.patch(&format!("/jobs/{job}"), json!({"job_actions": entries})).expect(200);
    of(&[&first, &ten]);
    assert_eq!(alice.show("action-attachments", &ten)["retries"], 9);
    // The first place has another action.
    let entries = json!([{"action_id": other}, {"action_id": new}]);
    alice.patch(&format!("/jobs/{job}"), json!({"job_actions": entries})).expect(200);
    of(&[&ten]);
}

fn the_highest_priority_leaves_room_for_documents(api: &Api) {
    let Plan { alice, job, action } = Plan::new(api.project());
    let new = alice.create("actions", crate::documents::action());
    let last = place(&alice, &job, &new, json!(i32::MAX));
    let wanted = [&action, &new, &new, &action];
    let entries: Vec<Value> = wanted.iter().map(|id| json!({"action_id": id})).collect();
    alice.patch(&format!("/jobs/{job}"), json!({"job_actions": entries})).expect(200);
    assert_order(&alice, &job, &wanted);
    assert_eq!(alice.show("action-attachments", &last)["priority"], 1);
}

fn a_document_of_a_fleet_is_checked_for_all_its_clients(api: &Api) {
    let Plan { alice, job, .. } = Plan::new(api.project());
    let mut lesser = client("b");
    lesser["supported_modes"] = json!(["fs"]);
    alice.create("clients", lesser);
    let other = alice.put_on(&job, "b");
    let mut nova = action();
    nova["freezer_action"]["mode"] = json!("nova");
    let before = alice.show("jobs", &job);
    // The change is refused through the document of either client.
    for document in [&job, &other] {
        let refusal = alice.patch(&format!("/jobs/{document}"), json!({"job_actions": [nova]})).expect(422);
        assert!(refusal["description"].as_str().unwrap().starts_with("Client b "), "{refusal}");
    }
    assert_eq!(alice.show("jobs", &job), before);
    // Without that client, the change is accepted.
    alice.delete(&format!("/job-attachments/{other}")).expect(204);
    alice.patch(&format!("/jobs/{job}"), json!({"job_actions": [nova]})).expect(200);
}

/// Puts an action into a job, and returns the attachment's id. Without a priority, the action comes last.
#[track_caller]
fn place(caller: &Caller<'_>, job: &str, action: &str, priority: Value) -> String {
    let mut body = json!({"action_id": action, "job_id": job});
    if !priority.is_null() {
        body["priority"] = priority;
    }
    id(&caller.create_document("action-attachments", body))
}

/// Checks that the job's document shows these actions in this order.
#[track_caller]
fn assert_order(caller: &Caller<'_>, job: &str, wanted: &[&String]) {
    let actions = caller.show("jobs", job)["job_actions"].as_array().unwrap().clone();
    let shown: Vec<&str> = actions.iter().map(|action| action["action_id"].as_str().unwrap()).collect();
    assert_eq!(shown, wanted);
}
