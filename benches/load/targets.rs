//! What the service must do on MariaDB with 8 connections on two cores, and whether it did.

use crate::fleet;
use crate::python;
use crate::results::{Results, Row};
use crate::session;

/// One target.
pub struct Check {
    pub what: String,
    pub target: String,
    /// What it is for a machine of this one's speed, where that is known and matters.
    pub to_scale: String,
    pub measured: String,
    pub verdict: Verdict,
}

/// Whether a target was met.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Met,
    /// For a machine of this one's speed.
    MetToScale,
    Missed,
}

/// How much more often than it.
const TIMES_PYTHON: f64 = 5.0;
/// What part of the same statements without HTTP.
const OF_STATEMENTS: f64 = 0.6;

/// What is compared with what it did there, where it is not measured here.
const FIVEFOLD: [&str; 3] = ["PATCH job_schedule", "POST job", "POST backup"];

/// Every target for which something was measured.
pub fn judge(results: &Results) -> Vec<Check> {
    let mut checks = Vec::new();
    for row in &results.rows {
        of_row(&mut checks, results, row);
    }
    let first = results.first_answer.as_secs_f64() * 1e3;
    checks.push(at_most("memory".to_owned(), results.peak(), 60.0, "MB").checked());
    checks.push(at_most("first answer".to_owned(), first, 100.0, "ms").checked());
    checks
}

fn of_row(checks: &mut Vec<Check>, results: &Results, row: &Row) {
    let speed = results.speed(row.jobs);
    let what = |more: &str| format!("{}{more}, {} jobs", row.operation, row.jobs);
    let rate = |least: f64| at_least(what(""), row.measured.rate, least, "/s").on(speed);
    match row.operation {
        "GET job" => {
            checks.push(rate(8_000.0));
            checks.push(at_most(what(", p99"), row.measured.p99, 10.0, "ms").on(speed));
            checks
                .extend(row.of_constant().map(|part| {
                    at_least(what(", of rouille's constant"), part * 100.0, 40.0, "%").checked()
                }));
        }
        "list of 10" => checks.push(rate(3_000.0)),
        "list of 100" => checks.push(rate(600.0)),
        "last page" if row.jobs == 1_000_000 => {
            checks.extend(slower(what(", to the first"), row, results.row(row.jobs, "list of 10")));
        }
        "poll" | "poll, archive" => match row.jobs {
            20_000 => checks.push(at_most(what(", p50"), row.measured.p50, 3.0, "ms").on(speed)),
            1_000_000 => checks.extend(slower(what(", to 1000"), row, results.row(1_000, row.operation))),
            _ => {}
        },
        session::NAME => checks.push(rate(1_000.0)),
        name if fleet::NAMES.contains(&name) => checks.extend(paced(row, 1.0)),
        name if fleet::TO_SCALE.contains(&name) => {
            checks.extend(paced(row, speed.map_or(1.0, |speed| speed.min(1.0))));
        }
        name if FIVEFOLD.contains(&name) => {
            let there = python::REFERENCE_RATES
                .iter()
                .find_map(|(operation, there)| (*operation == name).then_some(*there));
            checks.push(match results.python(name, row.jobs) {
                Some(here) => {
                    let times = row.measured.rate / here.rate;
                    at_least(what(", to the Python service"), times, TIMES_PYTHON, "x").checked()
                }
                None => rate(there.unwrap_or_default() * TIMES_PYTHON),
            });
            checks.extend(row.of_statements().map(|part| {
                at_least(what(", of its statements"), part * 100.0, OF_STATEMENTS * 100.0, "%").checked()
            }));
        }
        _ => {}
    }
}

/// A rate that is kept to within one in a hundred, and how late anything was; of the fleet, or of that part of it.
fn paced(row: &Row, part: f64) -> [Check; 2] {
    let what = format!("{}, {} jobs", row.operation, row.jobs);
    let polls = [fleet::NAMES[0], fleet::TO_SCALE[0]].contains(&row.operation);
    let rate = part * if polls { fleet::POLLS } else { fleet::PATCHES };
    [
        at_least(what.clone(), row.measured.rate, rate * 0.99, "/s").checked(),
        at_most(format!("{what}, p99"), row.measured.p99, 50.0 / part, "ms").checked(),
    ]
}

/// By how much half of them take longer.
fn slower(what: String, row: &Row, than: Option<&Row>) -> Option<Check> {
    than.map(|than| at_most(what, row.measured.p50 / than.measured.p50, 1.5, "x").checked())
}

/// A bound, and what was measured.
struct Bound {
    what: String,
    measured: f64,
    bound: f64,
    is_least: bool,
    unit: &'static str,
}

fn at_least(what: String, measured: f64, bound: f64, unit: &'static str) -> Bound {
    Bound { what, measured, bound, is_least: true, unit }
}

fn at_most(what: String, measured: f64, bound: f64, unit: &'static str) -> Bound {
    Bound { what, measured, bound, is_least: false, unit }
}

impl Bound {
    fn holds(&self, bound: f64) -> bool {
        if self.is_least { self.measured >= bound } else { self.measured <= bound }
    }

    /// As it is, whatever the machine.
    fn checked(self) -> Check {
        self.on(None)
    }

    /// On a machine of that speed, which is only told where it is a slower one.
    fn on(self, speed: Option<f64>) -> Check {
        let scaled = speed
            .filter(|speed| *speed < 1.0)
            .map(|speed| if self.is_least { self.bound * speed } else { self.bound / speed });
        let verdict = match scaled {
            _ if self.holds(self.bound) => Verdict::Met,
            Some(scaled) if self.holds(scaled) => Verdict::MetToScale,
            _ => Verdict::Missed,
        };
        let word = if self.is_least { "at least" } else { "at most" };
        Check {
            target: format!("{word} {} {}", number(self.bound), self.unit),
            to_scale: scaled.map(|scaled| format!("{} {}", number(scaled), self.unit)).unwrap_or_default(),
            measured: format!("{} {}", number(self.measured), self.unit),
            what: self.what,
            verdict,
        }
    }
}

/// With three digits or more, and no more than needed.
fn number(number: f64) -> String {
    if number < 100.0 && number.fract() != 0.0 { format!("{number:.2}") } else { format!("{number:.0}") }
}
