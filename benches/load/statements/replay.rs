//! Sends statements again, with as many threads and connections as there are over HTTP.

use std::time::Duration;

use diesel::QueryResult;
use diesel::backend::Backend;
use diesel::connection::{Connection, LoadConnection, SimpleConnection};
use diesel::expression::QueryMetadata;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Text, Untyped};
use freezer_api::store::engine::connection::AnyConnection;
use freezer_api::store::engine::manager::establish;
use freezer_api::store::engine::url::DatabaseUrl;
use freezer_api::store::types::json::{Document, Json};
use freezer_api::store::types::time::{Moment, Time};
use freezer_api::store::{new_id, now};

use super::value::Value;
use super::{Requests, Statement};
use crate::load::{Taken, closed_loop};
use crate::operations::random;
use crate::{Result, world};

/// Measures how often a second the statements of a request can be sent. Reads are sent as they were. For writes, what
/// was new when they were recorded is made anew each time (ids, times), and versions go on from where they are.
pub fn measure(
    url: &DatabaseUrl,
    recorded: &[Requests],
    writes: bool,
    threads: usize,
    time: Duration,
) -> Result<Taken> {
    let threads = threads.min(recorded.len());
    let mine = |thread: usize| recorded.iter().skip(thread).step_by(threads).collect::<Vec<_>>();
    closed_loop(
        threads,
        time,
        0,
        |thread| {
            let sets = mine(thread);
            let turns = vec![0; sets.len()];
            Ok((establish(url)?, sets, turns))
        },
        |(connection, sets, turns), thread, turn| {
            let set = random(thread, turn / longest(sets)) as usize % sets.len();
            // A set's requests follow each other, and after the last one comes the first.
            let step = turns[set] % sets[set].len();
            let round = turns[set] / sets[set].len();
            turns[set] += 1;
            let renewal = writes.then(|| Renewal::new((round + 1) * sets[set].len()));
            if !send(connection, &sets[set][step], renewal)? {
                // Another thread has changed that row since, so this request can no longer be replayed.
                sets.swap_remove(set);
                turns.swap_remove(set);
            }
            if sets.is_empty() {
                Err("no statement that is sent again changes anything".into())
            } else {
                Ok(())
            }
        },
    )
}

/// How many requests follow each other.
fn longest(sets: &[&Requests]) -> u64 {
    sets.iter().map(|set| set.len() as u64).max().unwrap_or(1).max(1)
}

/// What is new in a write each time.
struct Renewal {
    ids: Vec<(String, String)>,
    now: Time,
    /// How many versions have come since it was recorded.
    versions: i64,
}

impl Renewal {
    fn new(versions: usize) -> Self {
        Self { ids: Vec::new(), now: now(), versions: i64::try_from(versions).unwrap_or_default() }
    }

    fn renew(&mut self, before: &str, value: &Value) -> Value {
        match value {
            Value::Moment(_) => Value::Moment(self.now),
            Value::Integer(number) if is_version(before) => Value::Integer(number + self.versions),
            Value::Text(text) if is_new(text) => {
                let known = self.ids.iter().find(|(recorded, _)| recorded == text).map(|(_, id)| id.clone());
                Value::Text(known.unwrap_or_else(|| {
                    let id = new_id();
                    self.ids.push((text.clone(), id.clone()));
                    id
                }))
            }
            other => other.clone(),
        }
    }
}

/// Whether a text is an id that was made for what is written.
fn is_new(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) && !world::is_known(text)
}

/// Whether what follows is compared with a version, or becomes one.
fn is_version(before: &str) -> bool {
    before.trim_end_matches("= ").trim_end().trim_end_matches(['`', '"']).ends_with("version")
}

/// A statement with its values.
struct Bound<'s> {
    parts: &'s [String],
    values: Vec<Value>,
    is_kept: bool,
}

