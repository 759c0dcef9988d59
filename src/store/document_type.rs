//! `Document`: real JSON in the database, one SQL type over three backends.
//!
//! `JSON` on MySQL (where MariaDB means checked text), `JSONB` on PostgreSQL, checked `TEXT` on SQLite.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{HasSqlType, SqlType, Text};
use diesel::sqlite::Sqlite;
use serde_json::{Map, Value};

use super::connection::MultiBackend;

/// The SQL type of a column that holds a JSON object or array.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[cfg_attr(feature = "mysql", diesel(mysql_type(name = "String")))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(name = "jsonb")))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Document;

/// The Rust value of a [`Document`] column.
#[derive(Debug, Clone, PartialEq, FromSqlRow, AsExpression)]
#[diesel(sql_type = Document)]
pub struct Json(pub Value);

impl Json {
    /// The object inside; an empty one when the column holds something else.
    pub fn into_object(self) -> Map<String, Value> {
        match self.0 {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }
}

impl From<Map<String, Value>> for Json {
    fn from(map: Map<String, Value>) -> Self {
        Self(Value::Object(map))
    }
}

impl From<Vec<String>> for Json {
    fn from(list: Vec<String>) -> Self {
        Self(Value::from(list))
    }
}

impl ToSql<Document, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl FromSql<Document, Sqlite> for Json {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self(serde_json::from_str(&text)?))
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use super::{Backend, Document, FromSql, IsNull, Json, Output, ToSql, deserialize, serialize};
    use diesel::mysql::Mysql;

    impl ToSql<Document, Mysql> for Json {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
            serde_json::to_writer(out, &self.0)?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<Document, Mysql> for Json {
        fn from_sql(value: <Mysql as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(serde_json::from_slice(value.as_bytes())?))
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::{Backend, Document, FromSql, IsNull, Json, Output, ToSql, deserialize, serialize};
    use diesel::pg::Pg;
    use std::io::Write;

    /// The only version of JSONB's binary form there is; the first byte on the wire.
    const JSONB_VERSION: u8 = 1;

    impl ToSql<Document, Pg> for Json {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(&[JSONB_VERSION])?;
            serde_json::to_writer(out, &self.0)?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<Document, Pg> for Json {
        fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            match value.as_bytes().split_first() {
                Some((&JSONB_VERSION, json)) => Ok(Self(serde_json::from_slice(json)?)),
                _ => Err("a JSONB value of an unknown version".into()),
            }
        }
    }
}

impl HasSqlType<Document> for MultiBackend {
    fn metadata(lookup: &mut Self::MetadataLookup) -> Self::TypeMetadata {
        Self::lookup_sql_type::<Document>(lookup)
    }
}

impl FromSql<Document, MultiBackend> for Json {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Document>()
    }
}

impl ToSql<Document, MultiBackend> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Document, self));
        Ok(IsNull::No)
    }
}
