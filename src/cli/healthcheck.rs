//! `freezer-api healthcheck`: asks a running service whether it is healthy, for containers and monitoring.

use std::time::Duration;

use clap::Args;
use front::outbound::{self, Client};

use super::{Failure, say};
use crate::config::{self, Config, Options};

/// The options of `freezer-api healthcheck`.
#[derive(Debug, Args)]
pub struct HealthcheckOptions {
    /// The health check's URL [default: that of this host's service, by the configuration]
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Wait for an answer this long, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,
}

/// Sends the request and prints the answer.
///
/// # Errors
/// A sentence: no answer came, or the service is not healthy.
pub fn run(options: &Options, more: &HealthcheckOptions) -> Result<(), Failure> {
    let url = match &more.url {
        Some(url) => url.clone(),
        None => configured_url(options).map_err(Failure::lasting)?,
    };
    let timeout = Some(Duration::from_secs(more.timeout.into()));
    let client = Client::new(&outbound::Settings { timeout, ..outbound::Settings::default() })?;
    let answer = client.send("GET", &url, &[("accept", "text/plain")], None)?;
    let body = String::from_utf8_lossy(&answer.body);
    match answer.status {
        200 => {
            say(body.trim());
            Ok(())
        }
        status => Err(format!("{url} answers {status}: {}", body.trim()).into()),
    }
}

/// The URL of this host's service, from its configuration. The path prefix does not apply to the health check.
fn configured_url(options: &Options) -> Result<String, String> {
    let effective = config::load(options, None)?;
    let config = Config::new(&effective, None)?;
    let host = match config.server.bind_host.as_str() {
        "0.0.0.0" => "127.0.0.1".to_owned(),
        "::" => "[::1]".to_owned(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_owned(),
    };
    Ok(format!("http://{host}:{}{}", config.server.bind_port, config.health.path))
}
