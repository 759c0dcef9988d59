//! `host[:port]`: the name with which a request addresses the service. Links in responses begin with it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The authority if it is `name[:port]`, `address[:port]` or `[v6][:port]`, without the colon of an empty port.
pub fn checked(authority: &str) -> Option<&str> {
    let (name, port) = split(authority)?;
    let is_v6 = authority.starts_with('[');
    let good_name = match is_v6 {
        true => name.parse::<Ipv6Addr>().is_ok(),
        false => {
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
            !name.is_empty() && name.bytes().all(plain)
        }
    };
    let good_port = match port {
        None | Some("") => true,
        Some(port) => port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok(),
    };
    (good_name && good_port).then(|| authority.strip_suffix(':').unwrap_or(authority))
}

/// Whether the authority names only this machine: `localhost`, a name below it, or a loopback address. The author of a
/// web page cannot make such a name resolve elsewhere.
pub fn is_loopback(authority: &str) -> bool {
    let Some((name, _)) = checked(authority).and_then(split) else { return false };
    if authority.starts_with('[') {
        return name.parse::<Ipv6Addr>().is_ok_and(|ip| IpAddr::V6(ip).to_canonical().is_loopback());
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<Ipv4Addr>().is_ok_and(|ip| ip.is_loopback())
}

/// The authority in a request target of the absolute form (`http://host:port/path`).
pub fn from_target(target: &str) -> Option<&str> {
    let (scheme, rest) = target.split_once("://")?;
    let is_scheme = !scheme.is_empty() && !scheme.contains(['/', '?', '#']);
    is_scheme.then(|| rest.split(['/', '?', '#']).next().unwrap_or_default())
}

/// The name or address without its brackets, and the port.
fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    let (name, rest) = match authority.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    match rest.strip_prefix(':') {
        Some(port) => Some((name, Some(port))),
        None => rest.is_empty().then_some((name, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_host_gets_into_links() {
        for good in ["a.b", "a-b_c:80", "10.0.0.1:9090", "[::1]", "[fe80::1]:9090", "localhost."] {
            assert_eq!(checked(good), Some(good));
        }
        assert_eq!((checked("a:"), checked("[::1]:")), (Some("a"), Some("[::1]")));
        for bad in [
            "",
            ":80",
            "a:b",
            "a:99999",
            "a:+1",
            "a:1:2",
            "a/b",
            "a b",
            "u@h",
            "[::1",
            "[::1]x",
            "[x]",
            "[1.2.3.4]",
            "a<b>",
            "::1",
            "a,b",
            "ä",
        ] {
            assert_eq!(checked(bad), None, "{bad}");
        }
    }

    #[test]
    fn only_loopback_names_are_loopback() {
        for own in [
            "localhost",
            "LocalHost:9090",
            "localhost.",
            "freezer.localhost:1",
            "127.0.0.1",
            "127.1.2.3:9090",
            "[::1]:9090",
            "[0:0:0:0:0:0:0:1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(own), "{own}");
        }
        for foreign in [
            "",
            "rebind.example",
            "localhost.example",
            "notlocalhost",
            "127.0.0.1.example",
            "127.1",
            "2130706433",
            "0.0.0.0",
            "[::]",
            "[::2]",
            "10.0.0.1",
            "128.0.0.1",
            "localhost:99999",
            "user@localhost",
            "localhost/x",
        ] {
            assert!(!is_loopback(foreign), "{foreign}");
        }
    }

    #[test]
    fn an_absolute_target_has_an_authority() {
        assert_eq!(from_target("http://a:80/b?c"), Some("a:80"));
        assert_eq!(from_target("http://a?c"), Some("a"));
        assert_eq!(from_target("http://u@a"), Some("u@a"));
        for other in ["/a", "/a?b=http://c", "/http://c", "*", "a:80"] {
            assert_eq!(from_target(other), None, "{other}");
        }
    }
}
