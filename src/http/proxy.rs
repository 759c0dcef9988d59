//! What a proxy in front of us says about the client's request (oslo.middleware's `http_proxy_to_wsgi`).

/// What is believed of a proxy.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// `[oslo_middleware] enable_proxy_headers_parsing` (false): believe `Forwarded` and `X-Forwarded-*`.
    pub parse_headers: bool,
    /// `[DEFAULT] path_prefix`: what the proxy keeps before our paths, as `/backup`; empty where there is nothing.
    pub path_prefix: String,
}
