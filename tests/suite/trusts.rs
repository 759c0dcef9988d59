//! Jobs on central clients, and the Keystone trusts that they run under (contract, api-v2 §7 "Trusts").

mod cloud;
mod fleets;
mod keystone;
mod races;
mod refusals;
mod removing;

use freezer_api::trusts::Settings;
use serde_json::json;

use crate::api::Api;
use crate::documents::{client, job};
use cloud::Cloud;
use keystone::TRUSTEE;

on_every_backend! {
    a_job_on_a_central_client_gets_a_trust_of_its_owner,
    a_users_jobs_in_a_project_share_a_trust,
    a_trust_that_differs_is_not_reused,
    a_role_that_the_owner_has_lost_is_not_delegated,
    jobs_on_private_clients_get_no_trust,
    all_jobs_get_a_trust_if_trusts_are_enforced,
    no_trust_is_made_if_trusts_are_off,
    without_configured_roles_the_roles_of_the_token_are_delegated,
    an_administrator_needs_the_role_in_the_jobs_project,
    a_changed_job_keeps_its_trust,
    a_cloned_job_gets_a_trust_of_its_own_owner,
    a_job_made_under_a_chosen_id_or_moved_gets_no_trust,
}

fn a_job_on_a_central_client_gets_a_trust_of_its_owner(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    let mut body = cloud.job();
    body["user_credentials"] = json!({"trust_id": "planted", "trustor_user_id": "victim"});
    let id = alice.create(&body);
    let credentials = alice.show(&id)["user_credentials"].clone();
    assert_eq!(credentials["trustor_user_id"], json!(alice.id));
    let trusts = cloud.keystone.with(|world| world.trusts.clone());
    let (trust_id, trust) = trusts.iter().next().unwrap();
    assert_eq!((trusts.len(), &credentials["trust_id"]), (1, &json!(trust_id)));
    for (key, expected) in [
        ("impersonation", json!(false)),
        ("allow_redelegation", json!(false)),
        ("trustor_user_id", json!(alice.id)),
        ("trustee_user_id", json!(TRUSTEE)),
        ("project_id", json!(cloud.project)),
        ("roles", json!([{"name": "member"}])),
    ] {
        assert_eq!(trust[key], expected, "{key}");
    }
    // The scheduler's poll shows the trust.
    let poll = json!({"match": [{"client_id": cloud.central}], "match_not": [{"status": "completed"}]});
    let scheduler = cloud.user_in("service", "scheduler", &["service"]);
    let listed = scheduler.search("/jobs?all_projects=True", &poll).expect(200);
    assert_eq!(listed["jobs"][0]["user_credentials"], credentials);
    assert_eq!(listed["jobs"][0]["project_id"], json!(cloud.project));
}

fn a_users_jobs_in_a_project_share_a_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, bob) = (cloud.alice(), cloud.user("bob", &["member"]));
    let elsewhere = cloud.user_in(&format!("{}-2", &cloud.project[..20]), "alice", &["member"]);
    assert_eq!(elsewhere.id, alice.id);
    let trust = alice.trust_of(&alice.create(&cloud.job()));
    assert!(trust.is_some());
    for _ in 0..2 {
        assert_eq!(alice.trust_of(&alice.create(&cloud.job())), trust);
    }
    let bobs = bob.trust_of(&bob.create(&cloud.job()));
    let other = elsewhere.trust_of(&elsewhere.create(&cloud.job()));
    assert_eq!(cloud.trusts().len(), 3);
    assert!(bobs != trust && other != trust && bobs != other);
    assert_eq!(cloud.keystone.count("POST"), 3);
}

fn a_trust_that_differs_is_not_reused(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    let mut trust = alice.trust_of(&alice.create(&cloud.job())).unwrap();
    for (key, value) in [
        ("roles", json!([{"name": "reader"}])),
        ("roles", json!([])),
        ("roles", json!([{"name": "member"}, {"name": "admin"}])),
        ("impersonation", json!(true)),
        ("expires_at", json!("2027-01-01T00:00:00.000000Z")),
        ("remaining_uses", json!(1)),
        ("redelegation_count", json!(3)),
        ("trustee_user_id", json!("a former scheduler")),
        ("project_id", json!("another")),
    ] {
        cloud.keystone.with(|world| world.trusts.get_mut(&trust).unwrap()[key] = value.clone());
        let next = alice.trust_of(&alice.create(&cloud.job())).unwrap();
        assert_ne!(next, trust, "{key}: {value}");
        trust = next;
    }
    // The trust was revoked in Keystone.
    cloud.keystone.with(|world| world.trusts.remove(&trust));
    let next = alice.trust_of(&alice.create(&cloud.job())).unwrap();
    assert_ne!(next, trust);
    assert_eq!(alice.trust_of(&alice.create(&cloud.job())), Some(next));
}

fn a_role_that_the_owner_has_lost_is_not_delegated(api: &Api) {
    let cloud = Cloud::new(api);
    let id = cloud.alice().create(&cloud.job());
    // The trust still exists in Keystone, but is no longer usable.
    cloud.keystone.with(|world| world.assignments.clear());
    let alice = cloud.user("alice", &["admin"]);
    let answer = alice.post("/jobs", &cloud.job()).expect(422);
    assert_eq!(answer["title"], "Missing required credentials");
    assert!(alice.trust_of(&id).is_some());
}

