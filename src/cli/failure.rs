//! The failure of a command, and its exit status.

use std::process::ExitCode;

use crate::import;
use crate::store::engine::migrations::SchemaError;

/// The failure may be temporary: systemd starts the service again.
const FAILED: u8 = 1;

/// The failure is permanent (`EX_CONFIG` of sysexits.h): systemd does not start the service again.
const MISCONFIGURED: u8 = 78;

/// The command line is not valid; clap's own status.
const USAGE: u8 = 2;

/// A sentence for the operator, and the exit status, which decides about a restart.
#[derive(Debug)]
pub struct Failure {
    why: String,
    status: u8,
}

impl Failure {
    /// A permanent failure: an operator must change the configuration or the program.
    pub fn lasting(why: impl Into<String>) -> Self {
        Self { why: why.into(), status: MISCONFIGURED }
    }

    /// A command line that is not valid.
    pub fn usage(why: impl Into<String>) -> Self {
        Self { why: why.into(), status: USAGE }
    }

    /// The exit status.
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
