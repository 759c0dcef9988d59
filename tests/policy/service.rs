//! The policy files of a running service.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use oslo_policy::{Policy, Settings};
use serde_json::json;

use crate::house::{House, body, client, job};

#[test]
fn a_file_overrides_and_what_it_leaves_out_stays() {
    let house = House::new(
        "backup_operator: role:backup_operator and project_id:%(project_id)s\n\
         jobs:get_all: rule:backup_operator or rule:admin_or_reader_or_service\n\
         jobs:get: '!'\n",
    );
    assert_eq!(house.get("Backup_Operator", "/own/jobs"), 200);
    assert_eq!(house.get("backup_operator", "/other/jobs"), 403);
    assert_eq!(house.get("reader", "/own/jobs"), 200);
    assert_eq!(house.get("backup_operator", "/own/sessions"), 403);
    assert_eq!(house.get("admin", "/own/jobs/x"), 403);
    assert_eq!(house.get("member", "/own/sessions"), 200);
}

#[test]
fn a_change_holds_from_the_next_request_on() {
    let house = House::new("jobs:get_all: '!'");
    let status = || house.get("reader", "/own/jobs");
    assert_eq!(status(), 403);
    // Quick writes of texts of equal length.
    for round in 0..20 {
        house.write("policy.yaml", if round % 2 == 0 { "jobs:get_all: '@'" } else { "jobs:get_all: '!'" });
        assert_eq!(status(), if round % 2 == 0 { 200 } else { 403 }, "{round}");
    }
    house.write("policy.d/20.yaml", "jobs:get_all: role:reader");
    assert_eq!(status(), 200);
    house.write("policy.d/30.yaml", "jobs:get_all: role:admin");
    assert_eq!(status(), 403);
    fs::remove_file(house.directory().join("policy.d/30.yaml")).unwrap();
    assert_eq!(status(), 200);
    fs::remove_dir_all(house.directory().join("policy.d")).unwrap();
    assert_eq!(status(), 403);
    fs::remove_file(house.directory().join("policy.yaml")).unwrap();
    assert_eq!(status(), 200);
}

#[test]
fn a_file_that_is_moved_in_with_an_old_date_is_a_change() {
    let house = House::new("jobs:get_all: '!'");
    let aged = |name: &str, text: &str, days: u64| {
        let path = house.write(name, text);
        let then = SystemTime::now() - Duration::from_secs(days * 86_400);
        fs::File::options().write(true).open(&path).unwrap().set_modified(then).unwrap();
        path
    };
    aged("policy.yaml", "jobs:get_all: '!'", 1);
    assert_eq!(house.get("reader", "/own/jobs"), 403);
    assert_eq!(house.get("reader", "/own/jobs"), 403);
    let older = aged("older", "jobs:get_all: '@'", 9);
    fs::rename(older, house.directory().join("policy.yaml")).unwrap();
    assert_eq!(house.get("reader", "/own/jobs"), 200);
}

#[test]
fn a_broken_file_is_a_500_for_everybody_until_it_is_mended() {
    let house = House::new("jobs:get_all: '!'");
    for broken in
        ["jobs:get_all: @", "jobs:get_all: !", "- x", "\"jobs:get_all\": \"@\"\n\"x", "a: b\n---\nc: d"]
    {
        house.write("policy.yaml", broken);
        for _ in 0..2 {
            let answer = house.send("admin", "GET", "/own/jobs", None);
            assert_eq!(answer.status, 500, "{broken}");
            let text = String::from_utf8(answer.body).unwrap();
            assert!(!text.contains("policy") && text.contains("logged"), "{text}");
            assert_eq!(house.get("admin", "/own/sessions"), 500, "{broken}");
        }
        house.write("policy.yaml", "jobs:get_all: role:admin");
        assert_eq!(house.get("admin", "/own/jobs"), 200);
        assert_eq!(house.get("reader", "/own/jobs"), 403);
    }
    house.write("policy.d", "no directory");
    assert_eq!(house.get("admin", "/own/jobs"), 500);
    fs::remove_file(house.directory().join("policy.d")).unwrap();
    assert_eq!(house.get("admin", "/own/jobs"), 200);
}

