//! A job on a further client needs a trust if that client is central. A job has one trust, however many clients it is
//! on.

use freezer_api::trusts::Settings;
use serde_json::json;

use super::cloud::{Cloud, User};
use crate::api::Api;
use crate::documents::{client, job};
use crate::races::at_once;

on_every_backend! {
    a_job_that_is_put_on_a_central_client_gets_a_trust,
    a_job_with_a_trust_gets_no_second_one,
    a_job_that_moves_to_a_central_client_gets_a_trust,
    a_refused_attachment_makes_no_trust,
    an_attached_job_gets_a_trust_if_trusts_are_enforced,
    an_attached_job_gets_no_trust_if_trusts_are_off,
    a_job_is_not_attached_if_keystone_refuses,
    concurrent_attachments_make_one_trust,
    a_client_replaced_meanwhile_gets_no_job,
    a_job_deleted_meanwhile_leaves_no_trust,
}

fn a_job_that_is_put_on_a_central_client_gets_a_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, job) = private(&cloud);
    assert_eq!(cloud.keystone.count(""), 0);
    let other = alice.attach(&job, &cloud.central);
    let trust = alice.trust_of(&other).unwrap();
    assert_eq!(cloud.trusts(), std::slice::from_ref(&trust));
    // The trust belongs to the definition, and stays until the last document is deleted.
    assert_eq!(alice.trust_of(&job), Some(trust));
    alice.delete(&format!("/job-attachments/{other}")).expect(204);
    assert_eq!(cloud.trusts().len(), 1);
    alice.delete(&format!("/job-attachments/{job}")).expect(204);
    assert!(cloud.trusts().is_empty());
    assert_eq!(cloud.rows().trusts, 0);
}

fn a_job_with_a_trust_gets_no_second_one(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, bob) = (cloud.alice(), cloud.user("bob", &["member"]));
    alice.post("/clients", &client("host")).expect(201);
    let job = alice.create(&cloud.job());
    let trust = alice.trust_of(&job);
    let asked = cloud.keystone.count("");
    let other = central(&cloud, "2");
    let id = bob.attach(&job, &other);
    assert_eq!(bob.trust_of(&id), trust);
    bob.attach(&job, "host");
    assert_eq!((cloud.keystone.count(""), cloud.rows().trusts), (asked, 1));
}

fn a_job_that_moves_to_a_central_client_gets_a_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, job) = private(&cloud);
    let path = format!("/job-attachments/{job}");
    alice.patch(&path, &json!({"client_id": "host", "status": "stop"})).expect(200);
    assert_eq!(cloud.keystone.count(""), 0);
    let moved = alice.patch(&path, &json!({"client_id": cloud.central})).expect(200);
    assert_eq!(moved["client_id"], json!(cloud.central));
    let trust = alice.trust_of(&job).unwrap();
    assert_eq!(cloud.trusts(), std::slice::from_ref(&trust));
    // Moving again, there and back, sends no request to Keystone.
    let asked = cloud.keystone.count("");
    for name in [&*cloud.central, "host", &*cloud.central] {
        alice.patch(&path, &json!({"client_id": name})).expect(200);
    }
    assert_eq!((cloud.keystone.count(""), alice.trust_of(&job)), (asked, Some(trust)));
}

fn a_refused_attachment_makes_no_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, job) = private(&cloud);
    let path = format!("/job-attachments/{job}");
    let central = &cloud.central;
    for (key, value) in [("job_id", "unknown"), ("session_id", "unknown")] {
        let mut body = json!({"job_id": job, "client_id": central});
        body[key] = json!(value);
        alice.post("/job-attachments", &body).expect(422);
    }
    alice.patch(&path, &json!({"client_id": central, "job_id": "another"})).expect(400);
    alice.patch("/job-attachments/unknown", &json!({"client_id": central})).expect(404);
    let mut lesser = client(&format!("{central}-less"));
    lesser["is_central"] = json!(true);
    lesser["supported_modes"] = json!(["nova"]);
    cloud.user("operator", &["admin"]).post("/clients", &lesser).expect(201);
    alice.post("/job-attachments", &json!({"job_id": job, "client_id": lesser["client_id"]})).expect(422);
    alice.patch(&path, &json!({"client_id": lesser["client_id"]})).expect(422);
    assert_eq!(cloud.keystone.count(""), 0);
}

