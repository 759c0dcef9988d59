//! The caller's credentials, which rules look into.

use front::context::Caller;
use serde_json::{Value, json};

use super::python::Values;

/// The caller's attributes under the names of oslo.context's `to_policy_values`, and under those that upstream's own
/// context passed instead (`user`, `project`, `domain` and so on), which existing files may use. An unknown attribute is
/// `null`, so that it equals `None`. The token is left out, because an http check sends the credentials to another
/// service.
pub fn credentials(caller: &Caller) -> Values {
    let service = caller.service.as_deref();
    // As upstream: in lower case, so that `roles:admin` matches a role called Admin.
    let lower =
        |roles: &[String]| roles.iter().map(|role| Value::from(role.to_lowercase())).collect::<Value>();
    let mut values = Values::new();
    let mut put = |names: &[&str], value: Value| {
        for name in names {
            values.insert((*name).to_owned(), value.clone());
        }
    };
    put(&["user_id", "user"], json!(caller.user_id));
    put(&["user_domain_id", "user_domain"], json!(caller.user_domain_id));
    put(&["project_id", "project"], json!(caller.project_id));
    put(&["project_domain_id", "project_domain"], json!(caller.project_domain_id));
    put(&["domain_id", "domain"], json!(caller.domain_id));
    put(&["system_scope"], json!(caller.system_scope));
    if caller.system_scope.as_deref().is_some_and(|scope| !scope.is_empty()) {
        put(&["system"], json!(caller.system_scope));
    }
    put(&["roles"], lower(&caller.roles));
    put(&["is_admin"], json!(caller.has_role("admin")));
    put(&["is_admin_project"], json!(caller.is_admin_project));
    put(&["read_only", "show_deleted"], json!(false));
    put(&["service_user_id"], json!(service.map(|service| &service.user_id)));
    put(&["service_user_domain_id"], json!(service.map(|service| &service.user_domain_id)));
    put(&["service_project_id"], json!(service.map(|service| &service.project_id)));
    put(&["service_project_domain_id"], json!(service.map(|service| &service.project_domain_id)));
    put(&["service_roles"], lower(service.map(|service| &*service.roles).unwrap_or_default()));
    values
}

#[cfg(test)]
mod tests {
    use front::context::{Secret, Service};

    use super::*;

    #[test]
    fn the_names_are_those_that_policies_use() {
        let caller = Caller {
            user_id: "u".to_owned(),
            user_domain_id: Some("ud".to_owned()),
            project_id: Some("p".to_owned()),
            project_domain_id: Some("pd".to_owned()),
            roles: vec!["Admin".to_owned(), "reader".to_owned()],
            is_admin_project: true,
            service: Some(Box::new(Service {
                user_id: "su".to_owned(),
                project_id: Some("sp".to_owned()),
                roles: vec!["Service".to_owned()],
                ..Service::default()
            })),
            token: Some(Secret::new("secret")),
            ..Caller::default()
        };
        let expected = json!({
            "user_id": "u", "user": "u", "user_domain_id": "ud", "user_domain": "ud",
            "project_id": "p", "project": "p", "project_domain_id": "pd", "project_domain": "pd",
            "domain_id": null, "domain": null, "system_scope": null,
            "roles": ["admin", "reader"], "is_admin": true, "is_admin_project": true,
            "read_only": false, "show_deleted": false,
            "service_user_id": "su", "service_user_domain_id": null, "service_project_id": "sp",
            "service_project_domain_id": null, "service_roles": ["service"],
        });
        assert_eq!(Value::Object(credentials(&caller)), expected);
        let system = Caller { system_scope: Some("all".to_owned()), ..Caller::default() };
        assert_eq!(credentials(&system)["system"], "all");
        assert_eq!(credentials(&system)["service_roles"], json!([]));
    }
}
