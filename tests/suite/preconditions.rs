//! Entity tags: a caller makes a request conditional on the version it has read, and learns of a faster change
//! (docs/API.md, "Entity tags").

mod changes;
mod forms;
mod races;

use serde_json::{Value, json};

use crate::api::{Api, Caller};
use crate::documents::{action, backup, job, session};
use crate::http::Answer;

on_every_backend! {
    every_resource_has_a_tag,
    a_stale_tag_changes_nothing,
    a_replacement_needs_the_latest_tag,
    a_delete_needs_the_latest_tag,
    an_action_on_a_resource_needs_its_latest_tag,
    if_none_match_creates_missing_resources_only,
    a_known_resource_is_not_sent_again,
    a_client_is_sent_again_for_its_state,
    lists_have_no_tags,
}

const NOUNS: [&str; 5] = ["clients", "actions", "jobs", "sessions", "backups"];

fn every_resource_has_a_tag(api: &Api) {
    let alice = api.project();
    let mut tags = Vec::new();
    for noun in NOUNS {
        let path = example(&alice, noun);
        let tag = alice.tag(&path);
        let hex = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"')).unwrap();
        assert!(hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_hexdigit()), "{tag}");
        assert_eq!(alice.tag(&path), tag, "the tag stays without a change");
        assert_eq!(alice.colleague().tag(&path), tag);
        let head = alice.send("HEAD", &path, None);
        assert_eq!((head.status, head.header("ETag")), (200, Some(&*tag)));
        assert!(!tags.contains(&tag));
        tags.push(tag);
    }
    alice.get("/actions/unknown").expect(404);
    assert_eq!(alice.get("/actions/unknown").header("ETag"), None);
}

fn a_stale_tag_changes_nothing(api: &Api) {
    let alice = api.project();
    for noun in NOUNS {
        let path = example(&alice, noun);
        let (first, bob) = (alice.tag(&path), alice.colleague());
        alice.if_match("PATCH", &path, &first, Some(change(noun, "hers"))).expect(200);
        let (second, hers) = (alice.tag(&path), alice.get(&path).expect(200));
        assert_ne!(first, second, "{noun}");

        let refused = bob.if_match("PATCH", &path, &first, Some(change(noun, "his"))).expect(412);
        assert_eq!(refused["title"], "Precondition Failed");
        assert_eq!(alice.get(&path).expect(200), hers, "{noun}");
        // A bad body is refused first, and so is a malformed condition.
        bob.if_match("PATCH", &path, &first, Some(json!([]))).expect(400);
        bob.if_match("PATCH", &path, "nonsense", Some(change(noun, "his"))).expect(400);
        assert_eq!(alice.get(&path).expect(200), hers, "{noun}");

        let answer = bob.if_match("PATCH", &path, &second, Some(change(noun, "his")));
        answer.expect(200);
        let third = alice.tag(&path);
        let announced = matches!(noun, "clients" | "backups").then_some(&*third);
        assert_eq!(answer.header("ETag"), announced, "an answer with the whole document has its tag");
        // The same patch again is no change, so the tag stays valid.
        bob.if_match("PATCH", &path, &third, Some(change(noun, "his"))).expect(200);
        assert_eq!(alice.tag(&path), third, "{noun}");
        alice.if_match("PATCH", &format!("/{noun}/unknown"), &third, Some(change(noun, "x"))).expect(404);
        // A request without a condition is not checked.
        alice.patch(&path, change(noun, "hers")).expect(200);
    }
}

fn a_replacement_needs_the_latest_tag(api: &Api) {
    let alice = api.project();
    for (noun, body) in replacements(&alice) {
        let path = example(&alice, noun);
        let first = alice.tag(&path);
        alice.if_match("POST", &path, &first, Some(body.clone())).expect(201);
        let (second, replaced) = (alice.tag(&path), alice.get(&path).expect(200));
        alice.if_match("POST", &path, &first, Some(body.clone())).expect(412);
        assert_eq!(alice.get(&path).expect(200), replaced, "{noun}");
        alice.if_match("POST", &path, &second, Some(body.clone())).expect(201);
        alice.if_match("POST", &path, "*", Some(body.clone())).expect(201);

        let unknown = format!("/{noun}/{}", uuid::Uuid::new_v4().simple());
        for tag in [&*second, "*"] {
            alice.if_match("POST", &unknown, tag, Some(body.clone())).expect(412);
        }
        alice.get(&unknown).expect(404);
        // The server picks the id, so there is no resource that the condition could be about.
        alice.if_match("POST", &format!("/{noun}"), "\"x\"", Some(body)).expect(201);
    }
}

