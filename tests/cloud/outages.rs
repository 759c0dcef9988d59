//! Keystone is away, hangs and comes back: cached tokens keep working, other requests are told why they fail, and no
//! caller is mistaken for another.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::http::{self, Answer};
use crate::keystone::Cloud;
use crate::process::free_port;
use crate::service::{Etc, Sections, Service, action, sections};

/// Few, so that there can be more waiting requests.
const WORKERS: usize = 4;

/// The configuration for another Keystone of the same cloud.
fn sections_at(cloud: &Cloud, port: u16) -> Sections {
    let mut sections = sections(&cloud.at(port), "freezer");
    sections.get_mut("DEFAULT").unwrap().push(format!("workers = {WORKERS}"));
    sections
}

#[test]
fn without_keystone_cached_tokens_work() {
    let cloud = Cloud::get();
    let port = free_port();
    let keystone = cloud.another(port, 3600);
    let mut sections = sections_at(&cloud, port);
    // Longer than this test lets it hang.
    sections.get_mut("keystone_authtoken").unwrap().push("http_connect_timeout = 50".to_owned());
    sections.get_mut("DEFAULT").unwrap().push("debug = true".to_owned());
    let etc = Etc::new(&sections);
    let service = Service::ours(&etc);
    let jobs = format!("/v2/{}/jobs", cloud.project("alpha"));
    let known = cloud.token("member", "alpha");
    service.ask("GET", &jobs, &known, None).expect(200);
    let strangers: Vec<String> = (0..3 * WORKERS).map(|_| cloud.token("member", "alpha")).collect();

    keystone.hang();
    thread::scope(|scope| {
        let waiting: Vec<_> =
            strangers.iter().map(|token| scope.spawn(|| service.ask("GET", &jobs, token, None))).collect();
        thread::sleep(Duration::from_millis(500));
        let since = Instant::now();
        for _ in 0..10 {
            service.ask("GET", &jobs, &known, None).expect(200);
            goes_on(&service);
        }
        assert!(since.elapsed() < Duration::from_secs(20), "the cached callers waited for Keystone");
        assert!(waiting.iter().all(|request| !request.is_finished()), "the requests did not wait");

        keystone.go_on();
        for request in waiting {
            request.join().unwrap().expect(200);
        }
    });

    let stranger = cloud.token("member", "alpha");
    drop(keystone);
    service.ask("GET", &jobs, &known, None).expect(200);
    service
        .ask("POST", &format!("/v2/{}/actions", cloud.project("alpha")), &known, Some(&action()))
        .expect(201);
    goes_on(&service);
    unavailable(&service.ask("GET", &jobs, &stranger, None));
    unavailable(&service.ask("GET", &jobs, "garbage", None));
    let with_service = [("X-Auth-Token", &*known), ("X-Service-Token", "unknown")];
    unavailable(&service.send("GET", &jobs, &with_service, None));
    service.send("GET", &jobs, &[], None).expect(401);

    let keystone = cloud.another(port, 3600);
    service.ask("GET", &jobs, &stranger, None).expect(200);
    service.ask("GET", &jobs, "garbage", None).expect(401);
    drop(keystone);
    assert!(!service.process.output().contains(&known), "a token is in the log");
}

/// Checks that requests without a token are answered.
fn goes_on(service: &Service) {
    for (path, status) in [("/", 300), ("/v2", 200), ("/healthcheck", 200)] {
        let answer = service.send("GET", path, &[], None);
        assert_eq!(answer.status, status, "{answer}");
    }
}

/// 503 as keystonemiddleware says it.
#[track_caller]
fn unavailable(answer: &Answer) {
    assert_eq!(answer.status, 503, "{answer}");
    assert!(answer.header("Content-Type").unwrap().starts_with("text/plain"), "{answer}");
    assert!(answer.body.contains("Keystone service is temporarily unavailable"), "{answer}");
    assert_eq!(answer.header("WWW-Authenticate"), None, "{answer}");
}

