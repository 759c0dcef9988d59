//! A refused request leaves nothing: no trust without its job, and no job without its trust.

use freezer_api::auth::Strategy;
use freezer_api::trusts::{Settings, Trusts};
use serde_json::{Value, json};

use super::cloud::{self, Cloud, User};
use super::keystone::Token;
use crate::api::Api;
use crate::http::{self, Answer};
use crate::rows::Rows;

on_every_backend! {
    a_job_is_not_stored_if_keystone_refuses,
    nothing_is_stored_while_keystone_is_down,
    a_refused_job_sends_no_request_to_keystone,
    a_revoked_token_is_refused,
    delegation_needs_a_token,
    a_delegated_token_neither_gets_nor_uses_a_trust,
    a_trust_keeps_a_user_id_of_any_script,
}

fn a_job_is_not_stored_if_keystone_refuses(api: &Api) {
    let cloud = Cloud::new(api);
    let before = cloud.rows();
    // The policy allows this user, but the user lacks the role to delegate.
    let root = cloud.user("root", &["admin"]);
    assert_refused(&cloud, &root, "member", before);
    let alice = cloud.alice();
    cloud.keystone.with(|world| world.tokens.get_mut(&alice.token).unwrap().is_delegated = true);
    assert_refused(&cloud, &alice, "Delegated tokens cannot manage trusts.", before);
    cloud.keystone.with(|world| {
        world.tokens.get_mut(&alice.token).unwrap().is_delegated = false;
        world.trustee_is_gone = true;
    });
    assert_refused(&cloud, &alice, "Could not find user", before);
    for status in [400, 409, 422] {
        cloud.keystone.with(|world| world.fails_with = Some(status));
        assert_refused(&cloud, &alice, "as you wish", before);
    }
}

#[track_caller]
fn assert_refused(cloud: &Cloud<'_>, user: &User, why: &str, before: Rows) {
    let answer = user.post("/jobs", &cloud.job()).expect(422);
    assert_eq!(answer["title"], "Missing required credentials");
    assert!(answer["description"].as_str().unwrap().contains(why), "{answer}");
    assert_nothing_stored(cloud, user, before);
}

fn nothing_is_stored_while_keystone_is_down(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    let before = cloud.rows();
    for status in [500, 503, 429] {
        cloud.keystone.with(|world| world.fails_with = Some(status));
        assert_unavailable(&alice.post("/jobs", &cloud.job()));
        assert_nothing_stored(&cloud, &alice, before);
    }
    // The token is cached, and no Keystone listens on the port.
    let unused_address = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let node = cloud.another_node(&format!("http://{unused_address}"), Settings::default());
    assert_unavailable(&alice.on(&node).post("/jobs", &cloud.job()));
    assert_nothing_stored(&cloud, &alice, before);
    // An existing trust cannot be checked either.
    cloud.keystone.with(|world| world.fails_with = None);
    alice.create(&cloud.job());
    cloud.keystone.with(|world| world.fails_with = Some(500));
    assert_unavailable(&alice.post("/jobs", &cloud.job()));
    assert_eq!(cloud.rows().jobs, before.jobs + 1);
}

#[track_caller]
fn assert_unavailable(answer: &Answer) {
    let body = answer.expect(503);
    assert!(body["description"].as_str().unwrap().contains("Keystone"), "{body}");
    assert!(answer.header("Retry-After").is_some(), "{answer}");
}

#[track_caller]
fn assert_nothing_stored(cloud: &Cloud<'_>, user: &User, before: Rows) {
    assert_eq!(cloud.rows(), before);
    assert_eq!(user.get("/actions").expect(200)["actions"], json!([]));
}

fn a_refused_job_sends_no_request_to_keystone(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    let mut body = cloud.job();
    body["job_id"] = json!(alice.create(&body));
    alice.post("/jobs", &body).expect(409);
    cloud.keystone.with(|world| world.asked.clear());

    alice.post("/jobs", &body).expect(409);
    for (key, value) in [
        ("client_id", json!("unknown")),
        ("session_id", json!("unknown")),
        ("job_actions", json!([{"action_id": "unknown"}])),
        ("job_actions", json!([{"freezer_action": {"action": "backup", "mode": "fs", "storage": "tape"}}])),
    ] {
        let mut body: Value = cloud.job();
        body[key] = value;
        let answer = alice.post("/jobs", &body).expect(422);
        assert_eq!(answer["title"], "Unprocessable Entity");
    }
    let mut body = cloud.job();
    body["job_schedule"] = json!([]);
    alice.post("/jobs", &body).expect(400);
    cloud.user("reader", &["reader"]).post("/jobs", &cloud.job()).expect(403);
    assert_eq!(cloud.keystone.count(""), 0);
    assert_eq!(cloud.trusts().len(), 1);
}

