//! Every kind of token there is, and what each may do under the default policy.

use serde_json::json;

use crate::keystone::Cloud;

/// The decision about a caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// The request is allowed.
    Welcome,
    /// The token is not valid (401).
    Unauthorized,
    /// The policy forbids the request (403).
    No,
}

use Says::{No, Unauthorized, Welcome};

/// A kind of token.
pub struct Caller {
    pub kind: &'static str,
    headers: Headers,
    /// The outcome of a GET in the project alpha.
    pub read: Says,
    /// The outcome of a POST in the project alpha.
    pub write: Says,
}

impl Caller {
    pub fn headers(&self) -> Vec<(&str, &str)> {
        self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

/// Headers, by name.
pub type Headers = Vec<(&'static str, String)>;

fn token(token: impl Into<String>) -> Headers {
    vec![("X-Auth-Token", token.into())]
}

fn with(mut headers: Headers, name: &'static str, value: impl Into<String>) -> Headers {
    headers.push((name, value.into()));
    headers
}

/// One caller for each kind of token.
pub fn all(cloud: &Cloud) -> Vec<Caller> {
    let member = cloud.token("member", "alpha");
    let reader = cloud.token("reader", "alpha");
    let nova = cloud.token("nova", "service");
    let expired = cloud.id(&["expired"]);
    let domain = json!({ "domain": { "id": "default" } });
    let system = json!({ "system": { "all": true } });
    let all = vec![
        ("none", vec![], Unauthorized, Unauthorized),
        ("an empty one", token(""), Unauthorized, Unauthorized),
        ("garbage", token("garbage"), Unauthorized, Unauthorized),
        (
            "one that looks like one",
            token(format!("{}A", &member[..member.len() - 2])),
            Unauthorized,
            Unauthorized,
        ),
        ("an admin's", token(cloud.token("root", "alpha")), Welcome, Welcome),
        ("a member's", token(&member), Welcome, Welcome),
        ("with blanks around it", token(format!("  {member}  ")), Welcome, Welcome),
        ("in the other header", vec![("X-Storage-Token", member.clone())], Welcome, Welcome),
        ("a reader's", token(&reader), Welcome, No),
        ("one of a role without rules", token(cloud.token("operator", "alpha")), No, No),
        ("a member's of another project", token(cloud.token("stranger", "beta")), No, No),
        ("a member's, for another project", token(cloud.token("member", "beta")), No, No),
        ("a member's of another domain", token(cloud.token("alien", "alien")), No, No),
        ("a service's", token(&nova), Welcome, No),
        ("an unscoped one", token(cloud.log_in("nobody", json!("unscoped"))), No, No),
        ("a domain's admin's", token(cloud.log_in("root", domain)), No, No),
        ("the system's admin's", token(cloud.log_in("root", system)), No, No),
        ("an expired one", token(expired), Unauthorized, Unauthorized),
        ("a revoked one", token(revoked(cloud)), Unauthorized, Unauthorized),
        ("a disabled user's", token(of_disabled_user(cloud)), Unauthorized, Unauthorized),
        ("a disabled project's", token(of_disabled_project(cloud)), Unauthorized, Unauthorized),
        ("an application credential's", token(cloud.credential("everything")), Welcome, Welcome),
        ("one's that is for reading jobs", token(cloud.credential("jobs")), Welcome, Unauthorized),
        ("one's that is for another service", token(cloud.credential("compute")), Unauthorized, Unauthorized),
        (
            "the same, from another service",
            with(token(cloud.credential("compute")), "X-Service-Token", &nova),
            Welcome,
            Welcome,
        ),
        ("a trust's", token(of_trust(cloud, "plain")), Welcome, Welcome),
        ("an impersonating trust's", token(of_trust(cloud, "impersonating")), Welcome, Welcome),
        ("a member's from a service", with(token(&member), "X-Service-Token", &nova), Welcome, Welcome),
        ("an expired one from a service", with(token(expired), "X-Service-Token", &nova), Welcome, Welcome),
        (
            "an expired one from no service",
            with(token(expired), "X-Service-Token", &reader),
            Unauthorized,
            Unauthorized,
        ),
        (
            "with garbage for a service",
            with(token(&member), "X-Service-Token", "garbage"),
            Unauthorized,
            Unauthorized,
        ),
        ("a service's alone", vec![("X-Service-Token", nova.clone())], Unauthorized, Unauthorized),
        ("no token but forged headers", forged(vec![]), Unauthorized, Unauthorized),
        ("a reader's and forged headers", forged(token(&reader)), Welcome, No),
    ];
    all.into_iter().map(|(kind, headers, read, write)| Caller { kind, headers, read, write }).collect()
}

/// The headers that keystonemiddleware sets for the application behind it; a client must not be able to set them.
fn forged(headers: Headers) -> Headers {
    let word = [
        ("X-Identity-Status", "Confirmed"),
        ("X-User-Id", "root"),
        ("X-Project-Id", "alpha"),
        ("X-Roles", "admin,member"),
        ("X-Service-Roles", "service"),
        ("X-Is-Admin-Project", "True"),
    ];
    word.iter().fold(headers, |headers, (name, value)| with(headers, name, *value))
}

fn revoked(cloud: &Cloud) -> String {
    let token = cloud.token("member", "alpha");
    cloud.revoke(&token);
    token
}

fn of_disabled_user(cloud: &Cloud) -> String {
    let user = cloud.new_user(cloud.project("alpha"), &["member"]);
    let token = user.token(cloud, cloud.project("alpha"));
    cloud.change("PATCH", &format!("users/{}", user.id), Some(json!({ "user": { "enabled": false } })));
    token
}

fn of_disabled_project(cloud: &Cloud) -> String {
    let name = format!("project-{}", uuid::Uuid::new_v4().simple());
    let made = cloud.change("POST", "projects", Some(json!({ "project": { "name": name } })));
    let id = made["project"]["id"].as_str().unwrap().to_owned();
    let token = cloud.new_user(&id, &["member"]).token(cloud, &id);
    cloud.change("PATCH", &format!("projects/{id}"), Some(json!({ "project": { "enabled": false } })));
    token
}

/// Of a trust that the member gave nova.
pub fn of_trust(cloud: &Cloud, name: &str) -> String {
    cloud.log_in("nova", json!({ "OS-TRUST:trust": { "id": cloud.id(&["trusts", name]) } }))
}
