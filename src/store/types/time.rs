//! Time columns: [`Moment`] is `DATETIME` on MySQL, `TIMESTAMP` on PostgreSQL, and text on SQLite. [`Time`] is its value.
//!
//! Diesel's own `Timestamp` is not used: it is bound on MySQL as a TIMESTAMP, whatever the column's type, and MariaDB reads
//! a TIMESTAMP after 2038-01-19 03:14:07 UTC as NULL. A DATETIME goes up to the year 9999.

use std::ops::{Add, Deref, Sub};

use chrono::{NaiveDateTime, TimeDelta};
use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{HasSqlType, SqlOrd, SqlType, Timestamp};
use diesel::sqlite::Sqlite;

use crate::store::engine::connection::MultiBackend;

/// The SQL type of a column that holds a time.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[cfg_attr(feature = "mysql", diesel(mysql_type(name = "DateTime")))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(oid = 1114, array_oid = 1115)))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Moment;

impl SqlOrd for Moment {}

/// The Rust value of a [`Moment`] column, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, FromSqlRow, AsExpression)]
#[diesel(sql_type = Moment)]
pub struct Time(pub NaiveDateTime);

impl Deref for Time {
    type Target = NaiveDateTime;

    fn deref(&self) -> &NaiveDateTime {
        &self.0
    }
}

impl Add<TimeDelta> for Time {
    type Output = Self;

    fn add(self, later: TimeDelta) -> Self {
        Self(self.0 + later)
    }
}

impl Sub<TimeDelta> for Time {
    type Output = Self;

    fn sub(self, earlier: TimeDelta) -> Self {
        Self(self.0 - earlier)
    }
}

impl Sub for Time {
    type Output = TimeDelta;

    fn sub(self, earlier: Self) -> TimeDelta {
        self.0 - earlier.0
    }
}

/// Converts a time as Diesel converts its `Timestamp` on this backend.
macro_rules! as_timestamp {
    ($backend:ty) => {
        impl ToSql<Moment, $backend> for Time {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, $backend>) -> serialize::Result {
                <NaiveDateTime as ToSql<Timestamp, $backend>>::to_sql(&self.0, out)
            }
        }

        impl FromSql<Moment, $backend> for Time {
            fn from_sql(value: <$backend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                <NaiveDateTime as FromSql<Timestamp, $backend>>::from_sql(value).map(Self)
            }
        }
    };
}
as_timestamp!(Sqlite);
#[cfg(feature = "mysql")]
as_timestamp!(diesel::mysql::Mysql);
#[cfg(feature = "postgres")]
as_timestamp!(diesel::pg::Pg);

impl HasSqlType<Moment> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<Moment>(lookup)
    }
}

impl FromSql<Moment, MultiBackend> for Time {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Moment>()
    }
}

impl ToSql<Moment, MultiBackend> for Time {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Moment, self));
        Ok(IsNull::No)
    }
}
