//! One line of a route table.

use front::error::Result;
use front::http::{Call, Method, Reply};

use crate::app::App;
use crate::handlers::Request;
use crate::identity::handlers as identity;

/// A handler of a resource in a project.
pub type ProjectHandler = fn(&App, &Request<'_>) -> Result<Reply>;

/// The permission that a route needs, and its handler.
#[derive(Clone, Copy)]
pub enum Handler {
    /// No token needed.
    Public(fn(&App, &Call) -> Result<Reply>),
    /// A route of the built-in identity, whose handlers check tokens themselves.
    Identity(identity::Handler),
    /// A token is needed, and this policy rule must allow it in the path's project.
    Project(&'static str, ProjectHandler),
    /// As `Project`, for a path of version 1, whose project is the token's or the resource's.
    V1(&'static str, ProjectHandler),
}

/// One line of the table.
#[derive(Clone, Copy)]
pub struct Route {
    /// The method; a HEAD request uses the route of GET.
    pub method: Method,
    /// The path; a part in braces is a parameter, which matches any one segment.
    pub path: &'static str,
    /// The permission and the handler.
    pub handler: Handler,
    /// The media types of its responses; errors are always JSON.
    pub produces: &'static [&'static str],
}

/// The media types of most routes.
pub const JSON: &[&str] = &["application/json"];

/// A route that needs no token.
pub const fn public(method: Method, path: &'static str, handler: fn(&App, &Call) -> Result<Reply>) -> Route {
    Route { method, path, handler: Handler::Public(handler), produces: JSON }
}

/// A route that needs a token and a policy rule.
pub const fn project(
    method: Method,
    path: &'static str,
    rule: &'static str,
    handler: ProjectHandler,
) -> Route {
    Route { method, path, handler: Handler::Project(rule, handler), produces: JSON }
}

impl Route {
    /// Whether the route matches a path.
    pub fn is_for(&self, segments: &[String]) -> bool {
        let mut parts = self.parts();
        segments.iter().all(|segment| parts.next().is_some_and(|part| is_param(part) || part == segment))
            && parts.next().is_none()
    }

    /// The values of the route's path parameters, in order.
    pub fn path_params<'c>(&self, segments: &'c [String]) -> Vec<&'c str> {
        let pairs = self.parts().zip(segments);
        pairs.filter(|(part, _)| is_param(part)).map(|(_, segment)| segment.as_str()).collect()
    }

    /// The parts of the path.
    pub fn parts(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter(|part| !part.is_empty())
    }
}

/// Whether this part of a route's path is a parameter.
fn is_param(part: &str) -> bool {
    part.starts_with('{')
}
