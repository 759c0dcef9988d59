//! HTTP requests and responses: a [`Call`] comes in, a [`Reply`] goes out.
//!
//! This module knows nothing about backups. Modules that use it do not depend on rouille.

mod accept;
pub mod authority;
mod body;
mod caching;
mod endpoint;
mod escape;
mod json;
mod precondition;
pub mod proxy;
mod reply;
mod stream;
mod target;

use std::net::{IpAddr, SocketAddr};

use serde_json::Value;

pub use body::MAX_DEPTH;
pub use caching::Caching;
pub use endpoint::Endpoint;
pub use escape::escape_html;
pub use precondition::{Precondition, entity_tag, not_modified};
pub use reply::Reply;
pub use stream::Stream;

use crate::error::{Error, Result};

/// A request method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`: dispatched as GET ([`Method::dispatched`]); the server drops the body.
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// Any other method, which no route has.
    Other,
}

impl Method {
    fn parse(word: &str) -> Self {
        match word {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            _ => Self::Other,
        }
    }

    /// The method whose route handles the request: GET for HEAD, else the method itself.
    pub fn dispatched(self) -> Self {
        match self {
            Self::Head => Self::Get,
            other => other,
        }
    }
}

/// One request, read completely and parsed.
pub struct Call {
    /// The method as sent; HEAD stays HEAD, because the health check answers it differently.
    pub method: Method,
    /// The path as sent, without the query and a proxy's prefix, with repeated slashes collapsed and the trailing one
    /// removed. The root is `/`.
    pub path: String,
    /// The percent-decoded parts of that path, without empty ones.
    pub segments: Vec<String>,
    /// The decoded query parameters in the order they were sent.
    pub query: Vec<(String, String)>,
    /// The whole body, for any method; never longer than the limit.
    pub body: Vec<u8>,
    /// `req-<uuid4>`, generated for this request.
    pub request_id: String,
    /// The caller's own request id, if it sent a well-formed one.
    pub global_request_id: Option<String>,
    /// The peer of the socket: behind a proxy that is the proxy.
    pub remote: SocketAddr,
    /// The client's address: the socket's, or the one in a proxy's headers if these are trusted.
    pub client: IpAddr,
    /// The local port of the connection; 0 without a socket.
    pub port: u16,
    /// The service's URL as the caller sees it, `http[s]://host[:port][/prefix]`, without a slash at the end. Links
    /// in responses begin with it.
    pub base_url: String,
    /// The prefix in the base URL, such as `/backup`, or the empty string.
    pub prefix: String,
    headers: Vec<(String, String)>,
}

/// Omits the headers, the query and the body, which hold tokens and passwords.
impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?} ({})", self.method, self.path, self.request_id)
    }
}

impl Call {
    /// Reads a whole request.
    ///
    /// `local` is the `host[:port]` for the links if the request has no valid `Host`.
    ///
    /// Errors: 400 for a path or query that is not UTF-8 or contains NUL, and for a body that cannot be read;
    /// 413 for a body of more than `limit` bytes, before reading it if its length was announced; 415 for a body with a
    /// `Content-Encoding`.
    pub fn read(request: &rouille::Request, request_id: &str, limit: usize, local: &str) -> Result<Self> {
        let (path, query) = target::split(request.raw_url());
        let path = target::normal(path);
        let segments = target::segments(&path)?;
        let query = target::query(query)?;
        let headers: Vec<_> =
            request.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        // Read the body last: a bad request line or header is refused without waiting for it.
        let body = body::read(request, limit)?;
        body::check_no_coding(request, &body)?;
        // The target's authority has precedence over `Host` (RFC 9112, 3.2.2).
        let hosts = [authority::from_target(request.raw_url()), request.header("Host")];
        let host = hosts.into_iter().flatten().find_map(authority::checked);
        Ok(Self {
            method: Method::parse(request.method()),
            path,
            segments,
            query,
            body,
            request_id: request_id.to_owned(),
            global_request_id: global_request_id(request).map(str::to_owned),
            remote: *request.remote_addr(),
            client: request.remote_addr().ip().to_canonical(),
            port: 0,
            prefix: String::new(),
            base_url: format!("http://{}", host.unwrap_or(local)),
            headers,
        })
    }

