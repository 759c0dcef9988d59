//! Lists of jobs by query parameters, which are not polls of a scheduler.

use diesel::prelude::*;
use freezer_api::store::schema::{clients, job_attachments};
use freezer_api::store::types::time::Time;
use serde_json::{Value, json};

use super::walks::{sorted, walk};
use crate::api::{Api, Caller};
use crate::documents::{job, session};

on_every_backend! {
    jobs_are_walked_in_every_order,
    jobs_are_filtered,
    a_filter_of_jobs_combines_with_a_search,
    a_filtered_list_is_not_a_poll,
    jobs_of_all_projects_are_filtered_and_walked,
    an_invalid_query_of_jobs_is_refused,
}

/// Eight jobs on `a`, `b` and a central client of another project; two are in a session.
struct Seeded<'a> {
    alice: Caller<'a>,
    admin: Caller<'a>,
    central: String,
    session: String,
    all: Vec<Value>,
}

fn seed_jobs(api: &Api) -> Seeded<'_> {
    let (alice, admin) = (api.project(), api.project().with_roles("admin"));
    let central = format!("central-{}", admin.project);
    admin.create("clients", json!({"client_id": central, "is_central": true}));
    alice.register("a");
    alice.register("b");
    let session = alice.create("sessions", session());
    for (client, status, event, result) in [
        ("a", "completed", "", "success"),
        ("a", "running", "stop", ""),
        ("b", "", "start", ""),
        ("a", "completed", "", "fail"),
        ("b", "stop", "", "aborted"),
        (&central, "scheduled", "", ""),
        ("a", "running", "abort", ""),
        ("b", "completed", "", "success"),
    ] {
        let mut body = job(client);
        body["job_schedule"] = json!({"status": status, "event": event, "result": result});
        let id = alice.create("jobs", body);
        if status == "running" {
            alice.put(&format!("/sessions/{session}/jobs/{id}")).expect(204);
        }
    }
    let mut all = alice.list("jobs");
    // Four are created at the same moment, and ordered by id.
    let ids: Vec<&str> = all.iter().skip(2).take(4).map(id).collect();
    diesel::update(job_attachments::table.filter(job_attachments::id.eq_any(ids)))
        .set(job_attachments::created_at.eq(freezer_api::store::now()))
        .execute(&mut api.database())
        .unwrap();
    let (mut early, mut late) = (all.split_off(2), all);
    let last = early.split_off(4);
    early.sort_by(|one, other| id(one).cmp(id(other)));
    late.extend(last);
    late.extend(early);
    let all = late.iter().map(|job| alice.show("jobs", id(job))).collect();
    Seeded { alice, admin, central, session, all }
}

fn id(job: &Value) -> &str {
    job["job_id"].as_str().unwrap()
}

fn ids(jobs: &[Value]) -> Vec<&str> {
    jobs.iter().map(id).collect()
}

fn jobs_are_walked_in_every_order(api: &Api) {
    let Seeded { alice, all, .. } = seed_jobs(api);
    for (sort, pointer) in [
        ("created_at", "/_"),
        ("status", "/job_schedule/status"),
        ("event", "/job_schedule/event"),
        ("result", "/job_schedule/result"),
    ] {
        for (direction, is_descending) in [("", false), (":asc", false), (":desc", true)] {
            let expected = sorted(&all, pointer, is_descending);
            for limit in 1..=9 {
                let walked = walk(&alice, "jobs", &format!("/jobs?limit={limit}&sort={sort}{direction}"));
                assert_eq!(walked, expected, "{sort}{direction} by {limit}");
            }
        }
    }
    assert_eq!(walk(&alice, "jobs", "/jobs?limit=3"), all);
    // A search by a key without a column starts after the marker, too.
    let nightly = json!({"match": [{"description": "nightly"}]});
    let path = format!("/jobs?sort=status&marker={}", id(&all[0]));
    let found = alice.search(&path, nightly).expect(200);
    let expected = sorted(&all, "/job_schedule/status", false);
    let place = ids(&expected).iter().position(|one| *one == id(&all[0])).unwrap();
    assert_eq!(ids(found["jobs"].as_array().unwrap()), ids(&expected[place + 1..]));
}

/// A filter, and which jobs it finds.
type Case<'a> = (String, Box<dyn Fn(&Value) -> bool + 'a>);

