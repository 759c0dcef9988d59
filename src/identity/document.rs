//! The JSON documents of Keystone's v3 API that the built-in identity answers with.

use serde_json::{Value, json};

use super::{DOMAIN_ID, DOMAIN_NAME, Identity};
use crate::store::identity::Project;
use crate::store::types::time::Time;

/// The version that is announced: Keystone's last. The client libraries look for its `v3`.
const VERSION: &str = "v3.14";
const REGION: &str = "RegionOne";

/// The one entry of the version list.
pub(super) fn version(base_url: &str) -> Value {
    json!({
        "id": VERSION,
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": format!("{base_url}/identity/v3/")}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    })
}

/// A token's body. Like Keystone's, an unscoped one has neither project, roles nor catalog.
pub(super) fn token(identity: &Identity, base_url: &str, with_catalog: bool) -> Value {
    let mut token = json!({
        "methods": identity.methods,
        "user": {
            "id": identity.user_id,
            "name": identity.user_name,
            "domain": domain(),
            "password_expires_at": null,
        },
        "audit_ids": [identity.audit_id],
        "issued_at": time(identity.issued_at),
        "expires_at": time(identity.expires_at),
    });
    if let Some(project_id) = &identity.project_id {
        token["project"] = json!({"id": project_id, "name": identity.project_name, "domain": domain()});
        token["is_domain"] = json!(false);
        // Roles have no ids here, so the name stands for the id as well.
        token["roles"] = identity.roles.iter().map(|role| json!({"id": role, "name": role})).collect();
        if with_catalog {
            token["catalog"] = catalog(base_url);
        }
    }
    json!({ "token": token })
}

/// The service catalogue: this service, and the identity inside it.
pub(super) fn catalog(base_url: &str) -> Value {
    let service = |kind: &str, name: &str, url: String| {
        let endpoints = ["public", "internal", "admin"].map(|interface| {
            json!({
                "id": format!("{kind}-{interface}"),
                "interface": interface,
                "region": REGION,
                "region_id": REGION,
                "url": url,
            })
        });
        json!({"id": kind, "type": kind, "name": name, "endpoints": endpoints})
    };
    json!([
        service("backup", "freezer", base_url.to_owned()),
        service("identity", "keystone", format!("{base_url}/identity/v3")),
    ])
}

/// The list of projects at `path`.
pub(super) fn projects(projects: &[Project], base_url: &str, path: &str) -> Value {
    let documents: Vec<_> = projects
        .iter()
        .map(|project| {
            json!({
                "id": project.id,
                "name": project.name,
                "description": "",
                "enabled": project.enabled,
                "domain_id": DOMAIN_ID,
                "parent_id": DOMAIN_ID,
                "is_domain": false,
                "options": {},
                "tags": [],
                "links": {"self": format!("{base_url}/identity/v3/projects/{}", project.id)},
            })
        })
        .collect();
    json!({"projects": documents, "links": links(base_url, path)})
}

/// The links of a list with a single page.
pub(super) fn links(base_url: &str, path: &str) -> Value {
    json!({"self": format!("{base_url}{path}"), "next": null, "previous": null})
}

fn domain() -> Value {
    json!({"id": DOMAIN_ID, "name": DOMAIN_NAME})
}

/// ISO 8601 in UTC with microseconds, as Keystone writes it.
fn time(time: Time) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}
