//! Concurrent requests on two nodes: every job has its trust in Keystone, and every trust in Keystone has its job.

use std::collections::BTreeSet;

use freezer_api::trusts::Settings;
use serde_json::json;

use super::cloud::{Cloud, User};
use crate::api::Api;
use crate::documents::client;
use crate::races::at_once;

on_every_backend! {
    a_trust_removed_meanwhile_is_not_used,
    a_client_replaced_meanwhile_gets_no_new_job,
    of_many_jobs_with_one_id_the_stored_one_has_a_trust,
    concurrent_creates_and_deletes_keep_the_trusts,
}

fn a_trust_removed_meanwhile_is_not_used(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    let first = alice.create(&cloud.job());
    let old = alice.trust_of(&first).unwrap();
    let deleter = alice.clone();
    cloud.keystone.with(|world| world.meanwhile = Some(Box::new(move || deleter.remove(&first))));
    let second = alice.create(&cloud.job());
    assert_ne!(alice.trust_of(&second), Some(old));
    assert_sound(&cloud, &alice);
    assert_eq!(cloud.keystone.count("DELETE"), 1);
}

fn a_client_replaced_meanwhile_gets_no_new_job(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, root) = (cloud.alice(), cloud.user("operator", &["admin"]));
    let mut again = client(&cloud.central);
    again["is_central"] = json!(true);
    let path = format!("/clients/{}", cloud.central);
    cloud.keystone.with(|world| {
        world.meanwhile = Some(Box::new(move || {
            root.delete(&path).expect(204);
            root.post("/clients", &again).expect(201);
        }));
    });
    alice.post("/jobs", &cloud.job()).expect(409);
    assert_eq!((cloud.rows().jobs, cloud.trusts().len()), (0, 0));
    assert!(alice.trust_of(&alice.create(&cloud.job())).is_some());
}

fn of_many_jobs_with_one_id_the_stored_one_has_a_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    for round in 0..4 {
        let mut body = cloud.job();
        body["job_id"] = json!(format!("{}-{round}", cloud.project));
        let statuses: Vec<u16> = at_once(6, |_| alice.post("/jobs", &body).status);
        assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1, "{statuses:?}");
        assert!(statuses.iter().all(|status| matches!(status, 201 | 409)), "{statuses:?}");
        assert_sound(&cloud, &alice);
        alice.remove(&format!("{}-{round}", cloud.project));
        assert!(cloud.trusts().is_empty());
    }
}

fn concurrent_creates_and_deletes_keep_the_trusts(api: &Api) {
    let cloud = Cloud::new(api);
    let node = cloud.another_node(&cloud.keystone.url, Settings::default());
    let here = cloud.alice();
    let there = here.on(&node);
    let kept = at_once(8, |n| {
        let user = [&here, &there][n % 2];
        for _ in 0..6 {
            user.remove(&user.create(&cloud.job()));
        }
        user.create(&cloud.job())
    });
    assert_sound(&cloud, &here);
    at_once(8, |n| here.remove(&kept[n]));
    assert!(cloud.trusts().is_empty(), "{:?}", cloud.trusts());
}

#[track_caller]
fn assert_sound(cloud: &Cloud<'_>, user: &User) {
    let jobs = user.get("/jobs?limit=500").expect(200)["jobs"].as_array().unwrap().clone();
    let used: BTreeSet<String> =
        jobs.iter().map(|job| job["user_credentials"]["trust_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(used, cloud.trusts().into_iter().collect());
}
