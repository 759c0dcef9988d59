//! A user changes their own password.

use std::net::IpAddr;

use front::error::Result;
use serde_json::Value;

use super::Standalone;
use super::credentials::{log_refusal, refused};
use super::limits::Origin;
use super::password::{check_new, hash};
use super::request::{IdOrName, malformed, member, object, text};
use crate::store::identity::{self as rows, addresses};

/// The well-formed body of the request.
pub(super) struct PasswordChange {
    original: String,
    new: String,
}

impl PasswordChange {
    /// Reads a body: `{"user": {"original_password": ..., "password": ...}}`.
    ///
    /// # Errors
    /// 400 for any other body, and for a new password that is too short or too long.
    pub(super) fn read(body: &Value) -> Result<Self> {
        let user = member(object(body, "the body")?, "user", "the body")?;
        let change =
            Self { original: text(user, "original_password", "user")?, new: text(user, "password", "user")? };
        if let Some(other) = user.keys().find(|key| !matches!(key.as_str(), "original_password" | "password"))
        {
            return Err(malformed(
                &format!("`original_password` and `password` only, not {other:?},"),
                "user",
            ));
        }
        check_new(&change.new).map_err(|what| malformed(&format!("{what} as `password`"), "user"))?;
        Ok(change)
    }
}

impl Standalone {
    /// Sets a user's password, which revokes the user's tokens. As in Keystone, the old password suffices.
    ///
    /// # Errors
    /// 401 if the old password is wrong or the user is disabled; 429 and 503 as for a login.
    pub(super) fn change_password(
        &self,
        user_id: &str,
        change: &PasswordChange,
        address: IpAddr,
    ) -> Result<()> {
        let user = IdOrName::Id(user_id.to_owned());
        let outcome = self.apply_password_change(&user, change, address);
        log_refusal(&outcome, Some(&user), address);
        outcome
    }

    fn apply_password_change(&self, user: &IdOrName, change: &PasswordChange, address: IpAddr) -> Result<()> {
        let verified = self.verify_password(user, &change.original, address, || hash(&change.new))?;
        let row = &verified.user;
        let origin = Origin::new(address).to_string();
        let outcome = self.store.write(|tx| {
            if !rows::confirm_credentials(tx, &row.id, &row.password_hash)? {
                return Err(refused("the user is disabled, gone or has another password").into());
            }
            rows::set_password(tx, &row.id, &verified.output)?;
            addresses::note(tx, &row.id, &origin)
        });
        if outcome.as_ref().is_err_and(|error| error.status() == 401) {
            self.limits.charge(&verified.source);
        }
        outcome
    }
}
