//! The routes under `/identity`: the part of Keystone's v3 API that keystoneauth and python-keystoneclient call on their
//! way to the backup service.
//!
//! Refusals have Keystone's form. A 5xx is returned as an error, which the caller logs and answers.

use front::error::{Error, Kind, Result};
use front::http::{Call, Method, Reply};
use serde_json::{Value, json};

use super::password_change::PasswordChange;
use super::request::Login;
use super::{DOMAIN_ID, Identity, Role, Standalone, document, secret};
use crate::store::identity::{self as rows, tokens};

/// The function that answers a route.
pub type Handler = fn(&Standalone, &Call) -> Result<Reply>;

/// The routes, for the route table, which answers HEAD by GET and ignores slashes at the end.
pub const ROUTES: &[(Method, &str, Handler)] = &[
    (Method::Get, "/identity", versions),
    (Method::Get, "/identity/v3", version),
    (Method::Post, "/identity/v3/auth/tokens", issue_token),
    (Method::Get, "/identity/v3/auth/tokens", show_token),
    (Method::Delete, "/identity/v3/auth/tokens", revoke_token),
    (Method::Get, "/identity/v3/auth/projects", auth_projects),
    (Method::Get, "/identity/v3/auth/catalog", auth_catalog),
    (Method::Get, "/identity/v3/projects", list_projects),
    (Method::Get, "/identity/v3/users/{user_id}/projects", user_projects),
    (Method::Post, "/identity/v3/users/{user_id}/password", change_password),
];

/// `GET /identity`: the versions; no token is needed.
pub fn versions(_: &Standalone, call: &Call) -> Result<Reply> {
    Ok(Reply::json(300, &json!({"versions": {"values": [document::version(&call.base_url)]}})))
}

/// `GET /identity/v3`: the version; no token is needed.
pub fn version(_: &Standalone, call: &Call) -> Result<Reply> {
    Ok(Reply::json(200, &json!({"version": document::version(&call.base_url)})))
}

/// `POST /identity/v3/auth/tokens`: logs in.
pub fn issue_token(standalone: &Standalone, call: &Call) -> Result<Reply> {
    with_keystone_errors(call, || {
        let login = Login::read(&call.json()?)?;
        let (token, identity) = standalone.issue(&login, call.client)?;
        oslo_log::identify(log_identity(&identity));
        Ok(token_reply(201, &token, &identity, call))
    })
}

/// `GET` and `HEAD /identity/v3/auth/tokens`: describes the token in `X-Subject-Token`.
pub fn show_token(standalone: &Standalone, call: &Call) -> Result<Reply> {
    with_keystone_errors(call, || {
        let caller = caller(standalone, call)?;
        let (token, identity) = subject(standalone, call)?;
        let allowed = [Role::Admin, Role::Service].into_iter().any(|role| caller.has_role(role));
        if !allowed && caller.user_id != identity.user_id {
            return Err(Error::forbidden("identity:validate_token"));
        }
        Ok(token_reply(200, token, &identity, call))
    })
}

/// `DELETE /identity/v3/auth/tokens`: revokes the token in `X-Subject-Token`.
pub fn revoke_token(standalone: &Standalone, call: &Call) -> Result<Reply> {
    with_keystone_errors(call, || {
        let caller = caller(standalone, call)?;
        let (token, identity) = subject(standalone, call)?;
        if !caller.has_role(Role::Admin) && caller.user_id != identity.user_id {
            return Err(Error::forbidden("identity:revoke_token"));
        }
        if let Some(digest) = secret::digest(token) {
            standalone.store.write(|tx| tokens::delete(tx, &digest))?;
        }
        Ok(Reply::empty(204))
    })
}

/// `GET /identity/v3/auth/projects`: the projects for which the caller can get a token.
pub fn auth_projects(standalone: &Standalone, call: &Call) -> Result<Reply> {
    with_keystone_errors(call, || {
        let caller = caller(standalone, call)?;
        let projects = standalone.store.read(|tx| rows::projects_of(tx, &caller.user_id))?;
        Ok(Reply::json(200, &document::projects(&projects, &call.base_url, &call.path)))
    })
}

/// `GET /identity/v3/auth/catalog`: the service catalogue.
pub fn auth_catalog(standalone: &Standalone, call: &Call) -> Result<Reply> {
    with_keystone_errors(call, || {
        if caller(standalone, call)?.project_id.is_none() {
            return Err(Error::forbidden("identity:get_auth_catalog"));
        }
        let catalog = document::catalog(&call.base_url);
        let links = document::links(&call.base_url, &call.path);
        Ok(Reply::json(200, &json!({"catalog": catalog, "links": links})))
    })
}

