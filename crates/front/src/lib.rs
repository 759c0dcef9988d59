//! The front of the service: from the socket to a [`http::Call`] and back, and calls to other services.
//!
//! It knows nothing of backups.

/// The caller of a request.
pub mod context;
/// Cross-origin requests: preflights and headers.
pub mod cors;
/// The error type, and the HTTP status of each error.
pub mod error;
/// The health check.
pub mod health;
/// Hexadecimal encoding.
pub mod hex;
/// HTTP: from a request to an [`http::Call`], and from an [`http::Reply`] to a response.
pub mod http;
/// Calls to other services of the cloud.
pub mod outbound;
/// The server: accepts connections, serves requests on a fixed pool, and drains on SIGTERM.
pub mod server;
/// Notifications to systemd, and the socket that it passes.
pub mod supervisor;
/// Bounds how many requests are served at once.
pub mod workers;
