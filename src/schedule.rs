//! What the `schedule_*` keys of a job or a session mean to freezer-scheduler, which hands them to APScheduler.
//!
//! Pure: no clock and no I/O. [`parse`] gives a typed value, or says which key cannot be run and what it may be.

mod cron;
mod date;
mod interval;

use serde_json::{Map, Value};

pub use cron::{Cron, CronField, Expression, FIELDS};
pub use date::Moment;
pub use interval::Interval;

/// The most characters that a key of the unit may have.
const MAX_TEXT: usize = 255;

/// The latest instant that a scheduler can compute with in every time zone: a day before the end of the year 9999.
const LAST_INSTANT: i64 = 253_402_300_799 - 86_400;

/// When a job runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trigger {
    /// Once, as soon as the scheduler has read the job: no key says when.
    Now,
    /// Once, at this time.
    Date(Moment),
    /// Repeatedly, with this interval.
    Interval(Interval),
    /// At the times that match all fields.
    Cron(Cron),
}

/// A parsed unit. As in the scheduler, a date takes precedence over an interval, and an interval over cron fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// When the job runs.
    pub trigger: Trigger,
    /// The earliest time of a run.
    pub start: Option<Moment>,
    /// The latest time of a run.
    pub end: Option<Moment>,
}

/// Why a unit is refused: the key and its valid values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The key, such as `schedule_hour`.
    pub key: String,
    /// The valid values.
    pub expected: String,
}

impl Refusal {
    fn new(key: &str, expected: impl Into<String>) -> Self {
        Self { key: key.to_owned(), expected: expected.into() }
    }
}

/// Parses the `schedule_*` keys.
///
/// Keys that the trigger leaves unused are checked too, unless they are empty.
///
/// # Errors
/// The first key that no scheduler can run.
pub fn parse(unit: &Map<String, Value>) -> Result<Schedule, Refusal> {
    for (key, value) in unit {
        match value.as_str() {
            Some(text) if text.chars().count() <= MAX_TEXT => {}
            _ => return Err(Refusal::new(key, format!("text of at most {MAX_TEXT} characters"))),
        }
    }
    let text = |key: &str| unit.get(key).and_then(Value::as_str);
    let moment = |key: &'static str| text(key).filter(|text| !text.is_empty()).map(|text| (key, text));
    let [date, start, end] = ["schedule_date", "schedule_start_date", "schedule_end_date"].map(moment);
    let date =
        date.map(|(key, text)| Moment::parse_run_date(text).ok_or_else(|| Refusal::new(key, date::EXPECTED)));
    let bound = |given: Option<(&str, &str)>| {
        given
            .map(|(key, text)| Moment::parse(text).ok_or_else(|| Refusal::new(key, date::EXPECTED)))
            .transpose()
    };
    let (date, start, end) = (date.transpose()?, bound(start)?, bound(end)?);
    if let (Some(start), Some(end)) = (&start, &end)
        && end.as_utc() < start.as_utc()
    {
        return Err(Refusal::new("schedule_end_date", "a date that is not before schedule_start_date"));
    }
    let interval = text("schedule_interval").filter(|text| !text.is_empty());
    let interval = interval.map(|text| {
        Interval::parse(text).ok_or_else(|| Refusal::new("schedule_interval", interval::EXPECTED))
    });
    let interval = interval.transpose()?;
    let decided = date.is_some() || interval.is_some();
    let cron = Cron::parse(|key| text(key).filter(|text| !(decided && text.is_empty())))?;
    let trigger = match (date, interval, cron) {
        (Some(date), ..) => Trigger::Date(date),
        (None, Some(interval), _) => Trigger::Interval(interval),
        (None, None, Some(cron)) => Trigger::Cron(cron),
        (None, None, None) => Trigger::Now,
    };
    Ok(Schedule { trigger, start, end })
}

impl Schedule {
    /// Whether a scheduler that arms this at `now` (seconds since the epoch) can compute its fires.
    ///
    /// # Errors
    /// An interval whose first or second fire lies beyond the year 9999.
    pub fn check_from(&self, now: i64) -> Result<(), Refusal> {
        let Trigger::Interval(interval) = &self.trigger else { return Ok(()) };
        let begins = self.start.as_ref().map_or(now, |start| start.as_utc().and_utc().timestamp().max(now));
        match begins.checked_add(interval.seconds()) {
            Some(next) if next <= LAST_INSTANT => Ok(()),
            _ => Err(Refusal::new("schedule_interval", "an interval that ends before the year 9999 does")),
        }
    }

    /// Whether the scheduler can arm it. It cannot arm names of weekdays in `schedule_day`, which this service accepts.
    pub fn is_armable(&self) -> bool {
        !matches!(&self.trigger, Trigger::Cron(cron) if cron.has_day_names())
    }
}

/// The same unit with runs of spaces replaced by one space, as it is stored and compared.
pub fn normalized(unit: &Map<String, Value>) -> Map<String, Value> {
    let one_blank = |value: &Value| match value {
        Value::String(text) if text.contains("  ") => {
            let mut shorter = text.clone();
            while shorter.contains("  ") {
                shorter = shorter.replace("  ", " ");
            }
            Value::String(shorter)
        }
        other => other.clone(),
    };
    unit.iter().map(|(key, value)| (key.clone(), one_blank(value))).collect()
}

#[cfg(test)]
mod tests;
