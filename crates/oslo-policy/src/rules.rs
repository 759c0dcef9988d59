//! The rules in force: the files' rules, and the defaults that they do not override.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;

use super::check::Check;
use super::default::RuleDefault;
use super::evaluate::{Evaluation, Failure};
use super::files::RuleFile;
use super::parse;
use super::python::Values;
use super::remote::Remote;
use super::yaml::Source;

/// A rule from a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRule {
    /// The rule as written.
    pub source: Source,
    /// The rule, parsed.
    pub check: Check,
    /// The parts that could not be parsed, in words for the operator.
    pub problems: Vec<String>,
    /// The file that holds it; the last one, if several do.
    pub file: PathBuf,
}

/// The rules in force.
#[derive(Debug)]
pub struct Rules {
    pub(super) checks: HashMap<String, Check>,
    pub(super) default_rule: String,
    /// The files' rules, by name.
    pub from_files: BTreeMap<String, FileRule>,
    /// A sentence for the operator about each rule that was renamed or changed.
    pub deprecations: Vec<String>,
}

impl Rules {
    /// Puts the rules of `files` (later ones override earlier ones) over `defaults`.
    ///
    /// `default_rule` decides in place of a rule that does not exist. Without `new_defaults_only` the former default of
    /// a changed rule allows, too.
    pub fn new(
        files: impl IntoIterator<Item = RuleFile>,
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

    /// The check of a default that no file overrides by its name. A file may still override it by a former name.
    fn default_check(&mut self, default: &RuleDefault, new_defaults_only: bool) -> Check {
        let check = parse_check(default.check);
        let Some(old) = default.deprecated else { return check };
        let old_check = parse_check(old.check);
        let renamed = old.name != default.name;
        if let Some(rule) = self.from_files.get(old.name).filter(|_| renamed) {
            let rule = rule.check.clone();
            self.deprecations.push(format!(
                "The rule {} is now {} (since {}: {}). Rename it in the policy file; until then it counts for both.",
                old.name, default.name, old.since, old.reason
            ));
            // Samples list the old name as an alias of the new one; that is not an override.
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

    /// The rule of this name, or the default rule.
    pub fn get(&self, name: &str) -> Option<&Check> {
        self.checks
            .get(name)
            .or_else(|| self.checks.get(&self.default_rule).filter(|_| !self.default_rule.is_empty()))
    }

    /// Whether a rule allows the target. The default rule decides in place of a rule that does not exist; if that does
    /// not exist either, the answer is no.
    ///
    /// # Errors
    /// The rule cannot be evaluated.
    pub fn allows(
        &self,
        name: &str,
        credentials: &Values,
        target: &Values,
        remote: Option<&Remote>,
    ) -> Result<bool, Failure> {
        let Some(check) = self.get(name) else { return Ok(false) };
        let path = vec![name];
        Evaluation { rules: self, credentials, target, remote, rule: name, path, depth: 0 }.allows(check)
    }

    /// Whether a rule has an http check.
    pub fn has_remote_checks(&self) -> bool {
        self.checks.values().any(|check| {
            let mut found = false;
            check.walk(&mut |check| found |= matches!(check, Check::Remote { .. }));
            found
        })
    }
}

/// Parses a rule of the table.
pub(super) fn parse_check(text: &str) -> Check {
    parse::source(&Source::Text(text.to_owned())).check
}

#[cfg(test)]
mod tests;