fn a_delete_needs_the_latest_tag(api: &Api) {
    let alice = api.project();
    for noun in NOUNS {
        let path = example(&alice, noun);
        let stale = alice.tag(&path);
        alice.patch(&path, change(noun, "anew")).expect(200);
        let (tag, before) = (alice.tag(&path), alice.get(&path).expect(200));
        assert_ne!(stale, tag, "{noun}");
        alice.if_match("DELETE", &path, &stale, None).expect(412);
        assert_eq!(alice.get(&path).expect(200), before, "{noun}");
        alice.if_match("DELETE", &path, &tag, None).expect(204);
        alice.get(&path).expect(404);
        for tag in [&*tag, "*"] {
            alice.if_match("DELETE", &path, tag, None).expect(412);
            alice.if_match("DELETE", &format!("/{noun}/no%20id"), tag, None).expect(412);
        }
        alice.delete(&path).expect(if noun == "backups" { 404 } else { 204 });

        // The project is checked first: the answer reveals nothing of another project's resource.
        let theirs = example(&api.project(), noun);
        alice.if_match("DELETE", &theirs, &tag, None).expect(412);
    }
    // A cascade deletes no jobs either if the client's tag is stale.
    let job = alice.job_on("busy");
    alice.if_match("DELETE", "/clients/busy?cascade=true", "\"x\"", None).expect(412);
    alice.show("jobs", &job);
    let tag = alice.tag("/clients/busy");
    alice.if_match("DELETE", "/clients/busy?cascade=true", &tag, None).expect(204);
    alice.get(&format!("/jobs/{job}")).expect(404);
}

fn an_action_on_a_resource_needs_its_latest_tag(api: &Api) {
    let alice = api.project();
    let (job, session) = (example(&alice, "jobs"), example(&alice, "sessions"));
    let id = job.strip_prefix("/jobs/").unwrap();
    let (event, member) = (format!("{job}/event"), format!("{session}/jobs/{id}"));
    let act = format!("{session}/action");
    let start = json!({"start": {"job_id": id, "current_tag": 0}});
    let end = json!({"end": {"job_id": id, "current_tag": 1, "result": "success"}});
    for (method, target, of, body, status) in [
        ("POST", &event, &job, Some(json!({"start": null})), 202),
        ("POST", &event, &job, Some(json!({"stop": null})), 202),
        ("PUT", &member, &session, None, 204),
        ("POST", &act, &session, Some(start), 202),
        ("POST", &act, &session, Some(end), 202),
        ("DELETE", &member, &session, None, 204),
    ] {
        let tag = alice.tag(of);
        let before = (alice.get(&job).expect(200), alice.get(&session).expect(200));
        for stale in ["\"x\"", &*format!("W/{tag}")] {
            alice.if_match(method, target, stale, body.clone()).expect(412);
        }
        assert_eq!((alice.get(&job).expect(200), alice.get(&session).expect(200)), before);
        alice.if_match(method, target, &tag, body.clone()).expect(status);
        assert_ne!(alice.tag(of), tag, "{method} {target}");
        alice.if_match(method, target, &tag, body).expect(412);
        assert_ne!((alice.get(&job).expect(200), alice.get(&session).expect(200)), before);
    }
    // A request without effect keeps the tag.
    let tag = alice.tag(&session);
    alice.if_match("DELETE", &member, &tag, None).expect(204);
    alice.if_match("DELETE", &member, &tag, None).expect(204);
    for (method, target) in [("POST", "/jobs/unknown/event"), ("PUT", "/sessions/unknown/jobs/x")] {
        alice.if_match(method, target, &tag, Some(json!({"start": null}))).expect(404);
    }
}

fn if_none_match_creates_missing_resources_only(api: &Api) {
    let alice = api.project();
    let create = [("If-None-Match", "*")];
    for (noun, body) in replacements(&alice) {
        let path = format!("/{noun}/{}", uuid::Uuid::new_v4().simple());
        let body = body.to_string();
        alice.send_with("POST", &path, &create, Some(body.as_bytes())).expect(201);
        let made = alice.get(&path).expect(200);
        alice.send_with("POST", &path, &create, Some(body.as_bytes())).expect(412);
        alice.send_with("PATCH", &path, &create, Some(change(noun, "x").to_string().as_bytes())).expect(412);
        alice.send_with("DELETE", &path, &create, None).expect(412);
        assert_eq!(alice.get(&path).expect(200), made, "{noun}");
        // An id of another project is taken. The answer says no more.
        let bob = api.project();
        bob.register("a");
        bob.send_with("POST", &path, &create, Some(body.as_bytes())).expect(409);
        bob.if_match("POST", &path, "*", Some(serde_json::from_str(&body).unwrap())).expect(412);
    }
}

