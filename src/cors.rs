//! Cross-origin requests, as oslo.middleware's `cors` answers them (contract, conventions §3).

/// `[cors]`, or one `[cors.<name>]` beside it. The defaults are oslo.middleware's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `allowed_origin`: the origins (`scheme://host[:port]`, without a slash at the end) or `*`; none, no CORS.
    pub allowed_origins: Vec<String>,
    /// `allow_credentials` (true)
    pub allow_credentials: bool,
    /// `expose_headers`
    pub expose_headers: Vec<String>,
    /// `max_age` (3600), in seconds.
    pub max_age: Option<u32>,
    /// `allow_methods`
    pub allow_methods: Vec<String>,
    /// `allow_headers`, besides the simple ones.
    pub allow_headers: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            allowed_origins: Vec::new(),
            allow_credentials: true,
            expose_headers: words(&["X-OpenStack-Request-ID"]),
            max_age: Some(3600),
            allow_methods: words(&["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "PATCH"]),
            allow_headers: words(&["X-Auth-Token"]),
        }
    }
}
