//! Application credentials that are good for some requests only (Identity API v3, "Access Rules").

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize};

use crate::http::{Call, Method};

/// What webob, which keystonemiddleware sees requests through, leaves as it is in a path.
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

/// One kind of request that an application credential may be used for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRule {
    /// The type of the service.
    pub service: String,
    /// The method, in upper case.
    pub method: String,
    /// The path: `*` and `{name}` stand for one part of it or a piece of one, `**` for anything.
    pub path: String,
}

impl AccessRule {
    /// Whether it allows a request of this method and path, below this prefix, to the service of this type.
    fn allows(&self, service: &str, method: &str, prefix: &str, paths: &[String; 2]) -> bool {
        self.service == service
            && self.method == method
            && paths.iter().any(|path| {
                path_matches(&format!("{prefix}{path}"), &self.path) && is_meant(&self.path, prefix, path)
            })
    }
}

/// Whether a pattern means this path of ours also without the prefix. Not every proxy takes `X-Forwarded-Prefix` out of
/// what clients send, and with one made up to end as the pattern does before its `**`, all paths would be below that.
fn is_meant(pattern: &str, prefix: &str, path: &str) -> bool {
    let is_ours = |part| matches!(part, "v1" | "v2");
    let written_out = pattern.strip_prefix(prefix).filter(|_| !prefix.split('/').any(is_ours));
    path_matches(path, pattern) || written_out.is_some_and(|rest| path_matches(path, rest))
}

/// Whether one of the rules allows the request to us, the service of this type.
pub fn allow(rules: &[AccessRule], service: &str, call: &Call) -> bool {
    let Some(method) = word(call.method) else { return false };
    let path = path(call);
    let prefix = prefix(call);
    // Whether or not a path has a slash at its end it is the same to us, so it is the same to the rules.
    let paths = [format!("{path}/"), path];
    rules.iter().any(|rule| rule.allows(service, method, prefix, &paths))
}

fn word(method: Method) -> Option<&'static str> {
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

/// The path that is looked for in the rules: the one that we act on, so that no spelling of it gets around them.
fn path(call: &Call) -> String {
    let parts = call.segments.iter().map(|part| utf8_percent_encode(part, ESCAPED).to_string());
    format!("/{}", parts.collect::<Vec<_>>().join("/"))
}

/// The prefix that a proxy put us under, if it says so; rules have it before the path.
fn prefix(call: &Call) -> &str {
    let host_and_prefix = call.base_url.split_once("://").map_or("", |(_, rest)| rest);
    host_and_prefix.find('/').map_or("", |at| &host_and_prefix[at..])
}

/// A piece of a pattern.
#[derive(Clone, Copy)]
enum Piece {
    /// This character.
    Just(char),
    /// Characters of one part, at least one.
    Part,
    /// Any characters, or none.
    Anything,
}

/// keystonemiddleware makes a regular expression of the pattern without escaping it. Here a dot is a dot.
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
                pieces.push(Piece::Part);
                1
            }
            '{' if rest.contains('}') => {
                pieces.push(Piece::Part);
                rest.find('}').unwrap_or_default() + 1
            }
            _ => {
                pieces.push(Piece::Just(c));
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    pieces
}

/// Goes through the path once with all the places in the pattern that may be reached: no pattern makes it slow.
fn path_matches(path: &str, pattern: &str) -> bool {
    let pieces = pieces(pattern);
    let mut reached = vec![false; pieces.len() + 1];
    reached[0] = true;
    skip(&pieces, &mut reached);
    for c in path.chars() {
        let mut next = vec![false; pieces.len() + 1];
        for (at, piece) in pieces.iter().enumerate().filter(|(at, _)| reached[*at]) {
            match piece {
                Piece::Just(wanted) => next[at + 1] |= c == *wanted,
                Piece::Anything => next[at] = true,
                Piece::Part if c != '/' => {
                    next[at] = true;
                    next[at + 1] = true;
                }
                Piece::Part => {}
            }
        }
        skip(&pieces, &mut next);
        reached = next;
    }
    reached[pieces.len()]
}

/// What stands for anything stands for nothing as well.
fn skip(pieces: &[Piece], reached: &mut [bool]) {
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
        assert!(allows("GET", "/v2//p/%6Aobs"), "what is spelt differently and is the same");
        assert!(!allows("POST", "/v2/p/jobs") && !allows("HEAD", "/v2/p/jobs"));
        assert!(!allows("GET", "/v2/p/clients") && !allows("GET", "/v2.1/servers"));
        assert!(!allows("GET", "/v2/p%2Fjobs"));
        assert!(!allow(&[], "backup", &call("GET", "/v2/p/jobs")));
        let slash = [rule("backup", "GET", "/v2/p/jobs/")];
        assert!(allow(&slash, "backup", &call("GET", "/v2/p/jobs/")));
    }

    #[test]
    fn an_escaped_slash_parts_nothing() {
        assert_eq!(path(&call("GET", "/v2/a%2Fb/%C3%A9 c")), "/v2/a%2Fb/%C3%A9%20c");
    }

    #[test]
    fn a_prefix_counts_and_none_gets_around_a_rule() {
        for (pattern, prefix, url, expected) in [
            ("/backup/v2/*/jobs", "/backup", "/v2/p/jobs", true),
            ("/backup/v2/*/jobs", "", "/v2/p/jobs", false),
            ("/backup/**", "/backup", "/v2/p/jobs", true),
            ("/v2/*/jobs", "/backup", "/v2/p/jobs", false),
            ("**", "/backup", "/v2/p/jobs", true),
            ("**/jobs", "/backup", "/v2/p/jobs", true),
            // Made up by the client.
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
