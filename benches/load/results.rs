//! What a run has measured.

use std::time::Duration;

use crate::daemon::Memory;
use crate::load::Measured;
use crate::machine::Machine;
use crate::python;

/// All of it.
pub struct Results {
    pub machine: Machine,
    /// The database, with its version.
    pub backend: String,
    pub settings: Vec<(&'static str, String)>,
    pub connections: usize,
    /// Megabytes that the Python service had before it was measured, and afterwards.
    pub python: Option<(f64, f64)>,
    /// From the start of the service, on a database with a schema, to its first answer; the longest.
    pub first_answer: Duration,
    pub rows: Vec<Row>,
}

/// What was measured of one operation.
pub struct Row {
    /// With so many jobs in the database.
    pub jobs: usize,
    pub operation: &'static str,
    pub measured: Measured,
    /// What rouille does when it answers with a constant.
    pub constant: Option<Measured>,
    /// What the Python service does.
    pub python: Option<Measured>,
    /// What Diesel does with the same statements.
    pub statements: Option<Measured>,
    /// The service's memory afterwards.
    pub memory: Memory,
}

impl Results {
    /// The operation with so many jobs.
    pub fn row(&self, jobs: usize, operation: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.jobs == jobs && row.operation == operation)
    }

    /// What the Python service does of an operation, if it was measured: beside ours with so many jobs, or else with the
    /// first of all.
    pub fn python(&self, operation: &str, jobs: usize) -> Option<Measured> {
        let its = || self.rows.iter().filter(|row| row.operation == operation && row.python.is_some());
        its().find(|row| row.jobs == jobs).or_else(|| its().next()).and_then(|row| row.python)
    }

    /// How fast the machine was while it was measured with so many jobs, as a part of the one that the targets are for: what
    /// the Python service did here of what it did there, in the median of all that was measured of it then.
    pub fn speed(&self, jobs: usize) -> Option<f64> {
        let part = |(operation, there): &(&str, f64)| Some(self.row(jobs, operation)?.python?.rate / there);
        let mut parts: Vec<f64> = python::REFERENCE_RATES.iter().filter_map(part).collect();
        parts.sort_unstable_by(f64::total_cmp);
        // Of an even number the higher one of the two in the middle: the lower one would make the targets easier.
        parts.get(parts.len() / 2).copied()
    }

    /// The same for all that was measured: with how many jobs, and how fast.
    pub fn speeds(&self) -> Vec<(usize, f64)> {
        let mut sizes: Vec<usize> = self.rows.iter().map(|row| row.jobs).collect();
        sizes.dedup();
        sizes.into_iter().filter_map(|jobs| Some((jobs, self.speed(jobs)?))).collect()
    }

    /// The most memory, in megabytes, that the service had at any time.
    pub fn peak(&self) -> f64 {
        self.rows.iter().map(|row| row.memory.peak).fold(0.0, f64::max)
    }

    /// What it was measured on, and how.
    pub fn about(&self) -> String {
        let machine = &self.machine;
        let settings: Vec<String> =
            self.settings.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        format!(
            "{} at {}, {}, {} cores, {}, Linux {}, load {} before\n{} ({})\n{} connections",
            machine.date,
            machine.commit,
            machine.processor,
            machine.cores,
            machine.memory,
            machine.kernel,
            machine.load,
            self.backend,
            settings.join(", "),
            self.connections,
        )
    }
}

impl Row {
    /// What [`Row::line`] has, in this order.
    pub const HEADER: &str = "                          per second   p50 ms   p99 ms   max ms   rouille Diesel/s Python/s   MB now   MB max";

    pub fn new(jobs: usize, operation: &'static str, measured: Measured, memory: Memory) -> Self {
        Self { jobs, operation, measured, constant: None, python: None, statements: None, memory }
    }

    /// What part of rouille's constant answers this is.
    pub fn of_constant(&self) -> Option<f64> {
        self.constant.map(|constant| self.measured.rate / constant.rate)
    }

    /// What part of the statements without HTTP this is.
    pub fn of_statements(&self) -> Option<f64> {
        self.statements.map(|statements| self.measured.rate / statements.rate)
    }

    /// As a line for people.
    pub fn line(&self) -> String {
        let rate = |ceiling: Option<Measured>| {
            ceiling.map_or_else(|| "-".to_owned(), |one| format!("{:.0}", one.rate))
        };
        let Measured { rate: own, p50, p99, max, .. } = self.measured;
        format!(
            "{:<26}{own:>10.0} {p50:>8.2} {p99:>8.2} {max:>8.1} {:>9} {:>8} {:>8} {:>8.1} {:>8.1}",
            self.operation,
            rate(self.constant),
            rate(self.statements),
            rate(self.python),
            self.memory.resident,
            self.memory.peak
        )
    }
}
