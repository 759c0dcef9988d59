use std::path::PathBuf;

use front::http::Method;
use oslo_policy::{Rules, Source, parse_file, sample, show};

use super::*;
use crate::routes::{Handler, ROUTES};

fn word(method: Method) -> String {
    format!("{method:?}").to_uppercase()
}

#[test]
fn every_route_is_documented_with_its_rule_and_every_rule_with_its_routes() {
    let mut asked: Vec<(&str, String, &str)> = ROUTES
        .iter()
        .filter_map(|route| match route.handler {
            Handler::Project(rule, _) => Some((rule, word(route.method), route.path)),
            _ => None,
        })
        .collect();
    // Handlers also ask for these.
    asked.push(("clients:create_central", "POST".to_owned(), "/v2/{project_id}/clients"));
    asked.push(("jobs:get_all_projects", "GET".to_owned(), "/v2/{project_id}/jobs"));
    asked.push(("jobs:get_all_projects", "GET".to_owned(), "/v2/{project_id}/jobs/{job_id}"));
    let mut documented: Vec<(&str, String, &str)> = DEFAULTS
        .iter()
        .flat_map(|rule| {
            rule.operations.iter().map(|(method, path)| (rule.name, (*method).to_owned(), *path))
        })
        .collect();
    asked.sort();
    documented.sort();
    assert_eq!(asked, documented);
}

#[test]
fn the_table_is_in_order() {
    for (at, rule) in DEFAULTS.iter().enumerate() {
        assert!(DEFAULTS[..at].iter().all(|earlier| earlier.name != rule.name), "{} twice", rule.name);
        assert_eq!(rule.scopes, [Scope::Project], "{}", rule.name);
        assert!(rule.description.ends_with('.'), "{}", rule.name);
        assert_eq!(rule.name.contains(':'), !rule.operations.is_empty(), "{}", rule.name);
    }
}

/// The table under a policy file with this text.
fn rules_with(text: &str) -> Rules {
    Rules::new([("policy.yaml".into(), parse_file(text).unwrap())], DEFAULTS, "default", true)
}

#[test]
fn files_override_the_table_and_each_other() {
    let parse = |text| parse_file(text).unwrap();
    let files = [
        (PathBuf::from("1"), parse("jobs:get: '!'\njobs:delete: '@'\nadmin_or_owner: 'role:chief'")),
        (
            PathBuf::from("2"),
            parse("jobs:get: 'role:x'\nmine: ''\njobs:get_al: ''\nhelper: ''\nb: 'rule:helper'"),
        ),
    ];
    let rules = Rules::new(files, DEFAULTS, "default", true);
    let shown = |name: &str| rules.get(name).unwrap().to_string();
    assert_eq!(shown("jobs:get"), "role:x");
    assert_eq!(rules.from_files["jobs:get"].file, PathBuf::from("2"));
    assert_eq!(shown("jobs:delete"), "@");
    assert_eq!(shown("jobs:update"), "rule:admin_or_owner");
    assert_eq!(shown("admin_or_owner"), "role:chief");
    assert_eq!(rules.unused(DEFAULTS), ["b", "jobs:get_al", "mine"]);
    let same = rules_with(
        "jobs:get: rule:admin_or_reader_or_service\nadmin_or_service: '(role:admin or role:service)'\njobs:delete: role:admin",
    );
    assert_eq!(same.redundant(DEFAULTS), ["admin_or_service", "jobs:get"]);
}

#[test]
fn the_table_is_sound() {
    let rules = Rules::new([], DEFAULTS, "default", true);
    assert_eq!((rules.undefined(), rules.cyclic(), &*rules.deprecations), (vec![], vec![], &[][..]));
    assert!(!rules.has_remote_checks());
}

#[test]
fn the_sample_in_etc_is_ours() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/etc/policy.yaml");
    let there = std::fs::read_to_string(file).unwrap_or_default();
    assert!(there == sample::text(DEFAULTS), "renew it with: freezer-api policy sample > etc/policy.yaml");
}

#[test]
fn the_sample_changes_nothing_and_uncommented_it_is_the_table() {
    assert_eq!(parse_file(&sample::text(DEFAULTS)), Ok(Vec::new()));
    let lines = sample::text(DEFAULTS)
        .lines()
        .filter_map(|line| line.strip_prefix("#\""))
        .map(|line| format!("\"{line}\n"))
        .collect::<String>();
    let rules = parse_file(&lines).unwrap();
    let table = DEFAULTS.iter().map(|rule| (rule.name.to_owned(), Source::Text(rule.check.to_owned())));
    assert_eq!(rules, table.collect::<Vec<_>>());
}

#[test]
fn the_output_is_a_policy_file_with_the_same_rules() {
    let text =
        "jobs:get: \"role:\\\"x\\\"\"\nadmin_or_owner:\nold: [[role:a, role:b]]\njobs:create: nonsense\n";
    let rules = rules_with(text);
    let shown = show::text(&rules, DEFAULTS);
    for line in [
        "# overridden in policy.yaml; the default is \"rule:admin_or_reader_or_service\"",
        "\"jobs:get\": \"role:\\\"x\\\"\"",
        "\"admin_or_owner\": null",
        "# from policy.yaml",
        "\"old\": [[\"role:a\",\"role:b\"]]",
        "\"jobs:update\": \"rule:admin_or_owner\"",
    ] {
        assert!(shown.lines().any(|other| other == line), "{line}\n{shown}");
    }
    assert!(
        shown.contains("# problem: \\\"nonsense\\\" is not a check, and always refuses\n\"jobs:create\""),
        "{shown}"
    );
    let again = Rules::new([("shown".into(), parse_file(&shown).unwrap())], &[], "default", true);
    assert_eq!(again.names(), rules.names());
    for name in rules.names() {
        assert_eq!(again.get(name), rules.get(name));
    }
}