/// `GET /identity/v3/projects?name=`: all projects for an admin, the caller's own for other users.
pub fn list_projects(standalone: &Standalone, call: &Call) -> Result<Reply> {
    with_keystone_errors(call, || {
        let caller = caller(standalone, call)?;
        let mut projects = standalone.store.read(|tx| match caller.has_role(Role::Admin) {
            true => rows::projects(tx),
            false => rows::projects_of(tx, &caller.user_id),
        })?;
        projects.retain(|project| !call.has_param("name") || call.param("name") == Some(&project.name));
        Ok(Reply::json(200, &document::projects(&projects, &call.base_url, &call.path)))
    })
}

/// `GET /identity/v3/users/{user_id}/projects`: the caller's own projects, or for an admin those of any user.
pub fn user_projects(standalone: &Standalone, call: &Call) -> Result<Reply> {
    with_keystone_errors(call, || {
        let caller = caller(standalone, call)?;
        let user_id = call.segments.get(3).map(String::as_str).unwrap_or_default();
        if !caller.has_role(Role::Admin) && caller.user_id != user_id {
            return Err(Error::forbidden("identity:list_user_projects"));
        }
        let user_and_projects = standalone.store.read(|tx| match rows::user_by_id(tx, user_id)? {
            Some(user) => Ok(Some(rows::projects_of(tx, &user.id)?)),
            None => Ok(None),
        })?;
        let projects = user_and_projects.ok_or_else(|| Error::not_found("There is no such user."))?;
        Ok(Reply::json(200, &document::projects(&projects, &call.base_url, &call.path)))
    })
}

/// `POST /identity/v3/users/{user_id}/password`: changes the password, given the old one. As in Keystone, no token is
/// needed.
pub fn change_password(standalone: &Standalone, call: &Call) -> Result<Reply> {
    with_keystone_errors(call, || {
        let change = PasswordChange::read(&call.json()?)?;
        let user_id = call.segments.get(3).map(String::as_str).unwrap_or_default();
        standalone.change_password(user_id, &change, call.client)?;
        log::info!("user {user_id} has changed its password");
        Ok(Reply::empty(204))
    })
}

/// The identity of the token in `X-Auth-Token`.
fn caller(standalone: &Standalone, call: &Call) -> Result<Identity> {
    let token = call.header("X-Auth-Token").map(str::trim).unwrap_or_default();
    let identity = standalone.authenticate(token)?.ok_or_else(Error::unauthorized)?;
    oslo_log::identify(log_identity(&identity));
    Ok(identity)
}

/// The token in `X-Subject-Token`, and its identity.
fn subject<'c>(standalone: &Standalone, call: &'c Call) -> Result<(&'c str, Identity)> {
    let token = call.header("X-Subject-Token").map(str::trim).unwrap_or_default();
    let identity = standalone.authenticate(token)?;
    Ok((token, identity.ok_or_else(|| Error::not_found("There is no such token."))?))
}

fn token_reply(status: u16, token: &str, identity: &Identity, call: &Call) -> Reply {
    let with_catalog = !call.has_param("nocatalog");
    Reply::json(status, &document::token(identity, &call.base_url, with_catalog))
        .with_header("X-Subject-Token", token.to_owned())
        .with_header("Vary", "X-Auth-Token")
}

/// The part of an identity that log lines may show.
fn log_identity(identity: &Identity) -> oslo_log::Identity {
    let domain = || Some(DOMAIN_ID.to_owned());
    oslo_log::Identity {
        user_id: Some(identity.user_id.clone()),
        user_name: Some(identity.user_name.clone()),
        user_domain_id: domain(),
        project_id: identity.project_id.clone(),
        project_name: identity.project_name.clone(),
        project_domain_id: identity.project_id.as_ref().and_then(|_| domain()),
        roles: identity.roles.clone(),
        ..oslo_log::Identity::default()
    }
}

/// Runs a handler, and turns its refusals into Keystone's form.
fn with_keystone_errors(call: &Call, handler: impl FnOnce() -> Result<Reply>) -> Result<Reply> {
    handler().or_else(|error| {
        let status = error.status();
        let title = match status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            429 => "Too Many Requests",
            _ => return Err(error),
        };
        let body: Value = json!({"error": {"code": status, "title": title, "message": error.description}});
        let reply = Reply::json(status, &body);
        Ok(match error.kind {
            Kind::Unauthorized => {
                reply.with_header("WWW-Authenticate", Standalone::challenge(&call.base_url))
            }
            Kind::TooManyRequests(seconds) => reply.with_header("Retry-After", seconds.to_string()),
            _ => reply,
        })
    })
}
