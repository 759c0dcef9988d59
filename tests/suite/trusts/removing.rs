//! A trust goes with the last job that needs it.

use freezer_api::trusts::Settings;
use serde_json::json;

use super::cloud::{Cloud, User};
use crate::api::Api;
use crate::documents::client;

on_every_backend! {
    a_trust_goes_with_the_last_job,
    with_a_fleet_it_stays_until_the_last_document,
    a_clients_jobs_take_their_trusts_along,
    a_colleague_deletes_with_the_services_help,
    what_keystone_says_to_that_does_not_matter,
    a_job_on_another_node_counts,
}

fn a_trust_goes_with_the_last_job(api: &Api) {
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
    // And the next job begins anew.
    assert!(alice.trust_of(&alice.create(&cloud.job())).is_some());
}

fn with_a_fleet_it_stays_until_the_last_document(api: &Api) {
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

fn a_clients_jobs_take_their_trusts_along(api: &Api) {
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

fn a_colleague_deletes_with_the_services_help(api: &Api) {
    let cloud = Cloud::new(api);
    let (alice, bob) = (cloud.alice(), cloud.user("bob", &["member"]));
    // Keystone lets neither: the job goes, the trust stays.
    bob.remove(&alice.create(&cloud.job()));
    assert_eq!((cloud.rows().jobs, cloud.trusts().len()), (0, 1));
    assert_eq!(cloud.keystone.count("DELETE"), 2);
    // It lets an administrator, be it the service or the caller.
    cloud.keystone.with(|world| world.trusts.clear());
    cloud.keystone.with(|world| world.trustee_is_admin = true);
    bob.remove(&alice.create(&cloud.job()));
    assert!(cloud.trusts().is_empty());
    cloud.keystone.with(|world| world.trustee_is_admin = false);
    let root = cloud.user_in("admin", "root", &["admin"]).reaching_for(&cloud.project);
    root.remove(&alice.create(&cloud.job()));
    assert!(cloud.trusts().is_empty());
}

fn what_keystone_says_to_that_does_not_matter(api: &Api) {
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
    // What was left behind is nobody's: it may be about to be removed.
    let left = cloud.trusts();
    let trust = alice.trust_of(&alice.create(&cloud.job())).unwrap();
    assert!(!left.is_empty() && !left.contains(&trust));
}

fn a_job_on_another_node_counts(api: &Api) {
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