fn jobs_are_filtered(api: &Api) {
    let Seeded { alice, admin, central, session, all } = seed_jobs(api);
    let run = |job: &Value, key: &str| job["job_schedule"][key].as_str().unwrap().to_owned();
    let status = |job: &Value| run(job, "status");
    let on = |job: &Value| job["client_id"].as_str().unwrap().to_owned();
    let uuid = alice.show("clients", "a")["client"]["uuid"].as_str().unwrap().to_owned();
    admin.register("c");
    let hers = admin.show("clients", "c")["client"]["uuid"].as_str().unwrap().to_owned();
    let is = |place: usize, job: &Value| id(job) == id(&all[place]);
    let cases: Vec<Case<'_>> = vec![
        (format!("job_id={}", id(&all[3])), Box::new(|job| is(3, job))),
        (
            format!("job_id=in:{},{},unknown", id(&all[3]), id(&all[5])),
            Box::new(|job| is(3, job) || is(5, job)),
        ),
        (format!("job_id=nin:{},unknown", id(&all[3])), Box::new(|job| !is(3, job))),
        (format!("job_id=neq:{}", id(&all[3])), Box::new(|job| !is(3, job))),
        ("client_id=a".into(), Box::new(|job| on(job) == "a")),
        (format!("client_id={uuid}"), Box::new(|job| on(job) == "a")),
        (format!("client_id=in:{uuid},b,%C3%A4,b%20"), Box::new(|job| on(job) != central)),
        (format!("client_id={central}"), Box::new(|job| on(job) == central)),
        (format!("client_id=nin:{uuid},b"), Box::new(|job| on(job) == central)),
        ("client_id=neq:a".into(), Box::new(|job| on(job) != "a")),
        ("client_id=neq:unknown".into(), Box::new(|_| true)),
        ("client_id=neq:a&client_id=neq:b".into(), Box::new(|job| on(job) == central)),
        ("client_id=a&client_id=b".into(), Box::new(|_| false)),
        ("client_id=A".into(), Box::new(|_| false)),
        ("client_id=".into(), Box::new(|_| false)),
        // A private client of another project finds nothing.
        (format!("client_id={hers}"), Box::new(|_| false)),
        (format!("client_id=neq:{hers}"), Box::new(|_| true)),
        (format!("session_id={session}"), Box::new(|job| status(job) == "running")),
        (format!("session_id=neq:{session}"), Box::new(|job| status(job) != "running")),
        ("session_id=".into(), Box::new(|job| status(job) != "running")),
        ("session_id=neq:".into(), Box::new(|job| status(job) == "running")),
        (format!("session_id=in:{session},"), Box::new(|_| true)),
        ("status=completed".into(), Box::new(|job| status(job) == "completed")),
        ("status=".into(), Box::new(|job| status(job).is_empty())),
        (
            "status=in:stop,scheduled,".into(),
            Box::new(|job| matches!(&*status(job), "stop" | "scheduled" | "")),
        ),
        ("status=neq:completed".into(), Box::new(|job| status(job) != "completed")),
        (
            "status=nin:completed,running,".into(),
            Box::new(|job| matches!(&*status(job), "stop" | "scheduled")),
        ),
        ("event=".into(), Box::new(|job| run(job, "event").is_empty())),
        ("event=neq:".into(), Box::new(|job| !run(job, "event").is_empty())),
        ("event=in:start,abort".into(), Box::new(|job| matches!(&*run(job, "event"), "start" | "abort"))),
        ("result=success".into(), Box::new(|job| run(job, "result") == "success")),
        ("result=nin:,success".into(), Box::new(|job| matches!(&*run(job, "result"), "fail" | "aborted"))),
        ("created_at=gt:2020-01-01&created_at=lte:2100-01-01T00:00:00Z".into(), Box::new(|_| true)),
        ("created_at=lt:1600000000".into(), Box::new(|_| false)),
        (
            "client_id=a&status=completed&result=neq:fail".into(),
            Box::new(|job| on(job) == "a" && run(job, "result") == "success"),
        ),
    ];
    for (query, wanted) in cases {
        let expected: Vec<Value> = all.iter().filter(|job| wanted(job)).cloned().collect();
        for sort in ["", "&sort=result"] {
            let walked = walk(&alice, "jobs", &format!("/jobs?limit=2&{query}{sort}"));
            let pointer = if sort.is_empty() { "/_" } else { "/job_schedule/result" };
            assert_eq!(ids(&walked), ids(&sorted(&expected, pointer, false)), "{query}{sort}");
        }
        let counted = alice.get(&format!("/jobs?limit=1&with_count=true&{query}")).expect(200);
        assert_eq!(counted["count"], expected.len(), "{query}");
    }
    let few = alice.get("/jobs?fields=job_id,job_schedule.status,job_actions&limit=1").expect(200);
    let first = &all[0];
    let status = json!({"status": first["job_schedule"]["status"]});
    let expected = json!({"job_id": id(first), "job_schedule": status, "job_actions": first["job_actions"]});
    assert_eq!(few["jobs"], json!([expected]));
    // Other unknown parameters are ignored.
    alice.get("/jobs?colour=red&project_id=x").expect(200);
}

