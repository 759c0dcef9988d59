//! MySQL and MariaDB: what SQLAlchemy's drivers are told, in the words of the C library that Diesel uses.
//!
//! There are two such libraries. MySQL's has an `ssl_mode`. MariaDB's has none (Diesel's would end in another option),
//! but takes a list of options in place of the host (since Connector/C 3.3, and fails to find that host before).

use super::parts::Parts;

/// How much of TLS is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tls {
    /// Whatever the two libraries agree on.
    Any,
    /// None at all.
    Never,
    /// Encrypted, whoever it is.
    Required,
    /// The certificate has to be signed by somebody we trust.
    VerifyCa,
    /// And it has to be that host's.
    VerifyIdentity,
}

/// The two libraries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// libmysqlclient.
    #[allow(dead_code, reason = "one of the two is linked")]
    Mysql,
    /// libmariadb.
    #[allow(dead_code, reason = "one of the two is linked")]
    Mariadb,
}

/// Diesel's URL, and how much of TLS a connection has to have.
///
/// # Errors
/// A sentence for the operator: what the URL asks for cannot be had.
pub fn target(driver: &str, mut parts: Parts, library: Library) -> Result<(String, Tls), String> {
    if let Some(why) = unsupported(&parts) {
        return Err(why.to_owned());
    }
    let asked = tls(&parts)?;
    // A socket leads to nobody but this machine's server, which need not have TLS.
    let tls = if parts.option("unix_socket").is_some() { Tls::Any } else { asked };
    let used = |key: &&str| match tls {
        Tls::Never => *key == "unix_socket",
        // MariaDB's library would check signatures by it.
        Tls::Required => *key != "ssl_ca",
        _ => true,
    };
    let mut options: Vec<(String, String)> = ["unix_socket", "ssl_ca", "ssl_cert", "ssl_key"]
        .into_iter()
        .filter(used)
        .filter_map(|key| Some((key.to_owned(), parts.option(key)?.to_owned())))
        .collect();
    parts.hosts = host(driver, &parts);
    match library {
        Library::Mysql => {
            let mode = match tls {
                Tls::Any => None,
                Tls::Never => Some("disabled"),
                Tls::Required => Some("required"),
                Tls::VerifyCa => Some("verify_ca"),
                Tls::VerifyIdentity => Some("verify_identity"),
            };
            options.extend(mode.map(|mode| ("ssl_mode".to_owned(), mode.to_owned())));
        }
        Library::Mariadb => parts.hosts = in_place_of_host(&parts, tls)?,
    }
    Ok((parts.compose("mysql", &options), tls))
}

/// What could only be ignored, and must not be.
fn unsupported(parts: &Parts) -> Option<&'static str> {
    let has = |key| parts.option(key).is_some();
    // Diesel does not decode it.
    let is_plain = |name: &str| name.chars().all(|c| c.is_ascii_alphanumeric() || "_-.~".contains(c));
    if parts.hosts.contains(',') {
        Some("A MySQL URL names one host; give several to HAProxy, ProxySQL or the name service.")
    } else if has("ssl_capath") {
        Some("ssl_capath in the database URL is not supported; name one file by ssl_ca.")
    } else if has("read_default_file") || has("read_default_group") {
        Some(
            "read_default_file and read_default_group in the database URL are not supported; write user, password and \
             host into the URL.",
        )
    } else if !parts.database.as_deref().is_none_or(is_plain) {
        Some("The name of a MySQL database may hold letters, digits and `_-.~` only.")
    } else {
        None
    }
}

/// The host, with its port. Python's drivers reach `localhost` over TCP; the C library takes the name to mean its
/// socket, and forgets the port.
fn host(driver: &str, parts: &Parts) -> String {
    if parts.option("unix_socket").is_some() {
        return "localhost".to_owned();
    }
    let is_c_library = matches!(driver, "" | "mysqldb");
    match parts.hosts.strip_prefix("localhost") {
        Some(port) if port.starts_with(':') || (port.is_empty() && !is_c_library) => {
            format!("127.0.0.1{port}")
        }
        _ if parts.hosts.is_empty() && is_c_library => "localhost".to_owned(),
        _ if parts.hosts.is_empty() || parts.hosts.starts_with(':') => format!("127.0.0.1{}", parts.hosts),
        _ => parts.hosts.clone(),
    }
}

