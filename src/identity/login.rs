//! Issuing tokens: who is it, what for, and until when.

use std::net::IpAddr;

use super::credentials::{log_refusal, refused};
use super::limits::Source;
use super::request::{Login, Scope, Who};
use super::{Identity, Standalone, roles, secret};
use crate::error::{Error, Result};
use crate::store::identity::tokens::{self, Token};
use crate::store::identity::{self as rows, Project, User, addresses};
use crate::store::types::time::Time;
use crate::store::{Outcome, Tx, new_id};

/// The time after which a user with too many tokens in use may try again, in seconds.
const TOKENS_RETRY_AFTER: u64 = 60;

/// Who has been proved to be there, and how.
struct Proof {
    user: User,
    /// Where a password came from.
    source: Option<Source>,
    /// The digest and the expiry of the token that was shown.
    parent: Option<(String, Time)>,
    methods: String,
}

impl Standalone {
    /// Answers a login from `address` with a token, which is not kept, and the token's rights.
    ///
    /// # Errors
    /// 401, one and the same whatever was wrong (the log has the reason); 429 after too many failures, for too many
    /// tokens made from tokens, and when too many tokens are in use; 503 when too many log in at once.
    pub(super) fn issue(&self, login: &Login, address: IpAddr) -> Result<(String, Identity)> {
        let issued = self.prove(login, address).and_then(|proof| {
            let issued = self.issue_for(&proof, &login.scope);
            if let (Err(error), Some(source)) = (&issued, &proof.source)
                && error.status() == 401
            {
                self.limits.charge(source);
            }
            issued
        });
        log_refusal(&issued, login.password.as_ref().map(|(who, _)| who), address);
        issued
    }

    fn prove(&self, login: &Login, address: IpAddr) -> Result<Proof> {
        let mut proof = None;
        if let Some((who, password)) = &login.password {
            let proved = self.prove_password(who, &password.0, address, || Ok(()))?;
            let (user, source) = (proved.user, Some(proved.source));
            proof = Some(Proof { user, source, parent: None, methods: "password".to_owned() });
        }
        if let Some(token) = &login.token {
            let unknown = || refused("the token shown is unknown or no longer valid");
            let shown = self.authenticate(&token.0)?.ok_or_else(unknown)?;
            let user = self.store.read(|tx| rows::user_by_id(tx, &shown.user_id))?.ok_or_else(unknown)?;
            if proof.as_ref().is_some_and(|proof| proof.user.id != user.id) {
                return Err(refused("password and token belong to different users"));
            }
            if proof.is_none() {
                // No hash slows it down.
                self.limits.take_rescope(&user.id)?;
            }
            let source = proof.as_ref().and_then(|proof| proof.source);
            let by_password = proof.is_some() || shown.methods.iter().any(|method| method == "password");
            let methods = if by_password { "password,token" } else { "token" }.to_owned();
            let digest = secret::digest(&token.0).ok_or_else(unknown)?;
            proof = Some(Proof { user, source, parent: Some((digest, shown.expires_at)), methods });
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
                roles: roles::expanded(&given),
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
