//! JSON as the database has it.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Text;
use diesel::sqlite::Sqlite;

use crate::store::engine::connection::MultiBackend;
use crate::store::types::json::Document;

/// The text of a document. [`Json`](crate::store::types::json::Json) has each number in the form of a double, and a
/// copy is to keep all digits of it.
#[derive(Debug, Clone, FromSqlRow, AsExpression)]
#[diesel(sql_type = Document)]
pub struct Verbatim(pub String);

impl ToSql<Document, Sqlite> for Verbatim {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(&*self.0);
        Ok(IsNull::No)
    }
}

impl FromSql<Document, Sqlite> for Verbatim {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        <String as FromSql<Text, Sqlite>>::from_sql(value).map(Self)
    }
}

#[cfg(feature = "mysql")]
mod mysql {
    use super::{Backend, Document, FromSql, IsNull, Output, ToSql, Verbatim, deserialize, serialize};
    use diesel::mysql::Mysql;
    use std::io::Write;

    impl ToSql<Document, Mysql> for Verbatim {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
            out.write_all(self.0.as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<Document, Mysql> for Verbatim {
        fn from_sql(value: <Mysql as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            Ok(Self(std::str::from_utf8(value.as_bytes())?.to_owned()))
        }
    }
}

#[cfg(feature = "postgres")]
mod postgres {
    use super::{Backend, Document, FromSql, IsNull, Output, ToSql, Verbatim, deserialize, serialize};
    use diesel::pg::Pg;
    use std::io::Write;

    /// The only version of JSONB's binary format; the first byte on the wire.
    const JSONB_VERSION: u8 = 1;

    impl ToSql<Document, Pg> for Verbatim {
        fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
            out.write_all(&[JSONB_VERSION])?;
            out.write_all(self.0.as_bytes())?;
            Ok(IsNull::No)
        }
    }

    impl FromSql<Document, Pg> for Verbatim {
        fn from_sql(value: <Pg as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
            match value.as_bytes().split_first() {
                Some((&JSONB_VERSION, json)) => Ok(Self(std::str::from_utf8(json)?.to_owned())),
                _ => Err("a JSONB value of an unknown version".into()),
            }
        }
    }
}

impl FromSql<Document, MultiBackend> for Verbatim {
    fn from_sql(value: <MultiBackend as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        value.from_sql::<Self, Document>()
    }
}

impl ToSql<Document, MultiBackend> for Verbatim {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, MultiBackend>) -> serialize::Result {
        out.set_value((Document, self));
        Ok(IsNull::No)
    }
}
