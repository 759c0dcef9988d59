//! `[DEFAULT] auth_strategy`: how callers are authenticated.

use oslo_config::Effective;

use super::settings::database;
use crate::store::engine::url::Backend;

/// How callers are authenticated (`[DEFAULT] auth_strategy`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum AuthStrategy {
    /// Believe X-Project-Id, X-User-Id and X-Roles; for tests and load runs, on loopback only
    Noauth,
    /// The built-in identity: users of `freezer-api user`, who log in at /identity/v3
    Standalone,
    /// Keystone: tokens that it gave out, and that it is asked about
    Keystone,
}

impl AuthStrategy {
    /// The name in a file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Noauth => "noauth",
            Self::Standalone => "standalone",
            Self::Keystone => "keystone",
        }
    }
}

/// The configured strategy; without one, it follows from the Keystone options and the database.
///
/// # Errors
/// A sentence for the operator: there is no default for this database.
pub fn strategy(effective: &Effective) -> Result<AuthStrategy, String> {
    match effective.section("DEFAULT").text("auth_strategy") {
        Some("keystone") => return Ok(AuthStrategy::Keystone),
        Some("noauth") => return Ok(AuthStrategy::Noauth),
        Some(_) => return Ok(AuthStrategy::Standalone),
        None => {}
    }
    let keystone = effective.section("keystone_authtoken");
    let names = ["auth_url", "auth_type", "www_authenticate_uri", "auth_section"];
    // A file that names Keystone by an old option is wrong; the service must not start without Keystone because of it.
    if names.into_iter().any(|name| keystone.text(name).is_some()) || keystone.former("auth_url").is_some() {
        return Ok(AuthStrategy::Keystone);
    }
    match database(effective)?.backend() {
        Backend::Sqlite => Ok(AuthStrategy::Standalone),
        Backend::Mysql | Backend::Postgres => Err("With MySQL and PostgreSQL there is no default for [DEFAULT] \
             auth_strategy (--auth-strategy) while [keystone_authtoken] is empty: fill it in, for `keystone`, or choose \
             `standalone` (the built-in identity) or `noauth` (for tests; believes whatever a caller says of itself)."
            .to_owned()),
    }
}
