//! Cron fields as APScheduler reads them, which differs from crontab(5).

use super::Refusal;

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const POSITIONS: &[&str] = &["1st", "2nd", "3rd", "4th", "5th"];
const LAST: &str = "last";

/// A field's key, minimum and maximum.
type Bounds = (&'static str, u32, u32);

/// The fields in APScheduler's order. A missing field defaults to all values if a later field is given, and otherwise to its
/// minimum.
pub const FIELDS: [Bounds; 8] = [
    ("schedule_year", 1970, 9999),
    ("schedule_month", 1, 12),
    ("schedule_day", 1, 31),
    ("schedule_week", 1, 53),
    ("schedule_day_of_week", 0, 6),
    ("schedule_hour", 0, 23),
    ("schedule_minute", 0, 59),
    ("schedule_second", 0, 59),
];

/// One part of a field's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expression {
    /// Each value; with a step, each `step`th from the minimum.
    Every {
        /// The step.
        step: Option<u32>,
    },
    /// The values from `first` to `last`; without `last`, to the maximum.
    Range {
        /// The first value.
        first: u32,
        /// The last value.
        last: Option<u32>,
        /// The step.
        step: Option<u32>,
    },
    /// The last day of the month.
    LastDay,
    /// A weekday (0 is Monday) by its place in the month.
    Nth {
        /// 1 to 5; `None` is the last one.
        nth: Option<u32>,
        /// The weekday.
        weekday: u32,
    },
    /// The name of a weekday in the field of the day, which the scheduler cannot arm.
    DayName,
}

/// The expressions of a field, any of which may match.
pub type CronField = Vec<Expression>;

/// The fields that are given, in the order of [`FIELDS`]. All of them must match.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    /// The fields.
    pub fields: [Option<CronField>; 8],
}

impl Cron {
    /// Parses the fields for which `text` has a value; `None` when there is none.
    pub fn parse<'t>(text: impl Fn(&str) -> Option<&'t str>) -> Result<Option<Self>, Refusal> {
        let mut fields: [Option<CronField>; 8] = Default::default();
        for (field, bounds) in fields.iter_mut().zip(FIELDS) {
            if let Some(text) = text(bounds.0) {
                let parsed = parse_field(text, bounds);
                *field = Some(parsed.ok_or_else(|| Refusal::new(bounds.0, expected(bounds)))?);
            }
        }
        Ok(fields.iter().any(Option::is_some).then_some(Self { fields }))
    }

    /// Whether the field of the day has names of weekdays.
    pub fn has_day_names(&self) -> bool {
        self.fields.iter().flatten().flatten().any(|part| *part == Expression::DayName)
    }
}

/// The valid values of a field.
pub fn expected((key, min, max): Bounds) -> String {
    let more = match key {
        "schedule_month" => ", or the names jan to dec",
        "schedule_day_of_week" => " (0 is Monday), or the names mon to sun",
        "schedule_day" => ", last, or a weekday of the month as 1st mon or last fri",
        _ => "",
    };
    format!(
        "*, numbers from {min} to {max}{more}; ranges ({min}-{}), steps (*/2, {min}-{max}/2) and lists with commas too, \
         where a range must not run down and a step not exceed it",
        min + 1
    )
}

fn parse_field(text: &str, bounds: Bounds) -> Option<CronField> {
    text.trim().split(',').map(|part| parse_expression(part.trim_matches(' '), bounds)).collect()
}

fn parse_expression(text: &str, bounds: Bounds) -> Option<Expression> {
    if let Some(rest) = text.strip_prefix('*') {
        return every(rest, bounds);
    }
    if text.starts_with(|first: char| first.is_ascii_digit())
        && let Some(range) = Numbers::read(text)
    {
        return range.within(bounds);
    }
    let lower = text.to_ascii_lowercase();
    match bounds.0 {
        "schedule_month" => names(&lower, MONTHS, 1),
        "schedule_day_of_week" => names(&lower, WEEKDAYS, 0),
        "schedule_day" => day(&lower),
        _ => None,
    }
}

fn every(rest: &str, (_, min, max): Bounds) -> Option<Expression> {
    if rest.is_empty() {
        return Some(Expression::Every { step: None });
    }
    let step = number(rest.strip_prefix('/')?)?;
    (1..=max - min).contains(&step).then_some(Expression::Every { step: Some(step) })
}

/// A range as it is written.
struct Numbers {
    first: u32,
    last: Option<u32>,
    step: Option<u32>,
}

impl Numbers {
    fn read(text: &str) -> Option<Self> {
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => (range, Some(number(step)?)),
            None => (text, None),
        };
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (number(first)?, Some(number(last)?)),
            None => (number(range)?, None),
        };
        Some(Self { first, last, step })
    }

    fn within(self, (_, min, max): Bounds) -> Option<Expression> {
        let Self { first, last, step } = self;
        let last = last.or(step.is_none().then_some(first));
        let runs_up = first >= min && last.is_none_or(|last| first <= last && last <= max);
        // APScheduler treats a last value of 0 as missing here.
        let end = last.filter(|last| *last != 0).unwrap_or(max);
        let steps =
            step.is_none_or(|step| step >= 1 && step <= max - min && first.saturating_add(step) <= end);
        (runs_up && steps).then_some(Expression::Range { first, last, step })
    }
}

/// Digits as a number; one that is too large for any field counts as the largest.
fn number(digits: &str) -> Option<u32> {
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u32::MAX))
}

/// A name or a range of names. As in APScheduler only the beginning of the text is read: `mon - fri` is Monday.
fn names(text: &str, names: &[&str], least: u32) -> Option<Expression> {
    let index = |name: &str| -> Option<u32> {
        let index = names.iter().position(|known| *known == name)?;
        u32::try_from(index).ok().map(|index| index + least)
    };
    let letters = |text: &str| text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(letters(text))?;
    let first = index(name)?;
    let last = match rest.strip_prefix('-').map(|rest| rest.split_at_checked(letters(rest))) {
        Some(Some((name, _))) if !name.is_empty() => index(name)?,
        _ => first,
    };
    (first <= last).then_some(Expression::Range { first, last: Some(last), step: None })
}

/// The forms that only `schedule_day` has: the last day, a weekday by its place in the month, or a weekday's name, which
/// Freezer's own documents use.
fn day(text: &str) -> Option<Expression> {
    let position = POSITIONS.iter().chain([&LAST]).find_map(|word| {
        let rest = text.strip_prefix(word)?;
        let name = rest.trim_start();
        (name.len() < rest.len() && name.starts_with(is_word)).then_some((*word, name))
    });
    if let Some((word, name)) = position {
        let name = name.split(|c| !is_word(c)).next().unwrap_or_default();
        let Some(Expression::Range { first: weekday, .. }) =
            exactly(name).then(|| names(name, WEEKDAYS, 0))?
        else {
            return None;
        };
        let nth = POSITIONS.iter().zip(1..).find_map(|(known, nth)| (*known == word).then_some(nth));
        return Some(Expression::Nth { nth, weekday });
    }
    if text.starts_with(LAST) {
        return Some(Expression::LastDay);
    }
    names(text, WEEKDAYS, 0).map(|_| Expression::DayName)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn exactly(name: &str) -> bool {
    WEEKDAYS.contains(&name)
}
