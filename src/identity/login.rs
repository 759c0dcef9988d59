//! Issuing tokens: verifies the login, and decides the token's scope and lifetime.

use std::net::IpAddr;

use front::error::{Error, Result};

use super::credentials::{log_refusal, refused};
use super::limits::Source;
use super::request::{IdOrName, Login, Scope};
use super::{Identity, Standalone, roles, secret};
use crate::store::identity::tokens::{self, Token};
use crate::store::identity::{self as rows, Project, User, addresses};
use crate::store::types::time::Time;
use crate::store::{Outcome, Tx, new_id};

/// The time after which a user with too many tokens in use may try again, in seconds.
const TOKENS_RETRY_AFTER: u64 = 60;

/// A verified login.
struct Proof {
    user: User,
    /// The source of the password, if there was one.
    source: Option<Source>,
    /// The digest and the expiry of the token in the request, if there was one.
    parent: Option<(String, Time)>,
    methods: String,
}

impl Standalone {
    /// Issues a token for a login from `address`. Only the token's digest is stored.
    ///
    /// # Errors
    /// 401 with the same text for every reason, which only the log has; 429 after too many failures, for too many tokens
    /// issued for tokens, and when too many tokens are in use; 503 when too many logins wait.
    pub(super) fn issue(&self, login: &Login, address: IpAddr) -> Result<(String, Identity)> {
        let issued = self.authenticate_login(login, address).and_then(|proof| {
            let issued = self.issue_for(&proof, &login.scope);
            if let (Err(error), Some(source)) = (&issued, &proof.source)
                && error.status() == 401
            {
                self.limits.charge(source);
            }
            issued
        });
        log_refusal(&issued, login.password.as_ref().map(|(user_ref, _)| user_ref), address);
        issued
    }

    fn authenticate_login(&self, login: &Login, address: IpAddr) -> Result<Proof> {
        let mut proof = None;
        if let Some((user_ref, password)) = &login.password {
            let verified = self.verify_password(user_ref, &password.0, address, || Ok(()))?;
            let (user, source) = (verified.user, Some(verified.source));
            proof = Some(Proof { user, source, parent: None, methods: "password".to_owned() });
        }
        if let Some(token) = &login.token {
            let unknown = || refused("the token in the request is unknown or no longer valid");
            let parent = self.authenticate(&token.0)?.ok_or_else(unknown)?;
            let user = self.store.read(|tx| rows::user_by_id(tx, &parent.user_id))?.ok_or_else(unknown)?;
            if proof.as_ref().is_some_and(|proof| proof.user.id != user.id) {
                return Err(refused("password and token belong to different users"));
            }
            if proof.is_none() {
                // Without a password there is no slow hash, so these logins have a limit of their own.
                self.limits.take_rescope(&user.id)?;
            }
            let source = proof.as_ref().and_then(|proof| proof.source);
            let by_password = proof.is_some() || parent.methods.iter().any(|method| method == "password");
            let methods = if by_password { "password,token" } else { "token" }.to_owned();
            let digest = secret::digest(&token.0).ok_or_else(unknown)?;
            proof = Some(Proof { user, source, parent: Some((digest, parent.expires_at)), methods });
        }
        proof.ok_or_else(|| refused("the request has neither a password nor a token"))
    }

    fn issue_for(&self, proof: &Proof, scope: &Scope) -> Result<(String, Identity)> {
        let token = secret::token()?;
        let digest = secret::digest(&token).ok_or_else(|| Error::internal("a new token has no digest"))?;
        let identity = self.store.write(|tx| {
            let user = &proof.user;
            // Checks again what was verified before this transaction, and locks the user's row.
            if !rows::confirm_credentials(tx, &user.id, &user.password_hash)? {
                return Err(
                    refused(format!("{:?} is disabled, gone or has another password", user.name)).into()
                );
            }
            let mut expires_at = tx.now + self.token_lifetime;
            if let Some((parent, until)) = &proof.parent {
                // The new token does not outlive the one it is issued for. Otherwise a user could extend a login for ever.
                expires_at = expires_at.min(*until);
                if tokens::find(tx, parent)?.is_none() || expires_at < tx.now {
                    return Err(refused("the token in the request is no longer valid").into());
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
                last_used_at: None,
            };
            let in_use = |digest: &str| self.uses.contains(digest);
            if !tokens::make_room(tx, &user.id, self.max_tokens, self.uses.len(), in_use)? {
                return Err(too_many_tokens(self.max_tokens).into());
            }
            tokens::insert(tx, &row)?;
            if let Some(source) = &proof.source {
                addresses::note(tx, &user.id, &source.origin.to_string())?;
            }
            Ok(Identity {
                user_id: row.user_id,
                user_name: user.name.clone(),
                project_id: row.project_id,
                project_name,
                roles: roles::with_implied(&given),
                methods: row.methods.split(',').map(str::to_owned).collect(),
                audit_id: row.audit_id,
                issued_at: row.issued_at,
                expires_at: row.expires_at,
            })
        })?;
        Ok((token, identity))
    }
}

fn too_many_tokens(most: i64) -> Error {
    let what = format!(
        "This user has {most} tokens, and all of them were used within the last minutes; try again in \
         {TOKENS_RETRY_AFTER} seconds, or use a token more than once."
    );
    Error::too_many_requests(what, TOKENS_RETRY_AFTER)
}

/// The project of the scope; `None` for an unscoped token.
fn find_scope(tx: &mut Tx<'_>, user: &User, scope: &Scope) -> Outcome<Option<Project>> {
    let project = match scope {
        Scope::Unscoped => return Ok(None),
        Scope::Default => {
            let mut projects = rows::projects_of(tx, &user.id)?;
            return Ok(projects.pop().filter(|_| projects.is_empty()));
        }
        Scope::Project(IdOrName::Id(id)) => rows::project_by_id(tx, id)?,
        Scope::Project(IdOrName::Name(name)) => rows::project_by_name(tx, name)?,
        Scope::Project(IdOrName::OtherDomain) | Scope::Unsupported => None,
    };
    match project.filter(|project| project.enabled) {
        Some(project) => Ok(Some(project)),
        None => Err(refused(format!("{:?} asked for a scope that does not exist here", user.name)).into()),
    }
}
