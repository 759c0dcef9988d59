//! The built-in identity's users, projects and roles: rows and queries.
//!
//! A transaction that changes a user's password, roles or `enabled` writes the user's row first, and then deletes the
//! user's tokens. A login writes the same row before it inserts its token ([`confirm_credentials`]). So the two exclude each
//! other, and no token survives the change.

pub mod addresses;
pub mod tokens;

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::select;

use super::schema::{identity_assignments, identity_projects, identity_users};
use super::types::time::Time;
use super::{Outcome, Tx, new_id};

/// A row of `identity_users`. Not `Debug`, so that no hash gets into a log.
#[derive(Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = identity_users)]
pub struct User {
    /// 32 hex digits.
    pub id: String,
    /// Unique.
    pub name: String,
    /// Argon2id in PHC form.
    pub password_hash: String,
    /// The password and the tokens of a disabled user are refused.
    pub enabled: bool,
    /// When the user was created.
    pub created_at: Time,
    /// When the user was last changed.
    pub updated_at: Time,
}

/// A row of `identity_projects`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = identity_projects)]
pub struct Project {
    /// 32 hex digits.
    pub id: String,
    /// Unique.
    pub name: String,
    /// Tokens on a disabled project are neither issued nor accepted.
    pub enabled: bool,
    /// When the project was created.
    pub created_at: Time,
    /// When the project was last changed.
    pub updated_at: Time,
}

/// A row of `identity_assignments`: a role that a user has on a project.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = identity_assignments)]
pub struct Assignment {
    /// The user.
    pub user_id: String,
    /// The project.
    pub project_id: String,
    /// The role.
    pub role: String,
    /// When the role was given.
    pub created_at: Time,
}

/// Whether there is any user at all.
pub fn has_users(tx: &mut Tx<'_>) -> Outcome<bool> {
    Ok(select(exists(identity_users::table.select(identity_users::id))).get_result(tx.connection)?)
}

/// Every user, by name.
pub fn users(tx: &mut Tx<'_>) -> Outcome<Vec<User>> {
    let query = identity_users::table.select(User::as_select()).order(identity_users::name);
    Ok(query.load(tx.connection)?)
}

/// The user of this id.
pub fn user_by_id(tx: &mut Tx<'_>, id: &str) -> Outcome<Option<User>> {
    if !is_id(id) {
        return Ok(None);
    }
    let query = identity_users::table.select(User::as_select()).filter(identity_users::id.eq(id));
    Ok(query.first(tx.connection).optional()?)
}

/// The user of this name.
pub fn user_by_name(tx: &mut Tx<'_>, name: &str) -> Outcome<Option<User>> {
    let query = identity_users::table.select(User::as_select()).filter(identity_users::name.eq(name));
    // MySQL ignores trailing spaces when it compares; this service does not.
    Ok(query.first::<User>(tx.connection).optional()?.filter(|user| user.name == name))
}

/// A new user, enabled and without a role.
pub fn insert_user(tx: &mut Tx<'_>, name: &str, password_hash: &str) -> Outcome<User> {
    let user = User {
        id: new_id(),
        name: name.to_owned(),
        password_hash: password_hash.to_owned(),
        enabled: true,
        created_at: tx.now,
        updated_at: tx.now,
    };
    diesel::insert_into(identity_users::table).values(&user).execute(tx.connection)?;
    Ok(user)
}

/// Changes a user's password. The user's tokens and known addresses are deleted, because another person may have had the
/// old password.
pub fn set_password(tx: &mut Tx<'_>, user_id: &str, password_hash: &str) -> Outcome<()> {
    let change = (identity_users::password_hash.eq(password_hash), identity_users::updated_at.eq(tx.now));
    diesel::update(identity_users::table.find(user_id)).set(change).execute(tx.connection)?;
    addresses::delete_of_user(tx, user_id)?;
    tokens::delete_of_user(tx, user_id)
}

/// Enables or disables a user; a disabled user's tokens are deleted.
pub fn set_enabled(tx: &mut Tx<'_>, user_id: &str, enabled: bool) -> Outcome<()> {
    let change = (identity_users::enabled.eq(enabled), identity_users::updated_at.eq(tx.now));
    diesel::update(identity_users::table.find(user_id)).set(change).execute(tx.connection)?;
    if enabled { Ok(()) } else { tokens::delete_of_user(tx, user_id) }
}

