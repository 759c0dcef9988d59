//! All rules in force: those of the files over those in code.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::check::Check;
use super::defaults::RuleDefault;
use super::evaluate::{Evaluation, Failure};
use super::files::Stated;
use super::parse;
use super::python::Values;
use super::remote::Remote;
use super::yaml::Source;

/// A rule that a file states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRule {
    /// As it is written.
    pub source: Source,
    /// What it means.
    pub check: Check,
    /// What cannot be understood in it.
    pub problems: Vec<String>,
    /// The file it is in; the last one, if there are several.
    pub file: PathBuf,
}

/// The rules in force.
#[derive(Debug)]
pub struct Rules {
    pub(super) checks: HashMap<String, Check>,
    pub(super) default_rule: String,
    /// Those of the files, by name.
    pub from_files: BTreeMap<String, FileRule>,
    /// What the operator should know about rules that were renamed or changed, a sentence for each.
    pub deprecations: Vec<String>,
}

impl Rules {
    /// The rules of `files` (each with its path and its rules, later ones stronger) over `defaults`.
    ///
    /// `default_rule` is asked where a rule does not exist. Without `new_defaults_only` the former default of a
    /// changed rule allows, too.
    pub fn new(
        files: impl IntoIterator<Item = Stated>,
        defaults: &[RuleDefault],
        default_rule: &str,
        new_defaults_only: bool,
    ) -> Self {
        let mut from_files = BTreeMap::new();
        for (file, rules) in files {
            for (name, source) in rules {
                let parse::Parsed { check, problems } = parse::source(&source);
                from_files.insert(name, FileRule { source, check, problems, file: file.clone() });
            }
        }
        let mut rules = Self {
            checks: from_files.iter().map(|(name, rule)| (name.clone(), rule.check.clone())).collect(),
            default_rule: default_rule.to_owned(),
            from_files,
            deprecations: Vec::new(),
        };
        for default in defaults {
            if !rules.from_files.contains_key(default.name) {
                let check = rules.default_check(default, new_defaults_only);
                rules.checks.insert(default.name.to_owned(), check);
            }
        }
        rules
    }

    /// What a default comes to that no file overrides: a file may still have it under a former name.
    fn default_check(&mut self, default: &RuleDefault, new_defaults_only: bool) -> Check {
        let check = of(default.check);
        let Some(old) = default.deprecated else { return check };
        let old_check = of(old.check);
        let renamed = old.name != default.name;
        if let Some(rule) = self.from_files.get(old.name).filter(|_| renamed) {
            let rule = rule.check.clone();
            self.deprecations.push(format!(
                "The rule {} is now {} (since {}: {}). Rename it in the policy file; until then it counts for both.",
                old.name, default.name, old.since, old.reason
            ));
            // Samples have the old name as an alias of the new one, which is no override.
            if rule != old_check && rule != Check::Rule(default.name.to_owned()) {
                return rule;
            }
        }
        if new_defaults_only || old_check == check {
            return check;
        }
        self.deprecations.push(format!(
            "The default of the rule {} has changed (since {}: {}); the former one, {:?}, still allows, too, because \
             enforce_new_defaults is off.",
            default.name, old.since, old.reason, old.check
        ));
        Check::Or(vec![check, old_check])
    }

    /// The rule of that name, or the default rule.
    pub fn get(&self, name: &str) -> Option<&Check> {
        self.checks
            .get(name)
            .or_else(|| self.checks.get(&self.default_rule).filter(|_| !self.default_rule.is_empty()))
    }

    /// Whether a rule allows it; a rule that does not exist is the default rule, and a no without one.
    ///
    /// # Errors
    /// It cannot be answered.
    pub fn allows(
        &self,
        name: &str,
        credentials: &Values,
        target: &Values,
        remote: Option<&Remote>,
    ) -> Result<bool, Failure> {
        let Some(check) = self.get(name) else { return Ok(false) };
        let path = vec![name];
        Evaluation { rules: self, credentials, target, remote, asked: name, path, depth: 0 }.allows(check)
    }

    /// Whether some rule asks another service.
    pub fn has_remote_checks(&self) -> bool {
        self.checks.values().any(|check| {
            let mut found = false;
            check.walk(&mut |check| found |= matches!(check, Check::Remote { .. }));
            found
        })
    }
}

/// A rule's meaning, from the text in the table.
pub(super) fn of(text: &str) -> Check {
    parse::source(&Source::Text(text.to_owned())).check
}

#[cfg(test)]
mod tests;
