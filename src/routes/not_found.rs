//! The error for a path without a route. Usually the client's URL of the service is wrong, so the text has a hint.

use front::error::Error;
use front::http::Call;

use super::ROUTES;
use crate::auth::Strategy;

/// Whether a path is below a project. Only callers with a token learn about such paths.
pub fn is_of_project(segments: &[String]) -> bool {
    segments.len() > 1 && segments[0] == "v2"
}

/// The 404 for the path of this call.
pub fn error(auth: &Strategy, call: &Call) -> Error {
    let parts: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match (parts.as_slice(), auth) {
        (["v1", ..], _) => Error::no_route_with_hint("Paths of version 2 begin with /v2/{project_id}."),
        (["v2", "v2", ..], _) => Error::no_route_with_hint(
            "It has /v2 twice: the endpoint's URL (OS_BACKUP_URL) has to end before /v2, or in /v2/{project_id}.",
        ),
        (["v2", noun, ..], _) if is_noun(noun) => Error::no_route_with_hint(
            "The project's id is missing in it: paths begin with /v2/{project_id}. An endpoint's URL (OS_BACKUP_URL) \
             has to end before /v2, or in /v2/{project_id}.",
        ),
        ([noun, ..] | [_, noun, ..], _) if is_noun(noun) => {
            Error::no_route_with_hint("It has to begin with /v2/{project_id}.")
        }
        (["v2", ..], _) => Error::no_route(),
        // keystoneauth tries paths such as /v3, /v2.0 or /keystone below the URL that it was given.
        (_, Strategy::Standalone(_)) => Error::no_identity(&format!("{}/identity/v3", call.base_url)),
        _ => Error::no_route(),
    }
}

/// Whether a part is the name of a collection, which follows the project in paths.
fn is_noun(part: &str) -> bool {
    ROUTES.iter().any(|route| route.parts().nth(2) == Some(part))
}
