//! Keystone's description of a token (Identity API v3, "Validate and show information for token").

use chrono::{DateTime, Utc};
use serde::{Deserialize, de::IgnoredAny};
use serde_json::{Map, Value};

use crate::access_rules::AccessRule;
use crate::time;
use front::context::{Caller, Delegation, Secret, Service};

/// A token that Keystone has validated. It may have expired since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// When the token expires.
    pub expires: DateTime<Utc>,
    /// The access rules of an application credential, if it has any.
    pub access_rules: Option<Vec<AccessRule>>,
    /// The types of the services in the catalogue, if it was requested.
    pub catalog: Option<Vec<String>>,
    /// Whether the token may only be used with Kerberos authentication.
    pub bound_to_kerberos: bool,
    delegation: Option<Delegation>,
    user_id: String,
    user_name: Option<String>,
    user_domain_id: Option<String>,
    project_id: Option<String>,
    project_name: Option<String>,
    project_domain_id: Option<String>,
    domain_id: Option<String>,
    system: bool,
    roles: Vec<String>,
    is_admin_project: bool,
}

#[derive(Deserialize)]
struct Body {
    token: Document,
}

#[derive(Deserialize)]
struct Document {
    user: User,
    expires_at: String,
    project: Option<Project>,
    domain: Option<Domain>,
    system: Option<System>,
    #[serde(default)]
    roles: Vec<Role>,
    #[serde(default = "yes")]
    is_admin_project: bool,
    application_credential: Option<AppCredential>,
    catalog: Option<Vec<CatalogService>>,
    bind: Option<Map<String, Value>>,
    #[serde(rename = "OS-TRUST:trust")]
    trust: Option<IgnoredAny>,
    #[serde(rename = "OS-OAUTH1")]
    oauth: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct User {
    id: String,
    name: Option<String>,
    domain: Option<Domain>,
}

#[derive(Deserialize)]
struct Project {
    id: String,
    name: Option<String>,
    domain: Option<Domain>,
}

#[derive(Deserialize)]
struct Domain {
    // A federated user's domain may be a name alone.
    id: Option<String>,
}

#[derive(Deserialize)]
struct System {
    #[serde(default)]
    all: bool,
}

#[derive(Deserialize)]
struct Role {
    name: String,
}

#[derive(Deserialize)]
struct AppCredential {
    access_rules: Option<Vec<AccessRule>>,
    // Keystone always sends this member. Without it the credential counts as restricted.
    #[serde(default = "yes")]
    restricted: bool,
}

#[derive(Deserialize)]
struct CatalogService {
    #[serde(rename = "type")]
    kind: String,
}

fn yes() -> bool {
    true
}

fn id_of(domain: Option<Domain>) -> Option<String> {
    domain.and_then(|domain| domain.id)
}

impl Token {
    /// Reads the body of `GET /v3/auth/tokens`.
    ///
    /// # Errors
    /// What is wrong with the body, without any of its content.
    pub fn parse(body: &[u8]) -> Result<Self, String> {
        // serde_json's own message quotes the content.
        let Body { token } = serde_json::from_slice(body)
            .map_err(|error| format!("no token at line {} column {}", error.line(), error.column()))?;
        if token.user.id.is_empty() || token.project.as_ref().is_some_and(|project| project.id.is_empty()) {
            return Err("an id is empty".to_owned());
        }
        let delegation = match &token {
            Document { trust: Some(_), .. } => Some(Delegation::Trust),
            Document { oauth: Some(_), .. } => Some(Delegation::Oauth),
            Document { application_credential: Some(AppCredential { restricted: true, .. }), .. } => {
                Some(Delegation::ApplicationCredential)
            }
            _ => None,
        };
        let (project_id, project_name, project_domain) = token
            .project
            .map_or((None, None, None), |project| (Some(project.id), project.name, project.domain));
        Ok(Self {
            delegation,
            expires: time::parse(&token.expires_at).ok_or("expires_at is not a time")?,
            access_rules: token.application_credential.and_then(|credential| credential.access_rules),
            catalog: token.catalog.map(|services| services.into_iter().map(|service| service.kind).collect()),
            bound_to_kerberos: token.bind.is_some_and(|bind| bind.contains_key("kerberos")),
            user_id: token.user.id,
            user_name: token.user.name,
            user_domain_id: id_of(token.user.domain),
            project_id,
            project_name,
            project_domain_id: id_of(project_domain),
            domain_id: id_of(token.domain),
            system: token.system.is_some_and(|system| system.all),
            roles: token.roles.into_iter().map(|role| role.name).collect(),
            is_admin_project: token.is_admin_project,
        })
    }

