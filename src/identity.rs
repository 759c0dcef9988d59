//! The built-in identity (`--auth-strategy standalone`): just enough of Keystone's v3 for the unmodified Freezer
//! clients to log in where there is no Keystone.
//!
//! There is one domain, `default`. Users, projects and roles are rows that `freezer-api user ...` manages. A password
//! is stored as an Argon2id hash, a token as its SHA-256. The rest of the service calls [`Standalone::authenticate`];
//! the clients call the routes in [`handlers`].

mod bootstrap;
mod credentials;
mod document;
mod fair_semaphore;
pub mod handlers;
mod limits;
mod login;
mod openrc;
mod password;
mod password_change;
mod request;
mod roles;
mod secret;
mod upkeep;

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use front::error::Result;

pub use bootstrap::{Bootstrap, bootstrap};
use limits::Limits;
pub use openrc::{Openrc, OpenrcFile, read_openrc, refresh_openrc_url, write_openrc};
pub use password::{check_new as check_new_password, hash as hash_password, matches as password_matches};
pub use roles::Role;
pub use secret::password as random_password;
use upkeep::RecentUses;
pub use upkeep::Upkeep;

use crate::store::identity::tokens::{self, TokenRow};
use crate::store::types::time::Time;
use crate::store::{Store, now};

/// The id of the one domain, as Keystone's first domain has it.
pub const DOMAIN_ID: &str = "default";
/// The name of the one domain.
pub const DOMAIN_NAME: &str = "Default";

/// Settings of the built-in identity.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The lifetime of a token; an hour by default, as Keystone's.
    pub token_lifetime: Duration,
    /// How many logins may wait to have their password verified, of which two are verified at a time. Beyond that, the
    /// last in the queue get a 503. A waiting login holds no worker slot.
    pub max_waiting_logins: usize,
    /// The time in which a bucket of ten failed logins regains one.
    pub login_refill: Duration,
    /// The most tokens of one user.
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

/// The user, project and roles of a valid token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The user's id.
    pub user_id: String,
    /// The user's name.
    pub user_name: String,
    /// The project's id; an unscoped token has none.
    pub project_id: Option<String>,
    /// The project's name.
    pub project_name: Option<String>,
    /// The user's current roles on the project, with the roles they imply; none without a project.
    pub roles: Vec<String>,
    /// How the user logged in: `password`, `token` or both.
    pub methods: Vec<String>,
    /// An id of the token that is safe to show and log.
    pub audit_id: String,
    /// When the token was issued, in UTC.
    pub issued_at: Time,
    /// When the token expires, in UTC.
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
    uses: Arc<RecentUses>,
}

impl Standalone {
    /// A built-in identity whose rows are in `store`.
    pub fn new(store: Store, settings: &Settings) -> Self {
        /// Ten years, in seconds: a date further away might not fit the database's type.
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

    /// The background work on this identity's rows.
    pub fn upkeep(&self) -> Upkeep {
        Upkeep { store: self.store.clone(), uses: Arc::clone(&self.uses) }
    }

    /// The identity of a token; `None` if the token is unknown, expired or revoked, or its user or project is disabled.
    /// One indexed query.
    ///
    /// # Errors
    /// 503 while the database is away.
    pub fn authenticate(&self, token: &str) -> Result<Option<Identity>> {
        let Some(digest) = secret::digest(token) else { return Ok(None) };
        let row = self.store.read(|tx| tokens::find(tx, &digest))?;
        let Some(row) = row.filter(|row| secret::constant_time_eq(&row.token.id, &digest)) else {
            return Ok(None);
        };
        let now = now();
        let due = RecentUses::due(&row.token, now);
        let identity = identity_of(row, now);
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

/// The identity that a token gives at `now`, if it is valid.
fn identity_of(row: TokenRow, now: Time) -> Option<Identity> {
    let token = row.token;
    let roles = roles::with_implied(&row.roles);
    let project_enabled = row.project.as_ref().is_none_or(|(_, enabled)| *enabled);
    // A user who lost the last role on a project loses the tokens for it.
    let has_roles = token.project_id.is_none() || !roles.is_empty();
    (row.user_enabled && project_enabled && has_roles && now < token.expires_at).then(|| Identity {
        user_id: token.user_id,
        user_name: row.user_name,
        project_id: token.project_id,
        project_name: row.project.map(|(name, _)| name),
        roles,
        methods: token.methods.split(',').map(str::to_owned).collect(),
        audit_id: token.audit_id,
        issued_at: token.issued_at,
        expires_at: token.expires_at,
    })
}
