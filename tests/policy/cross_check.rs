//! oslo.policy and this service get the same rules, callers and targets, and must decide alike.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use freezer_api::rules::DEFAULTS;
use front::context::Caller;
use front::error::Kind;
use oslo_policy::{Policy, Rules, Settings, Values};
use serde_json::{Value, json};

/// What `oslo.py` writes.
fn oslo(arguments: &[&str], input: &str) -> Vec<Value> {
    let python = std::env::var("FREEZER_TEST_PYTHON");
    let python = python.unwrap_or_else(|_| panic!("run scripts/test, or set FREEZER_TEST_PYTHON"));
    let mut run = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/policy/oslo.py"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    run.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = run.wait_with_output().unwrap();
    assert!(output.status.success(), "oslo.py: {}", output.status);
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn values(value: &Value) -> Values {
    value.as_object().unwrap().clone()
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

#[test]
fn the_language_means_the_same() {
    let (mut asked, mut answers) = (0, [0, 0, 0]);
    for set in oslo(&["language"], "") {
        let text = set["text"].as_str().unwrap();
        let parsed = oslo_policy::parse_file(text).unwrap_or_else(|why| panic!("{why}\n{text}"));
        let rules = Rules::new([(PathBuf::from("policy.yaml"), parsed)], &[], "default", true);
        for (name, shown) in values(&set["shown"]) {
            assert_eq!(rules.get(&name).unwrap().to_string(), shown.as_str().unwrap(), "{name} in\n{text}");
        }
        for question in set["questions"].as_array().unwrap() {
            let name = question["rule"].as_str().unwrap();
            let ours =
                rules.allows(name, &values(&question["credentials"]), &values(&question["target"]), None);
            let word = match &ours {
                Ok(true) => "yes",
                Ok(false) => "no",
                Err(_) => "error",
            };
            assert_eq!(question["answer"], word, "{ours:?}: {question} of\n{text}");
            asked += 1;
            answers[["yes", "no", "error"].iter().position(|other| *other == word).unwrap()] += 1;
        }
    }
    // A generator that only makes one of the outcomes would test nothing.
    assert!(asked > 3_000 && answers.iter().all(|count| *count > 300), "{asked} {answers:?}");
}

#[test]
fn files_give_the_same_rules() {
    let root = tempfile::tempdir().unwrap();
    let table: Value = DEFAULTS
        .iter()
        .map(|rule| {
            let scopes: Vec<String> = rule.scopes.iter().map(ToString::to_string).collect();
            json!({"name": rule.name, "check": rule.check, "scopes": scopes, "is_cloud_wide": rule.is_cloud_wide})
        })
        .collect();
    let mut answers = [0, 0, 0];
    for configuration in oslo(&["files", root.path().to_str().unwrap()], &table.to_string()) {
        let directory = configuration["directory"].as_str().unwrap();
        let policy =
            Policy::new(Settings { config_dirs: vec![directory.into()], ..Settings::default() }, DEFAULTS)
                .unwrap();
        for question in configuration["questions"].as_array().unwrap() {
            let caller = Caller {
                user_id: "u".to_owned(),
                project_id: text(&question["project_id"]),
                domain_id: text(&question["domain_id"]),
                roles: question["roles"].as_array().unwrap().iter().filter_map(text).collect(),
                ..Caller::default()
            };
            let word =
                match policy.enforce(&caller, question["rule"].as_str().unwrap(), "p1").map_err(|e| e.kind) {
                    Ok(()) => "yes",
                    Err(Kind::Forbidden) => "no",
                    Err(_) => "error",
                };
            assert_eq!(question["answer"], word, "{question} in {directory}");
            answers[["yes", "no", "error"].iter().position(|other| *other == word).unwrap()] += 1;
        }
    }
    assert!(answers.iter().sum::<i32>() > 2_000 && answers[0] > 300 && answers[1] > 300, "{answers:?}");
}
