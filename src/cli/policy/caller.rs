//! The caller whose rights a policy check evaluates.

use std::fs;
use std::path::PathBuf;

use clap::Args;
use front::context::Caller;
use serde_json::Value;

/// The project of a caller without another one.
const PROJECT: &str = "own";

/// The caller, and the project that it accesses.
#[derive(Debug, Args)]
pub struct CallerOptions {
    /// The caller's token, as Keystone shows it in JSON
    #[arg(long, value_name = "FILE", conflicts_with_all = ["roles", "user_id", "project_id", "domain_id", "system_scope"])]
    access: Option<PathBuf>,
    /// The caller's roles, separated by commas
    #[arg(long, value_name = "ROLES", value_delimiter = ',')]
    roles: Vec<String>,
    /// The caller's id [default: user]
    #[arg(long, value_name = "ID")]
    user_id: Option<String>,
    /// The project of the caller's token [default: own, unless it has another scope]
    #[arg(long, value_name = "ID")]
    project_id: Option<String>,
    /// The domain of the caller's token, instead of a project
    #[arg(long, value_name = "ID", conflicts_with = "project_id")]
    domain_id: Option<String>,
    /// The token is for the system, instead of a project
    #[arg(long, conflicts_with_all = ["project_id", "domain_id"])]
    system_scope: bool,
    /// The project in the path [default: the caller's]
    #[arg(long, value_name = "ID")]
    target_project: Option<String>,
}

impl CallerOptions {
    /// Whether any of these options is set.
    pub fn is_set(&self) -> bool {
        let ids = [&self.user_id, &self.project_id, &self.domain_id, &self.target_project];
        self.access.is_some()
            || self.system_scope
            || !self.roles.is_empty()
            || ids.iter().any(|id| id.is_some())
    }

    /// The caller.
    ///
    /// # Errors
    /// A sentence for the operator: the file cannot be read, or holds no token.
    pub fn caller(&self) -> Result<Caller, String> {
        if let Some(path) = &self.access {
            let text = fs::read(path).map_err(|error| format!("Cannot read {}: {error}.", path.display()))?;
            let no_token = || format!("There is no token of Keystone's in {}.", path.display());
            let document: Value = serde_json::from_slice(&text).map_err(|_| no_token())?;
            return from_token(&document["token"]).ok_or_else(no_token);
        }
        let project = || Some(PROJECT.to_owned()).filter(|_| self.domain_id.is_none() && !self.system_scope);
        Ok(Caller {
            user_id: self.user_id.clone().unwrap_or_else(|| "user".to_owned()),
            project_id: self.project_id.clone().or_else(project),
            domain_id: self.domain_id.clone(),
            system_scope: self.system_scope.then(|| "all".to_owned()),
            roles: self.roles.iter().map(|role| role.trim().to_owned()).collect(),
            is_admin_project: true,
            ..Caller::default()
        })
    }

    /// The project that the caller accesses.
    pub fn target<'a>(&'a self, caller: &'a Caller) -> &'a str {
        self.target_project.as_deref().or(caller.project_id.as_deref()).unwrap_or_default()
    }
}

fn from_token(token: &Value) -> Option<Caller> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let roles = token["roles"].as_array().map(Vec::as_slice).unwrap_or_default();
    Some(Caller {
        user_id: text(&token["user"]["id"]).filter(|id| !id.is_empty())?,
        user_domain_id: text(&token["user"]["domain"]["id"]),
        project_id: text(&token["project"]["id"]),
        project_domain_id: text(&token["project"]["domain"]["id"]),
        domain_id: text(&token["domain"]["id"]),
        system_scope: (token["system"]["all"] == true).then(|| "all".to_owned()),
        roles: roles.iter().filter_map(|role| text(&role["name"])).collect(),
        is_admin_project: token["is_admin_project"].as_bool().unwrap_or(true),
        ..Caller::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_token_becomes_a_caller() {
        let user = json!({"id": "u", "name": "U", "domain": {"id": "default"}});
        let roles = json!([{"id": "1", "name": "member"}, {"id": "2", "name": "reader"}]);
        let caller = from_token(&json!({
            "user": user, "roles": roles, "project": {"id": "p", "domain": {"id": "pd"}},
        }));
        let expected = Caller {
            user_id: "u".to_owned(),
            user_domain_id: Some("default".to_owned()),
            project_id: Some("p".to_owned()),
            project_domain_id: Some("pd".to_owned()),
            roles: vec!["member".to_owned(), "reader".to_owned()],
            is_admin_project: true,
            ..Caller::default()
        };
        assert_eq!(caller, Some(expected));
        let scope = |key: &str, value: Value| {
            let mut token = json!({"user": user, "roles": roles, "is_admin_project": false});
            token[key] = value;
            from_token(&token).unwrap()
        };
        assert_eq!(scope("system", json!({"all": true})).system_scope.as_deref(), Some("all"));
        assert_eq!(scope("domain", json!({"id": "d"})).domain_id.as_deref(), Some("d"));
        assert_eq!(from_token(&json!(null)), None);
        assert_eq!(from_token(&json!({"user": {}})), None);
    }
}
