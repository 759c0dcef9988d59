//! `freezer-manager-status upgrade check`, in oslo.upgradecheck's form.

use std::process::ExitCode;

use serde_json::json;

use super::super::{db, say};
use crate::config::{self, Options};
use crate::rules::DEFAULTS;

/// The width of a line of details, as oslo.upgradecheck wraps them.
const WIDTH: usize = 60;

/// The result of a check, with oslo.upgradecheck's codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Code {
    Success = 0,
    Warning = 1,
    Failure = 2,
}

struct Check {
    name: &'static str,
    code: Code,
    details: Option<String>,
}

impl Check {
    fn new(name: &'static str, code: Code, details: Vec<String>) -> Self {
        match details.is_empty() {
            true => Self { name, code: Code::Success, details: None },
            false => Self { name, code, details: Some(details.join(" ")) },
        }
    }
}

/// Runs all checks, prints their results, and returns the worst.
pub fn check(options: &Options, as_json: bool) -> ExitCode {
    let checks = [schema(options), idle_options(options), rules(options)];
    match as_json {
        true => {
            let of = |check: &Check| json!({"check": check.name, "result": check.code as u8, "details": check.details});
            say(
                json!({"name": "Upgrade Check Results", "checks": checks.iter().map(of).collect::<Vec<_>>()}),
            );
        }
        false => say(table(&checks)),
    }
    let worst = checks.iter().map(|check| check.code).max().unwrap_or(Code::Success);
    ExitCode::from(worst as u8)
}

/// Whether the database has the schema of this release.
fn schema(options: &Options) -> Check {
    let ready = || -> Result<(), String> {
        let url = config::database(&config::load(options, None)?)?;
        db::ready(&url, options.allow_newer_schema).map(|_| ()).map_err(|error| error.why)
    };
    Check::new("Database Schema", Code::Failure, ready().err().into_iter().collect())
}

/// Whether the configuration sets options that have no effect.
fn idle_options(options: &Options) -> Check {
    match config::load(options, None) {
        Ok(effective) => {
            let idle = effective.without_effect();
            let text = (!idle.is_empty()).then(|| format!("Set, but without effect: {}.", idle.join(", ")));
            Check::new("Configuration Options", Code::Warning, text.into_iter().collect())
        }
        Err(why) => Check::new("Configuration Options", Code::Failure, vec![why]),
    }
}

/// Whether rules of policy files allow access to the rows of other projects.
fn rules(options: &Options) -> Check {
    let name = "Policy Rules Across Projects";
    let settings = match config::load(options, None) {
        Ok(effective) => config::policy(&effective),
        Err(why) => return Check::new(name, Code::Failure, vec![why]),
    };
    match oslo_policy::rules(&settings, DEFAULTS) {
        Ok(rules) => {
            let of = |(rule, roles): (&str, Vec<String>)| match roles.is_empty() {
                true => format!("{rule} allows other projects than the token's to every caller."),
                false => {
                    format!("{rule} allows other projects than the token's to the role {}.", roles.join(", "))
                }
            };
            Check::new(name, Code::Warning, rules.across_projects(DEFAULTS).into_iter().map(of).collect())
        }
        Err(why) => Check::new(name, Code::Failure, vec![why]),
    }
}

/// The results as a table, as oslo.upgradecheck prints it.
fn table(checks: &[Check]) -> String {
    let mut cells = vec![vec!["Upgrade Check Results".to_owned()]];
    for check in checks {
        let mut lines = vec![format!("Check: {}", check.name), format!("Result: {:?}", check.code)];
        let mut details = wrap(check.details.as_deref().unwrap_or("None"));
        details[0].insert_str(0, "Details: ");
        lines.append(&mut details);
        cells.push(lines);
    }
    let width = cells.iter().flatten().map(|line| line.chars().count()).max().unwrap_or_default();
    let rule = format!("+{}+", "-".repeat(width + 2));
    let mut text = vec![rule.clone()];
    for lines in cells {
        text.extend(lines.into_iter().map(|line| format!("| {line:<width$} |")));
        text.push(rule.clone());
    }
    text.join("\n")
}

fn wrap(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let last = lines.len() - 1;
        let line = &mut lines[last];
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(format!("  {word}"));
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
