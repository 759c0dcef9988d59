//! The table of rules as a commented-out policy file, in the form of oslo.policy's sample generator.

use std::fmt::Write;

use super::defaults::{DEFAULTS, RuleDefault};

/// The sample policy file.
pub fn text() -> String {
    let mut out = String::new();
    for rule in DEFAULTS {
        write_rule(rule, &mut out);
    }
    out.truncate(out.trim_end().len());
    out + "\n"
}

fn write_rule(rule: &RuleDefault, out: &mut String) {
    for line in wrapped(rule.description) {
        let _ = writeln!(out, "# {line}");
    }
    for (method, path) in rule.operations {
        let _ = writeln!(out, "# {method}  {path}");
    }
    let scopes: Vec<String> = rule.scopes.iter().map(ToString::to_string).collect();
    let _ = writeln!(out, "# Intended scope(s): {}", scopes.join(", "));
    let _ = writeln!(out, "#\"{}\": \"{}\"\n", rule.name, rule.check);
    if let Some(old) = rule.deprecated {
        let _ = writeln!(out, "# DEPRECATED");
        let what = format!(
            "\"{}\": \"{}\" has been deprecated since {}: {}",
            old.name, old.check, old.since, old.reason
        );
        for line in wrapped(&what) {
            let _ = writeln!(out, "# {line}");
        }
        if old.name != rule.name {
            let _ = writeln!(out, "# \"{}\": \"rule:{}\"", old.name, rule.name);
        }
        out.push('\n');
    }
}

/// Wraps a text into lines of up to 68 characters.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.len() + 1 + word.len() <= 68 => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_in_etc_is_ours() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/etc/policy.yaml");
        let there = std::fs::read_to_string(file).unwrap_or_default();
        assert!(there == text(), "renew it with: freezer-api policy sample > etc/policy.yaml");
    }

    #[test]
    fn the_sample_changes_nothing_and_uncommented_it_is_the_table() {
        assert_eq!(super::super::yaml::parse(&text()), Ok(Vec::new()));
        let lines = text()
            .lines()
            .filter_map(|line| line.strip_prefix("#\""))
            .map(|line| format!("\"{line}\n"))
            .collect::<String>();
        let rules = super::super::yaml::parse(&lines).unwrap();
        let table = DEFAULTS
            .iter()
            .map(|rule| (rule.name.to_owned(), super::super::Source::Text(rule.check.to_owned())));
        assert_eq!(rules, table.collect::<Vec<_>>());
    }
}
