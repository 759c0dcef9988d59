//! Parsing the query string of a list.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, SubsecRound, Timelike};
use front::error::{Error, Result};
use front::http::Call;

use super::fields::Fields;
use crate::document::collection::Collection;
use crate::document::is_id;
use crate::store::listing::{Filter, Key, Kind, Op, Operand, Query};
use crate::store::types::time::Time;

/// The parameters of every list.
pub const COMMON: &[&str] = &["limit", "offset", "marker", "sort", "with_count", "fields"];

/// The maximum number of values of all filters in one request.
const MAX_VALUES: usize = 100;

/// Parses the query string.
///
/// # Errors
/// 400 for a parameter that a strict collection does not know, and for an invalid value.
pub fn parse(call: &Call, collection: &'static Collection) -> Result<(Query, Option<Fields>)> {
    let mut query = Query::default();
    for (name, text) in &call.query {
        if let Some(key) = collection.key(name) {
            if !text.is_empty() || accepts_empty(key) {
                query.filters.push(filter(key, text)?);
            }
        } else if collection.is_strict
            && !COMMON.contains(&name.as_str())
            && !collection.extras.iter().any(|extra| extra.name == name)
        {
            return Err(Error::invalid_parameter(format!(
                "{} cannot be listed by {name:?}.",
                collection.path
            )));
        }
    }
    if query.filters.iter().map(|filter| filter.values.len()).sum::<usize>() > MAX_VALUES {
        return Err(Error::invalid_parameter(format!("The filters may have {MAX_VALUES} values together.")));
    }
    if let Some(text) = call.param("sort") {
        (query.sort, query.is_descending) = sort(text, collection)?;
    }
    if call.has_param("with_count") {
        // The API guideline writes `with_count` without a value.
        let given = call.param("with_count").map_or(Some(true), flag);
        query.with_count = given.ok_or_else(|| must_be("with_count", "true or false"))?;
    }
    if let Some(id) = call.param("marker") {
        if !is_id(id) || call.param("offset").is_some_and(|offset| offset.trim() != "0") {
            return Err(Error::invalid_parameter(
                "marker must be the id of an item, and goes without an offset.",
            ));
        }
        query.marker = Some(id.to_owned());
    }
    let fields = call.param("fields").map(|text| Fields::parse(text, collection)).transpose()?;
    Ok((query, fields))
}

/// Whether an empty filter value has a meaning: an empty text, or a row without a word. A number, a time or a flag
/// without a value counts as absent.
fn accepts_empty(key: &Key) -> bool {
    match key.kind {
        Kind::Id | Kind::Text => true,
        Kind::Word(words) => key.is_nullable || words.contains(&""),
        Kind::Small | Kind::Integer | Kind::Time | Kind::Flag => false,
    }
}

/// `key`, `key:asc` or `key:desc`.
fn sort(text: &str, collection: &'static Collection) -> Result<(Option<&'static Key>, bool)> {
    let (name, direction) = text.split_once(':').unwrap_or((text, "asc"));
    let key = collection.key(name.trim()).filter(|key| key.sorts);
    match (key, direction.trim()) {
        (Some(key), "asc") => Ok((Some(key), false)),
        (Some(key), "desc") => Ok((Some(key), true)),
        _ => {
            let keys: Vec<&str> =
                collection.keys.iter().filter(|key| key.sorts).map(|key| key.name).collect();
            Err(must_be("sort", &format!("one of {}, perhaps with :asc or :desc", keys.join(", "))))
        }
    }
}

