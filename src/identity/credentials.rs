//! Authentication by a password, under the limits on guessing.

use std::net::IpAddr;

use front::error::{Error, Result};
use front::workers;

use super::Standalone;
use super::fair_semaphore::Priority;
use super::limits::{Origin, Source};
use super::request::IdOrName;
use crate::store::identity::{self as rows, User, addresses};
use crate::store::{Outcome, Tx};

/// The result of verifying a right password.
pub(super) struct VerifiedPassword<T> {
    pub(super) user: User,
    pub(super) source: Source,
    /// The result of `then`.
    pub(super) output: T,
}

impl Standalone {
    /// Verifies a user's password. If it is right, `then` runs under the same hash permit, so that it may compute a hash.
    ///
    /// # Errors
    /// 401 if the password is wrong, with the reason for the log; 429 if too many logins have failed; 503 if too many wait.
    pub(super) fn verify_password<T>(
        &self,
        user_ref: &IdOrName,
        password: &str,
        address: IpAddr,
        then: impl FnOnce() -> Result<T>,
    ) -> Result<VerifiedPassword<T>> {
        let origin = Origin::new(address);
        let text = origin.to_string();
        let (user, is_known) = self.store.read(|tx| {
            let user = find_user(tx, user_ref)?;
            let is_known = match &user {
                Some(user) => addresses::is_known(tx, &user.id, &text)?,
                None => false,
            };
            Ok((user, is_known))
        })?;
        let key = user.as_ref().map_or_else(|| user_ref.text(), |user| &user.id);
        let source = self.limits.source(origin, key, is_known);
        self.limits.check(&source)?;
        let priority = match self.limits.has_failures(&source) {
            true => Priority::Failing,
            false if is_known => Priority::Known,
            false => Priority::Unknown,
        };
        // A hash is computed even if there is no such user, so that the time does not tell. It is outside of any
        // transaction.
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let output = workers::while_parked(|| {
            let mut permit = self.verifier.permit(origin, priority)?;
            self.limits.reserve(&source)?;
            match permit.verify(password, hash) {
                Ok(true) => {
                    self.limits.give_back(&source);
                    then().map(Some)
                }
                Ok(false) => {
                    self.limits.keep_reserved(&source);
                    Ok(None)
                }
                Err(error) => {
                    self.limits.give_back(&source);
                    Err(error)
                }
            }
        })?;
        if output.is_none() && self.limits.check(&source).is_err() {
            log::warn!("too many logins from {address} have failed: further ones are refused for a while");
        }
        match (user, output) {
            (Some(user), Some(output)) => Ok(VerifiedPassword { user, source, output }),
            (Some(_), None) => Err(refused("wrong password")),
            (None, _) => Err(refused("there is no such user")),
        }
    }
}

fn find_user(tx: &mut Tx<'_>, user_ref: &IdOrName) -> Outcome<Option<User>> {
    match user_ref {
        IdOrName::Id(id) => rows::user_by_id(tx, id),
        IdOrName::Name(name) => rows::user_by_name(tx, name),
        IdOrName::OtherDomain => Ok(None),
    }
}

/// Logs a refusal with the user's name and the address. Other failures are logged by their handlers' callers.
pub(super) fn log_refusal<T>(outcome: &Result<T>, user_ref: Option<&IdOrName>, address: IpAddr) {
    if let Err(Error { kind: front::error::Kind::Unauthorized, log: Some(reason), .. }) = outcome {
        let name: String = user_ref.map_or("by a token", IdOrName::text).chars().take(64).collect();
        log::info!("login refused: {reason} (user {name:?}, address {address})");
    }
}

/// A 401 whose text is the same for every reason; the reason goes to the log.
pub(super) fn refused(reason: impl Into<String>) -> Error {
    let mut error = Error::unauthorized();
    error.log = Some(reason.into());
    error
}
