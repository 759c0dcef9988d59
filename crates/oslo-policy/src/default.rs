//! The rules that a program defines. A table of them is handed in.

use super::scope::Scope;

/// A rule that the code defines.
#[derive(Debug, Clone, Copy)]
pub struct RuleDefault {
    /// Its name, by which files override it.
    pub name: &'static str,
    /// The rule, in the policy language.
    pub check: &'static str,
    /// What it guards, in a sentence.
    pub description: &'static str,
    /// The method and path of the routes it guards; empty for a rule that only other rules refer to.
    pub operations: &'static [(&'static str, &'static str)],
    /// The scopes that a token may have.
    pub scopes: &'static [Scope],
    /// Whether it guards more than the project in the path. Its target is then empty, as upstream's: with a
    /// `project_id`, a file that says `rule:admin_or_owner` would give a project's owner access to all projects.
    pub is_cloud_wide: bool,
    /// The former rule that it replaces.
    pub deprecated: Option<Deprecated>,
}

/// A rule that another has replaced.
#[derive(Debug, Clone, Copy)]
pub struct Deprecated {
    /// Its name; the same as the new rule's if only the default has changed.
    pub name: &'static str,
    /// Its default.
    pub check: &'static str,
    /// The release that replaced it.
    pub since: &'static str,
    /// The reason, in a sentence.
    pub reason: &'static str,
}

/// The rule of this name.
pub fn find(defaults: &'static [RuleDefault], name: &str) -> Option<&'static RuleDefault> {
    defaults.iter().find(|rule| rule.name == name)
}
