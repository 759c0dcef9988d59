//! The rules of runs, without a database: how an event is asked for and delivered, when a run is history,
//! what a session's start and end do, how its jobs' results fold into one.

/// What a request for an event does to a job (contract, api-v2 §7 "Events").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Run it.
    Start,
    /// Take it out of the schedule.
    Stop,
    /// Kill the run.
    Abort,
    /// Forget it. Only a document asks for that, no request of its own does.
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

    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Abort => "abort",
            Self::Remove => "remove",
        }
    }
}

/// The event a job has after a document that says `sent`, when it had `stored`.
///
/// A scheduler sends back the whole schedule it last read, so its empty event may be older than an event that
/// a user has posted since. Only an event that has been in the client's poll can be cleared.
pub fn event_after<'a>(stored: &'a str, delivered: bool, sent: Option<&'a str>) -> &'a str {
    match sent {
        None => stored,
        Some("") if !delivered => stored,
        Some(sent) => sent,
    }
}

/// One run of a job on a client, as far as it matters to history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run<'a> {
    /// When it started, in epoch seconds.
    pub started: Option<i64>,
    /// When it ended, in epoch seconds.
    pub ended: Option<i64>,
    /// How it ended; empty while it has not.
    pub result: &'a str,
}

impl Run<'_> {
    /// Whether this is a run that is over and has a result.
    pub fn is_finished(self) -> bool {
        self.ended.is_some() && !self.result.is_empty()
    }
}

/// Whether going from `before` to `after` finishes a run, so that it becomes history.
pub fn finishes(before: Run<'_>, after: Run<'_>) -> bool {
    after.is_finished() && before != after
}

/// What a scheduler's `start` finds (contract, api-v2 §8 "Action").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The scheduler's tag is from the future.
    TagTooHigh,
    /// Another scheduler started this run a moment ago: join it.
    Join,
    /// This scheduler has joined already.
    HoldOff,
    /// The first one: a new run begins, with the next tag.
    Begin,
    /// The scheduler has missed a run.
    OutOfSync,
}

/// Whether an age is at most `limit`. A clock that was ahead leaves times in the future behind: their age is negative,
/// and they are never recent.
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

/// How a session's jobs decide its result.
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

/// The overall result of a session's jobs, given as (status, result) of each: `None` while one still runs, or
/// when there are none.
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
