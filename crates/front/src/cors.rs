//! Cross-origin requests, answered as by oslo.middleware's `cors` (contract, conventions §3).

use crate::http::Reply;

/// The section `[cors]` or a section `[cors.<name>]`. The defaults are oslo.middleware's, with freezer's headers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `allowed_origin`: the origins (`scheme://host[:port]`, without a slash at the end) or `*`. Empty disables CORS.
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

/// The headers that a page of any allowed origin may send.
const SIMPLE_HEADERS: [&str; 8] = [
    "Accept",
    "Accept-Language",
    "Content-Type",
    "Cache-Control",
    "Content-Language",
    "Expires",
    "Last-Modified",
    "Pragma",
];

/// Whether any origin is allowed. If none is, a preflight is an ordinary `OPTIONS` request.
pub fn is_enabled(settings: &[Settings]) -> bool {
    settings.iter().any(|group| !group.allowed_origins.is_empty())
}

/// The response to a preflight: whether a page of `origin` may send a request with this method and these headers (the
/// browser's comma-separated list). A refusal is a 200 without the headers that would allow it.
///
/// Origins and methods are case-sensitive, header names are not.
pub fn preflight(settings: &[Settings], origin: &str, method: &str, headers: &str) -> Reply {
    let refused = Reply::empty(200);
    let Some((origin, group)) = group_of(settings, origin) else { return refused };
    let headers: Vec<_> = headers.split(',').map(str::trim).filter(|header| !header.is_empty()).collect();
    let known = |header: &&str| {
        let simple = SIMPLE_HEADERS.iter().any(|simple| simple.eq_ignore_ascii_case(header));
        simple || group.allow_headers.iter().any(|allowed| allowed.eq_ignore_ascii_case(header))
    };
    if !group.allow_methods.iter().any(|allowed| allowed == method) || !headers.iter().all(known) {
        return refused;
    }
    let mut reply = allowed(origin, group, refused);
    if let Some(seconds) = group.max_age.filter(|seconds| *seconds > 0) {
        reply = reply.with_header("Access-Control-Max-Age", seconds.to_string());
    }
    reply = reply.with_header("Access-Control-Allow-Methods", method.to_owned());
    if !headers.is_empty() {
        reply = reply.with_header("Access-Control-Allow-Headers", headers.join(","));
    }
    reply
}

/// Adds the headers that let a page of `origin` read this response, if the origin is allowed.
pub fn allow(settings: &[Settings], origin: &str, reply: Reply) -> Reply {
    let Some((origin, group)) = group_of(settings, origin) else { return reply };
    let reply = allowed(origin, group, reply);
    match group.expose_headers.as_slice() {
        [] => reply,
        exposed => reply.with_header("Access-Control-Expose-Headers", exposed.join(",")),
    }
}

/// Adds the headers that preflights and other responses have in common.
fn allowed(origin: &str, group: &Settings, reply: Reply) -> Reply {
    // A cache must not serve the response to a page of another origin.
    let reply = reply.varying("Origin").with_header("Access-Control-Allow-Origin", origin.to_owned());
    match group.allow_credentials {
        true => reply.with_header("Access-Control-Allow-Credentials", "true"),
        false => reply,
    }
}

