//! The rules of runs as pure functions: how an event is requested and delivered, when a run becomes history, what a start
//! in a session does, and how the results of a session's jobs combine.

/// An event that a job's scheduler is asked for (contract, api-v2 §7 "Events").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Run the job.
    Start,
    /// Remove it from the schedule.
    Stop,
    /// Kill its run.
    Abort,
    /// Forget the job. Only a job document can request this; `POST /jobs/{job_id}/event` cannot.
    Remove,
}

impl Event {
    /// The event of that name.
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "start" => Some(Self::Start),
            "stop" => Some(Self::Stop),
            "abort" => Some(Self::Abort),
            "remove" => Some(Self::Remove),
            _ => None,
        }
    }

    /// The event's name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Abort => "abort",
            Self::Remove => "remove",
        }
    }
}

/// The event of a job that has `stored` after a document with `sent`.
///
/// A scheduler sends back the whole schedule that it last read, so its empty event may be older than an event that a user
/// has requested since. So only an event that the client's poll has delivered can be cleared.
pub fn event_after<'a>(stored: &'a str, delivered: bool, sent: Option<&'a str>) -> &'a str {
    match sent {
        None => stored,
        Some("") if !delivered => stored,
        Some(sent) => sent,
    }
}

/// A run of a job on a client: what history records of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// When it started, in epoch seconds.
    pub started: Option<i64>,
    /// When it ended, in epoch seconds.
    pub ended: Option<i64>,
    /// The result; empty while it runs.
    pub result: &'a str,
}

impl Run<'_> {
    /// Whether the run has ended with a result.
    pub fn is_finished(self) -> bool {
        self.ended.is_some() && !self.result.is_empty()
    }
}

/// Whether the change from `before` to `after` finishes a run, so that it becomes history.
pub fn finishes(before: Run<'_>, after: Run<'_>) -> bool {
    after.is_finished() && before != after
}

/// The outcome of a scheduler's `start` (contract, api-v2 §8 "Action").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The scheduler's tag is higher than the session's.
    TagTooHigh,
    /// Another scheduler started this run within the hold-off time: join it.
    Join,
    /// This scheduler has already joined the run.
    HoldOff,
    /// A new run begins, with the next tag.
    Begin,
    /// The scheduler has missed a run, which can no longer be joined.
    OutOfSync,
}

/// Whether an age is from 0 to `limit`. A time in the future, from a clock that was ahead, has a negative age and is never
/// recent.
pub fn is_recent<T: Default + PartialOrd>(age: T, limit: T) -> bool {
    (T::default()..=limit).contains(&age)
}

/// Decides a `start` with the scheduler's `tag` on a session whose tag is `session_tag` and whose last run
/// started `age` seconds ago (`None`: never).
pub fn start(tag: i64, session_tag: i64, age: Option<i64>, hold_off: i64) -> Start {
    let held_off = age.is_some_and(|age| is_recent(age, hold_off));
    match (tag.cmp(&session_tag), held_off) {
        (std::cmp::Ordering::Greater, _) => Start::TagTooHigh,
        (std::cmp::Ordering::Less, true) => Start::Join,
        (std::cmp::Ordering::Equal, true) => Start::HoldOff,
        (std::cmp::Ordering::Equal, false) => Start::Begin,
        (std::cmp::Ordering::Less, false) => Start::OutOfSync,
    }
}

/// How the results of a session's jobs make its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionPolicy {
    /// The session succeeds when every job did.
    All,
    /// The session succeeds when at least one job did.
    Any,
}

impl SessionPolicy {
    /// The policy of that name; anything unknown is the default, `all`.
    pub fn parse(word: &str) -> Self {
        if word == "any" { Self::Any } else { Self::All }
    }
}

/// The result of a session from the (status, result) of each job's part; `None` while one has not ended, or without jobs.
pub fn overall<'a>(
    policy: SessionPolicy,
    parts: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Option<&'static str> {
    let mut seen = 0;
    let mut succeeded = 0;
    for (status, result) in parts {
        if status != "completed" {
            return None;
        }
        seen += 1;
        succeeded += usize::from(result == "success");
    }
    if seen == 0 {
        return None;
    }
    let success = match policy {
        SessionPolicy::All => succeeded == seen,
        SessionPolicy::Any => succeeded > 0,
    };
    Some(if success { "success" } else { "fail" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_delivered_event_can_be_cleared() {
        assert_eq!(event_after("stop", false, Some("")), "stop");
        assert_eq!(event_after("stop", true, Some("")), "");
        assert_eq!(event_after("stop", false, None), "stop");
        assert_eq!(event_after("", false, Some("start")), "start");
        assert_eq!(event_after("start", false, Some("stop")), "stop");
    }

    #[test]
    fn a_run_becomes_history_once() {
        let running = Run { started: Some(10), ended: None, result: "" };
        let done = Run { started: Some(10), ended: Some(20), result: "success" };
        assert!(finishes(running, done));
        assert!(!finishes(done, done));
        assert!(!finishes(done, running));
    }

    #[test]
    fn starts_follow_the_tag_and_the_hold_off() {
        assert_eq!(start(3, 2, None, 30), Start::TagTooHigh);
        assert_eq!(start(2, 2, None, 30), Start::Begin);
        assert_eq!(start(2, 2, Some(31), 30), Start::Begin);
        assert_eq!(start(2, 2, Some(30), 30), Start::HoldOff);
        assert_eq!(start(1, 2, Some(5), 30), Start::Join);
        assert_eq!(start(1, 2, Some(31), 30), Start::OutOfSync);
    }

    #[test]
    fn a_start_in_the_future_holds_nothing_off() {
        assert_eq!(start(2, 2, Some(0), 30), Start::HoldOff);
        for age in [-1, -86_400, i64::MIN] {
            assert_eq!(start(2, 2, Some(age), 30), Start::Begin, "{age}");
            assert_eq!(start(1, 2, Some(age), 30), Start::OutOfSync, "{age}");
        }
    }

    #[test]
    fn only_the_past_is_recent() {
        for (age, recent) in [(-1, false), (0, true), (30, true), (31, false)] {
            assert_eq!(is_recent(age, 30), recent, "{age}");
        }
    }

    #[test]
    fn results_fold_by_policy_and_only_when_all_have_ended() {
        let fold = |policy, parts: &[(&'static str, &'static str)]| overall(policy, parts.iter().copied());
        let mixed = [("completed", "success"), ("completed", "fail")];
        assert_eq!(fold(SessionPolicy::All, &mixed), Some("fail"));
        assert_eq!(fold(SessionPolicy::Any, &mixed), Some("success"));
        assert_eq!(fold(SessionPolicy::All, &[("completed", "success")]), Some("success"));
        assert_eq!(fold(SessionPolicy::All, &[("completed", "fail"), ("running", "")]), None);
        assert_eq!(fold(SessionPolicy::All, &[]), None);
    }
}
