//! The first start: creates an administrator, so that there is a user who can log in.

use front::error::Result;

use super::{Role, password, secret};
use crate::store::Store;
use crate::store::identity as rows;

/// The new administrator. It is not `Debug`, because it holds the password.
pub struct Bootstrap {
    /// The user's name.
    pub user_name: String,
    /// The project on which the user is admin.
    pub project_name: String,
    /// The random password, of which this is the only copy. `freezer-api user set-password` sets another.
    pub password: String,
}

/// Creates the user `admin` with a random password and the role `admin` on project `admin`, if there is no user yet.
///
/// Of several processes that start at once on an empty database, exactly one creates it: names are unique, so the others'
/// inserts fail, and their retries find the user.
///
/// # Errors
/// 503 while the database is away; 500 if the tables are missing, or the system has no random bytes.
pub fn bootstrap(store: &Store) -> Result<Option<Bootstrap>> {
    const NAME: &str = "admin";
    // Hashing is slow, so it is not done on every start, nor inside the transaction.
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
