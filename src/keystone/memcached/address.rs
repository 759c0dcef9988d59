//! How a memcached is written in `memcached_servers`.

use std::fmt;
use std::path::PathBuf;

/// Where it listens unless somebody says otherwise.
const PORT: u16 = 11211;

/// Where a memcached is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A host and its port. An address of IPv6 is without brackets.
    Tcp(String, u16),
    /// A socket of this machine.
    Unix(PathBuf),
}

impl Address {
    /// Reads what the clients of memcached for Python do between them: `host`, `host:port`, `inet:host:port`,
    /// `[address]:port`, `inet6:[address]:port`, `unix:/path` and `/path`.
    ///
    /// # Errors
    /// What it is not.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a memcached's host:port, [IPv6]:port or unix:/path");
        let path = text.strip_prefix("unix:").or_else(|| text.starts_with('/').then_some(text));
        if let Some(path) = path {
            return if path.is_empty() { Err(wrong()) } else { Ok(Self::Unix(PathBuf::from(path))) };
        }
        let rest = text.strip_prefix("inet6:").or_else(|| text.strip_prefix("inet:")).unwrap_or(text);
        let (host, port) = match rest.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(wrong)?;
                host.parse::<std::net::Ipv6Addr>().map_err(|_| wrong())?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':').ok_or_else(wrong)?) })
            }
            None => match rest.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (rest, None),
            },
        };
        let strange = |c: char| c.is_whitespace() || c.is_control() || "/[]@".contains(c);
        if host.is_empty() || host.contains(strange) {
            return Err(wrong());
        }
        let port = port.map_or(Ok(PORT), |port| port.parse().map_err(|_| wrong()))?;
        Ok(Self::Tcp(host.to_owned(), port))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_that_are_in_files() {
        for (text, shown) in [
            ("localhost", "localhost:11211"),
            ("controller:11212", "controller:11212"),
            ("192.0.2.1:11211", "192.0.2.1:11211"),
            ("inet:controller", "controller:11211"),
            ("inet:controller:1", "controller:1"),
            ("[2001:db8::1]", "[2001:db8::1]:11211"),
            ("[2001:db8::1]:11212", "[2001:db8::1]:11212"),
            ("inet6:[::1]:11212", "[::1]:11212"),
            ("inet6:[::1]", "[::1]:11211"),
            ("unix:/run/memcached.sock", "unix:/run/memcached.sock"),
            ("/run/memcached.sock", "unix:/run/memcached.sock"),
        ] {
            assert_eq!(Address::parse(text).unwrap().to_string(), shown, "{text}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            ":11211",
            "host:",
            "host:port",
            "host:65536",
            "host:-1",
            "a b",
            "::1",
            "2001:db8::1:11211",
            "[::1",
            "[::1]x",
            "[host]:1",
            "[]",
            "unix:",
            "http://host",
            "host/path",
            "user@host",
            "host:11211:2",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
