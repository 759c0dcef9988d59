//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// Measures the freezer-api binary over HTTP
#[derive(Parser)]
#[command(args_override_self = true)]
pub struct Options {
    /// The server to make a database on, as `mysql://user:password@host:port/database`, or `sqlite` for a file
    #[arg(long, value_name = "URL", default_value = "sqlite")]
    pub database: String,
    /// Measure with so many jobs, one after the other in the same database
    #[arg(long, value_delimiter = ',', value_name = "JOBS", default_value = "1000,20000,200000,1000000")]
    pub sizes: Vec<usize>,
    /// How long each operation is measured
    #[arg(long, value_name = "SECONDS", default_value_t = 4.0)]
    pub seconds: f64,
    /// How long each ceiling is measured
    #[arg(long, value_name = "SECONDS", default_value_t = 2.0)]
    pub ceiling_seconds: f64,
    /// How long the fleet works; 0 for no fleet
    #[arg(long, value_name = "SECONDS", default_value_t = 20.0)]
    pub fleet_seconds: f64,
    /// From how many connections the operations are measured
    #[arg(long, value_name = "NUMBER", default_value_t = 8)]
    pub connections: usize,
    /// Measure only operations with this in their names
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub only: String,
    /// Measure the Python service beside it, with this interpreter, which has it
    #[arg(long, value_name = "PATH")]
    pub python: Option<PathBuf>,
    /// Write the results here, as JSON
    #[arg(long, value_name = "PATH")]
    pub json: Option<PathBuf>,
    /// Write the results here, as Markdown: into their place in a page that has one, as docs/PERFORMANCE.md
    #[arg(long, value_name = "PATH")]
    pub markdown: Option<PathBuf>,
    /// The service's `[DEFAULT] workers`
    #[arg(long, value_name = "NUMBER")]
    pub workers: Option<u16>,
    /// What cargo passes to every benchmark
    #[arg(long, hide = true, global = true)]
    pub bench: bool,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Answer every request with the same
    #[command(hide = true)]
    Constant {
        /// The status of the answer
        status: u16,
    },
    /// Measure the processor time of each operation, service and database together
    Cost(crate::cost::Options),
    /// Import a database of the Python service
    Import(crate::import::Options),
}

impl Options {
    /// How long each operation is measured.
    pub fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// How long each ceiling is measured.
    pub fn ceiling_time(&self) -> Duration {
        Duration::from_secs_f64(self.ceiling_seconds)
    }
}