fn a_known_resource_is_not_sent_again(api: &Api) {
    let alice = api.project();
    for noun in ["actions", "jobs", "sessions", "backups"] {
        let path = example(&alice, noun);
        let tag = alice.tag(&path);
        for method in ["GET", "HEAD"] {
            let answer = alice.send_with(method, &path, &[("If-None-Match", &tag)], None);
            assert_eq!((answer.status, answer.header("ETag")), (304, Some(&*tag)), "{answer}");
            assert_eq!((answer.header("Content-Length"), answer.header("Content-Type")), (None, None));
            alice.send_with(method, &path, &[("If-Match", &tag)], None).expect(200);
            alice.send_with(method, &path, &[("If-Match", "\"x\"")], None).expect(412);
        }
        alice.patch(&path, change(noun, "anew")).expect(200);
        let answer = alice.send_with("GET", &path, &[("If-None-Match", &tag)], None);
        answer.expect(200);
        assert_ne!(answer.header("ETag"), Some(&*tag));
        alice.send_with("GET", &format!("/{noun}/unknown"), &[("If-None-Match", "*")], None).expect(404);
    }
}

fn lists_have_no_tags(api: &Api) {
    let alice = api.project();
    for noun in NOUNS {
        example(&alice, noun);
        for headers in [[("If-Match", "\"x\"")], [("If-None-Match", "*")], [("If-Match", "nonsense")]] {
            let answer = alice.send_with("GET", &format!("/{noun}"), &headers, None);
            answer.expect(200);
            assert_eq!(answer.header("ETag"), None);
        }
    }
}

fn a_client_is_sent_again_for_its_state(api: &Api) {
    let alice = api.project();
    let path = example(&alice, "clients");
    let tag = alice.tag(&path);
    let before = alice.get(&path).expect(200);
    alice.poll(path.strip_prefix("/clients/").unwrap());
    // The tag leaves out the last poll, as it would otherwise always be stale, so it cannot vouch for the state.
    for known in [&*tag, "*"] {
        let answer = alice.send_with("GET", &path, &[("If-None-Match", known)], None);
        assert_ne!(answer.expect(200), before);
        assert_eq!(answer.header("ETag"), Some(&*tag));
    }
    alice.if_match("PATCH", &path, &tag, Some(change("clients", "x"))).expect(200);
}

/// Creates a resource of the noun, and returns its path.
#[track_caller]
fn example(caller: &Caller<'_>, noun: &str) -> String {
    let name = uuid::Uuid::new_v4().simple().to_string();
    let id = match noun {
        "clients" => caller.register(&name),
        "actions" => caller.create(noun, action()),
        "jobs" => caller.job_on(&name),
        "sessions" => caller.create(noun, session()),
        _ => caller.create(noun, backup(&name)),
    };
    format!("/{noun}/{id}")
}

/// The body of a PATCH for the noun.
fn change(noun: &str, to: &str) -> Value {
    match noun {
        "actions" => json!({"freezer_action": {"backup_name": to}}),
        "backups" => json!({"backup_metadata": {"note": to}}),
        _ => json!({"description": to}),
    }
}

/// The nouns that can be replaced, each with a replacement.
fn replacements(caller: &Caller<'_>) -> [(&'static str, Value); 3] {
    caller.register("a");
    let session = json!({"schedule": {}, "session_tag": 0, "description": "another"});
    let mut action = action();
    action["freezer_action"]["backup_name"] = json!("another");
    [("actions", action), ("jobs", job("a")), ("sessions", session)]
}

impl Caller<'_> {
    /// The entity tag of an existing resource.
    #[track_caller]
    pub fn tag(&self, path: &str) -> String {
        let answer = self.get(path);
        answer.expect(200);
        answer.header("ETag").unwrap_or_else(|| panic!("no ETag: {answer}")).to_owned()
    }

    /// Sends a request with an `If-Match` header.
    pub fn if_match(&self, method: &str, path: &str, tag: &str, body: Option<Value>) -> Answer {
        let body = body.map(|body| body.to_string());
        self.send_with(method, path, &[("If-Match", tag)], body.as_deref().map(str::as_bytes))
    }
}