/// Whether each statement that swaps a version has changed a row.
fn send(
    connection: &mut AnyConnection,
    statements: &[Statement],
    mut renewal: Option<Renewal>,
) -> Result<bool> {
    let mut has_swapped = true;
    for statement in statements {
        let (parts, values, is_kept, is_query) = match statement {
            Statement::Plain(sql) => {
                connection.batch_execute(sql)?;
                continue;
            }
            Statement::Prepared { parts, values, is_kept, is_query } => (parts, values, *is_kept, *is_query),
        };
        let values: Vec<Value> = match &mut renewal {
            Some(renewal) => {
                parts.iter().zip(values).map(|(before, value)| renewal.renew(before, value)).collect()
            }
            None => values.clone(),
        };
        let bound = Bound { parts, values, is_kept };
        let count = match connection {
            #[cfg(feature = "mysql")]
            AnyConnection::Mysql(connection) => run(connection, bound, is_query)?,
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres(connection) => run(connection, bound, is_query)?,
            AnyConnection::Sqlite(connection) => run(connection, bound, is_query)?,
        };
        let swaps = parts.iter().zip(values_of(statement)).any(|(before, _)| is_version(before));
        has_swapped &= is_query || !swaps || count > 0;
    }
    Ok(has_swapped)
}

fn values_of(statement: &Statement) -> &[Value] {
    match statement {
        Statement::Plain(_) => &[],
        Statement::Prepared { values, .. } => values,
    }
}

/// Sends one; how many rows it gave or changed.
fn run<C>(connection: &mut C, bound: Bound<'_>, is_query: bool) -> QueryResult<usize>
where
    C: Connection + LoadConnection,
    C::Backend: QueryMetadata<Untyped>,
    for<'s> Bound<'s>: QueryFragment<C::Backend>,
{
    if !is_query {
        return connection.execute_returning_count(&bound);
    }
    let mut count = 0;
    for row in connection.load(bound)? {
        row?;
        count += 1;
    }
    Ok(count)
}

impl Query for Bound<'_> {
    type SqlType = Untyped;
}

impl QueryId for Bound<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

/// Writes a statement with its values; lists, which are not the same everywhere, with `texts`.
fn walk<'b, DB>(
    bound: &'b Bound<'_>,
    mut out: AstPass<'_, 'b, DB>,
    texts: impl Fn(&mut AstPass<'_, 'b, DB>, &'b Vec<String>) -> QueryResult<()>,
) -> QueryResult<()>
where
    DB: Backend
        + HasSqlType<Text>
        + HasSqlType<BigInt>
        + HasSqlType<Bool>
        + HasSqlType<Moment>
        + HasSqlType<Document>,
    String: ToSql<Text, DB>,
    i64: ToSql<BigInt, DB>,
    bool: ToSql<Bool, DB>,
    Time: ToSql<Moment, DB>,
    Json: ToSql<Document, DB>,
{
    if !bound.is_kept {
        out.unsafe_to_cache_prepared();
    }
    let mut parts = bound.parts.iter();
    if let Some(first) = parts.next() {
        out.push_sql(first);
    }
    for (value, after) in bound.values.iter().zip(parts) {
        match value {
            Value::Null => out.push_sql("NULL"),
            Value::Bool(value) => out.push_bind_param::<Bool, _>(value)?,
            Value::Integer(value) => out.push_bind_param::<BigInt, _>(value)?,
            Value::Text(value) => out.push_bind_param::<Text, _>(value)?,
            Value::Moment(value) => out.push_bind_param::<Moment, _>(value)?,
            Value::Document(value) => out.push_bind_param::<Document, _>(value)?,
            Value::Texts(values) => texts(&mut out, values)?,
        }
        out.push_sql(after);
    }
    Ok(())
}

#[cfg(feature = "mysql")]
impl QueryFragment<diesel::mysql::Mysql> for Bound<'_> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, diesel::mysql::Mysql>) -> QueryResult<()> {
        walk(self, out, |_, _| Err(no_lists()))
    }
}

impl QueryFragment<diesel::sqlite::Sqlite> for Bound<'_> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, diesel::sqlite::Sqlite>) -> QueryResult<()> {
        walk(self, out, |_, _| Err(no_lists()))
    }
}

#[cfg(feature = "postgres")]
impl QueryFragment<diesel::pg::Pg> for Bound<'_> {
    fn walk_ast<'b>(&'b self, out: AstPass<'_, 'b, diesel::pg::Pg>) -> QueryResult<()> {
        walk(self, out, |out, values| out.push_bind_param::<diesel::sql_types::Array<Text>, _>(values))
    }
}

fn no_lists() -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError("a list, which only PostgreSQL has".into())
}
