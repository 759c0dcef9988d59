//! The table of rules as a commented-out policy file, in the form of oslo.policy's sample generator.

use std::fmt::Write;

use super::default::RuleDefault;

/// The sample policy file with these rules.
pub fn text(defaults: &[RuleDefault]) -> String {
    let mut out = String::new();
    for rule in defaults {
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
