//! The table of operations: the description of each route.

mod actions;
mod attachments;
mod backups;
mod clients;
mod jobs;
mod reports;
mod service;
mod sessions;

use super::Operation;
use crate::api_v1;
use crate::document::actions::ACTION_DOCUMENT;
use crate::document::backups::BACKUP_DOCUMENT;
use crate::document::backups::v1::BACKUP_DOCUMENT_V1;
use crate::document::clients::CLIENT_DOCUMENT;
use crate::document::jobs::JOB_DOCUMENT;
use crate::document::sessions::SESSION_DOCUMENT;
use crate::document::v1::{ACTION_DOCUMENT_V1, CLIENT_DOCUMENT_V1, JOB_DOCUMENT_V1, SESSION_DOCUMENT_V1};

/// Operations that belong together.
pub struct Group {
    /// The tag.
    pub name: &'static str,
    /// The description.
    pub description: &'static str,
    /// The operations.
    pub operations: Vec<Operation>,
}

/// All operations of version 2. The path of the health check is an option.
pub fn all(health_path: &str) -> Vec<Group> {
    vec![
        service::group(health_path),
        clients::group(),
        actions::group(),
        jobs::group(),
        sessions::group(),
        backups::group(),
        attachments::job_attachments_group(),
        attachments::action_attachments_group(),
        reports::group(),
    ]
}

/// The operations of version 1: those of version 2 whose routes version 1 has, with the shapes of version 1.
pub fn v1_groups() -> Vec<Group> {
    let groups = [clients::group(), actions::group(), jobs::group(), sessions::group(), backups::group()];
    let groups = groups
        .into_iter()
        .map(|group| Group { operations: group.operations.into_iter().filter_map(in_v1).collect(), ..group });
    std::iter::once(service::group_v1()).chain(groups).collect()
}

/// An operation of version 2 as it is in version 1; `None` if version 1 does not have its route.
fn in_v1(operation: Operation) -> Option<Operation> {
    let path = operation.path.replacen("/v2/{project_id}", "/v1", 1);
    api_v1::ROUTES.iter().find(|route| route.method == operation.method && route.path == path)?;
    let mut operation = Operation { path, ..operation };
    if operation.query.iter().any(|parameter| parameter.name == "all_projects") {
        operation.query.retain(|parameter| parameter.name != "all_projects");
    }
    for (shape, other) in [
        (&CLIENT_DOCUMENT, &CLIENT_DOCUMENT_V1),
        (&ACTION_DOCUMENT, &ACTION_DOCUMENT_V1),
        (&JOB_DOCUMENT, &JOB_DOCUMENT_V1),
        (&SESSION_DOCUMENT, &SESSION_DOCUMENT_V1),
        (&BACKUP_DOCUMENT, &BACKUP_DOCUMENT_V1),
    ] {
        operation.use_instead(shape, other);
    }
    Some(operation)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::ROUTES;

    #[test]
    fn every_route_is_described_once_and_nothing_else_but_the_health_check() {
        let mut routes: Vec<_> =
            ROUTES.iter().map(|route| format!("{:?} {}", route.method, route.path)).collect();
        routes.push("Get /healthcheck".to_owned());
        routes.push("Head /healthcheck".to_owned());
        let groups = all("/healthcheck");
        let operations = groups.iter().flat_map(|group| &group.operations);
        let mut described: Vec<_> = operations.map(|op| format!("{:?} {}", op.method, op.path)).collect();
        routes.sort();
        described.sort();
        assert_eq!(routes, described);
    }

    #[test]
    fn every_route_of_version_1_is_described_once() {
        let mut routes: Vec<_> =
            api_v1::ROUTES.iter().map(|route| format!("{:?} {}", route.method, route.path)).collect();
        let groups = v1_groups();
        let operations = groups.iter().flat_map(|group| &group.operations);
        let mut described: Vec<_> = operations.map(|op| format!("{:?} {}", op.method, op.path)).collect();
        routes.sort();
        described.sort();
        assert_eq!(routes, described);
    }

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let groups = all("/healthcheck");
        let mut names: Vec<_> = groups.iter().flat_map(|group| &group.operations).map(|op| op.id).collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
        for name in names {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
        }
    }
}
