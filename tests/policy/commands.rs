//! `freezer-api policy ...`

use std::path::Path;
use std::process::Command;

use freezer_api::rules::DEFAULTS;

/// A command's standard output, standard error and exit status.
fn run(directory: &Path, line: &str) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_freezer-api"))
        .current_dir(directory)
        .arg("policy")
        .args(line.split_whitespace())
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code().unwrap())
}

fn directory(policy: &str) -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("p.yaml"), policy).unwrap();
    directory
}

#[test]
fn the_sample_is_a_policy_file_that_changes_nothing() {
    let directory = directory("");
    let (sample, _, status) = run(directory.path(), "sample");
    assert_eq!(status, 0);
    assert_eq!(sample.lines().filter(|line| line.starts_with("#\"")).count(), DEFAULTS.len());
    std::fs::write(directory.path().join("p.yaml"), sample).unwrap();
    let shown = |line: &str| run(directory.path(), line).0;
    assert_eq!(shown("show --policy-file p.yaml"), shown("show --default"));
    assert_eq!(shown("show --default").lines().count(), DEFAULTS.len());
}

#[test]
fn show_tells_where_a_rule_comes_from() {
    let directory = directory("jobs:get: '!'");
    std::fs::create_dir(directory.path().join("d")).unwrap();
    std::fs::write(directory.path().join("d/1.yaml"), "mine: role:x").unwrap();
    let (shown, _, status) = run(directory.path(), "show --policy-file p.yaml --policy-dir d");
    assert_eq!(status, 0);
    let lines: Vec<&str> = shown.lines().collect();
    let at = lines.iter().position(|line| *line == "\"jobs:get\": \"!\"").unwrap();
    assert!(lines[at - 1].contains("/p.yaml") && lines[at - 1].contains("rule:admin_or_reader_or_service"));
    assert!(lines.ends_with(&["\"mine\": \"role:x\""]) && lines[lines.len() - 2].contains("/d/1.yaml"));
}

#[test]
fn check_names_the_faults_of_the_files() {
    for (policy, status, said) in [
        ("", 0, "defaults are in force"),
        ("jobs:get: role:x", 0, "in order"),
        ("jobs:get: rule:helper\nhelper: role:x", 0, "in order"),
        ("jobs:get: rule:admin_or_reader_or_service", 0, "note: jobs:get"),
        ("jobs:get: \"\"", 0, "note: jobs:get allows other projects than the token's: to every caller"),
        ("jobs:get: \"@\"", 0, "note: jobs:get allows other projects than the token's: to every caller"),
        (
            "backups:delete: role:member",
            0,
            "note: backups:delete allows other projects than the token's: to the role member",
        ),
        (
            "admin_or_owner: role:auditor",
            0,
            "note: jobs:update allows other projects than the token's: to the role auditor",
        ),
        (
            "jobs:get_all_projects: roles:boss",
            0,
            "note: jobs:get_all_projects allows other projects than the token's: to the role boss",
        ),
        ("jobs:get: role:x or", 1, "jobs:get: \"role:x or\" is not in the policy language"),
        ("jobs:get: x", 1, "\"x\" is not a check"),
        ("jobs:get: class:x", 1, "\"class\" is neither"),
        ("jobs:get: not rule:helper", 1, "jobs:get refers to helper"),
        ("jobs:get: rule:jobs:get", 1, "jobs:get leads back to itself"),
        ("job:get: role:x", 1, "job:get is no rule of this service"),
        ("jobs:get: !", 2, "quotes"),
        ("jobs:get: yes", 2, "the rule jobs:get"),
        ("[x]", 2, "p.yaml"),
    ] {
        let (printed, complaint, code) = run(directory(policy).path(), "check --policy-file p.yaml");
        assert_eq!(code, status, "{policy}\n{printed}{complaint}");
        assert!(
            (if status == 2 { &complaint } else { &printed }).contains(said),
            "{policy}\n{printed}{complaint}"
        );
    }
    for policy in
        ["", "jobs:get: rule:owner", "jobs:get: role:member and project_id:%(project_id)s", "jobs:get: '!'"]
    {
        let (printed, _, _) = run(directory(policy).path(), "check --policy-file p.yaml");
        assert!(!printed.contains("other projects"), "{policy}: {printed}");
    }
    let (_, complaint, code) = run(directory("").path(), "check --policy-file missing.yaml");
    assert!(code == 2 && complaint.contains("missing.yaml"), "{complaint}");
}

#[test]
fn check_lists_what_a_caller_may_do() {
    let directory =
        directory("jobs:get_all: role:operator and project_id:%(project_id)s\njobs:update: rule:jobs:update");
    let token = r#"{"token": {"user": {"id": "u", "domain": {"id": "default"}}, "project": {"id": "p"},
        "roles": [{"name": "operator"}]}}"#;
    std::fs::write(directory.path().join("token.json"), token).unwrap();
    for (line, status, said) in [
        ("--rule jobs:get_all --roles reader,Operator", 0, "passed: jobs:get_all\n"),
        ("--rule jobs:get_all --roles reader", 1, "failed: jobs:get_all\n"),
        ("--rule jobs:get_all --roles operator --target-project other", 1, "failed"),
        ("--rule jobs:get --roles admin --target-project other", 0, "passed"),
        ("--rule jobs:get --roles admin --system-scope", 1, "(system scope, project is wanted)"),
        ("--rule jobs:get --roles admin --domain-id d", 1, "(domain scope, project is wanted)"),
        ("--rule nonsense --roles admin", 1, "failed: nonsense\n"),
        (
            "--rule jobs:update --roles admin",
            2,
            "error: policy, rule jobs:update: jobs:update -> jobs:update is a circle",
        ),
        ("--rule jobs:get_all --access token.json", 0, "passed"),
        ("--rule jobs:get_all --access token.json --target-project q", 1, "failed"),
        ("--rule jobs:get_all --access p.yaml", 2, "There is no token"),
        ("--rule jobs:get_all --access token.json --roles admin", 2, "cannot be used with"),
    ] {
        let (printed, complaint, code) = run(directory.path(), &format!("check --policy-file p.yaml {line}"));
        assert_eq!(code, status, "{line}\n{printed}{complaint}");
        assert!(printed.contains(said) || complaint.contains(said), "{line}\n{printed}{complaint}");
    }
    // Without a rule name, the command checks all rules of the API.
    let (printed, _, code) = run(directory.path(), "check --roles member");
    assert_eq!(
        (printed.lines().count(), code),
        (DEFAULTS.iter().filter(|rule| rule.name.contains(':')).count(), 0)
    );
    assert!(
        printed.contains("passed: jobs:create\n") && printed.contains("failed: clients:create_central\n")
    );
}