fn jobs_on_private_clients_get_no_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    alice.post("/clients", &client("host")).expect(201);
    let id = alice.create(&job("host"));
    assert!(alice.show(&id).get("user_credentials").is_none());
    alice.remove(&id);
    assert_eq!(cloud.keystone.count(""), 0);
}

fn all_jobs_get_a_trust_if_trusts_are_enforced(api: &Api) {
    let cloud = Cloud::with(api, Settings { enforce_trusts: true, ..Settings::default() });
    let alice = cloud.alice();
    alice.post("/clients", &client("host")).expect(201);
    assert!(alice.trust_of(&alice.create(&job("host"))).is_some());
}

fn no_trust_is_made_if_trusts_are_off(api: &Api) {
    let cloud = Cloud::new(api);
    let off = Settings { enabled: false, enforce_trusts: true, ..Settings::default() };
    let node = cloud.another_node(&cloud.keystone.url, off);
    let (alice, there) = (cloud.alice(), cloud.alice().on(&node));
    assert_eq!(there.trust_of(&there.create(&cloud.job())), None);
    assert_eq!(cloud.keystone.count(""), 0);
    // An existing trust is still removed.
    let id = alice.create(&cloud.job());
    there.remove(&id);
    assert!(cloud.trusts().is_empty());
}

fn without_configured_roles_the_roles_of_the_token_are_delegated(api: &Api) {
    let cloud = Cloud::with(api, Settings { delegated_roles: Vec::new(), ..Settings::default() });
    let alice = cloud.alice();
    let trust = alice.trust_of(&alice.create(&cloud.job())).unwrap();
    assert_eq!(alice.trust_of(&alice.create(&cloud.job())), Some(trust.clone()));
    let roles = cloud.keystone.with(|world| world.trusts[&trust]["roles"].clone());
    assert_eq!(roles, json!([{"name": "member"}, {"name": "reader"}]));
    // A token with other roles gets another trust.
    let alice = cloud.user("alice", &["member"]);
    assert_ne!(alice.trust_of(&alice.create(&cloud.job())), Some(trust));
}

fn an_administrator_needs_the_role_in_the_jobs_project(api: &Api) {
    let cloud = Cloud::new(api);
    let root = cloud.user_in("admin", "root", &["admin", "member"]).reaching_for(&cloud.project);
    let answer = root.post("/jobs", &cloud.job()).expect(422);
    assert_eq!(answer["title"], "Missing required credentials");
    assert_eq!(cloud.rows().jobs, 0);
    cloud.keystone.with(|world| world.assignments.push((root.id.clone(), cloud.project.clone(), "member")));
    let trust = root.trust_of(&root.create(&cloud.job())).unwrap();
    assert_eq!(cloud.keystone.with(|world| world.trusts[&trust]["project_id"].clone()), json!(cloud.project));
    assert_eq!(root.trust_of(&root.create(&cloud.job())), Some(trust));
}

fn a_changed_job_keeps_its_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, bob) = (cloud.alice(), cloud.user("bob", &["member"]));
    let id = alice.create(&cloud.job());
    let before = alice.show(&id)["user_credentials"].clone();
    let path = format!("/jobs/{id}");
    let mut whole = alice.show(&id);
    whole["user_credentials"] = json!({"trust_id": "planted", "trustor_user_id": "victim"});
    bob.patch(&path, &whole).expect(200);
    assert_eq!(alice.show(&id)["user_credentials"], before);
    bob.post(&path, &whole).expect(201);
    assert_eq!(alice.show(&id)["user_credentials"], before);
    assert_eq!(cloud.trusts().len(), 1);
}

fn a_cloned_job_gets_a_trust_of_its_own_owner(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, bob) = (cloud.alice(), cloud.user("bob", &["member"]));
    let id = alice.create(&cloud.job());
    // The dashboard clones a job by its whole document without the id.
    let mut whole = alice.show(&id);
    whole.as_object_mut().unwrap().remove("job_id");
    let clone = bob.create(&whole);
    assert_eq!(bob.show(&clone)["user_credentials"]["trustor_user_id"], json!(bob.id));
    assert_ne!(bob.trust_of(&clone), alice.trust_of(&id));
}

/// Of the requests on jobs, only `POST /jobs` makes a trust.
fn a_job_made_under_a_chosen_id_or_moved_gets_no_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    let id = format!("{}-job", cloud.project);
    alice.post(&format!("/jobs/{id}"), &cloud.job()).expect(201);
    assert_eq!(alice.trust_of(&id), None);
    alice.post("/clients", &client("host")).expect(201);
    let id = alice.create(&job("host"));
    alice.patch(&format!("/jobs/{id}"), &json!({"client_id": cloud.central})).expect(200);
    assert_eq!(alice.trust_of(&id), None);
    assert_eq!(cloud.keystone.count(""), 0);
}
