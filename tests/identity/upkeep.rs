//! The table of tokens stays bounded, and no token in use is deleted.

use chrono::TimeDelta;
use diesel::prelude::*;
use freezer_api::identity::{Role, Settings};
use freezer_api::store::schema::identity_tokens as tokens;
use serde_json::json;

use crate::house::{House, on_every_backend};

const PASSWORD: &str = "correct horse";

/// One row of a token.
struct Row<'r> {
    id: &'r str,
    methods: &'r str,
    /// Minutes since it was issued and used; it expires in an hour, or did a minute ago.
    issued: i64,
    used: Option<i64>,
    expired: bool,
}

fn insert(house: &House, user: &str, row: &Row<'_>) {
    let ago = |minutes: i64| freezer_api::store::now() - TimeDelta::minutes(minutes);
    let values = (
        tokens::id.eq(row.id),
        tokens::user_id.eq(user),
        tokens::methods.eq(row.methods),
        tokens::audit_id.eq(row.id),
        tokens::issued_at.eq(ago(row.issued)),
        tokens::expires_at.eq(ago(if row.expired { 1 } else { -60 })),
        tokens::last_used_at.eq(row.used.map(ago)),
    );
    diesel::insert_into(tokens::table).values(values).execute(&mut house.connection()).unwrap();
}

fn ids(house: &House) -> Vec<String> {
    let rows = tokens::table.filter(tokens::audit_id.like("old%"));
    rows.select(tokens::audit_id).order(tokens::audit_id).load(&mut house.connection()).unwrap()
}

fn user_id(house: &House) -> String {
    let body = house.password("ann", PASSWORD, None).body;
    diesel::delete(tokens::table).execute(&mut house.connection()).unwrap();
    body["token"]["user"]["id"].as_str().unwrap().to_owned()
}

#[test]
fn of_too_many_tokens_the_expired_go_first_then_the_rescoped_then_the_least_recently_used() {
    on_every_backend(|house| {
        let house = house.restarted(&Settings { max_tokens: 6, ..Settings::default() });
        house.user("ann", PASSWORD, "one", Role::Member);
        let user = user_id(&house);
        let row = |id, methods, issued, used, expired| {
            insert(&house, &user, &Row { id, methods, issued, used, expired })
        };
        row("old1", "password", 50, Some(5), true);
        row("old2", "password", 55, Some(30), false);
        row("old3", "password", 56, Some(20), false);
        row("old4", "password,token", 20, Some(15), false);
        row("old5", "token", 58, Some(2), false);
        row("old6", "password", 59, Some(2), false);
        let mut left = vec!["old1", "old2", "old3", "old4", "old5", "old6"];
        for gone in ["old1", "old4", "old2", "old3"] {
            house.token("ann", PASSWORD);
            left.retain(|id| *id != gone);
            assert_eq!(ids(&house), left);
            assert_eq!(house.count_tokens(), 6);
        }
        // Two tokens in use, and four new ones: none may be deleted.
        let refused = house.password("ann", PASSWORD, None);
        refused.assert_error(429);
        assert_eq!(refused.header("Retry-After"), Some("60"));
        assert_eq!((ids(&house), house.count_tokens()), (left.into_iter().map(str::to_owned).collect(), 6));
        house.user("bob", PASSWORD, "one", Role::Member);
        assert_eq!(house.password("bob", PASSWORD, None).status, 201, "another user has tokens of its own");
    });
}

#[test]
fn a_token_that_was_never_used_goes_after_a_minute_and_one_used_in_the_future_as_well() {
    on_every_backend(|house| {
        let house = house.restarted(&Settings { max_tokens: 3, ..Settings::default() });
        house.user("ann", PASSWORD, "one", Role::Member);
        let user = user_id(&house);
        let row = |id, issued, used| {
            insert(&house, &user, &Row { id, methods: "password", issued, used, expired: false })
        };
        row("old1", 2, None);
        row("old2", 30, Some(-1000));
        row("old3", 30, Some(1));
        house.token("ann", PASSWORD);
        assert_eq!(ids(&house), ["old2", "old3"]);
        house.token("ann", PASSWORD);
        assert_eq!(ids(&house), ["old3"]);
    });
}

#[test]
fn a_tokens_use_is_written_in_the_background_and_counts_before_that() {
    on_every_backend(|house| {
        let house = house.restarted(&Settings { max_tokens: 2, ..Settings::default() });
        house.user("ann", PASSWORD, "one", Role::Member);
        let used = house.token("ann", PASSWORD);
        house.token("ann", PASSWORD);
        let long_ago = freezer_api::store::now() - TimeDelta::minutes(30);
        let age = || {
            let issued = tokens::issued_at.eq(long_ago);
            diesel::update(tokens::table).set(issued).execute(&mut house.connection()).unwrap();
        };
        let stamps = || -> Vec<bool> {
            let column = tokens::last_used_at.is_not_null();
            tokens::table.select(column).order(column).load(&mut house.connection()).unwrap()
        };
        age();
        house.get("/identity/v3/auth/projects", &used);
        assert_eq!(stamps(), [false, false], "a GET writes nothing");
        house.token("ann", PASSWORD);
        assert!(house.standalone.authenticate(&used).unwrap().is_some(), "the unused token is deleted");
        house.upkeep();
        assert_eq!(stamps(), [false, true]);
        age();
        house.token("ann", PASSWORD);
        assert!(house.standalone.authenticate(&used).unwrap().is_some());
        let count: i64 = tokens::table.count().get_result(&mut house.connection()).unwrap();
        assert_eq!(count, 2);
    });
}

#[test]
fn all_expired_tokens_are_cleared_away_without_a_login() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let user = user_id(&house);
        let now = freezer_api::store::now();
        let past = now - TimeDelta::minutes(1);
        let rows: Vec<_> = (0..1203)
            .map(|number| {
                (
                    tokens::id.eq(format!("old{number}")),
                    tokens::user_id.eq(&user),
                    tokens::methods.eq("token"),
                    tokens::audit_id.eq("a"),
                    tokens::issued_at.eq(past),
                    tokens::expires_at.eq(past),
                )
            })
            .collect();
        let mut connection = house.connection();
        let inserted: diesel::QueryResult<()> = connection.transaction(|connection| {
            rows.into_iter().try_for_each(|row| {
                diesel::insert_into(tokens::table).values(row).execute(connection).map(drop)
            })
        });
        inserted.unwrap();
        let token = house.token("ann", PASSWORD);
        assert_eq!(house.count_tokens(), 1204, "a login does not delete them");
        house.upkeep();
        assert_eq!(house.count_tokens(), 1);
        assert_eq!(house.get("/identity/v3/auth/projects", &token).body["projects"][0]["name"], json!("one"));
    });
}
