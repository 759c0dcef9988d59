//! `[DEFAULT] public_endpoint`: the service's URL for clients, which overrides the host in a request.

use super::{authority, proxy};

/// A valid URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `http[s]://host[:port][/prefix]`, without a slash at the end.
    pub url: String,
    /// The path in it, such as `/backup`, or the empty string.
    pub prefix: String,
}

impl Endpoint {
    /// Parses a URL.
    ///
    /// # Errors
    /// A sentence for the operator with the fault of the URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let not =
            |why: &str| format!("{text:?} is not a URL such as https://cloud.example.com/backup: {why}");
        let (scheme, rest) = text.split_once("://").ok_or_else(|| not("it has no scheme"))?;
        let scheme = scheme.to_ascii_lowercase();
        if !matches!(scheme.as_str(), "http" | "https") {
            return Err(not("the scheme is neither http nor https"));
        }
        if rest.contains(['?', '#']) {
            return Err(not("it has a query or a fragment"));
        }
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = authority::checked(host).ok_or_else(|| not("it has no plain host"))?;
        let prefix =
            proxy::checked_path(path).ok_or_else(|| not("its path has more than plain names in it"))?;
        if matches!(prefix.rsplit('/').next(), Some("v1" | "v2" | "v3" | "identity")) {
            return Err(not("it leads to one of the service's paths, and has to lead before them"));
        }
        Ok(Self { url: format!("{scheme}://{host}{prefix}"), prefix })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_is_a_scheme_a_host_and_perhaps_a_prefix() {
        for (text, url, prefix) in [
            ("https://cloud.example.com", "https://cloud.example.com", ""),
            (" HTTPS://cloud.example.com:8443/ ", "https://cloud.example.com:8443", ""),
            ("http://[2001:db8::1]:9090//a/backup//", "http://[2001:db8::1]:9090/a/backup", "/a/backup"),
        ] {
            let expected = Endpoint { url: url.to_owned(), prefix: prefix.to_owned() };
            assert_eq!(Endpoint::parse(text), Ok(expected), "{text}");
        }
        for bad in [
            "cloud.example.com",
            "//cloud",
            "ftp://cloud",
            "https://",
            "https:///backup",
            "https://u:p@cloud",
            "https://cloud/a?b",
            "https://cloud/a#b",
            "https://cloud/a b",
            "https://cloud/../x",
            "https://cloud:99999",
            "https://cl oud",
            "https://cloud/backup/v2",
            "https://cloud/v2/",
            "https://cloud/identity/v3",
        ] {
            let refusal = Endpoint::parse(bad).unwrap_err();
            assert!(refusal.contains(bad), "{refusal}");
        }
    }
}
