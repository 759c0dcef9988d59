//! PostgreSQL: converts the options of SQLAlchemy's drivers to those of libpq.

use super::parts::Parts;

/// The options that libpq accepts; it refuses a URL with any other option.
const KNOWN: &[&str] = &[
    "application_name",
    "channel_binding",
    "connect_timeout",
    "fallback_application_name",
    "gssdelegation",
    "gssencmode",
    "gsslib",
    "hostaddr",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "krbsrvname",
    "load_balance_hosts",
    "options",
    "passfile",
    "require_auth",
    "requirepeer",
    "service",
    "ssl_max_protocol_version",
    "ssl_min_protocol_version",
    "sslcert",
    "sslcertmode",
    "sslcompression",
    "sslcrl",
    "sslcrldir",
    "sslkey",
    "sslmode",
    "sslnegotiation",
    "sslpassword",
    "sslrootcert",
    "sslsni",
    "target_session_attrs",
    "tcp_user_timeout",
];
/// How long libpq waits for a connection to one host, in seconds; its default is to wait as long as TCP does.
const CONNECT_TIMEOUT: &str = "10";

/// libpq's URL.
///
/// # Errors
/// A sentence for the operator: the numbers of hosts and ports differ.
pub fn target(mut parts: Parts) -> Result<String, String> {
    let mut options: Vec<(String, String)> = Vec::new();
    for (key, value) in &parts.options {
        match key.as_str() {
            "user" => parts.user = Some(value.clone()),
            "password" => parts.password = Some(value.clone()),
            "dbname" | "database" => parts.database = Some(value.clone()),
            // asyncpg's name for it.
            "ssl" => options.push(("sslmode".to_owned(), value.clone())),
            known if KNOWN.contains(&known) => options.push((key.clone(), value.clone())),
            _ => {}
        }
    }
    if let Some(hosts) = hosts(&parts)? {
        parts.hosts = String::new();
        options.extend(hosts);
    }
    if !options.iter().any(|(key, _)| key == "connect_timeout") {
        options.push(("connect_timeout".to_owned(), CONNECT_TIMEOUT.to_owned()));
    }
    Ok(parts.compose("postgresql", &options))
}

/// The hosts among the options, which take precedence over the host before the path: `host=a,b&port=1,2`,
/// `host=a:1&host=b:2`, or the directory of a socket.
fn hosts(parts: &Parts) -> Result<Option<Vec<(String, String)>>, String> {
    let all = |wanted: &str| -> Vec<&str> {
        let values = parts.options.iter().filter(|(key, _)| key == wanted);
        values.flat_map(|(_, value)| value.split(',')).collect()
    };
    let (mut hosts, mut ports) = (all("host"), all("port"));
    if hosts.is_empty() && ports.is_empty() {
        return Ok(None);
    }
    if hosts.is_empty() {
        hosts = parts.hosts.split(',').map(|host| host.split(':').next().unwrap_or_default()).collect();
    }
    if ports.is_empty() {
        (hosts, ports) = hosts.into_iter().map(host_and_port).unzip();
    }
    let is_port = |port: &&str| port.is_empty() || port.parse::<u16>().is_ok();
    if !ports.iter().all(is_port) || (ports.len() > 1 && ports.len() != hosts.len()) {
        return Err("The hosts and ports in the options of the database URL do not fit together.".to_owned());
    }
    let mut options = vec![("host".to_owned(), hosts.join(","))];
    if ports.iter().any(|port| !port.is_empty()) {
        options.push(("port".to_owned(), ports.join(",")));
    }
    Ok(Some(options))
}

/// Neither a socket nor an IPv6 address has a port behind a colon.
fn host_and_port(host: &str) -> (&str, &str) {
    match host.split_once(':') {
        Some((name, port)) if !host.starts_with('/') && !port.contains(':') => (name, port),
        _ => (host, ""),
    }
}
