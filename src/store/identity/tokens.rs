//! The issued tokens: rows and queries. A row's id is the token's SHA-256, never the token.

use chrono::TimeDelta;
use diesel::prelude::*;

use crate::store::schema::{identity_assignments, identity_projects, identity_tokens, identity_users};
use crate::store::types::time::Time;
use crate::store::{Outcome, Tx};

/// A row of `identity_tokens`.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = identity_tokens)]
#[diesel(treat_none_as_default_value = false)]
pub struct Token {
    /// The SHA-256 of the token, in hex.
    pub id: String,
    /// The user of the token.
    pub user_id: String,
    /// The project of its scope; an unscoped token only identifies the user.
    pub project_id: Option<String>,
    /// `password`, `token`, or both with a comma between.
    pub methods: String,
    /// An id of the token that is no secret.
    pub audit_id: String,
    /// When it was issued.
    pub issued_at: Time,
    /// When it expires.
    pub expires_at: Time,
    /// When it was last used, to the minute; `None` if it never was.
    pub last_used_at: Option<Time>,
}

/// The most tokens that one statement names.
const CHUNK: usize = 500;
/// A token that was used within this many minutes is never deleted to make room for another.
const IN_USE_MINUTES: i64 = 10;
/// A token that was never used is not deleted for another within this many minutes, because its user may just receive it.
const NEW_MINUTES: i64 = 1;

/// A token with its user, its project and its current roles.
#[derive(Debug, Clone)]
pub struct TokenRow {
    /// The token's row.
    pub token: Token,
    /// Its user's name.
    pub user_name: String,
    /// Whether its user is enabled.
    pub user_enabled: bool,
    /// Its project's name, and whether the project is enabled.
    pub project: Option<(String, bool)>,
    /// The user's current roles on the project, as they were given.
    pub roles: Vec<String>,
}

/// The token of this digest, expired or not. It is one statement, because every request to the API needs it.
pub fn find(tx: &mut Tx<'_>, digest: &str) -> Outcome<Option<TokenRow>> {
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
    let mut found: Option<TokenRow> = None;
    for (token, (user_name, user_enabled), project, role) in rows {
        let found = found.get_or_insert_with(|| TokenRow {
            token,
            user_name,
            user_enabled,
            project,
            roles: Vec::new(),
        });
        found.roles.extend(role);
    }
    Ok(found)
}

/// Inserts a token.
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

/// Deletes up to `limit` expired tokens, the oldest first, and returns how many.
pub fn purge_expired(tx: &mut Tx<'_>, limit: i64) -> Outcome<usize> {
    // Only MySQL has a DELETE with a limit.
    let expired: Vec<String> = identity_tokens::table
        .select(identity_tokens::id)
        .filter(identity_tokens::expires_at.le(tx.now))
        .order(identity_tokens::expires_at)
        .limit(limit)
        .load(tx.connection)?;
    delete_all(tx, expired)
}

/// Deletes tokens of a user until there are fewer than `most`. Expired ones go first, then those that were issued for another
/// token; among equals, those that were never used, and then the least recently used. `false`: too many are in use.
///
/// `is_in_use` reports uses that are not in the rows yet; there are at most `unwritten` of them. The caller holds the lock on
/// the user's row.
pub fn make_room(
    tx: &mut Tx<'_>,
    user_id: &str,
    most: i64,
    unwritten: usize,
    is_in_use: impl Fn(&str) -> bool,
) -> Outcome<bool> {
    let of_user = || identity_tokens::table.filter(identity_tokens::user_id.eq(user_id));
    let count: i64 = of_user().count().get_result(tx.connection)?;
    if count < most {
        return Ok(true);
    }
    let expired = of_user().filter(identity_tokens::expires_at.le(tx.now));
    let deleted = i64::try_from(diesel::delete(expired).execute(tx.connection)?).unwrap_or(count);
    let surplus = usize::try_from(count - deleted - most + 1).unwrap_or_default();
    if surplus == 0 {
        return Ok(true);
    }
    // A time in the future comes from a wrong clock, and is ignored.
    let is_idle = identity_tokens::last_used_at
        .lt(tx.now - TimeDelta::minutes(IN_USE_MINUTES))
        .or(identity_tokens::last_used_at.gt(tx.now));
    let is_old = identity_tokens::issued_at
        .lt(tx.now - TimeDelta::minutes(NEW_MINUTES))
        .or(identity_tokens::issued_at.gt(tx.now));
    let is_unused = identity_tokens::last_used_at.is_null().and(is_old.nullable());
    let candidates: Vec<String> = of_user()
        .filter(is_idle.or(is_unused))
        .order((
            identity_tokens::methods.eq("password"),
            identity_tokens::last_used_at.is_not_null(),
            identity_tokens::last_used_at,
            identity_tokens::issued_at,
        ))
        .select(identity_tokens::id)
        .limit(i64::try_from(surplus + unwritten).unwrap_or(i64::MAX))
        .load(tx.connection)?;
    let chosen: Vec<_> = candidates.into_iter().filter(|id| !is_in_use(id)).take(surplus).collect();
    let is_enough = chosen.len() == surplus;
    delete_all(tx, chosen)?;
    Ok(is_enough)
}

/// Sets the last use of these tokens to now.
pub fn note_use(tx: &mut Tx<'_>, digests: &[String]) -> Outcome<()> {
    let rows = identity_tokens::table.filter(identity_tokens::id.eq_any(digests));
    diesel::update(rows).set(identity_tokens::last_used_at.eq(tx.now)).execute(tx.connection)?;
    Ok(())
}

fn delete_all(tx: &mut Tx<'_>, mut digests: Vec<String>) -> Outcome<usize> {
    let mut deleted = 0;
    while !digests.is_empty() {
        let chunk = digests.split_off(digests.len().saturating_sub(CHUNK));
        let rows = identity_tokens::table.filter(identity_tokens::id.eq_any(chunk));
        deleted += diesel::delete(rows).execute(tx.connection)?;
    }
    Ok(deleted)
}
