//! Values of the old tables, as MySQL and SQLite write them out.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

/// A time in UTC, in whole seconds. Neither database has a type of its own for a time zone; text with the offset zero is
/// read all the same. `None` for a zero date, and for one that no supported database can store.
pub(super) fn time(text: &str) -> Option<NaiveDateTime> {
    let text = text.trim();
    let text = text.strip_suffix('Z').or_else(|| text.strip_suffix("+00:00")).unwrap_or(text).trim_end();
    let forms = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M:%S%.f"];
    let time = forms
        .iter()
        .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
        .or_else(|| Some(NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_time(NaiveTime::MIN)))?;
    (1000..=9999).contains(&time.year()).then(|| time.with_nanosecond(0)).flatten()
}

/// A whole number, also one that was written as a fraction (`5.0`).
pub(super) fn number(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(number) = text.parse() {
        return Some(number);
    }
    let (whole, fraction) = text.split_once('.')?;
    let is_whole = !fraction.is_empty() && fraction.bytes().all(|byte| byte == b'0');
    if is_whole { whole.parse().ok() } else { None }
}

/// A boolean, which both databases keep as a number.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" => Some(true),
        "false" => Some(false),
        text => number(text).map(|number| number != 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_both_databases_write_them() {
        let expected = NaiveDate::from_ymd_opt(2026, 11, 28).unwrap().and_hms_opt(9, 54, 47);
        for text in [
            "2026-11-28 09:54:47",
            "2026-11-28 09:54:47.123456",
            "2026-11-28T09:54:47",
            "2026-11-28 09:54:47+00:00",
            "2026-11-28T09:54:47.5Z",
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
        assert_eq!(time("2026-11-28"), NaiveDate::from_ymd_opt(2026, 11, 28).unwrap().and_hms_opt(0, 0, 0));
    }

    #[test]
    fn times_that_are_none_are_empty() {
        for text in
            ["", "0000-00-00 00:00:00", "2026-02-30 00:00:00", "2026-00-10", "yesterday", "12345-01-01", "1"]
        {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_and_booleans_are_read_from_text() {
        assert_eq!(number(" 12 "), Some(12));
        assert_eq!(number("-1"), Some(-1));
        assert_eq!(number("5.0"), Some(5));
        for text in ["", "5.5", "5.", "1h", "9223372036854775808"] {
            assert_eq!(number(text), None, "{text}");
        }
        assert_eq!(boolean("0"), Some(false));
        assert_eq!(boolean("1"), Some(true));
        assert_eq!(boolean("True"), Some(true));
        assert_eq!(boolean("maybe"), None);
    }
}
