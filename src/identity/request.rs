//! The body of a login (`POST /v3/auth/tokens`), read strictly.

use front::error::{Error, Result};
use serde_json::{Map, Value};

/// A well-formed login that is not yet verified.
#[derive(Debug)]
pub(super) struct Login {
    /// A user and their password.
    pub(super) password: Option<(IdOrName, Secret)>,
    /// An earlier token.
    pub(super) token: Option<Secret>,
    /// The scope of the new token.
    pub(super) scope: Scope,
}

/// A reference to a user or a project.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum IdOrName {
    Id(String),
    Name(String),
    /// A name in a domain other than the only one.
    OtherDomain,
}

impl IdOrName {
    /// The id or name.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Id(text) | Self::Name(text) => text,
            Self::OtherDomain => "",
        }
    }
}

/// The scope of the new token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// No scope is stated: the user's project, if they have exactly one.
    Default,
    /// Explicitly unscoped.
    Unscoped,
    /// One project.
    Project(IdOrName),
    /// A domain, the system or a trust. No user has a role on these here.
    Unsupported,
}

/// A text that must not be logged.
pub(super) struct Secret(pub(super) String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl Login {
    /// Reads a body.
    ///
    /// Keystone requires a domain with every name. There is only one here, so it is optional.
    ///
    /// # Errors
    /// 400 for a body that is not a login; 401 for a method other than `password` and `token`, as Keystone has it.
    pub(super) fn read(body: &Value) -> Result<Self> {
        let body = object(body, "the body")?;
        let auth = member(body, "auth", "the body")?;
        let identity = member(auth, "identity", "auth")?;
        let Some(Value::Array(methods)) = identity.get("methods") else {
            return Err(malformed("an array `methods`", "identity"));
        };
        if methods.is_empty() {
            return Err(malformed("at least one method", "methods"));
        }
        let mut login = Self { password: None, token: None, scope: scope(auth)? };
        for method in methods {
            match method.as_str() {
                Some("password") => login.password = Some(password(identity)?),
                Some("token") => {
                    let token = text(member(identity, "token", "identity")?, "id", "token")?;
                    login.token = Some(Secret(token));
                }
                Some(_) => {
                    let mut error = Error::unauthorized();
                    error.description = "Attempted to authenticate with an unsupported method.".to_owned();
                    return Err(error);
                }
                None => return Err(malformed("strings only", "methods")),
            }
        }
        Ok(login)
    }
}

fn password(identity: &Map<String, Value>) -> Result<(IdOrName, Secret)> {
    let password = member(identity, "password", "identity")?;
    let user = member(password, "user", "password")?;
    let secret = text(user, "password", "user")?;
    Ok((id_or_name(user, "user")?, Secret(secret)))
}

fn scope(auth: &Map<String, Value>) -> Result<Scope> {
    const KINDS: [&str; 5] = ["project", "unscoped", "domain", "system", "OS-TRUST:trust"];
    let scope = match auth.get("scope") {
        None => return Ok(Scope::Default),
        Some(Value::String(text)) if text == "unscoped" => return Ok(Scope::Unscoped),
        Some(Value::Object(scope)) => scope,
        Some(_) => return Err(malformed("an object `scope`", "auth")),
    };
    let mut kinds = KINDS.into_iter().filter(|kind| scope.contains_key(*kind));
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        return Err(malformed("exactly one of project, domain, system, OS-TRUST:trust", "scope"));
    };
    let target = member(scope, kind, "scope")?;
    Ok(match kind {
        "project" => Scope::Project(id_or_name(target, "project")?),
        "unscoped" => Scope::Unscoped,
        _ => Scope::Unsupported,
    })
}

/// `id`, or `name` and perhaps `domain`.
fn id_or_name(object: &Map<String, Value>, of: &str) -> Result<IdOrName> {
    // Unused members must have the right type, too.
    let home = match object.get("domain") {
        None => true,
        Some(_) => is_the_domain(member(object, "domain", of)?)?,
    };
    if object.contains_key("id") {
        return Ok(IdOrName::Id(text(object, "id", of)?));
    }
    let name = text(object, "name", of)?;
    Ok(if home { IdOrName::Name(name) } else { IdOrName::OtherDomain })
}