    /// The same request as sent to the proxy in front of this service: with the proxy's base URL, and without its
    /// prefix in the path.
    #[must_use]
    pub fn behind_proxy(mut self, proxy: &proxy::Settings, forwarded: &proxy::Forwarded) -> Self {
        let (prefix, cut) = proxy::mount(proxy, forwarded, &self.segments);
        if cut > 0 {
            self.segments.drain(..cut);
            let rest: Vec<_> = self.path.split('/').skip(1 + cut).collect();
            self.path = format!("/{}", rest.join("/"));
        }
        if let Some(client) = forwarded.client.as_deref().and_then(|client| client.parse().ok()) {
            self.client = client;
        }
        let (proto, host) = self.base_url.split_once("://").unwrap_or_default();
        let (proto, host) = (forwarded.proto.unwrap_or(proto), forwarded.host.as_deref().unwrap_or(host));
        self.base_url = format!("{proto}://{host}{prefix}");
        self.prefix = prefix;
        self
    }

    /// The same request with the configured endpoint as its base URL.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: &Endpoint) -> Self {
        self.base_url.clone_from(&endpoint.url);
        self.prefix.clone_from(&endpoint.prefix);
        self
    }

    /// The value of a header; the first value if it is repeated. Names are case-insensitive.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The value of a query parameter; the last value if it is repeated. A parameter without a value counts as absent.
    ///
    /// Both rules are upstream's (Falcon), so clients see no difference.
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut values =
            self.query.iter().rev().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        values.find(|value| !value.is_empty())
    }

    /// Whether the query has a parameter, with or without a value.
    pub fn has_param(&self, name: &str) -> bool {
        self.query.iter().any(|(key, _)| key == name)
    }

    /// The body as JSON. An empty body is `{}`, because clients send no body instead of an empty object.
    ///
    /// Errors: 400 for a body that is not JSON in UTF-8, for a repeated key, for more than [`MAX_DEPTH`] levels, and
    /// for U+0000 in any string.
    pub fn json(&self) -> Result<Value> {
        body::json(&self.body)
    }

    /// Checks that the client accepts `application/json`. Without an `Accept` header, it accepts everything.
    ///
    /// # Errors
    /// 406 if it does not.
    pub fn require_json(&self) -> Result<()> {
        match self.preferred(&["application/json"]) {
            Some(_) => Ok(()),
            None => Err(Error::not_acceptable()),
        }
    }

    /// The offered media type with the highest weight in the `Accept` headers, or the first of several; `None` if the
    /// client accepts none.
    pub fn preferred<'o>(&self, offers: &[&'o str]) -> Option<&'o str> {
        let mut best = (0.0, None);
        for offer in offers {
            let (kind, subtype) = offer.split_once('/').unwrap_or((offer, ""));
            let ranges = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("accept"));
            let weight = accept::weight(ranges.map(|(_, value)| value.as_str()), kind, subtype);
            if weight > best.0 {
                best = (weight, Some(*offer));
            }
        }
        best.1
    }
}

/// The path of a request target, which unlike the query may be logged.
pub fn path_of(target: &str) -> &str {
    target::split(target).0
}

/// The inbound `X-OpenStack-Request-ID`, if it has the form `req-<uuid>` in lower case. Any other text could be used to
/// forge log lines.
pub fn global_request_id(request: &rouille::Request) -> Option<&str> {
    let id = request.header("X-OpenStack-Request-ID")?;
    let mut groups = id.strip_prefix("req-")?.split('-');
    let well_formed = [8, 4, 4, 4, 12].iter().all(|length| {
        groups.next().is_some_and(|group| {
            group.len() == *length && group.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        })
    });
    (well_formed && groups.next().is_none()).then_some(id)
}
