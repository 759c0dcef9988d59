//! Parsing Keystone's timestamps.

use chrono::{DateTime, NaiveDateTime, Utc};

/// Parses an ISO 8601 time with or without fractions of a second. The offset may be `Z` or missing (UTC) or numeric.
pub fn parse(text: &str) -> Option<DateTime<Utc>> {
    let zoned = DateTime::parse_from_rfc3339(text)
        .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"))
        .map(|time| time.to_utc());
    let time = zoned
        .or_else(|_| NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|time| time.and_utc()));
    time.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_the_forms_of_one_moment() {
        for text in [
            "2026-03-01T12:00:00Z",
            "2026-03-01T12:00:00.000000Z",
            "2026-03-01T12:00:00",
            "2026-03-01T13:00:00+01:00",
            "2026-03-01T12:00:00+0000",
        ] {
            assert_eq!(parse(text).unwrap().timestamp(), 1_772_366_400, "{text}");
        }
        for text in ["", "tomorrow", "2026-03-01", "2026-13-01T12:00:00Z", "1772366400"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
