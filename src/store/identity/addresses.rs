//! The addresses from which users have logged in: rows and queries.

use chrono::TimeDelta;
use diesel::prelude::*;

use crate::store::schema::identity_known_addresses as known;
use crate::store::types::time::Time;
use crate::store::{Outcome, Tx};

/// The number of days after its last login for which a user is known at an address.
const DAYS: i64 = 30;
/// The most addresses of one user; a further one replaces the least recently used one.
const MAX_ADDRESSES: i64 = 100;
/// A later login from the same address is noted once in this many hours.
const NOTED_AGAIN_HOURS: i64 = 1;

/// Whether a user has logged in from this address within the last 30 days.
pub fn is_known(tx: &mut Tx<'_>, user_id: &str, address: &str) -> Outcome<bool> {
    let last = last_login(tx, user_id, address)?;
    Ok(last.is_some_and(|last| is_within(tx.now - last, TimeDelta::days(DAYS))))
}

/// Notes that a user has logged in from this address. The caller holds the lock on the user's row.
pub fn note(tx: &mut Tx<'_>, user_id: &str, address: &str) -> Outcome<()> {
    match last_login(tx, user_id, address)? {
        Some(last) if is_within(tx.now - last, TimeDelta::hours(NOTED_AGAIN_HOURS)) => return Ok(()),
        Some(_) => {
            let row = known::table.find((user_id, address));
            diesel::update(row).set(known::last_login_at.eq(tx.now)).execute(tx.connection)?;
            return Ok(());
        }
        None => {}
    }
    let rows = known::table.filter(known::user_id.eq(user_id));
    let surplus: Vec<String> = rows
        .order((known::last_login_at.desc(), known::address))
        .select(known::address)
        .offset(MAX_ADDRESSES - 1)
        .limit(MAX_ADDRESSES)
        .load(tx.connection)?;
    diesel::delete(rows.filter(known::address.eq_any(surplus))).execute(tx.connection)?;
    let row = (known::user_id.eq(user_id), known::address.eq(address), known::last_login_at.eq(tx.now));
    diesel::insert_into(known::table).values(row).execute(tx.connection)?;
    Ok(())
}

/// Deletes all addresses of a user.
pub fn delete_of_user(tx: &mut Tx<'_>, user_id: &str) -> Outcome<()> {
    diesel::delete(known::table.filter(known::user_id.eq(user_id))).execute(tx.connection)?;
    Ok(())
}

/// Deletes the expired addresses of one user, and returns how many.
pub fn purge_old(tx: &mut Tx<'_>) -> Outcome<usize> {
    // A user has at most 100 rows, which are few enough for one transaction.
    let old = known::last_login_at.lt(tx.now - TimeDelta::days(DAYS));
    let user: Option<String> =
        known::table.filter(old).select(known::user_id).first(tx.connection).optional()?;
    let Some(user) = user else { return Ok(0) };
    let rows = known::table.filter(known::user_id.eq(user)).filter(old);
    Ok(diesel::delete(rows).execute(tx.connection)?)
}

fn last_login(tx: &mut Tx<'_>, user_id: &str, address: &str) -> Outcome<Option<Time>> {
    let row = known::table.find((user_id, address)).select(known::last_login_at);
    Ok(row.first(tx.connection).optional()?)
}

/// Whether an age is neither negative nor beyond the limit.
fn is_within(age: TimeDelta, limit: TimeDelta) -> bool {
    (TimeDelta::zero()..=limit).contains(&age)
}
