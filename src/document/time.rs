//! Times in the documents of the newer resources: ISO 8601 in UTC (contract, conventions §6 "Naming"). The older
//! documents have seconds since the epoch.

use super::shape::must_be;
use crate::store::types::time::Time;
use chrono::{DateTime, Datelike, SubsecRound, Timelike};
use serde_json::{Value, json};

/// A time in a request as text: with or without a fraction, and with or without a zone. Without a zone it is in UTC.
const PATTERN: &str = "^(19[7-9][0-9]|[2-9][0-9]{3})-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):\
                       [0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?$";

/// A time as text: UTC, with microseconds.
pub fn iso(time: Time) -> String {
    time.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

/// Schema of a time in a response.
pub fn output_schema() -> Value {
    json!({"type": "string", "format": "date-time"})
}

/// Schema of a time in a request: ISO 8601 from 1970 to 9999, or seconds since the epoch.
pub fn input_schema() -> Value {
    let time = json!({
        "anyOf": [
            {"type": "string", "pattern": PATTERN},
            {"type": "integer", "minimum": 0, "maximum": 253_402_300_799_i64},
        ],
    });
    must_be("a time from 1970 to 9999 as 2026-12-31T23:59:59Z, or seconds since 1970", time)
}

/// The time in a request, if it exists: the pattern also admits the 30th of February.
pub fn from_value(value: &Value) -> Option<Time> {
    match value {
        Value::String(text) => from_iso(text),
        _ => from_epoch(value.as_i64()?),
    }
}

fn from_epoch(seconds: i64) -> Option<Time> {
    storable(DateTime::from_timestamp(seconds, 0)?)
}

fn from_iso(text: &str) -> Option<Time> {
    let with_zone = DateTime::parse_from_rfc3339(text);
    let time = with_zone.or_else(|_| DateTime::parse_from_rfc3339(&format!("{text}Z"))).ok()?;
    storable(time.to_utc())
}

/// The time, if every database can store it: no leap second, and no year of five digits.
fn storable(time: DateTime<chrono::Utc>) -> Option<Time> {
    let fits = (1970..=9999).contains(&time.year()) && time.nanosecond() < 1_000_000_000;
    fits.then(|| Time(time.naive_utc().trunc_subsecs(6)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::shape::Shape;

    static INPUT: Shape = Shape::new(
        "Input",
        || json!({"type": "object", "properties": {"at": input_schema()}, "required": ["at"]}),
    );

    #[test]
    fn a_time_may_have_a_fraction_and_a_zone() {
        for (given, shown) in [
            (json!("2026-11-22T19:55:23"), "2026-11-22T19:55:23.000000Z"),
            (json!("2026-11-22T19:55:23Z"), "2026-11-22T19:55:23.000000Z"),
            (json!("2026-11-22T19:55:23.5"), "2026-11-22T19:55:23.500000Z"),
            (json!("2026-11-22T19:55:23.123456789+02:00"), "2026-11-22T17:55:23.123456Z"),
            (json!("2024-02-29T23:00:00-01:30"), "2024-03-01T00:30:00.000000Z"),
            (json!("1970-01-01T00:00:00Z"), "1970-01-01T00:00:00.000000Z"),
            (json!("9999-12-31T23:59:59.999999Z"), "9999-12-31T23:59:59.999999Z"),
            (json!(0), "1970-01-01T00:00:00.000000Z"),
            (json!(253_402_300_799_i64), "9999-12-31T23:59:59.000000Z"),
        ] {
            assert_eq!(from_value(&given).map(iso).as_deref(), Some(shown), "{given}");
            assert!(INPUT.check(json!({"at": given})).is_ok(), "{given}");
        }
    }

    #[test]
    fn a_time_that_a_database_cannot_store_is_refused() {
        for bad in [
            "2026-11-22T19:55:60Z",
            "2026-11-22T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-11-22",
            "2026-11-22T19:55Z",
            "22.11.2026 19:55",
            "+12026-11-22T19:55:23Z",
            "now",
            "",
        ] {
            assert_eq!(from_value(&json!(bad)), None, "{bad}");
            assert!(INPUT.check(json!({"at": bad})).is_err(), "{bad}");
        }
        // These pass the pattern.
        for bad in ["2026-02-30T00:00:00", "9999-12-31T23:59:59-01:00", "1970-01-01T00:00:00+00:01"] {
            assert_eq!(from_value(&json!(bad)), None, "{bad}");
        }
        for bad in [json!(-1), json!(253_402_300_800_i64), json!(1.5), json!(null), json!(true)] {
            assert_eq!(from_value(&bad), None, "{bad}");
            assert!(INPUT.check(json!({"at": bad})).is_err(), "{bad}");
        }
    }
}
