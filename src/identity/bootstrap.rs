//! The first start: an administrator, so that somebody can log in.

use super::{Role, password, secret};
use crate::error::Result;
use crate::store::Store;
use crate::store::identity as rows;

/// The administrator that was made. Not `Debug`: it holds the only copy of the password.
pub struct Bootstrap {
    /// The user's name.
    pub user_name: String,
    /// The project on which the user is admin.
    pub project_name: String,
    /// The random password, known to nobody else. Lost, `freezer-api user set-password` gives another.
    pub password: String,
}

/// Makes user `admin` with a random password and the role `admin` on project `admin`, if there is no user yet.
///
/// Of several processes that start at once on an empty database exactly one makes it: the names are unique, the
/// second one's insert fails, and its next attempt finds the user.
///
/// # Errors
/// 503 while the database is away; 500 when it has no such tables, or the system no random bytes.
pub fn bootstrap(store: &Store) -> Result<Option<Bootstrap>> {
    const NAME: &str = "admin";
    // Hashing takes its time and its memory: not on every start, and never inside a transaction.
    if store.read(rows::has_users)? {
        return Ok(None);
    }
    let password = secret::password()?;
    let hash = password::hash(&password)?;
    let made = store.write(|tx| {
        if rows::has_users(tx)? {
            return Ok(false);
        }
        let user = rows::insert_user(tx, NAME, &hash)?;
        let project = match rows::project_by_name(tx, NAME)? {
            Some(project) => project,
            None => rows::insert_project(tx, NAME)?,
        };
        rows::grant(tx, &user.id, &project.id, Role::Admin.name())?;
        Ok(true)
    })?;
    Ok(made.then(|| Bootstrap { user_name: NAME.to_owned(), project_name: NAME.to_owned(), password }))
}
