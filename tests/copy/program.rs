//! One run of the program.

use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::database::Database;

/// The outcome of a run.
#[derive(Debug)]
pub struct Run {
    pub status: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Run {
    /// Fails unless the copy succeeded.
    pub fn succeeded(self) -> Self {
        assert_eq!(self.status, Some(0), "{}", self.err);
        self
    }

    /// Fails unless the copy was refused with this status and these words.
    pub fn refused(self, status: i32, words: &[&str]) -> Self {
        assert_eq!(self.status, Some(status), "{}", self.err);
        for words in words {
            assert!(self.err.contains(words), "{words:?} is not in:\n{}", self.err);
        }
        assert_eq!(self.out, "");
        self
    }

    /// The figures of a table in the account.
    pub fn figures(&self, table: &str) -> Value {
        serde_json::from_str::<Value>(&self.out).unwrap()["tables"][table].clone()
    }
}

/// A command without the variables of this environment that could configure it.
pub fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_freezer-api"));
    command.args(arguments).stdin(Stdio::null());
    command
}

pub fn run(arguments: &[&str]) -> Run {
    let Output { status, stdout, stderr } = program(arguments).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Run { status: status.code(), out: text(stdout), err: text(stderr) }
}

/// `freezer-api copy --json` from one database into another.
pub fn copy(from: &Database, to: &Database, options: &[&str]) -> Run {
    let mut arguments = vec!["copy", "--from", &from.url, "--to", &to.url, "--json"];
    arguments.extend(options);
    run(&arguments)
}
