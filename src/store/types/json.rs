//! JSON columns: [`Document`] is `JSON` on MySQL (checked text on MariaDB), `JSONB` on PostgreSQL, and checked `TEXT` on
//! SQLite. [`Json`] is its value.

use std::collections::BTreeMap;
use std::fmt;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::query_builder::QueryId;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{HasSqlType, SqlType, Text};
use diesel::sqlite::Sqlite;
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use crate::store::engine::connection::MultiBackend;

/// The SQL type of a column that holds a JSON object or array.
#[derive(Debug, Clone, Copy, Default, SqlType, QueryId)]
#[cfg_attr(feature = "mysql", diesel(mysql_type(name = "String")))]
#[cfg_attr(feature = "postgres", diesel(postgres_type(name = "jsonb")))]
#[diesel(sqlite_type(name = "Text"))]
pub struct Document;

/// The Rust value of a [`Document`] column: compact JSON text with the members of every object sorted by name.
///
/// A row holds the text and not a [`Value`], which takes about 17 times as much memory: a page has up to a thousand rows.
/// The members are sorted because each backend returns them in another order; so equal values have equal text.
#[derive(Clone, FromSqlRow, AsExpression)]
#[diesel(sql_type = Document)]
pub struct Json(Box<RawValue>);

impl Json {
    /// The text.
    pub fn text(&self) -> &str {
        self.0.get()
    }

    /// The parsed value.
    pub fn value(&self) -> Value {
        serde_json::from_str(self.text()).unwrap_or_default()
    }

    /// The parsed object; an empty one when the column holds something else.
    pub fn object(&self) -> Map<String, Value> {
        match self.value() {
            Value::Object(map) => map,
            _ => Map::new(),
        }
    }

    /// The members of the object in the order of their names, with the text of each value; none when the column holds
    /// something else.
    pub fn members(&self) -> BTreeMap<String, &RawValue> {
        serde_json::from_str(self.text()).unwrap_or_default()
    }

    /// The value of one member of the object.
    pub fn member(&self, name: &str) -> Option<Value> {
        self.members().get(name).and_then(|value| serde_json::from_str(value.get()).ok())
    }

    fn sorted(text: &str) -> serde_json::Result<Self> {
        to_raw_value(&Sorted(text)).map(Self)
    }
}

/// JSON text that serializes compactly and with sorted members. It parses one level at a time, which saves memory.
struct Sorted<'t>(&'t str);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(text) = self;
        match text.trim_start().as_bytes().first() {
            Some(b'{') => {
                let members: BTreeMap<String, &RawValue> =
                    serde_json::from_str(text).map_err(S::Error::custom)?;
                serializer.collect_map(members.iter().map(|(name, value)| (name, Sorted(value.get()))))
            }
            Some(b'[') => {
                let items: Vec<&RawValue> = serde_json::from_str(text).map_err(S::Error::custom)?;
                serializer.collect_seq(items.iter().map(|item| Sorted(item.get())))
            }
            _ => serde_json::from_str::<Value>(text).map_err(S::Error::custom)?.serialize(serializer),
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Self) -> bool {
        self.text() == other.text()
    }
}

impl fmt::Debug for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Json").field(&self.value()).finish()
    }
}

impl From<Value> for Json {
    fn from(value: Value) -> Self {
        // A `Value` always serializes.
        Self(to_raw_value(&value).unwrap_or_default())
    }
}

impl From<Map<String, Value>> for Json {
    fn from(map: Map<String, Value>) -> Self {
        Value::Object(map).into()
    }
}

impl From<Vec<String>> for Json {
    fn from(list: Vec<String>) -> Self {
        Value::from(list).into()
    }
}

impl ToSql<Document, Sqlite> for Json {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(self.text());
        Ok(IsNull::No)
    }
}

impl FromSql<Document, Sqlite> for Json {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Ok(Self::sorted(&text)?)
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use super::{Backend, Document, FromSql, IsNull, Json, Output, ToSql, deserialize, serialize};
    use diesel::mysql::Mysql;
    use std::io::Write;

    impl ToSql<Document, Mysql> for Json {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
            out.write_all(self.text().as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<Document, Mysql> for Json {
        fn from_sql(value: <Mysql as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            Ok(Self::sorted(std::str::from_utf8(value.as_bytes())?)?)
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::{Backend, Document, FromSql, IsNull, Json, Output, ToSql, deserialize, serialize};
    use diesel::pg::Pg;
    use std::io::Write;

    /// The only version of JSONB's binary format; the first byte on the wire.
    const JSONB_VERSION: u8 = 1;

    impl ToSql<Document, Pg> for Json {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(&[JSONB_VERSION])?;
            out.write_all(self.text().as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<Document, Pg> for Json {
        fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            match value.as_bytes().split_first() {
                Some((&JSONB_VERSION, json)) => Ok(Self::sorted(std::str::from_utf8(json)?)?),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_compact_and_its_members_are_in_order() {
        let backend = r#"{"b": [1, {"z": 1.50, "a": "\u00e9\/"}], "aa": null, "é": {}, "b": [ ]}"#;
        let json = Json::sorted(r#"{"b": [1, {"z": 1.50, "a": "\u00e9\/"}], "aa": null, "é": {}}"#).unwrap();
        assert_eq!(json.text(), r#"{"aa":null,"b":[1,{"a":"é/","z":1.5}],"é":{}}"#);
        assert_eq!(json, Json::from(json.value()));
        assert_eq!(Json::sorted(backend).unwrap().text(), r#"{"aa":null,"b":[],"é":{}}"#);
        assert_eq!(json.members().into_keys().collect::<Vec<_>>(), ["aa", "b", "é"]);
        for wrong in ["", "{", "[1,]", "{} {}", r#"{"a":1"#] {
            assert!(Json::sorted(wrong).is_err(), "{wrong}");
        }
    }
}
