//! One record, before it is formatted.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use chrono::{DateTime, Local};
use log::{Level, Record};

use crate::context::Context;

/// The severity of a record, ordered as in Python: the most severe is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Below `DEBUG`.
    Trace,
    /// `DEBUG`
    Debug,
    /// `INFO`
    Info,
    /// `WARNING`
    Warning,
    /// `ERROR`
    Error,
    /// `CRITICAL`: a panic.
    Critical,
}

impl Severity {
    /// Parses Python's name of a severity, including `WARN` and `FATAL`.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "TRACE" => Some(Self::Trace),
            "DEBUG" => Some(Self::Debug),
            "INFO" => Some(Self::Info),
            "WARN" | "WARNING" => Some(Self::Warning),
            "ERROR" => Some(Self::Error),
            "CRITICAL" | "FATAL" => Some(Self::Critical),
            _ => None,
        }
    }

    /// Python's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Critical => "CRITICAL",
        }
    }

    /// Python's number; oslo.log's for `TRACE`.
    pub fn number(self) -> i64 {
        match self {
            Self::Trace => 5,
            Self::Debug => 10,
            Self::Info => 20,
            Self::Warning => 30,
            Self::Error => 40,
            Self::Critical => 50,
        }
    }

    /// Syslog's number, which is the journal's too.
    pub fn priority(self) -> u8 {
        match self {
            Self::Trace | Self::Debug => 7,
            Self::Info => 6,
            Self::Warning => 4,
            Self::Error => 3,
            Self::Critical => 2,
        }
    }
}

impl From<Level> for Severity {
    fn from(level: Level) -> Self {
        match level {
            Level::Trace => Self::Trace,
            Level::Debug => Self::Debug,
            Level::Info => Self::Info,
            Level::Warn => Self::Warning,
            Level::Error => Self::Error,
        }
    }
}

/// One record.
#[derive(Debug)]
pub struct Entry<'a> {
    /// The time of the record.
    pub time: DateTime<Local>,
    /// The severity.
    pub severity: Severity,
    /// The logger: the module's name with dots, as in Python.
    pub logger: String,
    /// The message; may contain any character.
    pub message: String,
    /// The source file.
    pub file: &'a str,
    /// The line in it; 0 if not known.
    pub line: u32,
    /// The request that the record belongs to.
    pub context: Option<&'a Context>,
    /// The backtrace of a panic.
    pub traceback: Option<String>,
}

impl<'a> Entry<'a> {
    /// An entry without a source line and without a request.
    pub fn new(severity: Severity, logger: &str, message: String) -> Self {
        Self {
            time: Local::now(),
            severity,
            logger: logger.replace("::", "."),
            message,
            file: "",
            line: 0,
            context: None,
            traceback: None,
        }
    }

    /// The entry of a record of this logger, with its message formatted as `message`.
    pub fn from_record(
        record: &'a Record<'_>,
        logger: &str,
        message: String,
        context: Option<&'a Context>,
    ) -> Self {
        Self {
            file: record.file().unwrap_or_default(),
            line: record.line().unwrap_or_default(),
            context,
            ..Self::new(record.level().into(), logger, message)
        }
    }

    /// The name of the source file without its directories.
    pub fn file_name(&self) -> &str {
        self.file.rsplit('/').next().unwrap_or_default()
    }

    /// The name of the source file without its extension.
    pub fn module(&self) -> &str {
        self.file_name().strip_suffix(".rs").unwrap_or(self.file_name())
    }

    /// Epoch seconds.
    pub fn created(&self) -> f64 {
        self.time.timestamp_micros() as f64 / 1e6
    }

    /// The milliseconds of the second.
    pub fn milliseconds(&self) -> i64 {
        i64::from(self.time.timestamp_subsec_millis())
    }

    /// Milliseconds since logging began.
    pub fn relative(&self) -> f64 {
        static BEGAN: OnceLock<DateTime<Local>> = OnceLock::new();
        let began = BEGAN.get_or_init(|| self.time);
        self.time.signed_duration_since(began).num_microseconds().unwrap_or_default() as f64 / 1e3
    }
}

/// A number that identifies this thread, for `%(thread)d`.
pub fn thread_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    thread_local! {
        static NUMBER: u64 = NEXT.fetch_add(1, Ordering::Relaxed);
    }
    NUMBER.try_with(|number| *number).unwrap_or_default()
}

/// The name of this thread.
pub fn thread_name() -> String {
    std::thread::current().name().unwrap_or("-").to_owned()
}
