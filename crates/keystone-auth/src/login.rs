//! The service's credentials, and the body of its login (Identity API v3, "Password authentication" and "Authenticating
//! with an application credential").

use serde_json::{Map, Value, json};

use front::context::Secret;
use front::outbound;

/// The options of an auth plugin (keystoneauth's `auth_type` and the options that belong to it).
#[derive(Debug, Clone, Default)]
pub struct Login {
    /// `auth_url`: where to log in, with or without a version.
    pub auth_url: String,
    /// `interface` (internal): which of the catalogue's identity endpoints is asked.
    pub interface: Option<String>,
    /// `region_name`: the region of that endpoint.
    pub region_name: Option<String>,
    /// The credentials.
    pub credentials: Credentials,
    /// TLS and time-outs: `cafile`, `certfile`, `keyfile`, `insecure`, `http_connect_timeout`.
    pub http: outbound::Settings,
}

/// The credentials of a login, and its scope.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// `auth_type = password` or `v3password`.
    Password {
        /// The user.
        user: IdOrName,
        /// `password`
        password: Secret,
        /// The scope.
        scope: LoginScope,
    },
    /// `auth_type = v3applicationcredential`.
    ApplicationCredential {
        /// `application_credential_id`, or `application_credential_name` with a user.
        credential: AppCredential,
        /// `application_credential_secret`
        secret: Secret,
    },
}

impl Default for Credentials {
    fn default() -> Self {
        Self::Password {
            user: IdOrName::default(),
            password: Secret::new(String::new()),
            scope: LoginScope::Unscoped,
        }
    }
}

/// An application credential, by id or by name.
#[derive(Debug, Clone)]
pub enum AppCredential {
    /// `application_credential_id`
    Id(String),
    /// `application_credential_name` of a user.
    Name(String, IdOrName),
}

/// A user or project by id, or by name in a domain.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IdOrName {
    /// The id. If it is set, the name is not used.
    pub id: Option<String>,
    /// The name.
    pub name: Option<String>,
    /// The id of the name's domain.
    pub domain_id: Option<String>,
    /// The name of the name's domain.
    pub domain_name: Option<String>,
}

/// The scope of a login.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginScope {
    /// No scope.
    Unscoped,
    /// A project.
    Project(IdOrName),
    /// A domain: its id or name is in `domain_id` or `domain_name`.
    Domain(IdOrName),
    /// `system_scope = all`
    System,
    /// `trust_id`
    Trust(String),
}

impl Login {
    /// The body of `POST /v3/auth/tokens`. It holds the password, so it goes to Keystone only.
    pub(crate) fn body(&self) -> Value {
        match &self.credentials {
            Credentials::Password { user, password, scope } => {
                let mut user = user.json();
                user.insert("password".to_owned(), password.reveal().into());
                let mut auth = json!({"identity": {"methods": ["password"], "password": {"user": user}}});
                if let Some(scope) = scope.json() {
                    auth["scope"] = scope;
                }
                json!({"auth": auth})
            }
            // The credential determines the scope.
            Credentials::ApplicationCredential { credential, secret } => {
                let mut body = match credential {
                    AppCredential::Id(id) => json!({"id": id}),
                    AppCredential::Name(name, user) => json!({"name": name, "user": user.json()}),
                };
                body["secret"] = secret.reveal().into();
                json!({"auth": {"identity": {
                    "methods": ["application_credential"],
                    "application_credential": body,
                }}})
            }
        }
    }

    /// The secret, for removing it from log messages.
    pub(crate) fn secret(&self) -> &str {
        match &self.credentials {
            Credentials::Password { password: secret, .. }
            | Credentials::ApplicationCredential { secret, .. } => secret.reveal(),
        }
    }
}

impl IdOrName {
    /// Keystone's form: the id alone, or the name and its domain.
    fn json(&self) -> Map<String, Value> {
        let mut named = Map::new();
        if let Some(id) = &self.id {
            named.insert("id".to_owned(), id.as_str().into());
        } else if let Some(name) = &self.name {
            named.insert("name".to_owned(), name.as_str().into());
            if let Some(domain) = self.domain() {
                named.insert("domain".to_owned(), domain);
            }
        }
        named
    }

    fn domain(&self) -> Option<Value> {
        match (&self.domain_id, &self.domain_name) {
            (Some(id), _) => Some(json!({"id": id})),
            (None, Some(name)) => Some(json!({"name": name})),
            (None, None) => None,
        }
    }
}

impl LoginScope {
    /// `None` leaves the scope to Keystone, which uses the user's default project if there is one.
    fn json(&self) -> Option<Value> {
        match self {
            Self::Unscoped => None,
            Self::Project(project) => Some(json!({"project": project.json()})),
            Self::Domain(domain) => domain.domain().map(|domain| json!({"domain": domain})),
            Self::System => Some(json!({"system": {"all": true}})),
            Self::Trust(id) => Some(json!({"OS-TRUST:trust": {"id": id}})),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(
        id: Option<&str>,
        name: Option<&str>,
        domain_id: Option<&str>,
        domain_name: Option<&str>,
    ) -> IdOrName {
        let own = |text: Option<&str>| text.map(str::to_owned);
        IdOrName { id: own(id), name: own(name), domain_id: own(domain_id), domain_name: own(domain_name) }
    }

    fn scoped(scope: LoginScope) -> Value {
        let user = named(None, Some("freezer"), None, Some("Default"));
        let credentials = Credentials::Password { user, password: Secret::new("pw"), scope };
        Login { credentials, ..Login::default() }.body()
    }

    #[test]
    fn a_password_login_names_the_user_and_the_scope() {
        let body = scoped(LoginScope::Project(named(None, Some("service"), Some("default"), None)));
        assert_eq!(
            body,
            json!({"auth": {
                "identity": {
                    "methods": ["password"],
                    "password": {
                        "user": {"name": "freezer", "domain": {"name": "Default"}, "password": "pw"},
                    },
                },
                "scope": {"project": {"name": "service", "domain": {"id": "default"}}},
            }})
        );
    }

    #[test]
    fn every_scope_has_its_form() {
        let by_id = named(Some("p"), Some("ignored"), Some("d"), None);
        for (scope, expected) in [
            (LoginScope::Unscoped, Value::Null),
            (LoginScope::Project(by_id), json!({"project": {"id": "p"}})),
            (
                LoginScope::Domain(named(None, None, Some("d"), Some("ignored"))),
                json!({"domain": {"id": "d"}}),
            ),
            (LoginScope::Domain(named(None, None, None, Some("D"))), json!({"domain": {"name": "D"}})),
            (LoginScope::System, json!({"system": {"all": true}})),
            (LoginScope::Trust("t".to_owned()), json!({"OS-TRUST:trust": {"id": "t"}})),
        ] {
            assert_eq!(scoped(scope)["auth"]["scope"], expected);
        }
    }

    #[test]
    fn an_application_credential_goes_by_id_or_by_name_and_user() {
        let body = |credential| {
            let credentials =
                Credentials::ApplicationCredential { credential, secret: Secret::new("hidden") };
            let login = Login { credentials, ..Login::default() };
            assert!(!format!("{login:?}").contains("hidden"));
            login.body()["auth"]["identity"]["application_credential"].clone()
        };
        assert_eq!(body(AppCredential::Id("a".to_owned())), json!({"id": "a", "secret": "hidden"}));
        assert_eq!(
            body(AppCredential::Name("n".to_owned(), named(Some("u"), None, None, None))),
            json!({"name": "n", "user": {"id": "u"}, "secret": "hidden"})
        );
    }
}
