//! What the service must do on MariaDB with 8 connections on two cores, and whether it did.

use crate::fleet;
use crate::results::{Results, Row};
use crate::session;

/// One target.
pub struct Check {
    pub what: String,
    pub target: String,
    pub measured: String,
    pub is_met: bool,
}

/// What the Python service does at most, in requests a second: two processes of two threads, MariaDB, 8 connections, 2
/// cores.
const PYTHON: &[(&str, f64)] = &[("PATCH job_schedule", 562.0), ("POST job", 175.0), ("POST backup", 515.0)];

/// How much more often than it.
const TIMES_PYTHON: f64 = 5.0;
/// What part of the same statements without HTTP.
const OF_STATEMENTS: f64 = 0.6;

/// Every target for which something was measured.
pub fn judge(results: &Results) -> Vec<Check> {
    let mut checks = Vec::new();
    for row in &results.rows {
        of_row(&mut checks, results, row);
    }
    let first = results.first_answer.as_secs_f64() * 1e3;
    checks.push(Check::at_most("memory".to_owned(), results.peak(), 60.0, "MiB"));
    checks.push(Check::at_most("first answer".to_owned(), first, 100.0, "ms"));
    checks
}

fn of_row(checks: &mut Vec<Check>, results: &Results, row: &Row) {
    let what = |more: &str| format!("{}{more}, {} jobs", row.operation, row.jobs);
    let rate = |least: f64| Check::at_least(what(""), row.measured.rate, least, "/s");
    match row.operation {
        "GET job" => {
            checks.push(rate(8_000.0));
            checks.push(Check::at_most(what(", p99"), row.measured.p99, 10.0, "ms"));
            checks.extend(
                row.of_constant()
                    .map(|part| Check::at_least(what(", of rouille's constant"), part * 100.0, 40.0, "%")),
            );
        }
        "list of 10" => checks.push(rate(3_000.0)),
        "list of 100" => checks.push(rate(600.0)),
        "last page" if row.jobs == 1_000_000 => {
            checks.extend(slower(what(", to the first"), row, results.row(row.jobs, "list of 10")));
        }
        "poll" | "poll, archive" => match row.jobs {
            20_000 => checks.push(Check::at_most(what(", p50"), row.measured.p50, 3.0, "ms")),
            1_000_000 => checks.extend(slower(what(", to 1000"), row, results.row(1_000, row.operation))),
            _ => {}
        },
        session::NAME => checks.push(rate(1_000.0)),
        name if name == fleet::NAMES[0] => checks.extend(paced(row, fleet::POLLS)),
        name if name == fleet::NAMES[1] => checks.extend(paced(row, fleet::PATCHES)),
        name => {
            let Some((_, python)) = PYTHON.iter().find(|(operation, _)| *operation == name) else { return };
            checks.push(rate(python * TIMES_PYTHON));
            checks.extend(row.of_statements().map(|part| {
                Check::at_least(what(", of its statements"), part * 100.0, OF_STATEMENTS * 100.0, "%")
            }));
        }
    }
}

/// A rate that is kept to within one in a hundred, and how late anything was.
fn paced(row: &Row, rate: f64) -> [Check; 2] {
    let what = format!("{}, {} jobs", row.operation, row.jobs);
    [
        Check::at_least(what.clone(), row.measured.rate, rate * 0.99, "/s"),
        Check::at_most(format!("{what}, p99"), row.measured.p99, 50.0, "ms"),
    ]
}

/// By how much half of them take longer.
fn slower(what: String, row: &Row, than: Option<&Row>) -> Option<Check> {
    than.map(|than| Check::at_most(what, row.measured.p50 / than.measured.p50, 1.5, "x"))
}

impl Check {
    fn at_least(what: String, measured: f64, least: f64, unit: &str) -> Self {
        let is_met = measured >= least;
        Self {
            what,
            target: format!("at least {least:.0} {unit}"),
            measured: written(measured, unit),
            is_met,
        }
    }

    fn at_most(what: String, measured: f64, most: f64, unit: &str) -> Self {
        let is_met = measured <= most;
        Self { what, target: format!("at most {most} {unit}"), measured: written(measured, unit), is_met }
    }
}

fn written(measured: f64, unit: &str) -> String {
    if measured < 100.0 { format!("{measured:.2} {unit}") } else { format!("{measured:.0} {unit}") }
}
