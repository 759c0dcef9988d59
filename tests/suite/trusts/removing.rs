//! A trust is removed with the last job that needs it.

use freezer_api::trusts::Settings;
use serde_json::json;

use super::cloud::{Cloud, User};
use crate::api::Api;
use crate::documents::client;

on_every_backend! {
    a_trust_is_removed_with_the_last_job,
    the_trust_of_a_fleet_stays_until_the_last_document,
    deleting_a_client_removes_the_trusts_of_its_jobs,
    the_service_removes_a_trust_for_a_colleague,
    a_failed_removal_does_not_keep_the_job,
    a_job_from_another_node_keeps_the_trust,
}

fn a_trust_is_removed_with_the_last_job(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, bob) = (cloud.alice(), cloud.user("bob", &["member"]));
    let (one, two) = (alice.create(&cloud.job()), alice.create(&cloud.job()));
    let bobs = bob.create(&cloud.job());
    alice.remove(&one);
    assert_eq!((cloud.trusts().len(), cloud.keystone.count("DELETE")), (2, 0));
    alice.remove(&two);
    assert_eq!(Some(cloud.trusts()), bob.trust_of(&bobs).map(|trust| vec![trust]));
    alice.remove(&two);
    assert_eq!(cloud.keystone.count("DELETE"), 1);
    assert_eq!(cloud.rows().trusts, 1);
    // The next job gets a new trust.
    assert!(alice.trust_of(&alice.create(&cloud.job())).is_some());
}

fn the_trust_of_a_fleet_stays_until_the_last_document(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    alice.post("/clients", &client("host")).expect(201);
    let one = alice.create(&cloud.job());
    let two = alice.attach(&one, "host");
    assert_eq!(alice.trust_of(&two), alice.trust_of(&one));
    alice.remove(&one);
    assert_eq!(cloud.trusts().len(), 1);
    alice.remove(&two);
    assert!(cloud.trusts().is_empty());
}

fn deleting_a_client_removes_the_trusts_of_its_jobs(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, bob) = (cloud.alice(), cloud.user("bob", &["member"]));
    for user in [&alice, &alice, &bob] {
        user.create(&cloud.job());
    }
    cloud.keystone.with(|world| world.trustee_is_admin = true);
    alice.delete(&format!("/clients/{}?cascade=true", cloud.central)).expect(204);
    assert!(cloud.trusts().is_empty());
    assert_eq!(cloud.rows().trusts, 0);
}

fn the_service_removes_a_trust_for_a_colleague(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, bob) = (cloud.alice(), cloud.user("bob", &["member"]));
    // Keystone lets neither of them remove the trust: the job is deleted, the trust stays.
    bob.remove(&alice.create(&cloud.job()));
    assert_eq!((cloud.rows().jobs, cloud.trusts().len()), (0, 1));
    assert_eq!(cloud.keystone.count("DELETE"), 2);
    // Keystone lets an administrator remove it, whether service or caller.
    cloud.keystone.with(|world| world.trusts.clear());
    cloud.keystone.with(|world| world.trustee_is_admin = true);
    bob.remove(&alice.create(&cloud.job()));
    assert!(cloud.trusts().is_empty());
    cloud.keystone.with(|world| world.trustee_is_admin = false);
    let root = cloud.user_in("admin", "root", &["admin"]).reaching_for(&cloud.project);
    root.remove(&alice.create(&cloud.job()));
    assert!(cloud.trusts().is_empty());
}

fn a_failed_removal_does_not_keep_the_job(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    for status in [403, 404, 500, 503] {
        let id = alice.create(&cloud.job());
        cloud.keystone.with(|world| world.fails_with = Some(status));
        alice.remove(&id);
        alice.get(&format!("/jobs/{id}")).expect(404);
        cloud.keystone.with(|world| world.fails_with = None);
    }
    assert_eq!((cloud.rows().jobs, cloud.rows().trusts), (0, 0));
    // A trust that was left behind is not reused, as it may be about to be removed.
    let left = cloud.trusts();
    let trust = alice.trust_of(&alice.create(&cloud.job())).unwrap();
    assert!(!left.is_empty() && !left.contains(&trust));
}

fn a_job_from_another_node_keeps_the_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let node = cloud.another_node(&cloud.keystone.url, Settings::default());
    let alice = cloud.alice();
    let there: User = alice.on(&node);
    let (one, two) = (alice.create(&cloud.job()), there.create(&cloud.job()));
    assert_eq!(alice.trust_of(&one), there.trust_of(&two));
    there.remove(&one);
    assert_eq!(cloud.trusts().len(), 1);
    assert_eq!(there.show(&two)["user_credentials"]["trustor_user_id"], json!(alice.id));
    alice.remove(&two);
    assert!(cloud.trusts().is_empty());
}
