//! A user changes its own password.

use std::net::IpAddr;

use serde_json::Value;

use super::Standalone;
use super::credentials::{log_refusal, refused};
use super::limits::Origin;
use super::password::{hash, may_be_chosen};
use super::request::{Who, malformed, member, object, text};
use crate::error::Result;
use crate::store::identity::{self as rows, addresses};

/// The passwords of a request, well formed.
pub(super) struct Change {
    original: String,
    new: String,
}

impl Change {
    /// Reads a body: `{"user": {"original_password": ..., "password": ...}}`.
    ///
    /// # Errors
    /// 400 for anything else, and for a password that may not be chosen.
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
        may_be_chosen(&change.new).map_err(|what| malformed(&format!("{what} as `password`"), "user"))?;
        Ok(change)
    }
}

impl Standalone {
    /// Gives a user another password, which ends its tokens. The old password is all that is asked for, as Keystone
    /// has it.
    ///
    /// # Errors
    /// 401 when the old one is wrong or the user disabled; 429 and 503 as for a login.
    pub(super) fn change_password(&self, user_id: &str, change: &Change, address: IpAddr) -> Result<()> {
        let who = Who::Id(user_id.to_owned());
        let outcome = self.change(&who, change, address);
        log_refusal(&outcome, Some(&who), address);
        outcome
    }

    fn change(&self, who: &Who, change: &Change, address: IpAddr) -> Result<()> {
        let proved = self.prove_password(who, &change.original, address, || hash(&change.new))?;
        let user = &proved.user;
        let origin = Origin::new(address).to_string();
        let outcome = self.store.write(|tx| {
            if !rows::confirm_credentials(tx, &user.id, &user.password_hash)? {
                return Err(refused("the user is disabled, gone or has another password").into());
            }
            rows::set_password(tx, &user.id, &proved.made)?;
            addresses::note(tx, &user.id, &origin)
        });
        if outcome.as_ref().is_err_and(|error| error.status() == 401) {
            self.limits.charge(&proved.source);
        }
        outcome
    }
}