fn a_filter_of_jobs_combines_with_a_search(api: &Api) {
    let Seeded { alice, all, .. } = seed_jobs(api);
    let found = |query: &str, body: Value| -> Vec<String> {
        let answer = alice.search(&format!("/jobs?{query}"), body).expect(200);
        // A search pages by offset, without links.
        assert!(answer.get("jobs_links").is_none(), "{answer}");
        ids(answer["jobs"].as_array().unwrap()).into_iter().map(str::to_owned).collect()
    };
    let of = |wanted: &dyn Fn(&Value) -> bool| -> Vec<String> {
        all.iter().filter(|job| wanted(job)).map(|job| id(job).to_owned()).collect()
    };
    let on_a = |job: &Value| job["client_id"] == "a";
    let poll = json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}]});
    assert_eq!(
        found("event=stop", poll.clone()),
        of(&|job| on_a(job) && job["job_schedule"]["event"] == "stop")
    );
    assert!(found("client_id=b", poll.clone()).is_empty());
    let running = of(&|job| job["job_schedule"]["status"] == "running");
    assert_eq!(found("client_id=a&limit=1&offset=1", poll.clone()), running[1..]);
    let backwards: Vec<String> = running.iter().rev().cloned().collect();
    assert_eq!(found("sort=created_at:desc", poll.clone()), backwards);
    assert_eq!(found(&format!("marker={}", running[0]), poll.clone()), running[1..]);

    let nightly = json!({"match": [{"_all": "nightly"}, {"job_schedule.status": "completed"}]});
    assert_eq!(
        found("client_id=a&limit=1&offset=1", nightly.clone()),
        of(&|job| on_a(job) && job["job_schedule"]["result"] == "fail")
    );
    // A search by columns is counted, any other is not.
    assert_eq!(alice.search("/jobs?with_count&limit=1", poll).expect(200)["count"], 2);
    assert_eq!(alice.search("/jobs?with_count", nightly.clone()).expect(400)["title"], "Invalid parameter");
    let unknown = json!({"match": [{"client_id": "unknown"}]});
    assert_eq!(alice.search("/jobs?with_count", unknown).expect(200), json!({"jobs": [], "count": 0}));
}

fn a_filtered_list_is_not_a_poll(api: &Api) {
    let alice = api.project();
    let job = alice.job_on("a");
    let uuid = alice.show("clients", "a")["client"]["uuid"].as_str().unwrap().to_owned();
    alice.post(&format!("/jobs/{job}/event"), json!({"stop": null})).expect(202);
    let event = || {
        // The scheduler reports that it has handled the event.
        alice.report(&job, json!({"event": ""}));
        alice.show("jobs", &job)["job_schedule"]["event"].clone()
    };
    let seen = || -> Option<Time> {
        clients::table.find(&uuid).select(clients::last_seen_at).first(&mut api.database()).unwrap()
    };
    let poll = json!({"match": [{"client_id": "a"}], "match_not": [{"status": "completed"}]});
    for query in ["client_id=a", &format!("client_id={uuid}"), "client_id=a&event=stop"] {
        assert_eq!(alice.get(&format!("/jobs?{query}")).expect(200)["jobs"].as_array().unwrap().len(), 1);
        assert_eq!((event(), seen()), (json!("stop"), None), "{query}");
    }
    // A list of some fields is not a poll either, as the event may not be among them.
    alice.search("/jobs?fields=job_id", poll.clone()).expect(200);
    assert_eq!((event(), seen()), (json!("stop"), None));
    // A search with a filter is not a poll, whether it finds the job or not.
    for query in ["event=start", "event=stop"] {
        alice.search(&format!("/jobs?{query}"), poll.clone()).expect(200);
        assert_eq!((event(), seen()), (json!("stop"), None), "{query}");
    }
    alice.search("/jobs", poll).expect(200);
    assert_eq!(event(), "");
}

