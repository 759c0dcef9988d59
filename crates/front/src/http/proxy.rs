//! The headers of a proxy in front of the service (oslo.middleware's `http_proxy_to_wsgi`), and the path prefix at
//! which the proxy mounts the service.
//!
//! Any client can send these headers, so their values are checked before they get into a response or a log line.

use std::net::{IpAddr, SocketAddr};

use super::authority;

/// The maximum length of a logged client address, in characters; an IPv6 address has at most 45.
const MAX_CLIENT: usize = 64;

/// Whether proxy headers are trusted, and the configured prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `[oslo_middleware] enable_proxy_headers_parsing` (false): trust `Forwarded` and `X-Forwarded-*`.
    pub parse_headers: bool,
    /// `[DEFAULT] path_prefix`: the prefix that the proxy leaves in the path, such as `/backup`, or the empty string.
    /// Validated by [`path_prefix`].
    pub path_prefix: String,
}

/// The value of `[DEFAULT] path_prefix`, with one slash before each of its parts and none at its end.
///
/// # Errors
/// A sentence for the operator: the value is not a plain path, or begins as a path of the API does.
pub fn path_prefix(text: &str) -> Result<String, String> {
    let text = text.trim();
    let prefix = normal(text);
    match prefix.split('/').nth(1) {
        None if text.is_empty() || text == "/" => Ok(prefix),
        Some("v1" | "v2" | "identity") => Err(format!("{text:?} begins as a path of the API does")),
        Some(_) if text.starts_with('/') && is_path(&prefix) => Ok(prefix),
        _ => Err(format!("{text:?} is not a path such as /backup")),
    }
}

/// The valid values of the trusted proxy headers of one request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// `http` or `https`: the scheme between the client and the first proxy.
    pub proto: Option<&'static str>,
    /// The `host[:port]` in the client's request.
    pub host: Option<String>,
    /// The client's address, or the proxy's name for it; safe to log.
    pub client: Option<String>,
    /// The prefix that the proxy has removed from the path, such as `/backup`.
    pub prefix: Option<String>,
}

impl Forwarded {
    /// Reads the headers with `header`, a look-up by name. Of several proxies, the first one counts: the client's.
    ///
    /// `Forwarded` replaces all older `X-Forwarded-*` headers except `X-Forwarded-Prefix`, for which it has no
    /// parameter.
    pub fn read<'r>(settings: &Settings, header: impl Fn(&str) -> Option<&'r str>) -> Self {
        if !settings.parse_headers {
            return Self::default();
        }
        let value_of = |name| header(name).filter(|value| !value.is_empty());
        let values = match value_of("Forwarded") {
            Some(forwarded) => {
                let pairs = first_element(forwarded);
                let find = |name: &str| pairs.iter().rev().find(|(key, _)| key.eq_ignore_ascii_case(name));
                ["proto", "host", "for"].map(|name| find(name).map(|(_, value)| value.clone()))
            }
            None => ["X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-For"].map(|name| {
                value_of(name).and_then(|list| list.split(',').next()).map(|first| first.trim().to_owned())
            }),
        };
        let [proto, host, client] = values;
        let protos = ["http", "https"];
        Self {
            proto: proto.and_then(|word| protos.into_iter().find(|proto| word.eq_ignore_ascii_case(proto))),
            host: host.as_deref().and_then(authority::checked).map(str::to_owned),
            client: client.as_deref().and_then(client_address),
            prefix: value_of("X-Forwarded-Prefix")
                .map(str::trim)
                .filter(|prefix| prefix.starts_with('/') && is_path(prefix))
                .map(normal),
        }
    }
}

/// The pairs of the first element of a `Forwarded` header (RFC 7239, 4), with quoted values unquoted.
fn first_element(header: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let (mut name, mut value) = (String::new(), String::new());
    let (mut in_value, mut quoted) = (false, false);
    let mut rest = header.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' if quoted => value.extend(rest.next()),
            '"' if in_value => quoted = !quoted,
            _ if quoted => value.push(character),
            ',' => break,
            ';' => {
                pairs.push((name.trim().to_owned(), value.trim().to_owned()));
                (name, value, in_value) = (String::new(), String::new(), false);
            }
            '=' if !in_value => in_value = true,
            _ if in_value => value.push(character),
            _ => name.push(character),
        }
    }
    pairs.push((name.trim().to_owned(), value.trim().to_owned()));
    pairs
}

