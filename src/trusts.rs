//! Keystone trusts, by which a central scheduler runs a job in its owner's name (contract, api-v2 §7 "Trusts").

use crate::keystone::Login;

/// `[centralized_scheduler]`. The defaults are upstream's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `enabled` (true): whether trusts are made at all.
    pub enabled: bool,
    /// `enforce_trusts` (false): for every job, not only those on central clients.
    pub enforce_trusts: bool,
    /// `trusts_delegated_roles` (`member`): the names of the roles that a trust hands on; the token's where empty.
    pub delegated_roles: Vec<String>,
    /// The section that `auth_section` (`keystone_authtoken`) names: its user is the trustee.
    pub login: Login,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            enforce_trusts: false,
            delegated_roles: vec!["member".to_owned()],
            login: Login::default(),
        }
    }
}
