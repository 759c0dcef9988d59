//! Application credentials that allow some requests only (Identity API v3, "Access Rules").

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use front::http::{Call, Method};

/// The characters that are escaped in a path: all but those that webob, which keystonemiddleware uses, leaves as they
/// are.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b':')
    .remove(b'@');

/// A rule that allows an application credential's token to be used for some requests.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct AccessRule {
    /// The type of the service.
    pub service: String,
    /// The method, in upper case.
    pub method: String,
    /// A pattern for the path: `*` and `{name}` match characters within one segment, `**` matches anything.
    pub path: String,
}

impl AccessRule {
    /// Whether the rule allows a request with this method, and one of these spellings of its path, to this service.
    fn allows(&self, service: &str, method: &str, prefix: &str, paths: &[String; 2]) -> bool {
        self.service == service
            && self.method == method
            && paths.iter().any(|path| {
                path_matches(&format!("{prefix}{path}"), &self.path)
                    && matches_beyond_prefix(&self.path, prefix, path)
            })
    }
}

/// Whether a pattern matches the path by more than its prefix. Not every proxy removes `X-Forwarded-Prefix` from clients'
/// requests: a client could send a prefix that equals the part of the pattern before `**`, so that every path matched.
fn matches_beyond_prefix(pattern: &str, prefix: &str, path: &str) -> bool {
    let is_ours = |part| matches!(part, "v1" | "v2");
    let written_out = pattern.strip_prefix(prefix).filter(|_| !prefix.split('/').any(is_ours));
    path_matches(path, pattern) || written_out.is_some_and(|rest| path_matches(path, rest))
}

/// Whether one of the rules allows the request to this service, whose type is `service`.
pub fn allow(rules: &[AccessRule], service: &str, call: &Call) -> bool {
    let Some(method) = method_name(call.method) else { return false };
    let path = path(call);
    let prefix = prefix(call);
    // The routes ignore a slash at the end of a path, so the rules do.
    let paths = [format!("{path}/"), path];
    rules.iter().any(|rule| rule.allows(service, method, prefix, &paths))
}

fn method_name(method: Method) -> Option<&'static str> {
    match method {
        Method::Get => Some("GET"),
        Method::Head => Some("HEAD"),
        Method::Post => Some("POST"),
        Method::Put => Some("PUT"),
        Method::Patch => Some("PATCH"),
        Method::Delete => Some("DELETE"),
        Method::Options => Some("OPTIONS"),
        Method::Other => None,
    }
}

/// The path to match, spelled from the segments that the routes see, so that no other spelling evades the rules.
fn path(call: &Call) -> String {
    let parts = call.segments.iter().map(|part| utf8_percent_encode(part, ESCAPED).to_string());
    format!("/{}", parts.collect::<Vec<_>>().join("/"))
}

/// The path prefix that a proxy announces, if any. Rules include it.
fn prefix(call: &Call) -> &str {
    let host_and_prefix = call.base_url.split_once("://").map_or("", |(_, rest)| rest);
    host_and_prefix.find('/').map_or("", |at| &host_and_prefix[at..])
}

/// A piece of a pattern.
#[derive(Clone, Copy)]
enum Piece {
    /// This character alone.
    Literal(char),
    /// One or more characters without a slash.
    InSegment,
    /// Zero or more characters of any kind.
    Anything,
}