/// An address without its port, or another name such as `unknown` or `_hidden`. Characters that could forge a part of
/// a log line are replaced by `?`.
fn client_address(text: &str) -> Option<String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    if let Some(address) = address {
        return Some(IpAddr::to_canonical(&address).to_string());
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']');
    let shown: String = text.chars().take(MAX_CLIENT).map(|c| if plain(c) { c } else { '?' }).collect();
    Some(shown).filter(|shown| !shown.is_empty())
}

/// A path with one slash before each of its parts and none at its end. The root becomes the empty string.
fn normal(path: &str) -> String {
    path.split('/').filter(|part| !part.is_empty()).map(|part| format!("/{part}")).collect()
}

/// A path in its normal form, if [`is_path`] accepts it.
pub(super) fn checked_path(path: &str) -> Option<String> {
    is_path(path).then(|| normal(path))
}

/// Whether a path has only parts that every server interprets alike: without escapes, `.` and `..`.
fn is_path(path: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    path.split('/').all(|part| !matches!(part, "." | "..") && part.bytes().all(plain))
}

/// The prefix at which the client sees the service, and how many segments of the path belong to it.
///
/// The proxy may leave the configured prefix in the path or not; a health check sent directly to the port has none. A
/// prefix that a proxy has removed comes before the configured one, unless it ends with it.
pub(super) fn mount(settings: &Settings, forwarded: &Forwarded, segments: &[String]) -> (String, usize) {
    let own = normal(&settings.path_prefix);
    let parts = || own.split('/').skip(1);
    let length = parts().count();
    let kept = segments.len() >= length && parts().zip(segments).all(|(part, segment)| part == segment);
    let prefix = match &forwarded.prefix {
        None => own,
        Some(taken) if !kept || taken.ends_with(&own) => taken.clone(),
        Some(taken) => format!("{taken}{own}"),
    };
    (prefix, if kept { length } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(headers: &[(&str, &'static str)]) -> Forwarded {
        let settings = Settings { parse_headers: true, ..Settings::default() };
        Forwarded::read(&settings, |name| {
            headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
        })
    }

    #[test]
    fn forwarded_is_read_by_its_first_element() {
        let read = |header| {
            let Forwarded { proto, host, client, .. } = read(&[("Forwarded", header)]);
            [proto.map(str::to_owned), host, client].map(Option::unwrap_or_default).join(" ")
        };
        for (header, expected) in [
            ("proto=https;host=a.example;for=192.0.2.1", "https a.example 192.0.2.1"),
            ("for=192.0.2.1;proto=http, for=192.0.2.2;host=b", "http  192.0.2.1"),
            (" For=\"[2001:db8::1]:4711\" ; PROTO=HTTPS ;host=\"a:8443\"", "https a:8443 2001:db8::1"),
            ("for=\"[2001:DB8::1]\"", "  2001:db8::1"),
            ("for=\"192.0.2.1:80\"", "  192.0.2.1"),
            ("for=\"[::ffff:192.0.2.1]\"", "  192.0.2.1"),
            ("for=unknown", "  unknown"),
            ("for=_SEVKISEK", "  _SEVKISEK"),
            ("by=x;for=\"a,b;host=c\\\" d\";host=e", " e a?b?host?c??d"),
            ("proto=gopher;host=\"a b\"", "  "),
            ("host=user@evil", "  "),
            ("host=\"a/b\"", "  "),
            ("for=", "  "),
            ("for=\"1.2.3.4", "  1.2.3.4"),
            ("=;;==,for=1.2.3.4", "  "),
            (",for=1.2.3.4", "  "),
            ("nonsense", "  "),
        ] {
            assert_eq!(read(header), expected, "{header}");
        }
    }

    #[test]
    fn the_older_headers_count_where_there_is_no_forwarded() {
        let old = [
            ("X-Forwarded-Proto", "https, http"),
            ("X-Forwarded-Host", "a.example , b"),
            ("X-Forwarded-For", "2001:db8::1, 10.0.0.1"),
            ("X-Forwarded-Prefix", "/backup/"),
        ];
        let all = Forwarded {
            proto: Some("https"),
            host: Some("a.example".to_owned()),
            client: Some("2001:db8::1".to_owned()),
            prefix: Some("/backup".to_owned()),
        };
        assert_eq!(read(&old), all);
        assert_eq!(read(&[&old[..], &[("Forwarded", "")]].concat()), all);
        let prefix_only = Forwarded { prefix: all.prefix.clone(), ..Forwarded::default() };
        assert_eq!(read(&[&old[..], &[("Forwarded", "by=x")]].concat()), prefix_only);
        assert_eq!(
            Forwarded::read(&Settings::default(), |_| Some("https")),
            Forwarded::default(),
            "not believed"
        );
    }

    #[test]
    fn a_clients_address_is_safe_to_log() {
        let shown = |text: &str| client_address(text).unwrap_or_default();
        assert_eq!(shown("192.0.2.1:443"), "192.0.2.1");
        assert_eq!(shown("1.2.3.4 \"GET / \n\u{1b}é"), "1.2.3.4??GET??????");
        assert_eq!(shown(&"x".repeat(1000)).len(), MAX_CLIENT);
    }

    #[test]
    fn only_a_plain_path_is_a_prefix() {
        for (sent, taken) in [
            ("/backup", Some("/backup")),
            ("//a//b/", Some("/a/b")),
            ("/", Some("")),
            ("backup", None),
            ("/a/../b", None),
            ("/a b", None),
            ("/a?b", None),
            ("/\"><script>", None),
            ("https://evil", None),
        ] {
            assert_eq!(read(&[("X-Forwarded-Prefix", sent)]).prefix.as_deref(), taken, "{sent}");
        }
        for (given, prefix) in [("", ""), ("/", ""), (" /backup/ ", "/backup"), ("/a/b", "/a/b")] {
            assert_eq!(path_prefix(given).unwrap(), prefix);
        }
        for bad in ["backup", "http://h/backup", "/a b", "/v2", "/v1/x", "/identity", "/.."] {
            assert!(path_prefix(bad).unwrap_err().contains(bad), "{bad}");
        }
    }

    #[test]
    fn a_prefix_is_never_doubled() {
        for (own, taken, path, expected) in [
            ("", None, "/v2", ("", 0)),
            ("/backup", None, "/backup/v2", ("/backup", 1)),
            ("/backup", None, "/backup", ("/backup", 1)),
            ("/backup", None, "/v2", ("/backup", 0)),
            ("/backup", None, "/backups/v2", ("/backup", 0)),
            ("/a/b", None, "/a/b/v2", ("/a/b", 2)),
            ("/a/b", None, "/a/v2", ("/a/b", 0)),
            ("", Some("/backup"), "/v2", ("/backup", 0)),
            ("/backup", Some("/backup"), "/backup/v2", ("/backup", 1)),
            ("/backup", Some("/backup"), "/v2", ("/backup", 0)),
            ("/backup", Some("/cloud"), "/backup/v2", ("/cloud/backup", 1)),
            ("/backup", Some("/cloud/backup"), "/backup/v2", ("/cloud/backup", 1)),
            ("/backup", Some("/other"), "/v2", ("/other", 0)),
        ] {
            let settings = Settings { parse_headers: true, path_prefix: own.to_owned() };
            let forwarded = Forwarded { prefix: taken.map(str::to_owned), ..Forwarded::default() };
            let segments: Vec<_> = path.split('/').skip(1).map(str::to_owned).collect();
            let (prefix, cut) = mount(&settings, &forwarded, &segments);
            assert_eq!((prefix.as_str(), cut), expected, "{own} {taken:?} {path}");
        }
    }
}