/// Deletes a user with its roles and tokens.
pub fn delete_user(tx: &mut Tx<'_>, user_id: &str) -> Outcome<()> {
    touch_user(tx, user_id)?;
    addresses::delete_of_user(tx, user_id)?;
    tokens::delete_of_user(tx, user_id)?;
    let roles = identity_assignments::table.filter(identity_assignments::user_id.eq(user_id));
    diesel::delete(roles).execute(tx.connection)?;
    diesel::delete(identity_users::table.find(user_id)).execute(tx.connection)?;
    Ok(())
}

/// Whether a user is still enabled and still has this password hash. Locks the user's row, so that no other transaction can
/// change that before this one ends.
pub fn confirm_credentials(tx: &mut Tx<'_>, user_id: &str, password_hash: &str) -> Outcome<bool> {
    let unchanged = identity_users::table
        .filter(identity_users::id.eq(user_id))
        .filter(identity_users::password_hash.eq(password_hash))
        .filter(identity_users::enabled.eq(true));
    // An update that changes nothing locks the row; the query builder has no SELECT ... FOR UPDATE here.
    let rows = diesel::update(unchanged).set(identity_users::enabled.eq(true)).execute(tx.connection)?;
    Ok(rows == 1)
}

/// Every project, by name.
pub fn projects(tx: &mut Tx<'_>) -> Outcome<Vec<Project>> {
    let query = identity_projects::table.select(Project::as_select()).order(identity_projects::name);
    Ok(query.load(tx.connection)?)
}

/// The enabled projects on which a user has a role, by name.
pub fn projects_of(tx: &mut Tx<'_>, user_id: &str) -> Outcome<Vec<Project>> {
    let has_role = identity_assignments::table
        .filter(identity_assignments::project_id.eq(identity_projects::id))
        .filter(identity_assignments::user_id.eq(user_id));
    let query = identity_projects::table
        .select(Project::as_select())
        .filter(identity_projects::enabled.eq(true))
        .filter(exists(has_role))
        .order(identity_projects::name);
    Ok(query.load(tx.connection)?)
}

/// The project of this id.
pub fn project_by_id(tx: &mut Tx<'_>, id: &str) -> Outcome<Option<Project>> {
    if !is_id(id) {
        return Ok(None);
    }
    let query = identity_projects::table.select(Project::as_select()).filter(identity_projects::id.eq(id));
    Ok(query.first(tx.connection).optional()?)
}

/// The project of this name.
pub fn project_by_name(tx: &mut Tx<'_>, name: &str) -> Outcome<Option<Project>> {
    let query =
        identity_projects::table.select(Project::as_select()).filter(identity_projects::name.eq(name));
    Ok(query.first::<Project>(tx.connection).optional()?.filter(|project| project.name == name))
}

/// A new project, enabled.
pub fn insert_project(tx: &mut Tx<'_>, name: &str) -> Outcome<Project> {
    let project = Project {
        id: new_id(),
        name: name.to_owned(),
        enabled: true,
        created_at: tx.now,
        updated_at: tx.now,
    };
    diesel::insert_into(identity_projects::table).values(&project).execute(tx.connection)?;
    Ok(project)
}

/// Deletes a project with its roles and tokens. No foreign key ties the catalogue's rows to it: the caller checks
/// [`contents`] first.
pub fn delete_project(tx: &mut Tx<'_>, project_id: &str) -> Outcome<()> {
    tokens::delete_of_project(tx, project_id)?;
    let roles = identity_assignments::table.filter(identity_assignments::project_id.eq(project_id));
    diesel::delete(roles).execute(tx.connection)?;
    diesel::delete(identity_projects::table.find(project_id)).execute(tx.connection)?;
    Ok(())
}

