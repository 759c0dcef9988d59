//! The contents of the filled database. Every id and value is computed from a job's number, so that nothing has to be
//! stored.
//!
//! One project, as a cloud's schedulers have it. Of every ten jobs nine are spread over five schedulers, and one is the
//! archive's: a scheduler with very many jobs, of which all but three are completed. One job in twenty is in a session.

/// How many jobs follow the same pattern: sizes are multiples of it.
pub const BLOCK: usize = 1000;
/// Jobs per session.
pub const SESSION: usize = 5;

pub const PROJECT: &str = "53dae931a7a4452fa4faa76a36efd907";
pub const USER: &str = "1066fb42c2704720a3b94c48d38de408";

/// Which of five schedulers has which of ten jobs; the tenth is the archive's.
const SCHEDULERS: [usize; 9] = [0, 0, 0, 1, 1, 2, 3, 4, 4];
/// The archive's jobs that are not completed.
const OPEN: [usize; 3] = [9, 509, 909];

/// What has an id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Client = 1,
    Action = 2,
    SharedAction = 3,
    Job = 4,
    Place = 5,
    Session = 6,
    Backup = 7,
}

/// A scheduler's number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scheduler {
    Regular(usize),
    Archive,
}

/// The id of the thing of that kind and number: 32 hex digits, in no order, as random ones are.
pub fn id(kind: Kind, number: usize) -> String {
    let (mut left, mut right) = (kind as u64, number as u64);
    for round in 0..4 {
        (left, right) = (right, left ^ mixed(right ^ (round << 56)));
    }
    format!("{left:016x}{right:016x}")
}

/// Whether [`id`] made this, for any of the kinds and the numbers below a billion.
pub fn is_known(id: &str) -> bool {
    let half = |range| id.get(range).and_then(|half| u64::from_str_radix(half, 16).ok());
    let (Some(mut left), Some(mut right)) = (half(0..16), half(16..32)) else { return false };
    for round in (0..4).rev() {
        (left, right) = (right ^ mixed(left ^ (round << 56)), left);
    }
    id == PROJECT || id == USER || ((1..=7).contains(&left) && right < 1_000_000_000)
}

/// Scrambles a number (splitmix64).
pub fn mixed(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The scheduler that a job belongs to.
pub fn scheduler_of(job: usize) -> Scheduler {
    match SCHEDULERS.get(job % 10) {
        Some(place) => Scheduler::Regular(job / 10 * 5 + place),
        None => Scheduler::Archive,
    }
}

impl Scheduler {
    /// How many regular ones there are with so many jobs.
    pub fn count(jobs: usize) -> usize {
        jobs / 2
    }

    /// Its row.
    pub fn id(self) -> String {
        id(Kind::Client, self.number())
    }

    /// Its host.
    pub fn hostname(self) -> String {
        match self {
            Self::Regular(number) => format!("node-{number:06}.example.org"),
            Self::Archive => "archive.example.org".to_owned(),
        }
    }

    /// The name it gives itself.
    pub fn client_id(self) -> String {
        format!("{PROJECT}_{}", self.hostname())
    }

    fn number(self) -> usize {
        match self {
            Self::Regular(number) => number,
            Self::Archive => 999_999_999,
        }
    }
}

/// The session that a job is in.
pub fn session_of(job: usize) -> Option<usize> {
    (job % (100 / SESSION) == 3).then_some(job / 100)
}

/// The id of a job's action: most have one of their own.
pub fn action_of(job: usize) -> String {
    if has_own_action(job) { id(Kind::Action, job) } else { id(Kind::SharedAction, job / BLOCK) }
}

/// Whether a job's action is for it alone.
pub fn has_own_action(job: usize) -> bool {
    scheduler_of(job) != Scheduler::Archive && !job.is_multiple_of(5)
}

/// How a job stands.
pub fn status_of(job: usize) -> &'static str {
    match scheduler_of(job) {
        Scheduler::Archive if OPEN.contains(&job) => "scheduled",
        Scheduler::Archive => "completed",
        Scheduler::Regular(_) => match mixed(job as u64) % 20 {
            0..12 => "scheduled",
            12..14 => "running",
            14..18 => "completed",
            18 => "stop",
            _ => "",
        },
    }
}

/// A regular scheduler's job that is in no session, near this one.
pub fn lone_job(near: u64, jobs: usize) -> usize {
    let job = (near % jobs as u64) as usize;
    // Of ten in a row only the last is the archive's, and of two neighbours at most one is in a session.
    let job = if job % 10 == 9 { job - 1 } else { job };
    if session_of(job).is_some() { job - 1 } else { job }
}
