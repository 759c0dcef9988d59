//! MySQL and MariaDB: converts the options of SQLAlchemy's drivers to those of the C library that Diesel uses.
//!
//! There are two such libraries. MySQL's has an `ssl_mode`. MariaDB's has none (it would read Diesel's as another option), but
//! accepts a list of options in place of the host since Connector/C 3.3; older ones fail to resolve it as a host name.

use super::parts::Parts;

/// The required level of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tls {
    /// Encrypted or not, as client library and server agree.
    Any,
    /// Not encrypted.
    Never,
    /// Encrypted; the certificate is not verified.
    Required,
    /// Encrypted; the certificate must be signed by a trusted authority.
    VerifyCa,
    /// The same, and the certificate must be for this host.
    VerifyIdentity,
}

/// A client library.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Library {
    /// libmysqlclient.
    #[allow(dead_code, reason = "one of the two is linked")]
    Mysql,
    /// libmariadb.
    #[allow(dead_code, reason = "one of the two is linked")]
    Mariadb,
}

/// Diesel's URL, and the required level of TLS.
///
/// # Errors
/// A sentence for the operator: an option of the URL is not supported.
pub fn target(driver: &str, mut parts: Parts, library: Library) -> Result<(String, Tls), String> {
    if let Some(why) = unsupported(&parts) {
        return Err(why.to_owned());
    }
    let asked = tls(&parts)?;
    // A socket connects to the server of this machine only, which needs no TLS.
    let tls = if parts.option("unix_socket").is_some() { Tls::Any } else { asked };
    let used = |key: &&str| match tls {
        Tls::Never => *key == "unix_socket",
        // With it, MariaDB's library would verify the certificate.
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

/// Refuses options that would have to be ignored, but must not be.
fn unsupported(parts: &Parts) -> Option<&'static str> {
    let has = |key| parts.option(key).is_some();
    // Diesel does not decode the name.
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

/// The host, with its port. Python's drivers connect to `localhost` over TCP; the C library uses its socket for that name, and
/// ignores the port.
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

/// The host with the options that MariaDB's library needs and Diesel cannot pass; the port stays where Diesel expects it.
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
        // With an `ssl_ca`, the library verifies signatures anyway. Without one, they are only verified together with the name.
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

/// The level of TLS that a Python driver would use for these options. PyMySQL under SQLAlchemy verifies certificate and name
/// if it has an `ssl_ca`, unless an option disables that.
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
