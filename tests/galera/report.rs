//! The report: each line is printed at once, and all of them again at the end.

use std::time::Duration;

#[derive(Default)]
pub struct Report {
    lines: Vec<String>,
    failed: usize,
}

impl Report {
    pub fn say(&mut self, line: String) {
        println!("{line}");
        self.lines.push(line);
    }

    /// Reports a condition that must hold, and the observed values.
    pub fn check(&mut self, what: &str, held: bool, seen: String) {
        self.failed += usize::from(!held);
        let word = if held { "ok    " } else { "FAILED" };
        let seen: String = seen.chars().take(4000).collect();
        self.say(format!("{word} {what}{}{seen}", if seen.is_empty() { "" } else { ": " }));
    }

    /// Prints all lines again, and ends the program.
    pub fn end(&self, took: Duration) {
        println!("\nSUMMARY\n{}\nafter {} s: {} failed", self.lines.join("\n"), took.as_secs(), self.failed);
        if self.failed > 0 {
            std::process::exit(1);
        }
    }
}
