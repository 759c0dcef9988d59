//! Authentication by a password, under the limits on guessing.

use std::net::IpAddr;

use super::Standalone;
use super::limits::{Origin, Source};
use super::request::Who;
use super::turns::Class;
use crate::error::{Error, Result};
use crate::store::identity::{self as rows, User, addresses};
use crate::store::{Outcome, Tx};
use crate::workers;

/// The result of a right password.
pub(super) struct Proved<T> {
    pub(super) user: User,
    pub(super) source: Source,
    /// The result of `then`, from the same turn.
    pub(super) made: T,
}

impl Standalone {
    /// The user whose password this is. `then` runs in the same turn when it is right: it may compute a hash as well.
    ///
    /// # Errors
    /// 401 when it is not, with the reason for the log; 429 where too many logins have failed; 503 when too many wait.
    pub(super) fn prove_password<T>(
        &self,
        who: &Who,
        password: &str,
        address: IpAddr,
        then: impl FnOnce() -> Result<T>,
    ) -> Result<Proved<T>> {
        let origin = Origin::new(address);
        let text = origin.to_string();
        let (user, is_known) = self.store.read(|tx| {
            let user = find_user(tx, who)?;
            let is_known = match &user {
                Some(user) => addresses::is_known(tx, &user.id, &text)?,
                None => false,
            };
            Ok((user, is_known))
        })?;
        let key = user.as_ref().map_or_else(|| who.text(), |user| &user.id);
        let source = self.limits.source(origin, key, is_known);
        self.limits.check(&source)?;
        let class = match self.limits.has_failures(&source) {
            true => Class::Failing,
            false if is_known => Class::Known,
            false => Class::Unknown,
        };
        // The hash is computed in any case, outside of any transaction, and before anything else is looked at.
        let hash = user.as_ref().map(|user| user.password_hash.as_str());
        let made = workers::while_parked(|| {
            let mut turn = self.verifier.turn(origin, class)?;
            self.limits.reserve(&source)?;
            match turn.verify(password, hash) {
                Ok(true) => {
                    self.limits.give_back(&source);
                    then().map(Some)
                }
                Ok(false) => {
                    self.limits.failed(&source);
                    Ok(None)
                }
                Err(error) => {
                    self.limits.give_back(&source);
                    Err(error)
                }
            }
        })?;
        if made.is_none() && self.limits.check(&source).is_err() {
            log::warn!("too many logins from {address} have failed: further ones are refused for a while");
        }
        match (user, made) {
            (Some(user), Some(made)) => Ok(Proved { user, source, made }),
            (Some(_), None) => Err(refused("wrong password")),
            (None, _) => Err(refused("there is no such user")),
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

/// Logs a refusal with the user's name and the address; other failures are logged elsewhere.
pub(super) fn log_refusal<T>(outcome: &Result<T>, who: Option<&Who>, address: IpAddr) {
    if let Err(Error { kind: crate::error::Kind::Unauthorized, log: Some(reason), .. }) = outcome {
        let name: String = who.map_or("by a token", Who::text).chars().take(64).collect();
        log::info!("login refused: {reason} (user {name:?}, address {address})");
    }
}

/// One text for the client, whatever the reason; the reason is for the log.
pub(super) fn refused(reason: impl Into<String>) -> Error {
    let mut error = Error::unauthorized();
    error.log = Some(reason.into());
    error
}
