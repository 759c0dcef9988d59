//! The connections that the pool keeps.

use std::sync::Barrier;

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::url::DatabaseUrl;
use freezer_api::store::{Settings, Store};

use crate::servers;

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// The number of concurrent transactions.
const BUSY: usize = 6;

/// Runs that many transactions, all at the same time.
fn meet(store: &Store) {
    let barrier = Barrier::new(BUSY);
    std::thread::scope(|scope| {
        for _ in 0..BUSY {
            scope.spawn(|| {
                store.read(|_| {
                    barrier.wait();
                    Ok(())
                })
            });
        }
    });
}

#[test]
fn connections_beyond_max_pool_size_are_closed_on_return() {
    for server in servers() {
        let mut admin = establish(&DatabaseUrl::parse(&server).unwrap()).unwrap();
        let own = format!("freezer_pool_{}", uuid::Uuid::new_v4().simple());
        diesel::sql_query(format!("CREATE DATABASE {own}")).execute(&mut admin).unwrap();
        let mut url = url::Url::parse(&server).unwrap();
        url.set_path(&own);
        let settings = Settings { max_connections: BUSY as u32, max_idle: 2, ..Settings::default() };
        let store = Store::with_settings(DatabaseUrl::parse(url.as_str()).unwrap(), &settings);
        meet(&store);
        let count = if server.starts_with("mysql") {
            format!("SELECT COUNT(*) AS number FROM information_schema.processlist WHERE db = '{own}'")
        } else {
            format!("SELECT COUNT(*) AS number FROM pg_stat_activity WHERE datname = '{own}'")
        };
        // The server notices the closed connections a moment later.
        let left = (0..200).map(|_| {
            std::thread::sleep(std::time::Duration::from_millis(25));
            diesel::sql_query(&count).get_result::<Count>(&mut admin).unwrap().number
        });
        assert!(left.into_iter().any(|number| number == 2), "{server:.8}");
        // The pooled connections work like new ones.
        meet(&store);
        drop(store);
        let by_force = if server.starts_with("mysql") { "" } else { " WITH (FORCE)" };
        diesel::sql_query(format!("DROP DATABASE {own}{by_force}")).execute(&mut admin).unwrap();
    }
}