fn is_the_domain(domain: &Map<String, Value>) -> Result<bool> {
    let key = if domain.contains_key("id") { "id" } else { "name" };
    // The id is `default`, the name `Default`. Deployments mix the two up, so upper and lower case are the same.
    Ok(text(domain, key, "domain")?.eq_ignore_ascii_case("default"))
}

pub(super) fn object<'v>(value: &'v Value, what: &str) -> Result<&'v Map<String, Value>> {
    value.as_object().ok_or_else(|| malformed("an object", what))
}

pub(super) fn member<'v>(
    of: &'v Map<String, Value>,
    key: &str,
    place: &str,
) -> Result<&'v Map<String, Value>> {
    of.get(key).and_then(Value::as_object).ok_or_else(|| malformed(&format!("an object `{key}`"), place))
}

pub(super) fn text(of: &Map<String, Value>, key: &str, place: &str) -> Result<String> {
    match of.get(key) {
        Some(Value::String(text)) => Ok(text.clone()),
        _ => Err(malformed(&format!("a string `{key}`"), place)),
    }
}

/// A 400 with Keystone's sentence.
pub(super) fn malformed(expected: &str, place: &str) -> Error {
    Error::bad_request(format!(
        "Expecting to find {expected} in {place}. The server could not comply with the request since it is either \
         malformed or otherwise incorrect. The client is assumed to be in error."
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(scope: Value, user: Value) -> Result<Login> {
        let identity = json!({"methods": ["password"], "password": {"user": user}});
        let mut body = json!({"auth": {"identity": identity}});
        if !scope.is_null() {
            body["auth"]["scope"] = scope;
        }
        Login::read(&body)
    }

    #[test]
    fn a_user_has_an_id_or_a_name() {
        let name = |domain: Value| {
            read(Value::Null, json!({"name": "u", "password": "p", "domain": domain}))
                .unwrap()
                .password
                .unwrap()
                .0
        };
        assert_eq!(name(json!({"name": "Default"})), IdOrName::Name("u".into()));
        assert_eq!(name(json!({"id": "default"})), IdOrName::Name("u".into()));
        assert_eq!(name(json!({"id": "other"})), IdOrName::OtherDomain);
        let login = read(Value::Null, json!({"id": "1", "name": "u", "password": "p"})).unwrap();
        assert_eq!((login.password.unwrap().0, login.scope), (IdOrName::Id("1".into()), Scope::Default));
    }

    #[test]
    fn a_scope_is_of_one_kind() {
        let scope =
            |scope: Value| read(scope, json!({"name": "u", "password": "p"})).map(|login| login.scope);
        assert_eq!(scope(json!("unscoped")).unwrap(), Scope::Unscoped);
        assert_eq!(scope(json!({"unscoped": {}})).unwrap(), Scope::Unscoped);
        assert_eq!(scope(json!({"project": {"id": "7"}})).unwrap(), Scope::Project(IdOrName::Id("7".into())));
        assert_eq!(scope(json!({"domain": {"id": "default"}})).unwrap(), Scope::Unsupported);
        for bad in [
            json!({}),
            json!("all"),
            json!([]),
            json!({"project": null}),
            json!({"project": {}}),
            json!({"project": {"name": "p", "domain": null}}),
            json!({"project": {"id": "7"}, "domain": {"id": "default"}}),
        ] {
            assert_eq!(scope(bad.clone()).unwrap_err().status(), 400, "{bad}");
        }
    }

    #[test]
    fn secrets_stay_out_of_debug_output() {
        let login = read(Value::Null, json!({"name": "u", "password": "hunter2"})).unwrap();
        assert!(!format!("{login:?}").contains("hunter2"));
    }
}