/// Also when the service's own tokens live no longer than it takes to renew them.
#[test]
fn a_restart_under_load_mixes_up_no_callers() {
    let cloud = Cloud::get();
    let port = free_port();
    let keystone = cloud.another(port, 5);
    let mut sections = sections_at(&cloud, port);
    // Nearly every request needs a validation by Keystone.
    sections.get_mut("keystone_authtoken").unwrap().push("token_cache_time = 1".to_owned());
    let etc = Etc::new(&sections);
    let service = Service::ours(&etc);
    let (over, served, refused) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));

    thread::scope(|scope| {
        for (user, project) in
            [("member", "alpha"), ("stranger", "beta"), ("colleague", "alpha"), ("alien", "alien")]
        {
            let (cloud, service, over, served, refused) = (&cloud, &service, &over, &served, &refused);
            scope.spawn(move || {
                let own = cloud.project(project);
                let url = format!("{}/v2/{own}/actions", service.url);
                let tokens = [(); 3].map(|()| cloud.token(user, project));
                for token in tokens.iter().cycle().take_while(|_| !over.load(Ordering::Relaxed)) {
                    let token = [("X-Auth-Token", token.as_str())];
                    let answer = http::send("POST", &url, &token, Some(&action()));
                    if answer.status == 503 {
                        unavailable(&answer);
                        refused.fetch_add(1, Ordering::Relaxed);
                        continue;
                    }
                    let id = answer.expect(201)["action_id"].as_str().unwrap().to_owned();
                    let answer = http::send("GET", &format!("{url}/{id}"), &token, None);
                    if answer.status == 503 {
                        continue;
                    }
                    let document = answer.expect(200);
                    assert_eq!(
                        (document["project_id"].as_str(), document["user_id"].as_str()),
                        (Some(own), Some(cloud.user(user)))
                    );
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let more = |counter: &AtomicUsize, number| {
            let (until, deadline) =
                (counter.load(Ordering::Relaxed) + number, Instant::now() + Duration::from_secs(60));
            while counter.load(Ordering::Relaxed) < until && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(20));
            }
            let met = counter.load(Ordering::Relaxed) >= until;
            over.store(over.load(Ordering::Relaxed) || !met, Ordering::Relaxed);
            assert!(met, "the load stands still");
        };
        more(&served, 40);
        drop(keystone);
        more(&refused, 4);
        let keystone = cloud.another(port, 5);
        more(&served, 40);
        over.store(true, Ordering::Relaxed);
        drop(keystone);
    });
}

#[test]
fn a_token_of_ours_that_was_revoked_is_renewed() {
    let cloud = Cloud::get();
    let own = cloud.new_user(cloud.project("service"), &["service"]);
    let etc = Etc::new(&sections(&cloud, &own.name));
    let service = Service::ours(&etc);
    let jobs = format!("/v2/{}/jobs", cloud.project("alpha"));
    service.ask("GET", &jobs, &cloud.token("member", "alpha"), None).expect(200);

    // Setting a password, even the same one, revokes all tokens that the user got up to and within that second.
    let password = json!({ "user": { "password": format!("{}-password", own.name) } });
    cloud.change("PATCH", &format!("users/{}", own.id), Some(password));
    thread::sleep(Duration::from_millis(1500));
    service.ask("GET", &jobs, &cloud.token("member", "alpha"), None).expect(200);
    service.ask("GET", &jobs, "garbage", None).expect(401);

    // Without credentials that are good, no token can be validated. Keystone itself may remember the user for a moment.
    cloud.change("PATCH", &format!("users/{}", own.id), Some(json!({ "user": { "enabled": false } })));
    let ask = || service.ask("GET", &jobs, &cloud.token("member", "alpha"), None);
    let mut answer = ask();
    for _ in 0..20 {
        if answer.status != 200 {
            break;
        }
        thread::sleep(Duration::from_millis(250));
        answer = ask();
    }
    unavailable(&answer);
}

#[test]
fn a_cached_token_still_expires() {
    let cloud = Cloud::get();
    let etc = Etc::new(&sections(&cloud, "freezer"));
    let service = Service::ours(&etc);
    let jobs = format!("/v2/{}/jobs", cloud.project("alpha"));
    let token = cloud.short_lived("member", "alpha", 4);
    service.ask("GET", &jobs, &token, None).expect(200);
    thread::sleep(Duration::from_millis(4500));
    service.ask("GET", &jobs, &token, None).expect(401);
}

#[test]
fn the_service_may_log_in_with_an_application_credential() {
    let cloud = Cloud::get();
    let credential = cloud.new_credential("freezer", "service", json!({}));
    let mut sections = sections(&cloud, "freezer");
    let lines = [
        format!("auth_url = {}/v3", cloud.url),
        "auth_type = v3applicationcredential".to_owned(),
        format!("application_credential_id = {}", credential.id),
        format!("application_credential_secret = {}", credential.secret),
    ];
    sections.insert("keystone_authtoken", lines.to_vec());
    sections.get_mut("DEFAULT").unwrap().push("debug = true".to_owned());
    let etc = Etc::new(&sections);
    let service = Service::ours(&etc);
    let jobs = format!("/v2/{}/jobs", cloud.project("alpha"));
    service.ask("GET", &jobs, &cloud.token("member", "alpha"), None).expect(200);
    service.ask("GET", &jobs, "garbage", None).expect(401);
    assert!(!service.process.output().contains(&credential.secret), "the secret is in the log");
}