/// What MariaDB's library has to know and Diesel cannot tell it; the port stays where Diesel looks for it.
fn in_place_of_host(parts: &Parts, tls: Tls) -> Result<String, String> {
    if parts.option("unix_socket").is_some() {
        return Ok(parts.hosts.clone());
    }
    let (host, port) = match parts.hosts.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, format!(":{port}")),
        _ => (parts.hosts.as_str(), String::new()),
    };
    let mut options = String::new();
    match tls {
        Tls::Any | Tls::Never => {}
        Tls::Required => options += ";ssl-enforce=1;ssl-verify-server-cert=0",
        // With an `ssl_ca` it checks signatures anyway; to check the name is to check both.
        Tls::VerifyCa if parts.option("ssl_ca").is_some() => options += ";ssl-enforce=1",
        Tls::VerifyCa | Tls::VerifyIdentity => options += ";ssl-enforce=1;ssl-verify-server-cert=1",
    }
    if let Some(seconds) = parts.option("connect_timeout").and_then(|text| text.parse::<u16>().ok()) {
        options += &format!(";connect-timeout={seconds}");
    }
    if options.is_empty() {
        Ok(parts.hosts.clone())
    } else if host.contains(':') {
        Err("With TLS or a connect_timeout, MySQL's host has to be a name or an IPv4 address.".to_owned())
    } else {
        Ok(format!("host={host}{options}{port}"))
    }
}

/// What a driver would make of the options. PyMySQL by way of SQLAlchemy checks certificate and name as soon as it is
/// given an `ssl_ca`, unless it is told otherwise.
fn tls(parts: &Parts) -> Result<Tls, String> {
    let flag = |key: &str| match parts.option(key).map(str::to_ascii_lowercase).as_deref() {
        None => Ok(None),
        Some("1" | "true" | "yes" | "on") => Ok(Some(true)),
        Some("0" | "false" | "no" | "off" | "none") => Ok(Some(false)),
        Some(_) => Err(format!("{key} in the database URL has to be true or false.")),
    };
    let (certificate, identity) = (flag("ssl_verify_cert")?, flag("ssl_verify_identity")?);
    let identity = identity.or(flag("ssl_check_hostname")?);
    let mode = match parts.option("ssl_mode").map(str::to_ascii_lowercase).as_deref() {
        None => None,
        Some("disabled") => Some(Tls::Never),
        Some("preferred") => Some(Tls::Any),
        Some("required") => Some(Tls::Required),
        Some("verify_ca") => Some(Tls::VerifyCa),
        Some("verify_identity") => Some(Tls::VerifyIdentity),
        Some(_) => return Err("ssl_mode in the database URL is none of MySQL's.".to_owned()),
    };
    if flag("ssl_disabled")? == Some(true) || mode == Some(Tls::Never) {
        return Ok(Tls::Never);
    }
    let ca = parts.option("ssl_ca").is_some();
    let own = parts.option("ssl_cert").is_some() || parts.option("ssl_key").is_some();
    let by_flags = match (certificate, identity) {
        (_, Some(true)) => Tls::VerifyIdentity,
        (Some(true), _) => Tls::VerifyCa,
        (Some(false), _) if ca || own => Tls::Required,
        (None, Some(false)) if ca => Tls::VerifyCa,
        (None, None) if ca && mode.is_none() => Tls::VerifyIdentity,
        (None, None) if ca => Tls::VerifyCa,
        _ if own => Tls::Required,
        _ => Tls::Any,
    };
    Ok(by_flags.max(mode.unwrap_or(Tls::Any)))
}