/// The kinds of resources that a project has, as plural nouns.
pub fn contents(tx: &mut Tx<'_>, project_id: &str) -> Outcome<Vec<&'static str>> {
    use super::schema::{action_reports, actions, backups, clients, job_trusts, jobs, sessions};

    let mut found = Vec::new();
    macro_rules! look {
        ($($table:ident: $noun:literal),*) => {$(
            let rows = $table::table.select($table::id).filter($table::project_id.eq(project_id));
            if select(exists(rows)).get_result::<bool>(tx.connection)? {
                found.push($noun);
            }
        )*};
    }
    look!(clients: "clients", actions: "actions", jobs: "jobs", sessions: "sessions", backups: "backups",
          job_trusts: "trusts", action_reports: "run reports");
    Ok(found)
}

/// The ids and names of the administrators: enabled users with the role `admin` on an enabled project.
pub fn admins(tx: &mut Tx<'_>) -> Outcome<Vec<(String, String)>> {
    let query = identity_assignments::table
        .inner_join(identity_projects::table)
        .inner_join(identity_users::table)
        .filter(identity_assignments::role.eq("admin"))
        .filter(identity_projects::enabled.eq(true))
        .filter(identity_users::enabled.eq(true))
        .select((identity_users::id, identity_users::name))
        .order(identity_users::id)
        .distinct();
    Ok(query.load(tx.connection)?)
}

/// As [`admins`], and locks their rows: until this transaction ends, no other one can revoke the role of these users.
pub fn lock_admins(tx: &mut Tx<'_>) -> Outcome<Vec<(String, String)>> {
    for (id, _) in admins(tx)? {
        // As in `confirm_credentials`, an update that changes nothing.
        let user =
            identity_users::table.filter(identity_users::id.eq(id)).filter(identity_users::enabled.eq(true));
        diesel::update(user).set(identity_users::enabled.eq(true)).execute(tx.connection)?;
    }
    admins(tx)
}

/// The names of the users with roles on a project, with the roles, in order.
pub fn users_of_project(tx: &mut Tx<'_>, project_id: &str) -> Outcome<Vec<(String, String)>> {
    let query = identity_assignments::table
        .inner_join(identity_users::table)
        .filter(identity_assignments::project_id.eq(project_id))
        .select((identity_users::name, identity_assignments::role))
        .order((identity_users::name, identity_assignments::role));
    Ok(query.load(tx.connection)?)
}

/// Every role of every user, with the project's name: (user id, project name, role).
pub fn assignments(tx: &mut Tx<'_>) -> Outcome<Vec<(String, String, String)>> {
    let query = identity_assignments::table
        .inner_join(identity_projects::table)
        .select((identity_assignments::user_id, identity_projects::name, identity_assignments::role))
        .order((identity_projects::name, identity_assignments::role));
    Ok(query.load(tx.connection)?)
}

/// The roles of a user on a project, as they were given, in order.
pub fn roles(tx: &mut Tx<'_>, user_id: &str, project_id: &str) -> Outcome<Vec<String>> {
    let query = identity_assignments::table
        .select(identity_assignments::role)
        .filter(identity_assignments::user_id.eq(user_id))
        .filter(identity_assignments::project_id.eq(project_id))
        .order(identity_assignments::role);
    Ok(query.load(tx.connection)?)
}

/// Gives a user a role on a project. `false`: the user had it already.
pub fn grant(tx: &mut Tx<'_>, user_id: &str, project_id: &str, role: &str) -> Outcome<bool> {
    if roles(tx, user_id, project_id)?.iter().any(|given| given == role) {
        return Ok(false);
    }
    let assignment = Assignment {
        user_id: user_id.to_owned(),
        project_id: project_id.to_owned(),
        role: role.to_owned(),
        created_at: tx.now,
    };
    diesel::insert_into(identity_assignments::table).values(&assignment).execute(tx.connection)?;
    Ok(true)
}

/// Revokes a role of a user, and deletes the user's tokens. `false`: the user did not have the role.
pub fn revoke(tx: &mut Tx<'_>, user_id: &str, project_id: &str, role: &str) -> Outcome<bool> {
    touch_user(tx, user_id)?;
    let row = identity_assignments::table.find((user_id, project_id, role));
    if diesel::delete(row).execute(tx.connection)? == 0 {
        return Ok(false);
    }
    tokens::delete_of_user(tx, user_id)?;
    Ok(true)
}

/// Updates the user's row, so that concurrent logins of this user wait for this transaction.
fn touch_user(tx: &mut Tx<'_>, user_id: &str) -> Outcome<()> {
    let user = identity_users::table.find(user_id);
    diesel::update(user).set(identity_users::updated_at.eq(tx.now)).execute(tx.connection)?;
    Ok(())
}

/// Whether a text has the form of an id. No other text is looked up, because the column is ASCII.
fn is_id(text: &str) -> bool {
    text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric())
}
