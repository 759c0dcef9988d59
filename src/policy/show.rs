//! The rules in force as a policy file.

use std::fmt::Write;

use super::defaults::{DEFAULTS, RuleDefault};
use super::rules::{Rules, parse_check};

/// The rules in force: first the table's in its order, then those that only files have. A comment marks each rule that
/// comes from a file.
pub fn text(rules: &Rules) -> String {
    let mut out = String::new();
    for default in DEFAULTS {
        write_rule(default.name, Some(default), rules, &mut out);
    }
    for name in rules.from_files.keys() {
        if !DEFAULTS.iter().any(|default| default.name == name) {
            write_rule(name, None, rules, &mut out);
        }
    }
    out
}

fn write_rule(name: &str, default: Option<&RuleDefault>, rules: &Rules, out: &mut String) {
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let file_rule = rules.from_files.get(name);
    match (file_rule, default) {
        (Some(rule), Some(default)) => {
            let file = rule.file.display();
            let _ = writeln!(out, "# overridden in {file}; the default is {}", quoted(default.check));
        }
        (Some(rule), None) => {
            let _ = writeln!(out, "# from {}", rule.file.display());
        }
        (None, _) => {}
    }
    for problem in file_rule.map(|rule| &*rule.problems).unwrap_or_default() {
        let _ = writeln!(out, "# problem: {}", problem.escape_default());
    }
    let text = match (file_rule, default, rules.get(name)) {
        (Some(rule), ..) => rule.source.to_json().to_string(),
        (None, Some(default), Some(check)) if parse_check(default.check) == *check => quoted(default.check),
        (None, _, Some(check)) => {
            let _ = writeln!(out, "# as a policy file has it under a former name, or with a former default");
            quoted(&check.to_string())
        }
        (None, _, None) => return,
    };
    let _ = writeln!(out, "{}: {text}", quoted(name));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::yaml;

    #[test]
    fn the_output_is_a_policy_file_with_the_same_rules() {
        let text =
            "jobs:get: \"role:\\\"x\\\"\"\nadmin_or_owner:\nold: [[role:a, role:b]]\njobs:create: nonsense\n";
        let rules =
            Rules::new([("policy.yaml".into(), yaml::parse(text).unwrap())], DEFAULTS, "default", true);
        let shown = super::text(&rules);
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
        let again = Rules::new([("shown".into(), yaml::parse(&shown).unwrap())], &[], "default", true);
        assert_eq!(again.names(), rules.names());
        for name in rules.names() {
            assert_eq!(again.get(name), rules.get(name));
        }
    }
}
