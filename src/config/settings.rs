//! From options to what every room is told.

mod database;
mod keystone;
mod logging;
mod middleware;
mod quotas;

use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::effective::Effective;
use super::strategy::{AuthStrategy, strategy};
use crate::quotas::Limits;
use crate::scope::Scope;
use crate::store::url::DatabaseUrl;
use crate::{
    handlers, http, keystone as tokens, logging as log_settings, outbound, policy, server, store, trusts,
};

/// What `serve` works with.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database.
    pub database: DatabaseUrl,
    /// A replica of it, to read from (`[database] slave_connection`), where that may lag behind.
    pub slave_database: Option<DatabaseUrl>,
    /// How the database is used.
    pub store: store::Settings,
    /// Where and with how many workers to listen.
    pub server: server::Settings,
    /// How callers are known.
    pub auth_strategy: AuthStrategy,
    /// How tokens are validated; there with [`AuthStrategy::Keystone`].
    pub keystone: Option<tokens::Settings>,
    /// How trusts are made; there with [`AuthStrategy::Keystone`], unless they are turned off without credentials.
    pub trusts: Option<trusts::Settings>,
    /// Where the rules of the policy are.
    pub policy: policy::Settings,
    /// How the health check answers.
    pub health: handlers::health::Settings,
    /// Where log lines go.
    pub logging: log_settings::Settings,
    /// The openrc file of the first start.
    pub openrc: PathBuf,
    /// The most that a list gives at once.
    pub max_limit: i64,
    /// Which rows version 1 of the API shows; `None` while it is off.
    pub v1: Option<Scope>,
    /// How old, in seconds, the last poll of a client that is up can be.
    pub client_down_time: i64,
    /// The most bytes that the log of a report can have.
    pub max_log_size: usize,
    /// How much every project may have.
    pub quotas: Limits,
}

impl Config {
    /// Checks that what was given fits together; `openrc` is where the openrc file goes if somebody said so.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn new(effective: &Effective, openrc: Option<&Path>) -> Result<Self, String> {
        let database = database(effective)?;
        let auth_strategy = strategy(effective)?;
        let mut server = server(effective)?;
        if auth_strategy == AuthStrategy::Noauth {
            loopback_only(&server.bind_host)?;
            server.loopback_hosts_only = true;
        }
        let (keystone, trusts) = match auth_strategy {
            AuthStrategy::Keystone => (Some(keystone::tokens(effective)?), keystone::trusts(effective)?),
            AuthStrategy::Noauth | AuthStrategy::Standalone => (None, None),
        };
        Ok(Self {
            slave_database: database::slave(effective)?,
            store: store(effective, server.workers),
            auth_strategy,
            keystone,
            trusts,
            policy: policy(effective),
            health: middleware::health(effective)?,
            logging: logging::settings(effective)?,
            openrc: openrc.map_or_else(|| openrc_beside(&database), Path::to_owned),
            max_limit: effective.section("DEFAULT").int("max_limit").unwrap_or(1000),
            v1: v1(effective),
            client_down_time: effective.section("DEFAULT").int("client_down_time").unwrap_or(180),
            max_log_size: effective
                .section("DEFAULT")
                .count("action_report_max_log_size", usize::MAX)
                .unwrap_or(65_536),
            quotas: quotas::limits(effective),
            database,
            server,
        })
    }
}

/// Version 1 of the API, if it is on.
fn v1(effective: &Effective) -> Option<Scope> {
    let is_on = effective.section("DEFAULT").is("enable_v1_api");
    let scope = effective.section("api_v1").text("scope").and_then(Scope::parse).unwrap_or_default();
    is_on.then_some(scope)
}

/// The database.
///
/// # Errors
/// A sentence for the operator: the URL cannot be parsed.
pub fn database(effective: &Effective) -> Result<DatabaseUrl, String> {
    database::url(effective)
}

/// How `workers` threads use the database.
pub fn store(effective: &Effective, workers: usize) -> store::Settings {
    database::store(effective, workers)
}

