//! The text of a 404 for a path without a route. Usually the client's URL of the service is wrong.

use super::ROUTES;
use crate::auth::Strategy;
use crate::error::Error;
use crate::http::Call;

/// Whether a path is below a project. Only callers with a token learn about such paths.
pub fn is_of_project(segments: &[String]) -> bool {
    segments.len() > 1 && segments[0] == "v2"
}

/// The error.
pub fn error(auth: &Strategy, call: &Call) -> Error {
    let parts: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match (parts.as_slice(), auth) {
        (["v1", ..], _) => Error::no_route_but("Paths of version 2 begin with /v2/{project_id}."),
        (["v2", "v2", ..], _) => Error::no_route_but(
            "It has /v2 twice: the endpoint's URL (OS_BACKUP_URL) has to end before /v2, or in /v2/{project_id}.",
        ),
        (["v2", noun, ..], _) if is_noun(noun) => Error::no_route_but(
            "The project's id is missing in it: paths begin with /v2/{project_id}. An endpoint's URL (OS_BACKUP_URL) \
             has to end before /v2, or in /v2/{project_id}.",
        ),
        ([noun, ..] | [_, noun, ..], _) if is_noun(noun) => {
            Error::no_route_but("It has to begin with /v2/{project_id}.")
        }
        (["v2", ..], _) => Error::no_route(),
        // keystoneauth asks below whatever URL it was given, as /v3, /v2.0 or /keystone.
        (_, Strategy::Standalone(_)) => Error::no_identity(&format!("{}/identity/v3", call.base_url)),
        _ => Error::no_route(),
    }
}

/// Whether this is what follows the project in paths.
fn is_noun(part: &str) -> bool {
    ROUTES.iter().any(|route| route.parts().nth(2) == Some(part))
}
