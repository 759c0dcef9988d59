//! Which tokens give the central scheduler a trust.

use serde_json::{Value, json};

use crate::callers::of_trust;
use crate::keystone::Cloud;
use crate::service::{Etc, Service, action, sections};

#[test]
fn a_token_that_was_lent_gives_no_trust_and_uses_none() {
    let cloud = Cloud::get();
    let etc = Etc::new(&sections(&cloud, "freezer"));
    let service = Service::ours(&etc);
    let alpha = cloud.project("alpha");
    let post = |noun: &str, token: &str, body: Value| {
        service.send("POST", &format!("/v2/{alpha}/{noun}"), &[("X-Auth-Token", token)], Some(&body))
    };
    let central = json!({ "client_id": "central", "hostname": "central", "is_central": true });
    post("clients", &cloud.token("root", "alpha"), central).expect(201);
    let job = json!({ "client_id": "central", "job_actions": [action()] });
    let lent = [
        ("under a trust", of_trust(&cloud, "impersonating")),
        ("under a trust", of_trust(&cloud, "plain")),
        ("by a restricted application credential", cloud.credential("everything")),
    ];
    let refused = || {
        for (why, token) in &lent {
            let answer = post("jobs", token, job.clone());
            let body = answer.expect(422);
            assert_eq!(body["title"], "Missing required credentials", "{answer}");
            assert!(body["description"].as_str().unwrap().contains(why), "{answer}");
        }
    };
    // Before the member has given the scheduler a trust, and after it.
    refused();
    let member = cloud.token("member", "alpha");
    let id = post("jobs", &member, job.clone()).expect(201)["job_id"].as_str().unwrap().to_owned();
    let trust = |id: &str| {
        let path = format!("/v2/{alpha}/jobs/{id}");
        let job = service.send("GET", &path, &[("X-Auth-Token", &member)], None).expect(200);
        job["user_credentials"]["trust_id"].as_str().map(str::to_owned)
    };
    assert!(trust(&id).is_some());
    refused();
    // What an unrestricted credential may do is Keystone's to say, and this one does not let it.
    let body = post("jobs", &cloud.unrestricted("member", "alpha"), job.clone()).expect(422);
    assert!(body["description"].as_str().unwrap().contains("Keystone does not let you"), "{body}");
    let another = post("jobs", &member, job).expect(201)["job_id"].as_str().unwrap().to_owned();
    assert_eq!(trust(&another), trust(&id));
    for id in [id, another] {
        let path = format!("/v2/{alpha}/jobs/{id}");
        service.send("DELETE", &path, &[("X-Auth-Token", &member)], None).expect(204);
    }
}
