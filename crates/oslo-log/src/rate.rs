//! `rate_limit_*`: limits the records of an interval, counted as in oslo.log.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::entry::Severity;

/// `rate_limit_interval`, `rate_limit_burst` and `rate_limit_except_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The length of an interval (`rate_limit_interval`, in seconds).
    pub interval: Duration,
    /// The most records of an interval (`rate_limit_burst`).
    pub burst: u32,
    /// Records of this severity or above are not counted (`rate_limit_except_level`); `None` counts all.
    pub except: Option<Severity>,
}

/// Counts records.
#[derive(Debug)]
pub struct Limiter {
    limit: RateLimit,
    window: Mutex<Window>,
}

#[derive(Debug)]
struct Window {
    end: Instant,
    count: u32,
}

/// The decision on a record.
#[derive(Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The record is written.
    Pass,
    /// The record is the first that is dropped; this text is written instead.
    Last(String),
    /// The record is dropped.
    Drop,
}

impl Limiter {
    /// A limiter; the first interval begins at `now`.
    pub fn new(limit: RateLimit, now: Instant) -> Self {
        Self { limit, window: Mutex::new(Window { end: now + limit.interval, count: 0 }) }
    }

    /// Decides on a record.
    pub fn admit(&self, severity: Severity, now: Instant) -> Verdict {
        if self.limit.except.is_some_and(|except| severity >= except) {
            return Verdict::Pass;
        }
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        if now >= window.end {
            *window = Window { end: now + self.limit.interval, count: 0 };
        }
        window.count = window.count.saturating_add(1);
        let RateLimit { burst, interval, .. } = self.limit;
        if window.count <= burst {
            Verdict::Pass
        } else if window.count == burst.saturating_add(1) {
            let seconds = interval.as_secs();
            Verdict::Last(format!("Logging rate limit: drop after {burst} records/{seconds} sec"))
        } else {
            Verdict::Drop
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_passes_one_burst() {
        let began = Instant::now();
        let limit =
            RateLimit { interval: Duration::from_secs(10), burst: 2, except: Some(Severity::Critical) };
        let limiter = Limiter::new(limit, began);
        let at = |second, severity| limiter.admit(severity, began + Duration::from_secs(second));
        assert_eq!(at(0, Severity::Info), Verdict::Pass);
        assert_eq!(at(1, Severity::Error), Verdict::Pass);
        assert_eq!(at(1, Severity::Critical), Verdict::Pass);
        let message = "Logging rate limit: drop after 2 records/10 sec".to_owned();
        assert_eq!(at(2, Severity::Error), Verdict::Last(message));
        assert_eq!(at(9, Severity::Error), Verdict::Drop);
        assert_eq!(at(9, Severity::Critical), Verdict::Pass);
        assert_eq!(at(10, Severity::Info), Verdict::Pass);
    }

    #[test]
    fn without_an_excepted_level_all_records_count() {
        let now = Instant::now();
        let limiter =
            Limiter::new(RateLimit { interval: Duration::from_secs(1), burst: 1, except: None }, now);
        assert_eq!(limiter.admit(Severity::Critical, now), Verdict::Pass);
        assert!(matches!(limiter.admit(Severity::Critical, now), Verdict::Last(_)));
        assert_eq!(limiter.admit(Severity::Critical, now), Verdict::Drop);
    }
}
