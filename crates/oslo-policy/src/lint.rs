//! Checks for mistakes in rules that can be loaded.

use std::collections::BTreeSet;

use front::context::Caller;

use super::check::Check;
use super::credentials::credentials;
use super::default::RuleDefault;
use super::python::Values;
use super::rules::{FileRule, Rules, parse_check};

impl Rules {
    /// The names of all rules, in order.
    pub fn names(&self) -> BTreeSet<&str> {
        self.checks.keys().map(String::as_str).collect()
    }

    /// Pairs of a rule and a rule that it refers to but that does not exist.
    pub fn undefined(&self) -> Vec<(&str, &str)> {
        let missing = |name: &str| !self.checks.contains_key(name);
        let mut found = Vec::new();
        for name in self.names() {
            found.extend(
                self.references(name).into_iter().filter(|other| missing(other)).map(|other| (name, other)),
            );
        }
        found
    }

    /// The rules that refer to themselves, directly or through others.
    pub fn cyclic(&self) -> Vec<&str> {
        self.names().into_iter().filter(|name| self.reaches(name, name)).collect()
    }

    /// Whether `from` refers to `to`, directly or through others.
    fn reaches(&self, from: &str, to: &str) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![from];
        while let Some(name) = open.pop() {
            for next in self.references(name) {
                if next == to {
                    return true;
                }
                if seen.insert(next) {
                    open.push(next);
                }
            }
        }
        false
    }

    fn references(&self, name: &str) -> Vec<&str> {
        self.checks.get(name).map(Check::references).unwrap_or_default()
    }

    /// The rules of files that are equal to their defaults.
    pub fn redundant(&self, defaults: &[RuleDefault]) -> Vec<&str> {
        let same = |name: &str, rule: &FileRule| {
            let default = defaults.iter().find(|default| default.name == name);
            rule.problems.is_empty()
                && default.is_some_and(|default| parse_check(default.check) == rule.check)
        };
        self.from_files
            .iter()
            .filter(|(name, rule)| same(name, rule))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// The rules that let a caller into other projects than its token's, although the defaults do not. Each comes with
    /// the roles that such a caller needs; an empty list means that every caller is let in. Http checks are not sent.
    pub fn across_projects(&self, defaults: &'static [RuleDefault]) -> Vec<(&'static str, Vec<String>)> {
        let original = Self::new([], defaults, &self.default_rule, true);
        let named = self.checks.values().flat_map(Check::roles);
        let roles: BTreeSet<String> =
            ["manager", "member", "reader"].into_iter().chain(named).map(str::to_lowercase).collect();
        let each = roles.iter().map(|role| vec![role.clone()]);
        let callers: Vec<(Vec<String>, Values)> = std::iter::once(Vec::new())
            .chain(each)
            .map(|roles| (roles.clone(), caller_of_another_project(roles)))
            .collect();
        let guards = defaults.iter().filter(|default| !default.operations.is_empty());
        guards
            .filter_map(|default| {
                let mut target = Values::new();
                if !default.is_cloud_wide {
                    target.insert("project_id".to_owned(), "other".into());
                }
                let allows = |rules: &Self, caller: &Values| {
                    rules.allows(default.name, caller, &target, None).unwrap_or(false)
                };
                let is_new = |caller: &Values| allows(self, caller) && !allows(&original, caller);
                let (roles, _) = callers.iter().find(|(_, caller)| is_new(caller))?;
                Some((default.name, roles.clone()))
            })
            .collect()
    }

    /// The rules of files that neither the service nor another rule refers to.
    pub fn unused(&self, defaults: &[RuleDefault]) -> Vec<&str> {
        let referred: BTreeSet<&str> = self.checks.values().flat_map(Check::references).collect();
        let known = |name: &str| {
            name == self.default_rule
                || referred.contains(name)
                || defaults.iter().any(|d| d.name == name || d.deprecated.is_some_and(|old| old.name == name))
        };
        self.from_files.keys().map(String::as_str).filter(|name| !known(name)).collect()
    }
}

/// The credentials of a caller with these roles, whose token is not for the target's project.
fn caller_of_another_project(roles: Vec<String>) -> Values {
    credentials(&Caller {
        user_id: "user".to_owned(),
        project_id: Some("own".to_owned()),
        roles,
        is_admin_project: true,
        ..Caller::default()
    })
}
