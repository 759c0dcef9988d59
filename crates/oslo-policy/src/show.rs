//! The rules in force as a policy file.

use std::fmt::Write;

use super::default::RuleDefault;
use super::rules::{Rules, parse_check};

/// The rules in force: first those of the table `defaults` in its order, then those that only files have. A comment marks each rule that
/// comes from a file.
pub fn text(rules: &Rules, defaults: &[RuleDefault]) -> String {
    let mut out = String::new();
    for default in defaults {
        write_rule(default.name, Some(default), rules, &mut out);
    }
    for name in rules.from_files.keys() {
        if !defaults.iter().any(|default| default.name == name) {
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
