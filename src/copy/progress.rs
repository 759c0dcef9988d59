//! How far a copy is: a bar with the time left on a terminal, else a line each 10 seconds.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The time between two lines in a log.
const EVERY: Duration = Duration::from_secs(10);

/// Counts the rows of one pass over the source.
pub struct Progress {
    bar: Option<ProgressBar>,
    is_quiet: bool,
    what: &'static str,
    total: u64,
    done: u64,
    begun: Instant,
    told: Instant,
}

impl Progress {
    /// A pass over so many rows.
    pub fn new(what: &'static str, total: u64, is_quiet: bool) -> Self {
        let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} rows, {per_sec}, {eta} left");
        let bar = (!is_quiet && std::io::stderr().is_terminal()).then(|| match style {
            Ok(style) => ProgressBar::new(total).with_style(style).with_message(what),
            Err(_) => ProgressBar::new(total),
        });
        let now = Instant::now();
        Self { bar, is_quiet, what, total, done: 0, begun: now, told: now }
    }

    /// Counts rows that are done.
    pub fn add(&mut self, rows: u64) {
        self.done += rows;
        match &self.bar {
            Some(bar) => bar.inc(rows),
            None if !self.is_quiet && self.told.elapsed() >= EVERY => {
                self.told = Instant::now();
                eprintln!("{}", self.line());
            }
            None => {}
        }
    }

    /// Writes a line beside the bar.
    pub fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprintln!("{line}")),
            None => eprintln!("{line}"),
        }
    }

    fn line(&self) -> String {
        let seconds = self.begun.elapsed().as_secs().max(1);
        let rate = (self.done / seconds).max(1);
        let left = self.total.saturating_sub(self.done) / rate;
        format!("{}: {} of {} rows, {rate} a second, {left} s left", self.what, self.done, self.total)
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
