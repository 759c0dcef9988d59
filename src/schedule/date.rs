//! Dates of a schedule.

use chrono::{Datelike, FixedOffset, NaiveDate, NaiveDateTime, TimeDelta};

/// The valid form of a date.
pub const EXPECTED: &str = "a date that exists, as 2026-12-31T23:59:59, in the years 1 to 9999; a fraction of up to six \
                            digits and a zone (Z or +02:00) may follow";

/// The most digits of a fraction of a second that APScheduler reads.
const RUN_DATE_DIGITS: usize = 6;

/// A date and time, with the offset from UTC if the text has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// The date and time as they are written.
    pub local: NaiveDateTime,
    /// The offset from UTC.
    pub offset: Option<FixedOffset>,
}

impl Moment {
    /// Parses `schedule_start_date` or `schedule_end_date`, whose fraction may have any number of digits.
    pub fn parse(text: &str) -> Option<Self> {
        Self::read(text, usize::MAX)
    }

    /// Parses `schedule_date`.
    pub fn parse_run_date(text: &str) -> Option<Self> {
        Self::read(text, RUN_DATE_DIGITS)
    }

    /// The time in UTC. A date without an offset counts as UTC, although the scheduler reads a `schedule_date` without one in
    /// the time zone of its host, which this service does not know.
    pub fn as_utc(&self) -> NaiveDateTime {
        let seconds = self.offset.map_or(0, |offset| offset.local_minus_utc());
        self.local - TimeDelta::seconds(seconds.into())
    }

    fn read(text: &str, max_digits: usize) -> Option<Self> {
        let (main, rest) = text.split_at_checked(19)?;
        let number = |at: std::ops::Range<usize>| {
            let digits = main.get(at)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<u32>().ok())?
        };
        let marks: String = [4, 7, 10, 13, 16].iter().filter_map(|at| main.get(*at..*at + 1)).collect();
        if marks != "--T::" {
            return None;
        }
        let (fraction, zone) = split_fraction(rest, max_digits)?;
        let year = i32::try_from(number(0..4)?).ok()?;
        let local = NaiveDate::from_ymd_opt(year, number(5..7)?, number(8..10)?)?.and_hms_micro_opt(
            number(11..13)?,
            number(14..16)?,
            number(17..19)?,
            fraction,
        )?;
        let moment = Self { local, offset: read_zone(zone)? };
        let is_year = |time: NaiveDateTime| (1..=9999).contains(&time.year());
        (is_year(local) && is_year(moment.as_utc())).then_some(moment)
    }
}

/// The fraction of a second in microseconds, and what follows it.
fn split_fraction(rest: &str, max_digits: usize) -> Option<(u32, &str)> {
    let Some(rest) = rest.strip_prefix('.') else { return Some((0, rest)) };
    let count = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, zone) = rest.split_at_checked(count)?;
    if count == 0 || count > max_digits {
        return None;
    }
    let micros: String = digits.chars().chain("000000".chars()).take(6).collect();
    Some((micros.parse().ok()?, zone))
}

fn read_zone(zone: &str) -> Option<Option<FixedOffset>> {
    let sign = match zone.as_bytes() {
        [] => return Some(None),
        [b'Z'] => return Some(FixedOffset::east_opt(0)),
        [b'+', _, _, b':', _, _] => 1,
        [b'-', _, _, b':', _, _] => -1,
        _ => return None,
    };
    let number = |at: std::ops::Range<usize>| {
        let digits = zone.get(at)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i32>().ok())?
    };
    let (hours, minutes) = (number(1..3)?, number(4..6)?);
    (hours < 24 && minutes < 60).then(|| FixedOffset::east_opt(sign * (hours * 3600 + minutes * 60)))
}