fn an_attached_job_gets_a_trust_if_trusts_are_enforced(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, job) = private(&cloud);
    alice.post("/clients", &client("other")).expect(201);
    let enforced = Settings { enforce_trusts: true, ..Settings::default() };
    let node = cloud.another_node(&cloud.keystone.url, enforced);
    let there: User = alice.on(&node);
    assert_eq!(alice.trust_of(&job), None);
    assert!(there.trust_of(&there.attach(&job, "other")).is_some());
}

fn an_attached_job_gets_no_trust_if_trusts_are_off(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, job) = private(&cloud);
    let off = Settings { enabled: false, enforce_trusts: true, ..Settings::default() };
    let node = cloud.another_node(&cloud.keystone.url, off);
    let there: User = alice.on(&node);
    assert_eq!(there.trust_of(&there.attach(&job, &cloud.central)), None);
    assert_eq!(cloud.keystone.count(""), 0);
}

fn a_job_is_not_attached_if_keystone_refuses(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, job) = private(&cloud);
    for (keystone, status) in [(403, 422), (500, 503)] {
        cloud.keystone.with(|world| world.fails_with = Some(keystone));
        let body = json!({"job_id": job, "client_id": cloud.central});
        alice.post("/job-attachments", &body).expect(status);
        alice.patch(&format!("/job-attachments/{job}"), &json!({"client_id": cloud.central})).expect(status);
        cloud.keystone.with(|world| world.fails_with = None);
    }
    assert_eq!((cloud.rows().job_attachments, cloud.rows().trusts, cloud.trusts().len()), (1, 0, 0));
    assert_eq!(alice.get(&format!("/job-attachments/{job}")).expect(200)["client_id"], "host");
}

fn concurrent_attachments_make_one_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, bob) = (cloud.alice(), cloud.user("bob", &["member"]));
    alice.post("/clients", &client("host")).expect(201);
    let names: Vec<String> = (0..6).map(|n| central(&cloud, &n.to_string())).collect();
    cloud.keystone.with(|world| world.trustee_is_admin = true);
    for _ in 0..3 {
        let id = alice.create(&job("host"));
        // Each request may make a trust; one is stored, and the others are removed.
        at_once(6, |n| [&alice, &bob][n % 2].attach(&id, &names[n]));
        let trust = alice.trust_of(&id).unwrap();
        assert_eq!((cloud.trusts(), cloud.rows().trusts), (vec![trust], 1));
        let attached = alice.get(&format!("/job-attachments?job_id={id}")).expect(200);
        let attached = attached["job_attachments"].as_array().unwrap().clone();
        assert_eq!(attached.len(), 7);
        let delete =
            |n: usize| alice.delete(&format!("/job-attachments/{}", attached[n]["id"].as_str().unwrap()));
        at_once(7, |n| delete(n).expect(204));
        assert_eq!((cloud.trusts().len(), cloud.rows().jobs), (0, 0));
    }
}

fn a_client_replaced_meanwhile_gets_no_job(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, job) = private(&cloud);
    let root = cloud.user("operator", &["admin"]);
    let mut again = client(&cloud.central);
    again["is_central"] = json!(true);
    let path = format!("/clients/{}", cloud.central);
    cloud.keystone.with(|world| {
        world.meanwhile = Some(Box::new(move || {
            root.delete(&path).expect(204);
            root.post("/clients", &again).expect(201);
        }));
    });
    alice.post("/job-attachments", &json!({"job_id": job, "client_id": cloud.central})).expect(409);
    assert_eq!((cloud.rows().job_attachments, cloud.trusts().len()), (1, 0));
}

fn a_job_deleted_meanwhile_leaves_no_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, job) = private(&cloud);
    let (deleter, gone) = (alice.clone(), job.clone());
    cloud.keystone.with(|world| world.meanwhile = Some(Box::new(move || deleter.remove(&gone))));
    alice.post("/job-attachments", &json!({"job_id": job, "client_id": cloud.central})).expect(422);
    assert_eq!((cloud.rows().jobs, cloud.trusts().len()), (0, 0));
}

/// Alice, and her job on a private client.
fn private(cloud: &Cloud<'_>) -> (User, String) {
    let alice = cloud.alice();
    alice.post("/clients", &client("host")).expect(201);
    let job = alice.create(&job("host"));
    (alice, job)
}

/// Registers a further central client.
fn central(cloud: &Cloud<'_>, suffix: &str) -> String {
    let mut body = client(&format!("{}-{suffix}", cloud.central));
    body["is_central"] = json!(true);
    cloud.user("operator", &["admin"]).post("/clients", &body).expect(201)["client_id"]
        .as_str()
        .unwrap()
        .to_owned()
}