/// Parses a filter: `value`, or `operator:value`.
///
/// # Errors
/// 400 for an operator or a value that the key does not support.
pub fn filter(key: &'static Key, text: &str) -> Result<Filter> {
    let (op, is_list, text) = match text.split_once(':') {
        Some(("in", rest)) => (Op::In, true, rest),
        Some(("nin", rest)) => (Op::NotIn, true, rest),
        Some(("neq", rest)) => (Op::NotIn, false, rest),
        Some(("gt", rest)) => (Op::Greater, false, rest),
        Some(("gte", rest)) => (Op::GreaterOrEqual, false, rest),
        Some(("lt", rest)) => (Op::Less, false, rest),
        Some(("lte", rest)) => (Op::LessOrEqual, false, rest),
        _ => (Op::In, false, text),
    };
    if !matches!(op, Op::In | Op::NotIn) && !key.kind.is_ordered() {
        return Err(Error::invalid_parameter(format!("{} is in no order; use in:, nin: or neq:.", key.name)));
    }
    let texts = if is_list { list(text) } else { list_of_one(text) };
    let texts = texts
        .ok_or_else(|| must_be(key.name, "without an open quote, and with a comma after a closed one"))?;
    let values = texts
        .iter()
        .map(|text| match key.kind {
            // An empty value selects the rows in which a nullable key is null.
            Kind::Id | Kind::Text | Kind::Word(_) if key.is_nullable && text.is_empty() => {
                Ok(Operand::Text(String::new()))
            }
            kind => operand(key.name, kind, text),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Filter { key: key.name, op, values })
}

/// Parses one value of a parameter.
///
/// # Errors
/// 400 if it is not of this kind.
pub fn operand(name: &str, kind: Kind, text: &str) -> Result<Operand> {
    let integer = |min: i64, max: i64| {
        let number = text.trim().parse::<i64>().ok().filter(|number| (min..=max).contains(number));
        number.map(Operand::Integer).ok_or_else(|| must_be(name, &format!("an integer from {min} to {max}")))
    };
    match kind {
        Kind::Id | Kind::Text if text.chars().any(char::is_control) || text.len() > 1024 => {
            Err(must_be(name, "plain text"))
        }
        // No row has a malformed id, and some databases cannot compare an id column with it.
        Kind::Id if !text.is_empty() && !is_id(text) => Err(must_be(name, "an id")),
        Kind::Id | Kind::Text => Ok(Operand::Text(text.to_owned())),
        Kind::Word(words) if words.contains(&text) => Ok(Operand::Text(text.to_owned())),
        Kind::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
            Err(must_be(name, &format!("one of {}", words.join(", "))))
        }
        Kind::Small => integer(i32::MIN.into(), i32::MAX.into()),
        Kind::Integer => integer(i64::MIN, i64::MAX),
        Kind::Time => time(text).map(Operand::Time).ok_or_else(|| {
            must_be(name, "a time: ISO 8601 in the years 1000 to 9999, or seconds since 1970")
        }),
        Kind::Flag => flag(text).map(Operand::Flag).ok_or_else(|| must_be(name, "true or false")),
    }
}

fn must_be(name: &str, what: &str) -> Error {
    Error::invalid_parameter(format!("{name} must be {what}."))
}

/// Parses a boolean in the spellings of Python's and other clients (contract, api-v2 §2 "Paging").
pub fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" | "t" | "yes" | "y" | "1" | "on" => Some(true),
        "false" | "False" | "FALSE" | "f" | "no" | "n" | "0" | "off" => Some(false),
        _ => None,
    }
}

/// Parses a time: seconds since 1970, or ISO 8601 with an optional time of day, fraction and zone (UTC by default).
pub fn time(text: &str) -> Option<Time> {
    // The plus of a zone has been decoded to a blank, unless the client escaped it.
    let text = text.trim().replace(' ', "+");
    let moment = if let Ok(seconds) = text.parse::<i64>() {
        DateTime::from_timestamp(seconds, 0)?.naive_utc()
    } else if let Ok(moment) = DateTime::parse_from_rfc3339(&text) {
        moment.naive_utc()
    } else if let Ok(moment) = NaiveDateTime::parse_from_str(&text, "%Y-%m-%dT%H:%M:%S%.f") {
        moment
    } else {
        NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?
    };
    // The range of MySQL's DATETIME, which has no leap seconds.
    let fits = (1000..=9999).contains(&moment.year()) && moment.nanosecond() < 1_000_000_000;
    fits.then(|| Time(moment.trunc_subsecs(6)))
}

