//! Intervals of a schedule.

/// The valid form of an interval.
pub const EXPECTED: &str =
    "continuous, or a number from 1 up, a blank and one of weeks, days, hours, minutes, seconds";

/// The time from one fire to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    seconds: i64,
}

impl Interval {
    /// Parses `schedule_interval`. A number that is too large for any calendar counts as the largest.
    pub fn parse(text: &str) -> Option<Self> {
        if text == "continuous" {
            return Some(Self { seconds: 1 });
        }
        let (number, unit) = text.split_once(' ')?;
        let length: i64 = match unit {
            "weeks" => 604_800,
            "days" => 86_400,
            "hours" => 3_600,
            "minutes" => 60,
            "seconds" => 1,
            _ => return None,
        };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let seconds = number.parse().unwrap_or(i64::MAX).saturating_mul(length);
        (seconds > 0).then_some(Self { seconds })
    }

    /// Its length in seconds.
    pub fn seconds(self) -> i64 {
        self.seconds
    }
}