/// The value of `Access-Control-Allow-Origin` for an origin, and the first group that names it. A group with `*`
/// applies to origins that no group names.
fn group_of<'s>(settings: &'s [Settings], origin: &str) -> Option<(&'s str, &'s Settings)> {
    let find = |wanted: &str| {
        settings.iter().find_map(|group| {
            let origin = group.allowed_origins.iter().find(|allowed| *allowed == wanted)?;
            Some((origin.as_str(), group))
        })
    };
    find(origin).or_else(|| find("*"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HORIZON: &str = "https://horizon.example.com";

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    fn for_origins(origins: &[&str]) -> Settings {
        Settings { allowed_origins: words(origins), ..Settings::default() }
    }

    /// The headers of a reply, one per line.
    fn shown(reply: &Reply) -> String {
        assert_eq!((reply.status, reply.body.as_deref()), (200, None));
        let lines = reply.headers.iter().map(|(name, value)| format!("{name}: {value}"));
        lines.collect::<Vec<_>>().join("\n").replace("Access-Control-", "")
    }

    #[test]
    fn a_preflight_is_allowed_what_it_requested() {
        let settings = [for_origins(&[HORIZON, "http://localhost:8080"])];
        let ask = |origin, method, headers| shown(&preflight(&settings, origin, method, headers));
        let yes = |origin: &str, method: &str| {
            format!(
                "Vary: Origin\nAllow-Origin: {origin}\nAllow-Credentials: true\nMax-Age: 3600\nAllow-Methods: {method}"
            )
        };
        assert_eq!(ask(HORIZON, "PATCH", ""), yes(HORIZON, "PATCH"));
        assert_eq!(ask("http://localhost:8080", "GET", " , "), yes("http://localhost:8080", "GET"));
        assert_eq!(
            ask(HORIZON, "GET", "x-auth-token , Content-Type,,PRAGMA"),
            format!("{}\nAllow-Headers: x-auth-token,Content-Type,PRAGMA", yes(HORIZON, "GET"))
        );
        for (origin, method, headers) in [
            ("http://horizon.example.com", "GET", ""),
            ("https://horizon.example.com:443", "GET", ""),
            ("https://horizon.example.com/", "GET", ""),
            ("https://HORIZON.example.com", "GET", ""),
            ("https://horizon.example.com.evil", "GET", ""),
            ("null", "GET", ""),
            ("", "GET", ""),
            ("*", "GET", ""),
            (HORIZON, "get", ""),
            (HORIZON, "BREW", ""),
            (HORIZON, "", ""),
            (HORIZON, "GET", "X-Auth-Token, X-Evil"),
        ] {
            assert_eq!(ask(origin, method, headers), "", "{origin} {method} {headers}");
        }
    }

    #[test]
    fn each_origin_has_the_settings_of_the_first_group_that_names_it() {
        let plain = Settings {
            allow_credentials: false,
            max_age: None,
            expose_headers: Vec::new(),
            allow_methods: words(&["GET"]),
            ..for_origins(&["https://a"])
        };
        let any_origin = Settings { max_age: Some(0), ..for_origins(&["*"]) };
        let settings = [any_origin, plain, for_origins(&["https://a", "https://b"])];
        assert_eq!(
            shown(&preflight(&settings, "https://a", "GET", "")),
            "Vary: Origin\nAllow-Origin: https://a\nAllow-Methods: GET"
        );
        assert_eq!(shown(&preflight(&settings, "https://a", "PUT", "")), "");
        assert_eq!(
            shown(&allow(&settings, "https://a", Reply::empty(200))),
            "Vary: Origin\nAllow-Origin: https://a"
        );
        assert!(shown(&preflight(&settings, "https://b", "PUT", "")).contains("Max-Age: 3600"));
        assert_eq!(
            shown(&preflight(&settings, "https://c", "PUT", "")),
            "Vary: Origin\nAllow-Origin: *\nAllow-Credentials: true\nAllow-Methods: PUT"
        );
    }

    #[test]
    fn a_response_keeps_its_other_headers() {
        let settings = [for_origins(&[HORIZON])];
        let reply = Reply::empty(200).with_header("Vary", "Accept");
        assert_eq!(
            shown(&allow(&settings, HORIZON, reply.clone())),
            format!(
                "Vary: Accept,Origin\nAllow-Origin: {HORIZON}\nAllow-Credentials: true\n\
                 Expose-Headers: X-OpenStack-Request-ID"
            )
        );
        assert_eq!(shown(&allow(&settings, "https://evil", reply)), "Vary: Accept");
        assert!(!is_enabled(&[]) && !is_enabled(&[Settings::default()]) && is_enabled(&settings));
    }
}