/// The openrc file of the first start, and the URL of the built-in identity as this machine reaches it.
///
/// # Errors
/// A sentence for the operator.
pub fn openrc(effective: &Effective) -> Result<(PathBuf, String), String> {
    let server = server(effective)?;
    let host = match server.bind_host.parse::<IpAddr>() {
        Ok(ip) if ip.is_unspecified() => "127.0.0.1".to_owned(),
        Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
        _ => server.bind_host,
    };
    let url = format!("http://{host}:{}/identity/v3", server.bind_port);
    Ok((openrc_beside(&database(effective)?), url))
}

fn server(effective: &Effective) -> Result<server::Settings, String> {
    let (section, middleware) = (effective.section("DEFAULT"), effective.section("oslo_middleware"));
    let defaults = server::Settings::default();
    let max_body = middleware.count("max_request_body_size", usize::MAX);
    Ok(server::Settings {
        bind_host: section.string("bind_host").unwrap_or_else(|| "127.0.0.1".to_owned()),
        bind_port: section.count("bind_port", u16::MAX).unwrap_or(defaults.bind_port),
        workers: section.count("workers", usize::MAX).unwrap_or(defaults.workers),
        max_connections: section.count("max_connections", usize::MAX).unwrap_or(defaults.max_connections),
        max_request_body_size: max_body.unwrap_or(defaults.max_request_body_size),
        max_document_body_size: max_body.unwrap_or(defaults.max_document_body_size),
        proxy: http::proxy::Settings {
            parse_headers: middleware.is("enable_proxy_headers_parsing"),
            path_prefix: http::proxy::path_prefix(section.text("path_prefix").unwrap_or_default())
                .map_err(|why| section.refuse("path_prefix", &why))?,
        },
        public_endpoint: section
            .text("public_endpoint")
            .map(http::Endpoint::parse)
            .transpose()
            .map_err(|why| section.refuse("public_endpoint", &why))?,
        cors: middleware::cors(effective),
        ..defaults
    })
}

/// Where the rules of the policy are.
pub fn policy(effective: &Effective) -> policy::Settings {
    let section = effective.section("oslo_policy");
    let defaults = policy::Settings::default();
    policy::Settings {
        policy_file: section.path("policy_file").unwrap_or(defaults.policy_file),
        policy_dirs: section.list("policy_dirs").into_iter().map(PathBuf::from).collect(),
        config_dirs: effective.directories.clone(),
        default_rule: section.string("policy_default_rule").unwrap_or(defaults.default_rule),
        enforce_new_defaults: section.is("enforce_new_defaults"),
        remote_json: section.text("remote_content_type") == Some("application/json"),
        remote: outbound::Settings {
            ca_file: section.path("remote_ssl_ca_crt_file"),
            cert_file: section.path("remote_ssl_client_crt_file"),
            key_file: section.path("remote_ssl_client_key_file"),
            insecure: !section.is("remote_ssl_verify_server_crt"),
            no_authorities: false,
            max_answer: None,
            connect_timeout: None,
            // Too long for a clock is as good as the longest.
            timeout: section.float("remote_timeout").filter(|seconds| *seconds > 0.0).map(|seconds| {
                Duration::try_from_secs_f64(seconds.min(86_400.0)).unwrap_or(Duration::from_secs(60))
            }),
        },
    }
}

/// Whoever can reach a server with `noauth` is an administrator: that must be nobody but this machine.
fn loopback_only(host: &str) -> Result<(), String> {
    let addresses =
        (host, 0).to_socket_addrs().map_err(|error| format!("There is no address {host}: {error}."))?;
    if addresses.into_iter().all(|address| address.ip().is_loopback()) {
        return Ok(());
    }
    Err(format!(
        "With --auth-strategy noauth everybody is who they say they are, so it is served on loopback only, \
         not on {host}. Use --bind-host 127.0.0.1, or --auth-strategy standalone."
    ))
}

fn openrc_beside(database: &DatabaseUrl) -> PathBuf {
    let directory = database.sqlite_path().and_then(Path::parent).unwrap_or(Path::new(""));
    directory.join("openrc")
}

#[cfg(test)]
mod tests;