/// Parses one value, which may be in quotes.
fn list_of_one(text: &str) -> Option<Vec<String>> {
    match text.starts_with('"') {
        true => list(text).filter(|values| values.len() == 1),
        false => Some(vec![text.to_owned()]),
    }
}

/// Parses values separated by commas. A quoted value may contain commas, and quotes that are doubled.
fn list(text: &str) -> Option<Vec<String>> {
    let (mut values, mut rest) = (Vec::new(), text);
    loop {
        let (value, after) = match rest.strip_prefix('"') {
            Some(quoted) => {
                let mut value = String::new();
                let mut chars = quoted.char_indices().peekable();
                let end = loop {
                    match chars.next()? {
                        (_, '"') if chars.peek().is_some_and(|(_, next)| *next == '"') => {
                            chars.next();
                            value.push('"');
                        }
                        (at, '"') => break at + 1,
                        (_, other) => value.push(other),
                    }
                };
                (value, &quoted[end..])
            }
            None => {
                let end = rest.find(',').unwrap_or(rest.len());
                (rest[..end].to_owned(), &rest[end..])
            }
        };
        values.push(value);
        match after.strip_prefix(',') {
            Some(more) => rest = more,
            None => return after.is_empty().then_some(values),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_separated_by_commas_outside_of_quotes() {
        for (text, values) in [
            ("a,b", vec!["a", "b"]),
            ("", vec![""]),
            ("a,", vec!["a", ""]),
            ("\"a,b\",c", vec!["a,b", "c"]),
            ("\"say \"\"a\"\"\"", vec!["say \"a\""]),
            ("a\"b", vec!["a\"b"]),
        ] {
            assert_eq!(list(text).unwrap(), values, "{text}");
        }
        assert_eq!((list("\"a"), list("\"a\"b")), (None, None));
        assert_eq!(list_of_one("a,b"), Some(vec!["a,b".to_owned()]));
        assert_eq!(list_of_one("\"a\",b"), None);
    }

    #[test]
    fn a_time_has_several_forms() {
        let noon = time("2026-11-22T12:00:00Z").unwrap();
        for text in [
            "2026-11-22T12:00:00",
            "2026-11-22T12:00:00.000000",
            "2026-11-22T13:00:00+01:00",
            "2026-11-22T13:00:00 01:00",
            "1795348800",
        ] {
            assert_eq!(time(text), Some(noon), "{text}");
        }
        assert_eq!(time("2026-11-22"), time("2026-11-22T00:00:00Z"));
        for bad in [
            "",
            "yesterday",
            "2026-13-01",
            "0999-01-01",
            "99999999999999",
            "2026-11-22T25:00:00",
            "2016-12-31T23:59:60Z",
        ] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_operator_comes_before_a_colon() {
        const SIZE: Key = Key::new("size", Kind::Small, "");
        const NAME: Key = Key::new("name", Kind::Text, "");
        let parsed = |key, text| filter(key, text).map(|filter| (filter.op, filter.values));
        assert_eq!(parsed(&SIZE, "gte:5").unwrap(), (Op::GreaterOrEqual, vec![Operand::Integer(5)]));
        assert_eq!(parsed(&SIZE, "5").unwrap().0, Op::In);
        assert_eq!(parsed(&NAME, "swift:c").unwrap().1, vec![Operand::Text("swift:c".into())]);
        assert_eq!(parsed(&NAME, "neq:a,b").unwrap(), (Op::NotIn, vec![Operand::Text("a,b".into())]));
        for bad in ["", "x", "1.0", "in:1,x", "2147483648", "gt:", "\"1"] {
            assert_eq!(filter(&SIZE, bad).unwrap_err().status(), 400, "{bad}");
        }
        assert!(filter(&NAME, "gt:a").is_err());
    }
}
