//! The built-in identity (`--auth-strategy standalone`): just enough of Keystone's v3 for the unmodified Freezer
//! clients to log in where there is no Keystone.
//!
//! There is one domain, `default`. Users, projects and roles are rows that `freezer-api user ...` manages; a
//! password is kept as an Argon2id hash, a token as its SHA-256. [`Standalone::authenticate`] is all that the
//! rest of the service needs; [`handlers`] is what the clients speak to.

mod bootstrap;
mod change;
mod credentials;
mod document;
pub mod handlers;
mod limits;
mod login;
mod openrc;
mod password;
mod request;
mod roles;
mod secret;
mod turns;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;

pub use bootstrap::{Bootstrap, bootstrap};
use limits::Limits;
pub use openrc::{Openrc, OpenrcFile, read_openrc, refresh_openrc_url, write_openrc};
pub use password::{
    hash as hash_password, is_right as is_right_password, may_be_chosen as password_may_be_chosen,
};
pub use roles::Role;
pub use secret::password as random_password;
pub use upkeep::Upkeep;
use upkeep::Uses;

use crate::error::Result;
use crate::store::identity::tokens::{self, TokenRow};
use crate::store::types::time::Time;
use crate::store::{Store, now};

/// The id of the one domain, as Keystone's first domain has it.
pub const DOMAIN_ID: &str = "default";
/// The name of the one domain.
pub const DOMAIN_NAME: &str = "Default";

/// What can be set about the built-in identity.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How long a token holds; Keystone's default is an hour.
    pub token_lifetime: Duration,
    /// How many logins may wait for one of the two that verify their password; beyond that the last in their order
    /// get a 503. They wait without a worker.
    pub max_waiting_logins: usize,
    /// The time after which one more failed login is admitted, when ten have emptied a bucket.
    pub login_refill: Duration,
    /// The most tokens that a user has.
    pub max_tokens: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            token_lifetime: Duration::from_secs(3600),
            max_waiting_logins: 64,
            login_refill: Duration::from_secs(6),
            max_tokens: 10_000,
        }
    }
}

/// Who a token stands for, and what it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's id.
    pub user_id: String,
    /// The user's name.
    pub user_name: String,
    /// The project's id; a token without one only shows who its user is.
    pub project_id: Option<String>,
    /// The project's name.
    pub project_name: Option<String>,
    /// The user's roles on the project now, with those they imply; none without a project.
    pub roles: Vec<String>,
    /// How the user logged in: `password`, `token` or both.
    pub methods: Vec<String>,
    /// The name under which the token may be spoken of, and logged.
    pub audit_id: String,
    /// Since when the token holds, in UTC.
    pub issued_at: Time,
    /// Until when the token holds, in UTC.
    pub expires_at: Time,
}

impl Identity {
    /// Whether the token carries a role.
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.iter().any(|name| name == role.name())
    }
}

/// The built-in identity. One per process, shared by the workers.
pub struct Standalone {
    store: Store,
    token_lifetime: TimeDelta,
    max_tokens: i64,
    verifier: Box<password::Verifier>,
    limits: Box<Limits>,
    uses: Arc<Uses>,
}

impl Standalone {
    /// The built-in identity over a store.
    pub fn new(store: Store, settings: &Settings) -> Self {
        /// Ten years, in seconds: beyond that a date is no longer sure to fit.
        const LONGEST: u64 = 10 * 366 * 86_400;
        let seconds = settings.token_lifetime.as_secs().min(LONGEST);
        Self {
            store,
            token_lifetime: TimeDelta::seconds(i64::try_from(seconds).unwrap_or_default()),
            max_tokens: settings.max_tokens,
            verifier: Box::new(password::Verifier::new(settings.max_waiting_logins)),
            limits: Box::new(Limits::new(settings.login_refill)),
            uses: Arc::default(),
        }
    }

    /// The background work.
    pub fn upkeep(&self) -> Upkeep {
        Upkeep { store: self.store.clone(), uses: Arc::clone(&self.uses) }
    }

    /// Whom a token stands for; `None` for a token that is unknown, expired or revoked, or whose user or project is
    /// disabled. One indexed query.
    ///
    /// # Errors
    /// 503 while the database is away.
    pub fn authenticate(&self, token: &str) -> Result<Option<Identity>> {
        let Some(digest) = secret::digest(token) else { return Ok(None) };
        let held = self.store.read(|tx| tokens::find(tx, &digest))?;
        let Some(held) = held.filter(|held| secret::same(&held.token.id, &digest)) else { return Ok(None) };
        let now = now();
        let due = Uses::due(&held.token, now);
        let identity = valid(held, now);
        if let (Some(digest), Some(_)) = (due, &identity) {
            self.uses.note(digest);
        }
        Ok(identity)
    }

    /// The value of `WWW-Authenticate` in a 401: where to log in.
    pub fn challenge(base_url: &str) -> String {
        format!("Keystone uri=\"{base_url}/identity\"")
    }
}

/// What a token is worth at this moment, if anything.
fn valid(held: TokenRow, now: Time) -> Option<Identity> {
    let token = held.token;
    let roles = roles::expanded(&held.roles);
    let project_enabled = held.project.as_ref().is_none_or(|(_, enabled)| *enabled);
    // The last role on a project is gone: so is the use of a token on it.
    let has_roles = token.project_id.is_none() || !roles.is_empty();
    (held.user_enabled && project_enabled && has_roles && now < token.expires_at).then(|| Identity {
        user_id: token.user_id,
        user_name: held.user_name,
        project_id: token.project_id,
        project_name: held.project.map(|(name, _)| name),
        roles,
        methods: token.methods.split(',').map(str::to_owned).collect(),
        audit_id: token.audit_id,
        issued_at: token.issued_at,
        expires_at: token.expires_at,
    })
}
