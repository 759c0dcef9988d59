//! Converts the options into the settings of each module.

mod database;
mod keystone;
mod logging;
mod middleware;
mod quotas;

use std::net::{IpAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use front::{health, http, outbound, server};
use oslo_config::Effective;

use super::strategy::{AuthStrategy, strategy};
use crate::quotas::Limits;
use crate::scope::Scope;
use crate::store::engine::url::DatabaseUrl;
use crate::{store, trusts};

/// The settings of `serve`.
#[derive(Debug, Clone)]
pub struct Config {
    /// The database's URL.
    pub database: DatabaseUrl,
    /// A replica of the database, for reads that may lag behind (`[database] slave_connection`).
    pub slave_database: Option<DatabaseUrl>,
    /// The connection pool and retries.
    pub store: store::Settings,
    /// The address to listen on, the number of workers, and limits.
    pub server: server::Settings,
    /// How callers are authenticated.
    pub auth_strategy: AuthStrategy,
    /// How tokens are validated; set with [`AuthStrategy::Keystone`].
    pub keystone: Option<keystone_auth::Settings>,
    /// How trusts are made; set with [`AuthStrategy::Keystone`], unless trusts are turned off and there are no
    /// credentials.
    pub trusts: Option<trusts::Settings>,
    /// The files of the policy's rules.
    pub policy: oslo_policy::Settings,
    /// How the health check answers.
    pub health: health::Settings,
    /// Where log lines go.
    pub logging: oslo_log::Settings,
    /// The path of the openrc file that the first start writes.
    pub openrc: PathBuf,
    /// The most items in one page of a list.
    pub max_limit: i64,
    /// Which rows version 1 of the API shows; `None` while it is off.
    pub v1: Option<Scope>,
    /// A client is down when its last poll is older than this number of seconds.
    pub client_down_time: i64,
    /// The most bytes in the log of a report.
    pub max_log_size: usize,
    /// How many rows of each kind a project may have.
    pub quotas: Limits,
}

impl Config {
    /// Converts and checks the options; `openrc` is the path of the openrc file if the command line names one.
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

/// The database's URL.
///
/// # Errors
/// A sentence for the operator: the URL cannot be parsed.
pub fn database(effective: &Effective) -> Result<DatabaseUrl, String> {
    database::url(effective)
}

/// The settings of the store for this number of workers.
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

/// The files of the policy's rules.
pub fn policy(effective: &Effective) -> oslo_policy::Settings {
    let section = effective.section("oslo_policy");
    let defaults = oslo_policy::Settings::default();
    oslo_policy::Settings {
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
            // A value beyond a day counts as a day, which a duration can hold.
            timeout: section.float("remote_timeout").filter(|seconds| *seconds > 0.0).map(|seconds| {
                Duration::try_from_secs_f64(seconds.min(86_400.0)).unwrap_or(Duration::from_secs(60))
            }),
        },
    }
}

/// Refuses other addresses than loopback: with `noauth`, every client that reaches the server is an administrator.
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