#[test]
fn a_start_with_a_broken_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings { config_dirs: vec![directory.path().to_owned()], ..Settings::default() };
    let refusal = || Policy::new(settings.clone(), freezer_api::rules::DEFAULTS).err().unwrap();
    let path = directory.path().join("policy.yaml");
    fs::write(&path, "\"jobs:get\": \"@\"\n\"jobs:get_all\": @\n").unwrap();
    let why = refusal();
    assert!(why.contains(path.to_str().unwrap()) && why.contains("line 2"), "{why}");
    fs::write(&path, "jobs:get: no").unwrap();
    assert!(refusal().contains("the rule jobs:get"));
    // A missing certificate matters only to rules that use it.
    let ca_file = Some(directory.path().join("none.pem"));
    let remote = front::outbound::Settings { ca_file, insecure: false, ..Settings::default().remote };
    let settings = Settings { remote, ..settings };
    fs::write(&path, "jobs:get: https://localhost/").unwrap();
    assert!(Policy::new(settings.clone(), freezer_api::rules::DEFAULTS).err().unwrap().contains("none.pem"));
    fs::write(&path, "jobs:get: role:admin").unwrap();
    assert!(Policy::new(settings, freezer_api::rules::DEFAULTS).is_ok());
}

#[test]
fn an_unreadable_file_is_not_a_missing_one() {
    let house = House::new("jobs:get_all: '!'");
    let path = house.directory().join("policy.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o000)).unwrap();
    // The superuser may read everything.
    if fs::read(&path).is_err() {
        assert_eq!(house.get("admin", "/own/jobs"), 500);
    }
    fs::remove_file(&path).unwrap();
    // The rule refers to itself, so it has no end.
    std::os::unix::fs::symlink("policy.yaml", &path).unwrap();
    assert_eq!(house.get("admin", "/own/jobs"), 500);
}

#[test]
fn what_cannot_be_decided_is_a_500_for_that_rule_only() {
    let house =
        House::new("jobs:get_all: 'rule:a'\na: 'not rule:b'\nb: 'rule:a'\nsessions:get_all: 'user_id.x:y'");
    assert_eq!(house.get("admin", "/own/jobs"), 500);
    assert_eq!(house.get("admin", "/own/sessions"), 500);
    assert_eq!(house.get("admin", "/own/actions"), 200);
}

#[test]
fn a_rule_that_does_not_exist_or_cannot_be_understood_refuses() {
    let house =
        House::new("jobs:get_all: rule:missing\nsessions:get_all: role:admin or\nactions:get_all: ''");
    assert_eq!(house.get("admin", "/own/jobs"), 403);
    assert_eq!(house.get("admin", "/own/sessions"), 403);
    assert_eq!(house.get("", "/other/actions"), 200);
    house.write("policy.yaml", "jobs:get_all: rule:missing\ndefault: role:reader");
    assert_eq!(house.get("reader", "/own/jobs"), 200);
    assert_eq!(house.get("admin", "/own/jobs"), 403);
}

#[test]
fn the_policy_decides_who_sees_the_jobs_of_all_projects() {
    let house = House::new("{}");
    let created = house.send("admin", "POST", "/other/clients", Some(&client("host")));
    assert_eq!(created.status, 201);
    let created = house.send("admin", "POST", "/other/jobs", Some(&job("host")));
    assert_eq!(created.status, 201);
    let one = format!("/own/jobs/{}", body(&created)["job_id"].as_str().unwrap());
    let (own, all) = ("/own/jobs", "/own/jobs?all_projects=true");
    let found = |roles: &str, path: &str| {
        let list = body(&house.send(roles, "GET", path, None));
        list["jobs"].as_array().map(Vec::len)
    };
    for roles in ["admin", "service"] {
        assert_eq!((house.get(roles, &one), found(roles, all), found(roles, own)), (200, Some(1), Some(0)));
    }
    // Only administrators: services no longer see another project's job by its id either.
    house.write("policy.yaml", "jobs:get_all_projects: role:admin");
    assert_eq!((house.get("admin", &one), house.get("admin", all)), (200, 200));
    assert_eq!((house.get("service", &one), house.get("service", all)), (404, 403));
    // A role of the operator's own.
    house.write(
        "policy.yaml",
        "jobs:get_all_projects: role:auditor\njobs:get: role:auditor\njobs:get_all: role:auditor",
    );
    assert_eq!((house.get("auditor", &one), found("auditor", all)), (200, Some(1)));
    // To own a project is no reason to see all: the rule has no project to compare with.
    house.write(
        "policy.yaml",
        "jobs:get_all_projects: rule:admin_or_owner\nclients:create_central: rule:admin_or_owner",
    );
    assert_eq!((house.get("member", &one), house.get("member", all)), (404, 403));
    let mut central = client("central");
    central["is_central"] = json!(true);
    assert_eq!(house.send("member", "POST", "/own/clients", Some(&central)).status, 403);
    assert_eq!(house.send("admin", "POST", "/own/clients", Some(&central)).status, 201);
}
