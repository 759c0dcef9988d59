//! HTTP as the rest of the house sees it: a [`Call`] comes in, a [`Reply`] goes out.
//!
//! Nothing here knows what a backup is, and nothing past this room knows rouille.

mod accept;
pub mod authority;
mod body;
mod caching;
mod endpoint;
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
pub use precondition::{Precondition, entity_tag, not_modified};
pub use reply::Reply;
pub use stream::Stream;

use crate::error::Result;

/// A request method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`: to be dispatched as GET ([`Method::dispatched`]); the edge drops the body.
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
    /// Any other word, which no route has.
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

    /// The method whose route answers: GET for HEAD, else itself.
    pub fn dispatched(self) -> Self {
        match self {
            Self::Head => Self::Get,
            other => other,
        }
    }
}

/// One request, read whole and taken apart.
pub struct Call {
    /// The method as sent; HEAD stays HEAD, because the health check answers it differently.
    pub method: Method,
    /// The path as sent, without the query and the prefix that a proxy keeps before our paths, repeated slashes
    /// collapsed and the trailing one removed; the root is `/`.
    pub path: String,
    /// The percent-decoded parts of that path, without empty ones.
    pub segments: Vec<String>,
    /// The decoded query parameters in the order they were sent.
    pub query: Vec<(String, String)>,
    /// The whole body, whatever the method; never longer than the limit.
    pub body: Vec<u8>,
    /// `req-<uuid4>`, made by us for this request.
    pub request_id: String,
    /// The caller's own request id, if it sent one of the right form.
    pub global_request_id: Option<String>,
    /// Who sent it, as the socket says: behind a proxy that is the proxy.
    pub remote: SocketAddr,
    /// The client's address: the socket's, or what a proxy says of it where proxies are believed.
    pub client: IpAddr,
    /// The port of ours that it came to; 0 where there was no socket.
    pub port: u16,
    /// `http[s]://host[:port][/prefix]` as the caller addresses us, without a slash at the end; hrefs start with it.
    pub base_url: String,
    /// The prefix in the base URL, as `/backup`, or nothing.
    pub prefix: String,
    headers: Vec<(String, String)>,
}

/// Without the headers, the query and the body, which hold tokens and passwords.
impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} {:?} ({})", self.method, self.path, self.request_id)
    }
}

impl Call {
    /// Reads a request whole.
    ///
    /// `local` is the `host[:port]` that stands in where the request has no usable `Host`.
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
        // The body comes last: what is wrong with the line above it can be said without waiting for it.
        let body = body::read(request, limit)?;
        body::plain(request, &body)?;
        // The target's authority has precedence over `Host` (RFC 9112, 3.2.2).
        let named = [authority::of_target(request.raw_url()), request.header("Host")];
        let named = named.into_iter().flatten().find_map(authority::checked);
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
            base_url: format!("http://{}", named.unwrap_or(local)),
            headers,
        })
    }

    /// The same request as the client sees it, who speaks to a proxy in front of us: the base URL is the proxy's, and
    /// the prefix that it keeps in the path is taken from it.
    #[must_use]
    pub fn through(mut self, proxy: &proxy::Settings, forwarded: &proxy::Forwarded) -> Self {
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

    /// The same request, whose answer's links begin with this endpoint whatever the request says.
    #[must_use]
    pub fn at(mut self, endpoint: &Endpoint) -> Self {
        self.base_url.clone_from(&endpoint.url);
        self.prefix.clone_from(&endpoint.prefix);
        self
    }

    /// The value of a header, its name in any case; the first one if it was repeated.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The value of a query parameter; one without a value counts as absent.
    ///
    /// Of a repeated one the last counts. Both is as upstream (Falcon) has it, so that no client sees a change.
    pub fn param(&self, name: &str) -> Option<&str> {
        let mut values =
            self.query.iter().rev().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        values.find(|value| !value.is_empty())
    }

    /// Whether a query parameter is there, with or without a value.
    pub fn has_param(&self, name: &str) -> bool {
        self.query.iter().any(|(key, _)| key == name)
    }

    /// The body as JSON; an empty body is `{}`, because clients send none where they have nothing to say.
    ///
    /// Errors: 400 for a body that is not JSON in UTF-8, for a key that an object has twice, for more than
    /// [`MAX_DEPTH`] levels, and for U+0000 in any string.
    pub fn json(&self) -> Result<Value> {
        body::json(&self.body)
    }

    /// Whether the `Accept` headers let us answer in `application/json`; without one anything goes.
    pub fn accepts_json(&self) -> bool {
        self.preferred(&["application/json"]).is_some()
    }

    /// Of some media types the one that the `Accept` headers want most; of equals the first; `None` if they want none.
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

/// The path of a request target: what may be shown of it.
pub fn path_of(target: &str) -> &str {
    target::split(target).0
}

/// The inbound `X-OpenStack-Request-ID`, if it has the form `req-<uuid>` in lower case; anything else could be used to
/// write into our log.
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