    /// Whether the token has expired.
    pub fn has_expired(&self) -> bool {
        self.expires <= Utc::now()
    }

    /// Whether the token has one of these roles. As in keystonemiddleware, upper and lower case differ.
    pub fn has_one_of(&self, roles: &[String]) -> bool {
        self.roles.iter().any(|role| roles.contains(role))
    }

    /// The caller whose token this is. `text` is the token itself, and `service` the service token beside it.
    pub fn caller(&self, text: &str, service: Option<&Self>) -> Caller {
        Caller {
            user_id: self.user_id.clone(),
            user_name: self.user_name.clone(),
            user_domain_id: self.user_domain_id.clone(),
            project_id: self.project_id.clone(),
            project_name: self.project_name.clone(),
            project_domain_id: self.project_domain_id.clone(),
            domain_id: self.domain_id.clone(),
            system_scope: self.system.then(|| "all".to_owned()),
            roles: self.roles.clone(),
            is_admin_project: self.is_admin_project,
            service: service.map(|service| Box::new(service.service())),
            delegation: self.delegation,
            token: Some(Secret::new(text)),
        }
    }

    fn service(&self) -> Service {
        Service {
            user_id: self.user_id.clone(),
            user_domain_id: self.user_domain_id.clone(),
            project_id: self.project_id.clone(),
            project_domain_id: self.project_domain_id.clone(),
            roles: self.roles.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(more: Value) -> Value {
        let mut token = json!({
            "user": {"id": "u", "name": "User", "domain": {"id": "default", "name": "Default"}},
            "issued_at": "2026-03-01T11:00:00.000000Z",
            "expires_at": "2026-03-01T12:00:00.000000Z",
            "audit_ids": ["a"],
            "methods": ["password"],
        });
        token.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"token": token})
    }

    fn parsed(more: Value) -> Result<Token, String> {
        Token::parse(token(more).to_string().as_bytes())
    }

    fn caller(more: Value) -> Caller {
        parsed(more).unwrap().caller("t", None)
    }

    #[test]
    fn a_token_of_a_project() {
        let caller = caller(json!({
            "project": {"id": "p", "name": "P", "domain": {"id": "pd", "name": "PD"}},
            "is_domain": false,
            "roles": [{"id": "1", "name": "admin"}, {"id": "2", "name": "a,b"}],
            "catalog": [],
        }));
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            caller,
            Caller {
                user_id: "u".to_owned(),
                user_name: some("User"),
                user_domain_id: some("default"),
                project_id: some("p"),
                project_name: some("P"),
                project_domain_id: some("pd"),
                domain_id: None,
                system_scope: None,
                roles: vec!["admin".to_owned(), "a,b".to_owned()],
                is_admin_project: true,
                service: None,
                delegation: None,
                token: Some(Secret::new("t")),
            }
        );
    }

    #[test]
    fn tokens_of_other_scopes() {
        let domain = caller(json!({"domain": {"id": "d", "name": "D"}, "roles": [{"name": "reader"}]}));
        assert_eq!((domain.domain_id.as_deref(), domain.project_id), (Some("d"), None));
        let system = caller(json!({"system": {"all": true}, "roles": []}));
        assert_eq!((system.system_scope.as_deref(), system.project_id), (Some("all"), None));
        let nowhere = caller(json!({}));
        assert_eq!((nowhere.project_id, nowhere.domain_id, nowhere.system_scope), (None, None, None));
        assert!(nowhere.roles.is_empty());
        let trust = caller(json!({
            "project": {"id": "p", "domain": {"id": "pd"}},
            "OS-TRUST:trust": {"id": "t", "impersonation": true, "trustee_user": {"id": "v"}},
        }));
        assert_eq!((trust.user_id.as_str(), trust.project_id.as_deref()), ("u", Some("p")));
        assert_eq!(trust.delegation, Some(Delegation::Trust));
        assert!(!caller(json!({"is_admin_project": false})).is_admin_project);
    }

