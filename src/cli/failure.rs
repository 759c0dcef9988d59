//! Why a command failed, and the status it exits with.

use std::process::ExitCode;

use crate::import;
use crate::store::migrations::SchemaError;

/// Waiting may mend the failure: systemd starts the service again.
const FAILED: u8 = 1;

/// Waiting does not mend the failure (`EX_CONFIG` of sysexits.h): the unit does not start the service again.
const MISCONFIGURED: u8 = 78;

/// The command line cannot be read, as clap has it.
const USAGE: u8 = 2;

/// A sentence for the operator, and what it means for a restart.
#[derive(Debug)]
pub struct Failure {
    why: String,
    status: u8,
}

impl Failure {
    /// A failure that stays until an operator changes the configuration or the program.
    pub fn lasting(why: impl Into<String>) -> Self {
        Self { why: why.into(), status: MISCONFIGURED }
    }

    /// A command line that says something that cannot be done.
    pub fn usage(why: impl Into<String>) -> Self {
        Self { why: why.into(), status: USAGE }
    }

    /// The status to exit with.
    pub fn exit_code(&self) -> ExitCode {
        ExitCode::from(self.status)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.why)
    }
}

impl From<String> for Failure {
    fn from(why: String) -> Self {
        Self { why, status: FAILED }
    }
}

impl From<SchemaError> for Failure {
    fn from(error: SchemaError) -> Self {
        if error.lasting { Self::lasting(error.why) } else { Self::from(error.why) }
    }
}

impl From<import::Error> for Failure {
    fn from(error: import::Error) -> Self {
        Self { why: error.why, status: error.status }
    }
}