fn jobs_of_all_projects_are_filtered_and_walked(api: &Api) {
    let Seeded { alice, admin, central, all, .. } = seed_jobs(api);
    let hers = id(all.iter().find(|job| job["client_id"] == json!(central)).unwrap()).to_owned();
    let (mut expected, bob) = (vec![hers.clone()], api.project());
    for caller in [&bob, &admin, &bob] {
        expected.push(caller.create("jobs", job(&central)));
    }
    let uuid = admin.show("clients", &central)["client"]["uuid"].as_str().unwrap().to_owned();
    for client in [&central, &uuid] {
        for limit in 1..=5 {
            for (sort, is_descending) in
                [("", false), ("&sort=created_at", false), ("&sort=created_at:desc", true)]
            {
                let path = format!("/jobs?all_projects=true&client_id={client}&limit={limit}{sort}");
                let walked = walk(&admin, "jobs", &path);
                let mut expected: Vec<&str> = expected.iter().map(|id| &**id).collect();
                if is_descending {
                    expected.reverse();
                }
                assert_eq!(ids(&walked), expected, "{path}");
            }
        }
        let path = format!("/jobs?all_projects=1&client_id={client}&limit=1&with_count");
        assert_eq!(admin.get(&path).expect(200)["count"], 4);
    }
    let search = json!({"match": [{"client_id": central}], "match_not": [{"status": "scheduled"}]});
    let found = admin.search("/jobs?all_projects=True", search).expect(200);
    assert_eq!(ids(found["jobs"].as_array().unwrap()), expected[1..]);

    // The jobs of Alice's private client are visible to lists of all projects only.
    let private = alice.show("clients", "a")["client"]["uuid"].as_str().unwrap().to_owned();
    let path = format!("/jobs?client_id={private}&with_count");
    assert_eq!(admin.get(&path).expect(200)["count"], 0);
    assert_eq!(admin.get(&format!("{path}&all_projects=true")).expect(200)["count"], 4);

    // A job of another project is a valid marker in a list of all projects only.
    admin.get(&format!("/jobs?marker={hers}")).expect(400);
    let next = format!("/jobs?marker={hers}&client_id={central}&all_projects=true");
    assert_eq!(ids(admin.get(&next).expect(200)["jobs"].as_array().unwrap()), expected[1..]);

    for query in
        ["", "&client_id=a", &format!("&marker={hers}"), "&sort=status", "&with_count", "&fields=job_id"]
    {
        alice.get(&format!("/jobs?all_projects=true{query}")).expect(403);
    }
    // Filters and orders without an index over all projects are refused, except with a search.
    for query in [
        "sort=status",
        "sort=event:desc",
        "sort=result:asc",
        "status=",
        "event=stop",
        "result=",
        "session_id=",
    ] {
        admin.get(&format!("/jobs?all_projects=true&{query}")).expect(400);
    }
}

fn an_invalid_query_of_jobs_is_refused(api: &Api) {
    let Seeded { alice, all, .. } = seed_jobs(api);
    let bob = api.project();
    bob.get(&format!("/jobs?marker={}", id(&all[0]))).expect(400);
    for query in [
        "status=flying",
        "status=in:running,flying",
        "status=gt:running",
        "event=go",
        "result=perhaps",
        "session_id=%C3%A4",
        "job_id=a%20b",
        "client_id=gte:a",
        "client_id=a%0A",
        "created_at=soon",
        "sort=client_id",
        "sort=session_id",
        "sort=time_started",
        "marker=unknown",
        "all_projects=perhaps",
        &format!("marker={}&offset=1", id(&all[0])),
        &format!("client_id=in:{}", vec!["a"; 101].join(",")),
    ] {
        assert_eq!(alice.get(&format!("/jobs?{query}")).expect(400)["title"], "Invalid parameter", "{query}");
    }
}
