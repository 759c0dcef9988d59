//! Which caches may store a response (RFC 9111).

use super::Reply;

/// The header that identifies the caller.
const TOKEN: &str = "X-Auth-Token";

/// Which caches may store a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caching {
    /// No cache: tokens and other responses of the identity service, the health check, and paths that do not exist.
    Never,
    /// The caller's own cache, with revalidation before each use: the resources of a project.
    Private,
    /// Every cache, with revalidation before each use: descriptions of the service, whose links depend on the host in
    /// the request.
    Shared,
}

impl Caching {
    /// The caching of responses for a path, given by its parts.
    pub fn for_path<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
        let mut parts = parts.into_iter();
        match (parts.next(), parts.next(), parts.next()) {
            (None | Some("v1" | "v2" | "docs"), None, None)
            | (Some("v1" | "v2"), Some("openapi.json"), None) => Self::Shared,
            (Some("v1" | "v2"), Some(_), _) => Self::Private,
            _ => Self::Never,
        }
    }

    /// Adds the caching headers to a response.
    pub fn apply(self, reply: Reply) -> Reply {
        match self {
            Self::Never => reply.with_header("Cache-Control", "no-store"),
            Self::Private => reply.with_header("Cache-Control", "private, no-cache").varying(TOKEN),
            Self::Shared => reply.with_header("Cache-Control", "no-cache"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_decides_which_caches_may_store_a_response() {
        for (path, expected) in [
            ("", Caching::Shared),
            ("v2", Caching::Shared),
            ("v2/openapi.json", Caching::Shared),
            ("docs", Caching::Shared),
            ("v2/p", Caching::Private),
            ("v2/p/jobs/1", Caching::Private),
            ("v2/openapi.json/x", Caching::Private),
            ("identity", Caching::Never),
            ("identity/v3/auth/tokens", Caching::Never),
            ("healthcheck", Caching::Never),
            ("nowhere", Caching::Never),
        ] {
            let parts = path.split('/').filter(|part| !part.is_empty());
            assert_eq!(Caching::for_path(parts), expected, "{path}");
        }
    }
}