/// Parses a pattern. Unlike in keystonemiddleware, which makes an unescaped regular expression of it, a dot matches only a
/// dot.
fn pieces(pattern: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '*' if rest.starts_with("**") => {
                pieces.push(Piece::Anything);
                2
            }
            '*' => {
                pieces.push(Piece::InSegment);
                1
            }
            '{' if rest.contains('}') => {
                pieces.push(Piece::InSegment);
                rest.find('}').unwrap_or_default() + 1
            }
            _ => {
                pieces.push(Piece::Literal(c));
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    pieces
}

/// Matches by a single pass over the path, with the set of all positions reached in the pattern. No pattern makes it
/// slow.
fn path_matches(path: &str, pattern: &str) -> bool {
    let pieces = pieces(pattern);
    let mut reached = vec![false; pieces.len() + 1];
    reached[0] = true;
    pass_empty_matches(&pieces, &mut reached);
    for c in path.chars() {
        let mut next = vec![false; pieces.len() + 1];
        for (at, piece) in pieces.iter().enumerate().filter(|(at, _)| reached[*at]) {
            match piece {
                Piece::Literal(wanted) => next[at + 1] |= c == *wanted,
                Piece::Anything => next[at] = true,
                Piece::InSegment if c != '/' => {
                    next[at] = true;
                    next[at + 1] = true;
                }
                Piece::InSegment => {}
            }
        }
        pass_empty_matches(&pieces, &mut next);
        reached = next;
    }
    reached[pieces.len()]
}

/// Adds the positions that are reached because a `**` matches the empty string.
fn pass_empty_matches(pieces: &[Piece], reached: &mut [bool]) {
    for (at, piece) in pieces.iter().enumerate() {
        if matches!(piece, Piece::Anything) && reached[at] {
            reached[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("/v2/p/jobs", "/v2/p/jobs", true),
            ("/v2/p/jobs", "/v2/p/jobs/", false),
            ("/v2/p/jobs", "/v2/p/jobs/1", false),
            ("/v2/p/jobs", "/a/v2/p/jobs", false),
            ("/v2/*/jobs", "/v2/p/jobs", true),
            ("/v2/*/jobs", "/v2//jobs", false),
            ("/v2/*/jobs", "/v2/p/q/jobs", false),
            ("/v2/{project_id}/jobs", "/v2/p/jobs", true),
            ("/v2/{project_id}/jobs", "/v2/p/q/jobs", false),
            ("/v2/{project_id}/jobs/{job_id}", "/v2/p/jobs/1", true),
            ("/v2/**", "/v2/p/jobs/1", true),
            ("/v2/**", "/v2/", true),
            ("/v2/**", "/v2", false),
            ("**", "/anything/at/all", true),
            ("/**/jobs", "/v2/p/jobs", true),
            ("/**/jobs", "/v2/p/clients", false),
            ("/v2/p*", "/v2/project", true),
            ("/v2/p*", "/v2/p", false),
            ("/v2/a*b*c", "/v2/aXbYc", true),
            ("/v2/***", "/v2/a/b", true),
            ("/v2/***", "/v2/a/", false),
            ("/v2.1/x", "/v2.1/x", true),
            ("/v2.1/x", "/v2x1/x", false),
            ("/v2/[a]+", "/v2/a", false),
            ("/v2/{p", "/v2/{p", true),
            ("", "", true),
            ("", "/", false),
        ] {
            assert_eq!(path_matches(path, pattern), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn no_pattern_takes_long() {
        let pattern = "**a".repeat(40);
        assert!(!path_matches(&"a".repeat(8000), &format!("{pattern}b")));
    }

    fn call(method: &str, url: &str) -> Call {
        let request = rouille::Request::fake_http(method, url, Vec::new(), Vec::new());
        Call::read(&request, "req-1", 100, "localhost").unwrap()
    }

    #[test]
    fn method_path_and_service_must_all_fit() {
        let rule = |service: &str, method: &str, path: &str| AccessRule {
            service: service.to_owned(),
            method: method.to_owned(),
            path: path.to_owned(),
        };
        let rules = [rule("compute", "GET", "/v2.1/servers"), rule("backup", "GET", "/v2/*/jobs")];
        let allows = |method: &str, url: &str| allow(&rules, "backup", &call(method, url));
        assert!(allows("GET", "/v2/p/jobs") && allows("GET", "/v2/p/jobs/?limit=1"));
        assert!(allows("GET", "/v2//p/%6Aobs"), "another spelling of the same path");
        assert!(!allows("POST", "/v2/p/jobs") && !allows("HEAD", "/v2/p/jobs"));
        assert!(!allows("GET", "/v2/p/clients") && !allows("GET", "/v2.1/servers"));
        assert!(!allows("GET", "/v2/p%2Fjobs"));
        assert!(!allow(&[], "backup", &call("GET", "/v2/p/jobs")));
        let slash = [rule("backup", "GET", "/v2/p/jobs/")];
        assert!(allow(&slash, "backup", &call("GET", "/v2/p/jobs/")));
    }

    #[test]
    fn an_escaped_slash_does_not_separate_segments() {
        assert_eq!(path(&call("GET", "/v2/a%2Fb/%C3%A9 c")), "/v2/a%2Fb/%C3%A9%20c");
    }

    #[test]
    fn a_prefix_counts_and_does_not_evade_a_rule() {
        for (pattern, prefix, url, expected) in [
            ("/backup/v2/*/jobs", "/backup", "/v2/p/jobs", true),
            ("/backup/v2/*/jobs", "", "/v2/p/jobs", false),
            ("/backup/**", "/backup", "/v2/p/jobs", true),
            ("/v2/*/jobs", "/backup", "/v2/p/jobs", false),
            ("**", "/backup", "/v2/p/jobs", true),
            ("**/jobs", "/backup", "/v2/p/jobs", true),
            // Prefixes that a client has made up.
            ("/v2/p/jobs/**", "/v2/p/jobs", "/v2/p/clients", false),
            ("/v2/*/jobs/**", "/v2/p/jobs", "/v2/p/clients", false),
            ("/*/p/jobs/**", "/x/p/jobs", "/v2/p/clients", false),
            ("**/jobs/**", "/jobs", "/v2/p/clients", false),
            ("/backup/v2/p/jobs/**", "/backup/v2/p/jobs", "/v2/p/clients", false),
        ] {
            let rule = AccessRule {
                service: "backup".to_owned(),
                method: "GET".to_owned(),
                path: pattern.to_owned(),
            };
            let mut behind = call("GET", url);
            behind.base_url.push_str(prefix);
            assert_eq!(allow(&[rule], "backup", &behind), expected, "{pattern} {prefix} {url}");
        }
    }
}