fn a_revoked_token_is_refused(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    alice.get("/jobs").expect(200);
    cloud.keystone.with(|world| world.tokens.get_mut(&alice.token).unwrap().is_revoked = true);
    let answer = alice.post("/jobs", &cloud.job());
    answer.expect(401);
    assert!(answer.header("WWW-Authenticate").is_some());
    assert_eq!(cloud.rows().jobs, 0);
}

fn delegation_needs_a_token(api: &Api) {
    let cloud = Cloud::new(api);
    let trusts = Trusts::new(cloud::settings(&cloud.keystone.url, Settings::default()), 0).unwrap();
    let node = api.node(Strategy::Noauth, trusts);
    let headers = [("X-User-Id", "u"), ("X-Project-Id", &*cloud.project), ("X-Roles", "member")];
    let target = format!("/v2/{}/jobs", cloud.project);
    let body = cloud.job().to_string();
    let answer = http::send(node.address, "POST", &target, &headers, Some(body.as_bytes())).expect(422);
    assert_eq!(answer["title"], "Missing required credentials");
    assert_eq!((cloud.rows().jobs, cloud.keystone.count("")), (0, 0));
}

fn a_delegated_token_neither_gets_nor_uses_a_trust(api: &Api) {
    let cloud = Cloud::new(api);
    let alice = cloud.alice();
    let private = format!("private-{}", &cloud.project[..12]);
    alice.post("/clients", &crate::documents::client(&private)).expect(201);
    let lent = |more: Value| {
        let mut lent = alice.clone();
        lent.token = uuid::Uuid::new_v4().to_string();
        let token = cloud.keystone.with(|world| world.tokens[&alice.token].clone());
        cloud.keystone.with(|world| world.tokens.insert(lent.token.clone(), Token { more, ..token }));
        lent
    };
    let credential =
        |restricted: bool| json!({"application_credential": {"id": "a", "restricted": restricted}});
    let trust =
        json!({"OS-TRUST:trust": {"id": "t", "impersonation": true, "trustor_user": {"id": alice.id}}});
    // In the first round Alice has no trust yet; in the second there is one that she could use.
    for _ in 0..2 {
        let before = (cloud.rows(), cloud.trusts());
        for (more, why) in [
            (trust.clone(), "under a trust"),
            (credential(true), "by a restricted application credential"),
            (json!({"application_credential": {"id": "a"}}), "by a restricted application credential"),
            (json!({"OS-OAUTH1": {"access_token_id": "a"}}), "by an OAuth access token"),
        ] {
            let lent = lent(more);
            let answer = lent.post("/jobs", &cloud.job()).expect(422);
            assert_eq!(answer["title"], "Missing required credentials");
            assert!(answer["description"].as_str().unwrap().contains(why), "{answer}");
        }
        assert_eq!((cloud.rows(), cloud.trusts()), before);
        alice.create(&cloud.job());
    }
    // Nor does such a token put a job without a trust on the central client, or a job with one on another.
    let lent_one = lent(trust);
    let job = lent_one.create(&crate::documents::job(&private));
    let body = json!({"job_id": job, "client_id": cloud.central});
    lent_one.post("/job-attachments", &body).expect(422);
    assert_eq!(lent_one.trust_of(&job), None);

    let own = lent(credential(false));
    let job = own.create(&cloud.job());
    assert_eq!(own.trust_of(&job), cloud.trusts().first().cloned());
}

fn a_trust_keeps_a_user_id_of_any_script(api: &Api) {
    let cloud = Cloud::new(api);
    for name in ["J\u{f6}rg M\u{fc}ller", "\u{65e5}\u{672c} \u{1f980}", &"x".repeat(242)] {
        let user = cloud.user(name, &["member", "reader"]);
        let job = user.create(&cloud.job());
        let shown = user.show(&job);
        assert_eq!(shown["user_id"], user.id);
        assert_eq!(shown["user_credentials"]["trustor_user_id"], user.id);
        // The second job finds the trust of the first by the user's id.
        let another = user.create(&cloud.job());
        assert_eq!(user.trust_of(&job), user.trust_of(&another));
        user.remove(&job);
        user.remove(&another);
    }
    let long = cloud.user(&"x".repeat(243), &["member"]);
    long.post("/jobs", &cloud.job()).expect(403);
    let project = "p".repeat(65);
    let stranger = cloud.user_in(&project, "bob", &["member"]);
    let answer = stranger.post("/jobs", &cloud.job()).expect(403);
    assert!(answer["description"].as_str().unwrap().contains("project"), "{answer}");
}
