//! Issuing tokens: who is it, what for, and until when.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use super::request::{Login, Scope, Who};
use super::{Identity, Standalone, roles, secret};
use crate::error::{Error, Kind, Result};
use crate::store::identity::tokens::{self, Token};
use crate::store::identity::{self as rows, Project, User};
use crate::store::moment_type::Time;
use crate::store::{Outcome, Tx, new_id};

/// How often expired tokens are looked for, and how many are deleted at a time.
const PURGE_INTERVAL: Duration = Duration::from_secs(30);
const PURGE_LIMIT: i64 = 500;

/// Who has been proved to be there, and how.
struct Proof {
    user: User,
    /// The digest and the expiry of the token that was shown.
    parent: Option<(String, Time)>,
    methods: String,
}

impl Standalone {
    /// Answers a login with a token, which is not kept, and what it stands for.
    ///
    /// # Errors
    /// 401, one and the same whatever was wrong (the log has the reason); 503 when too many log in at once.
    pub(super) fn issue(&self, login: &Login) -> Result<(String, Identity)> {
        let issued = self.prove(login).and_then(|proof| self.issue_for(&proof, &login.scope));
        if let Err(Error { kind: Kind::Unauthorized, log: Some(reason), .. }) = &issued {
            log::info!("login refused: {reason}");
        }
        if issued.is_ok() {
            self.purge_now_and_then();
        }
        issued
    }

    fn prove(&self, login: &Login) -> Result<Proof> {
        let mut proof = None;
        if let Some((who, password)) = &login.password {
            let user = self.store.read(|tx| find_user(tx, who))?;
            // The hash is computed in any case, outside of any transaction, and before anything else is looked at.
            let right =
                self.verifier.verify(&password.0, user.as_ref().map(|user| user.password_hash.as_str()))?;
            let user = user.ok_or_else(|| refused("there is no such user"))?;
            if !right {
                return Err(refused(format!("wrong password for {:?}", user.name)));
            }
            proof = Some(Proof { user, parent: None, methods: "password".to_owned() });
        }
        if let Some(token) = &login.token {
            let unknown = || refused("the token shown is unknown or no longer valid");
            let shown = self.authenticate(&token.0)?.ok_or_else(unknown)?;
            let user = self.store.read(|tx| rows::user_by_id(tx, &shown.user_id))?.ok_or_else(unknown)?;
            if proof.as_ref().is_some_and(|proof| proof.user.id != user.id) {
                return Err(refused("password and token belong to different users"));
            }
            let by_password = proof.is_some() || shown.methods.iter().any(|method| method == "password");
            let methods = if by_password { "password,token" } else { "token" }.to_owned();
            let digest = secret::digest(&token.0).ok_or_else(unknown)?;
            proof = Some(Proof { user, parent: Some((digest, shown.expires_at)), methods });
        }
        proof.ok_or_else(|| refused("nothing was shown"))
    }

    fn issue_for(&self, proof: &Proof, scope: &Scope) -> Result<(String, Identity)> {
        let token = secret::token()?;
        let digest = secret::digest(&token).ok_or_else(|| Error::internal("a new token has no digest"))?;
        let identity = self.store.write(|tx| {
            let user = &proof.user;
            // What was proved before this transaction must still be so, and stay so to its end.
            if !rows::confirm_credentials(tx, &user.id, &user.password_hash)? {
                return Err(
                    refused(format!("{:?} is disabled, gone or has another password", user.name)).into()
                );
            }
            let mut expires_at = tx.now + self.token_lifetime;
            if let Some((parent, until)) = &proof.parent {
                // A token made from a token does not outlive it, or nobody would ever have to log in again.
                expires_at = expires_at.min(*until);
                if tokens::find(tx, parent)?.is_none() || expires_at < tx.now {
                    return Err(refused("the token shown is no longer valid").into());
                }
            }
            let project = find_scope(tx, user, scope)?;
            let (project_id, project_name) = project.map(|project| (project.id, project.name)).unzip();
            let given = match &project_id {
                Some(project_id) => rows::roles(tx, &user.id, project_id)?,
                None => Vec::new(),
            };
            if project_id.is_some() && given.is_empty() {
                return Err(
                    refused(format!("{:?} has no role on project {project_name:?}", user.name)).into()
                );
            }
            let row = Token {
                id: digest.clone(),
                user_id: user.id.clone(),
                project_id,
                methods: proof.methods.clone(),
                audit_id: new_id(),
                issued_at: tx.now,
                expires_at,
            };
            tokens::insert(tx, &row)?;
            Ok(Identity {
                user_id: row.user_id,
                user_name: user.name.clone(),
                project_id: row.project_id,
                project_name,
                roles: roles::expanded(&given),
                methods: row.methods.split(',').map(str::to_owned).collect(),
                audit_id: row.audit_id,
                issued_at: row.issued_at,
                expires_at: row.expires_at,
            })
        })?;
        Ok((token, identity))
    }

    /// Deletes expired tokens, every now and then. A login does not fail because of it.
    fn purge_now_and_then(&self) {
        {
            let mut last = self.last_purge.lock().unwrap_or_else(PoisonError::into_inner);
            if last.is_some_and(|last| last.elapsed() < PURGE_INTERVAL) {
                return;
            }
            *last = Some(Instant::now());
        }
        match self.store.write(|tx| tokens::purge_expired(tx, PURGE_LIMIT)) {
            Ok(0) => {}
            Ok(purged) => log::debug!("{purged} expired tokens deleted"),
            Err(error) => log::warn!("expired tokens could not be deleted: {error}"),
        }
    }
}

fn find_user(tx: &mut Tx<'_>, who: &Who) -> Outcome<Option<User>> {
    match who {
        Who::Id(id) => rows::user_by_id(tx, id),
        Who::Name(name) => rows::user_by_name(tx, name),
        Who::Elsewhere => Ok(None),
    }
}

/// The project that the scope comes to; `None` for an unscoped token.
fn find_scope(tx: &mut Tx<'_>, user: &User, scope: &Scope) -> Outcome<Option<Project>> {
    let project = match scope {
        Scope::Unscoped => return Ok(None),
        Scope::Default => {
            let mut projects = rows::projects_of(tx, &user.id)?;
            return Ok(projects.pop().filter(|_| projects.is_empty()));
        }
        Scope::Project(Who::Id(id)) => rows::project_by_id(tx, id)?,
        Scope::Project(Who::Name(name)) => rows::project_by_name(tx, name)?,
        Scope::Project(Who::Elsewhere) | Scope::Elsewhere => None,
    };
    match project.filter(|project| project.enabled) {
        Some(project) => Ok(Some(project)),
        None => Err(refused(format!("{:?} asked for a scope that there is not", user.name)).into()),
    }
}

/// One text for the client, whatever the reason; the reason is for the log.
fn refused(reason: impl Into<String>) -> Error {
    let mut error = Error::unauthorized();
    error.log = Some(reason.into());
    error
}