    #[test]
    fn a_delegated_token_is_told_from_the_users_own() {
        let delegation = |more: Value| caller(more).delegation;
        assert_eq!(delegation(json!({})), None);
        assert_eq!(delegation(json!({"OS-TRUST:trust": null})), None);
        assert_eq!(delegation(json!({"OS-TRUST:trust": {}})), Some(Delegation::Trust));
        assert_eq!(delegation(json!({"OS-OAUTH1": {"access_token_id": "a"}})), Some(Delegation::Oauth));
        let credential = |restricted: Value| {
            delegation(json!({"application_credential": {"id": "a", "name": "a", "restricted": restricted}}))
        };
        assert_eq!(credential(json!(true)), Some(Delegation::ApplicationCredential));
        assert_eq!(credential(json!(false)), None);
        let unsaid = delegation(json!({"application_credential": {"id": "a"}}));
        assert_eq!(unsaid, Some(Delegation::ApplicationCredential));
    }

    #[test]
    fn users_from_elsewhere() {
        let federated = json!({"id": "u", "domain": {"name": "Federated"}, "OS-FEDERATION": {"groups": []}});
        assert_eq!(caller(json!({"user": federated})).user_domain_id, None);
        assert_eq!(caller(json!({"user": {"id": "u", "OS-FEDERATION": {}}})).user_domain_id, None);
    }

    #[test]
    fn restrictions_are_not_lost() {
        assert_eq!(parsed(json!({"application_credential": {"id": "a"}})).unwrap().access_rules, None);
        let none = parsed(json!({"application_credential": {"access_rules": []}})).unwrap();
        assert_eq!(none.access_rules, Some(Vec::new()));
        let catalog = parsed(json!({"catalog": [{"type": "backup", "endpoints": []}]})).unwrap().catalog;
        assert_eq!(catalog, Some(vec!["backup".to_owned()]));
        assert!(parsed(json!({"bind": {"kerberos": "user@REALM"}})).unwrap().bound_to_kerberos);
        assert!(!parsed(json!({"bind": {"x509": "thumb"}})).unwrap().bound_to_kerberos);
    }

    #[test]
    fn a_body_that_is_not_a_token_is_refused() {
        for body in ["", "{}", "[]", "null", "<html>", r#"{"token": {}}"#, r#"{"access": {"token": {}}}"#] {
            assert!(Token::parse(body.as_bytes()).is_err(), "{body}");
        }
        for more in [
            json!({"user": {"id": ""}}),
            json!({"user": {"name": "u"}}),
            json!({"user": "u"}),
            json!({"expires_at": null}),
            json!({"expires_at": "soon"}),
            json!({"project": {"name": "P"}}),
            json!({"project": {"id": ""}}),
            json!({"project": "p"}),
            json!({"roles": "admin"}),
            json!({"roles": [{"id": "1"}]}),
            json!({"system": {"all": "true"}}),
            json!({"application_credential": {"access_rules": [{"path": "/"}]}}),
            json!({"application_credential": {"access_rules": "all"}}),
        ] {
            assert!(parsed(more.clone()).is_err(), "{more}");
        }
        let secret = parsed(json!({"roles": "hunter2"})).unwrap_err();
        assert!(!secret.contains("hunter2"), "{secret}");
    }

    #[test]
    fn a_token_expires() {
        assert!(parsed(json!({})).unwrap().has_expired());
        assert!(!parsed(json!({"expires_at": "2999-01-01T00:00:00Z"})).unwrap().has_expired());
    }

    #[test]
    fn a_service_token_adds_the_service_to_the_caller() {
        let service = parsed(json!({"user": {"id": "s"}, "roles": [{"name": "service"}]})).unwrap();
        assert!(service.has_one_of(&["x".to_owned(), "service".to_owned()]));
        assert!(!service.has_one_of(&["Service".to_owned()]) && !service.has_one_of(&[]));
        let caller = parsed(json!({})).unwrap().caller("t", Some(&service));
        assert_eq!(caller.service.unwrap().user_id, "s");
    }
}
