//! `[keystone_authtoken] memcached_servers` and the `memcache_*` options.

use std::time::Duration;

use crate::config::effective::Section;
use crate::context::Secret;
use crate::keystone::memcached::{Address, Settings, Strategy, Tls};

/// The memcached servers that share validated tokens; `None` if there are none.
pub fn settings(section: Section<'_>) -> Result<Option<Settings>, String> {
    // Checked even without servers, as keystonemiddleware does.
    let strategy = strategy(section)?;
    let texts = section.list("memcached_servers");
    let servers = texts.iter().filter(|text| !text.is_empty()).map(|text| Address::parse(text));
    let servers: Vec<_> =
        servers.collect::<Result<_, _>>().map_err(|why| section.refuse("memcached_servers", &why))?;
    if servers.is_empty() {
        return Ok(None);
    }
    if section.is("memcache_sasl_enabled") {
        return Err(section.refuse(
            "memcache_sasl_enabled",
            "this service does not speak SASL with memcached; protect entries with memcache_security_strategy = ENCRYPT \
             and connections with memcache_tls_enabled",
        ));
    }
    let tls = section.is("memcache_tls_enabled").then(|| Tls {
        ca_file: section.path("memcache_tls_cafile"),
        cert_file: section.path("memcache_tls_certfile"),
        key_file: section.path("memcache_tls_keyfile"),
    });
    if tls.is_some() && servers.iter().any(|address| matches!(address, Address::Unix(_))) {
        return Err(section
            .refuse("memcache_tls_enabled", "there is no TLS with a memcached on a socket of this machine"));
    }
    let defaults = Settings::default();
    let seconds = |name: &str, default| section.count(name, u64::MAX).map_or(default, Duration::from_secs);
    Ok(Some(Settings {
        servers,
        strategy,
        tls,
        dead_retry: seconds("memcache_pool_dead_retry", defaults.dead_retry),
        max_connections: match section.int("memcache_pool_maxsize") {
            None => defaults.max_connections,
            Some(..=0) => usize::MAX,
            Some(most) => usize::try_from(most).unwrap_or(usize::MAX),
        },
        // With a timeout of 0, no request to the cache could succeed.
        socket_timeout: seconds("memcache_pool_socket_timeout", defaults.socket_timeout)
            .max(Duration::from_millis(100)),
        unused_timeout: seconds("memcache_pool_unused_timeout", defaults.unused_timeout),
        connection_wait: seconds("memcache_pool_conn_get_timeout", defaults.connection_wait),
    }))
}

fn strategy(section: Section<'_>) -> Result<Strategy, String> {
    let sealed = match section.text("memcache_security_strategy") {
        Some("MAC") => Strategy::Mac,
        Some("ENCRYPT") => Strategy::Encrypt,
        _ => return Ok(Strategy::None),
    };
    match section.text("memcache_secret_key") {
        Some(secret) => Ok(sealed(Secret::new(secret))),
        None => Err(section
            .refuse("memcache_security_strategy", "it needs a secret, and memcache_secret_key has none")),
    }
}
