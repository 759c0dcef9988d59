//! The tokens that were handed out: rows and queries. A row's id is the token's SHA-256, never the token.

use diesel::prelude::*;

use crate::store::moment_type::Time;
use crate::store::schema::{identity_assignments, identity_projects, identity_tokens, identity_users};
use crate::store::{Outcome, Tx};

/// A row of `identity_tokens`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = identity_tokens)]
#[diesel(treat_none_as_default_value = false)]
pub struct Token {
    /// The SHA-256 of the token, in hex.
    pub id: String,
    /// Whose token it is.
    pub user_id: String,
    /// What it is good for; without a project it only shows who one is.
    pub project_id: Option<String>,
    /// `password`, `token` or both, with a comma.
    pub methods: String,
    /// The name under which the token may be spoken of.
    pub audit_id: String,
    /// Since when it holds.
    pub issued_at: Time,
    /// Until when it holds.
    pub expires_at: Time,
}

/// A token with what it stands for at this moment.
#[derive(Debug, Clone)]
pub struct Held {
    /// The token's row.
    pub token: Token,
    /// Its user's name.
    pub user_name: String,
    /// Whether its user is enabled.
    pub user_enabled: bool,
    /// Its project's name, and whether the project is enabled.
    pub project: Option<(String, bool)>,
    /// The roles its user has on the project now, as they were given.
    pub roles: Vec<String>,
}

/// The token of this digest, expired or not. One statement: this is done for every request to the API.
pub fn find(tx: &mut Tx<'_>, digest: &str) -> Outcome<Option<Held>> {
    type Row = (Token, (String, bool), Option<(String, bool)>, Option<String>);
    let on_user = identity_users::id.eq(identity_tokens::user_id);
    let on_project = identity_projects::id.nullable().eq(identity_tokens::project_id);
    let on_assignment = identity_assignments::user_id
        .eq(identity_tokens::user_id)
        .and(identity_assignments::project_id.nullable().eq(identity_tokens::project_id));
    let rows: Vec<Row> = identity_tokens::table
        .inner_join(identity_users::table.on(on_user))
        .left_join(identity_projects::table.on(on_project))
        .left_join(identity_assignments::table.on(on_assignment))
        .filter(identity_tokens::id.eq(digest))
        .order(identity_assignments::role.nullable())
        .select((
            Token::as_select(),
            (identity_users::name, identity_users::enabled),
            (identity_projects::name, identity_projects::enabled).nullable(),
            identity_assignments::role.nullable(),
        ))
        .load(tx.connection)?;
    let mut held: Option<Held> = None;
    for (token, (user_name, user_enabled), project, role) in rows {
        let held =
            held.get_or_insert_with(|| Held { token, user_name, user_enabled, project, roles: Vec::new() });
        held.roles.extend(role);
    }
    Ok(held)
}

/// Notes a token that is about to be handed out.
pub fn insert(tx: &mut Tx<'_>, token: &Token) -> Outcome<()> {
    diesel::insert_into(identity_tokens::table).values(token).execute(tx.connection)?;
    Ok(())
}

/// Revokes one token. `false`: there was none.
pub fn delete(tx: &mut Tx<'_>, digest: &str) -> Outcome<bool> {
    Ok(diesel::delete(identity_tokens::table.find(digest)).execute(tx.connection)? > 0)
}

/// Revokes every token of a user.
pub fn delete_of_user(tx: &mut Tx<'_>, user_id: &str) -> Outcome<()> {
    let rows = identity_tokens::table.filter(identity_tokens::user_id.eq(user_id));
    diesel::delete(rows).execute(tx.connection)?;
    Ok(())
}

/// Revokes every token on a project.
pub fn delete_of_project(tx: &mut Tx<'_>, project_id: &str) -> Outcome<()> {
    let rows = identity_tokens::table.filter(identity_tokens::project_id.eq(project_id));
    diesel::delete(rows).execute(tx.connection)?;
    Ok(())
}

/// Deletes the oldest of the expired tokens, about `limit` of them, and says how many.
pub fn purge_expired(tx: &mut Tx<'_>, limit: i64) -> Outcome<usize> {
    // MySQL deletes with a limit, the others do not; so the last moment to go is looked up first.
    let last: Option<Time> = identity_tokens::table
        .select(identity_tokens::expires_at)
        .filter(identity_tokens::expires_at.le(tx.now))
        .order(identity_tokens::expires_at)
        .offset(limit - 1)
        .first(tx.connection)
        .optional()?;
    let expired = identity_tokens::table.filter(identity_tokens::expires_at.le(last.unwrap_or(tx.now)));
    Ok(diesel::delete(expired).execute(tx.connection)?)
}
