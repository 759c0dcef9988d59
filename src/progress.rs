//! The progress of an import or a copy: a bar on a terminal, else a line every 10 seconds; nothing with `-q`.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a line is written where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

const WITH_TOTAL: &str = "{msg} {wide_bar} {human_pos}/{human_len} ({per_sec}, {eta} left)";
const WITHOUT_TOTAL: &str = "{msg} {spinner} {human_pos} ({per_sec}, {elapsed})";

/// The progress of one step, in rows. It is written to standard error.
pub struct Progress {
    what: String,
    total: Option<u64>,
    done: u64,
    begun: Instant,
    said: Instant,
    show: Show,
}

enum Show {
    Bar(ProgressBar),
    Lines,
    Nothing,
}

impl Progress {
    /// Begins a step. `what` is a word such as "reading", and `total` the number of rows, if it is known.
    pub fn new(what: &str, total: Option<u64>, is_quiet: bool) -> Self {
        let show = match (is_quiet, io::stderr().is_terminal()) {
            (true, _) => Show::Nothing,
            (false, true) => Show::Bar(bar(what, total)),
            (false, false) => Show::Lines,
        };
        let now = Instant::now();
        Self { what: what.to_owned(), total, done: 0, begun: now, said: now, show }
    }

    /// Adds rows that are done.
    pub fn advance(&mut self, rows: u64) {
        self.done += rows;
        match &self.show {
            Show::Bar(bar) => bar.set_position(self.done),
            Show::Lines if self.said.elapsed() >= LINE_EVERY => {
                self.said = Instant::now();
                eprintln!("{}", self.line());
            }
            Show::Lines | Show::Nothing => {}
        }
    }

    /// Writes a line beside the bar, also with `-q`.
    pub fn say(&self, line: &str) {
        match &self.show {
            Show::Bar(bar) => bar.suspend(|| eprintln!("{line}")),
            Show::Lines | Show::Nothing => eprintln!("{line}"),
        }
    }

    fn line(&self) -> String {
        let seconds = self.begun.elapsed().as_secs_f64().max(0.001);
        line(&self.what, self.done, self.total, seconds)
    }
}

/// Ends the step.
impl Drop for Progress {
    fn drop(&mut self) {
        match &self.show {
            Show::Bar(bar) => bar.finish_and_clear(),
            // A shorter step has written no line, and needs no last one.
            Show::Lines if self.begun.elapsed() >= LINE_EVERY => eprintln!("{}", self.line()),
            Show::Lines | Show::Nothing => {}
        }
    }
}

/// "writing: 1200 of 6000 rows, 400 rows/s, 12 s left".
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)] // figures to read
fn line(what: &str, done: u64, total: Option<u64>, seconds: f64) -> String {
    let rate = done as f64 / seconds;
    let Some(total) = total.filter(|total| *total >= done) else {
        return format!("{what}: {done} rows, {rate:.0} rows/s");
    };
    let left = if rate > 0.0 { format!("{:.0} s", (total - done) as f64 / rate) } else { "?".to_owned() };
    format!("{what}: {done} of {total} rows, {rate:.0} rows/s, {left} left")
}

fn bar(what: &str, total: Option<u64>) -> ProgressBar {
    let bar = match total {
        Some(total) => ProgressBar::new(total),
        None => ProgressBar::new_spinner(),
    };
    let template = if total.is_some() { WITH_TOTAL } else { WITHOUT_TOTAL };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_the_rate_and_the_time_left() {
        assert_eq!(
            line("writing", 1200, Some(6000), 3.0),
            "writing: 1200 of 6000 rows, 400 rows/s, 12 s left"
        );
        assert_eq!(line("reading", 10, None, 2.0), "reading: 10 rows, 5 rows/s");
        assert_eq!(line("reading", 0, Some(5), 1.0), "reading: 0 of 5 rows, 0 rows/s, ? left");
        // The source has grown since the rows were counted.
        assert_eq!(line("reading", 6, Some(5), 2.0), "reading: 6 rows, 3 rows/s");
    }
}
