//! THE TABLE of operations: what is to be said about each route.

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
    /// Their tag.
    pub name: &'static str,
    /// What they are about.
    pub description: &'static str,
    /// They themselves.
    pub operations: Vec<Operation>,
}

/// All of them. The health check's path is the operator's choice.
pub fn all(health_path: &str) -> Vec<Group> {
    vec![
        service::group(health_path),
        clients::group(),
        actions::group(),
        jobs::group(),
        sessions::group(),
        backups::group(),
        attachments::of_jobs(),
        attachments::of_actions(),
        reports::group(),
    ]
}

/// Those of version 1: the operations of version 2 whose routes version 1 has, with what differs.
pub fn of_v1() -> Vec<Group> {
    let groups = [clients::group(), actions::group(), jobs::group(), sessions::group(), backups::group()];
    let groups = groups
        .into_iter()
        .map(|group| Group { operations: group.operations.into_iter().filter_map(in_v1).collect(), ..group });
    std::iter::once(service::group_v1()).chain(groups).collect()
}

/// An operation of version 2 as version 1 has it, if it has it.
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
        let groups = of_v1();
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
