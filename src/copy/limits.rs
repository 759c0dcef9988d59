//! The values that a database can store unchanged.

use chrono::{Datelike, Timelike};

use super::canonical::{Facts, Numbers, canonical};
use crate::store::copy::{Column, Form, Server, Value};
use crate::store::engine::url::Backend;
use crate::store::types::time::Time;

/// The length of a TEXT of MySQL, in bytes.
const MYSQL_TEXT: usize = 65_535;
/// The deepest nesting of JSON, by server.
const MARIADB_DEPTH: usize = 31;
const MYSQL_DEPTH: usize = 100;

/// Why the target cannot store a value unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The target cannot store it.
    Refused(String),
    /// The target rounds a number inside it.
    Rounded,
}

/// The problem of storing a value in the target, if there is one.
pub fn problem(target: Server, column: &Column, value: Value<'_>) -> Option<Problem> {
    match value {
        Value::Text(value) => text(target, column.form, value).map(Problem::Refused),
        Value::Time(value) => time(value).map(Problem::Refused),
        Value::Json(value) => match canonical(value, Numbers::Exact) {
            Err(why) => Some(Problem::Refused(why)),
            Ok((_, facts)) => json(target, facts),
        },
        Value::Null | Value::Bool(_) | Value::Integer(_) | Value::Bytes(_) => None,
    }
}

fn text(target: Server, form: Form, value: &str) -> Option<String> {
    let is_mysql = target.backend == Backend::Mysql;
    if target.backend == Backend::Postgres && value.contains('\0') {
        return Some("has the character U+0000, which PostgreSQL keeps in no text".to_owned());
    }
    if is_mysql && matches!(form, Form::Key(_) | Form::Ascii(_)) && !value.is_ascii() {
        return Some("is not ASCII, which this column is on MySQL".to_owned());
    }
    if is_mysql && matches!(form, Form::Key(_)) && value.ends_with(' ') {
        return Some("ends with a blank, which MySQL ignores when it compares keys".to_owned());
    }
    match form {
        Form::Key(most) | Form::Ascii(most) | Form::Varchar(most) => {
            let length = value.chars().count();
            (length > most).then(|| format!("has {length} characters, and the column has room for {most}"))
        }
        Form::Text if is_mysql && value.len() > MYSQL_TEXT => {
            Some(format!("has {} bytes, and MySQL has room for {MYSQL_TEXT}", value.len()))
        }
        _ => None,
    }
}

fn time(value: Time) -> Option<String> {
    if !(1..=9999).contains(&value.year()) {
        return Some(format!("is of the year {}, and the years are 1 to 9999", value.year()));
    }
    (!value.nanosecond().is_multiple_of(1000)).then(|| "has parts of a microsecond".to_owned())
}

fn json(target: Server, facts: Facts) -> Option<Problem> {
    if target.backend == Backend::Postgres && facts.has_zero {
        return Some(Problem::Refused(
            "has the character U+0000, which PostgreSQL keeps in no JSON".to_owned(),
        ));
    }
    let deepest = match target {
        Server { backend: Backend::Mysql, is_mariadb: true } => MARIADB_DEPTH,
        Server { backend: Backend::Mysql, .. } => MYSQL_DEPTH,
        _ => usize::MAX,
    };
    if facts.depth > deepest {
        let depth = facts.depth;
        return Some(Problem::Refused(format!("is nested {depth} deep, and the server takes {deepest}")));
    }
    (rounds(target) && facts.is_beyond_double).then_some(Problem::Rounded)
}

/// Whether a server stores numbers inside JSON as doubles. MariaDB stores the text, PostgreSQL all digits.
pub fn rounds(server: Server) -> bool {
    server.backend == Backend::Mysql && !server.is_mariadb
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDateTime;

    use super::*;

    const SQLITE: Server = Server { backend: Backend::Sqlite, is_mariadb: false };
    const POSTGRES: Server = Server { backend: Backend::Postgres, is_mariadb: false };
    const MARIADB: Server = Server { backend: Backend::Mysql, is_mariadb: true };
    const MYSQL: Server = Server { backend: Backend::Mysql, is_mariadb: false };

    /// The servers that cannot store a value.
    fn refused_by(form: Form, value: Value<'_>) -> Vec<Server> {
        let is_refused = |server: &Server| {
            matches!(problem(*server, &Column { name: "c", form }, value), Some(Problem::Refused(_)))
        };
        [SQLITE, POSTGRES, MARIADB, MYSQL].into_iter().filter(is_refused).collect()
    }

    #[test]
    fn a_value_is_refused_if_the_server_cannot_store_it() {
        let (long, longer) = ("é".repeat(64), "é".repeat(65));
        let mysqls = vec![MARIADB, MYSQL];
        assert_eq!(refused_by(Form::Key(64), Value::Text("a-1")), []);
        assert_eq!(refused_by(Form::Key(64), Value::Text("a ")), mysqls);
        assert_eq!(refused_by(Form::Varchar(64), Value::Text("a ")), []);
        assert_eq!(refused_by(Form::Ascii(64), Value::Text("é")), mysqls);
        assert_eq!(refused_by(Form::Varchar(64), Value::Text(&long)), []);
        assert_eq!(refused_by(Form::Varchar(64), Value::Text(&longer)).len(), 4);
        assert_eq!(refused_by(Form::Varchar(64), Value::Text("a\0b")), [POSTGRES]);
        assert_eq!(refused_by(Form::Text, Value::Text(&"x".repeat(65_535))), []);
        assert_eq!(refused_by(Form::Text, Value::Text(&"é".repeat(32_768))), mysqls);
        assert_eq!(refused_by(Form::Document, Value::Json(r#"{"a": "\u0000"}"#)), [POSTGRES]);
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(refused_by(Form::Document, Value::Json(&nested(31))), []);
        assert_eq!(refused_by(Form::Document, Value::Json(&nested(32))), [MARIADB]);
        assert_eq!(refused_by(Form::Document, Value::Json(&nested(101))), mysqls);
        assert_eq!(refused_by(Form::Document, Value::Json("{")).len(), 4);
    }

    #[test]
    fn times_have_four_digit_years_and_whole_microseconds() {
        let time =
            |text| Value::Time(Time(NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").unwrap()));
        assert_eq!(refused_by(Form::Plain, time("9999-12-31 23:59:59.999999")), []);
        for wrong in ["+10000-01-01 00:00:00", "0000-01-01 00:00:00", "2026-01-01 00:00:00.0000001"] {
            assert_eq!(refused_by(Form::Plain, time(wrong)).len(), 4, "{wrong}");
        }
    }

    #[test]
    fn only_mysql_rounds_numbers() {
        let column = Column { name: "c", form: Form::Document };
        let rounded = |server| problem(server, &column, Value::Json("[12345678901234567890123]"));
        assert_eq!([SQLITE, POSTGRES, MARIADB].map(rounded), [None, None, None]);
        assert_eq!(rounded(MYSQL), Some(Problem::Rounded));
    }
}
