//! Log records in the forms of oslo.log, to standard error, a file, systemd's journal or syslog:
//! `YYYY-MM-DD HH:MM:SS.mmm PID LEVEL logger [request-ids user-identity] message` by default.
//!
//! One record is one line: a client that gets text into a message cannot forge a second record. Only the backtrace of a
//! panic has lines of its own. A destination that fails never fails a request.

mod context;
mod destination;
mod entry;
mod file;
mod format;
mod journal;
mod json;
mod keys;
mod levels;
mod logger;
mod names;
pub mod percent;
mod rate;
mod socket;
mod syslog;
mod text;
mod value;

use std::path::PathBuf;
use std::sync::OnceLock;

use log::LevelFilter;

pub use context::{Identity, Scope, enter, identify};
pub use entry::Severity;
pub use levels::parse_level;
pub use names::{Aliases, logger_name};
pub use rate::RateLimit;

use logger::Logger;

/// The program's name in the journal and in syslog.
const PROGRAM: &str = "freezer-api";
/// The value of `%(version)s`.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// oslo.log's options in `[DEFAULT]`. The defaults are oslo.log's, except where a reason is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `debug` (false): the level is debug instead of info. Can change while running.
    pub debug: bool,
    /// `default_log_levels`: the level of each of these loggers and of those below. Can change while running. Libraries
    /// that log network traffic are limited to warnings, whatever this says.
    pub levels: Vec<(String, LevelFilter)>,
    /// `log_file` (in `log_dir`): a file that gets all records. A file that was moved away is created again, whatever
    /// `watch_log_file` says.
    pub file: Option<PathBuf>,
    /// `use_stderr` (false): to standard error. Without a file and a journal, records go there whatever this says, so
    /// that they are not lost.
    pub stderr: Option<bool>,
    /// `log_color` (false): on standard error `%(color)s` is a colour.
    pub color: bool,
    /// `use_journal` (false): to systemd's journal.
    pub journal: bool,
    /// `syslog_log_facility` (`LOG_USER`), for the journal.
    pub journal_facility: String,
    /// `use_syslog` (false): to syslog, with this `syslog_log_facility` (`LOG_USER`).
    pub syslog: Option<String>,
    /// `use_json` (false): records as JSON.
    pub json: bool,
    /// `log_date_format` (`%Y-%m-%d %H:%M:%S`)
    pub date_format: String,
    /// `logging_context_format_string`: the format of a record within a request.
    pub context_format: Option<String>,
    /// `logging_default_format_string`: the format of any other record.
    pub default_format: Option<String>,
    /// `logging_user_identity_format`: the format of `%(user_identity)s`.
    pub user_identity_format: String,
    /// `logging_debug_format_suffix`: appended to a record of level debug. Empty by default; oslo.log's names the
    /// function, which is not known in Rust.
    pub debug_suffix: Option<String>,
    /// `logging_exception_prefix`: the prefix of each line of a panic's backtrace.
    pub exception_prefix: Option<String>,
    /// `rate_limit_interval` (0), `rate_limit_burst` (0), `rate_limit_except_level` (`CRITICAL`): on when neither of the
    /// first two is 0.
    pub rate_limit: Option<RateLimit>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            debug: false,
            levels: Vec::new(),
            file: None,
            stderr: None,
            color: false,
            journal: false,
            journal_facility: "LOG_USER".to_owned(),
            syslog: None,
            json: false,
            date_format: "%Y-%m-%d %H:%M:%S".to_owned(),
            context_format: None,
            default_format: None,
            user_identity_format:
                "%(user)s %(project)s %(domain)s %(system_scope)s %(user_domain)s %(project_domain)s"
                    .to_owned(),
            debug_suffix: None,
            exception_prefix: None,
            rate_limit: None,
        }
    }
}

impl Settings {
    /// The names of the options that differ.
    fn differences(&self, other: &Self) -> Vec<&'static str> {
        let differs = [
            ("debug", self.debug != other.debug),
            ("default_log_levels", self.levels != other.levels),
            ("log_file", self.file != other.file),
            ("use_stderr", self.stderr != other.stderr),
            ("log_color", self.color != other.color),
            ("use_journal", self.journal != other.journal),
            ("use_syslog", self.syslog.is_some() != other.syslog.is_some()),
            (
                "syslog_log_facility",
                self.journal_facility != other.journal_facility
                    || self.syslog.as_ref().zip(other.syslog.as_ref()).is_some_and(|(old, new)| old != new),
            ),
            ("use_json", self.json != other.json),
            ("log_date_format", self.date_format != other.date_format),
            ("logging_context_format_string", self.context_format != other.context_format),
            ("logging_default_format_string", self.default_format != other.default_format),
            ("logging_user_identity_format", self.user_identity_format != other.user_identity_format),
            ("logging_debug_format_suffix", self.debug_suffix != other.debug_suffix),
            ("logging_exception_prefix", self.exception_prefix != other.exception_prefix),
            ("rate_limit_*", self.rate_limit != other.rate_limit),
        ];
        differs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

static LOGGER: OnceLock<Logger> = OnceLock::new();

/// Starts logging, under the names that `aliases` gives to loggers. A second call changes nothing; [`apply`] does.
///
/// Panics are logged too, by a hook, because only the hook knows where a panic began.
///
/// # Errors
/// A sentence for the operator: the log file cannot be opened, a format or a facility is not valid.
pub fn init(settings: &Settings, aliases: &'static Aliases) -> Result<(), String> {
    if LOGGER.get().is_some() {
        return Ok(());
    }
    let new = Logger::new(settings, aliases, destination::SYSTEM)?;
    let logger = LOGGER.get_or_init(|| new);
    if log::set_logger(logger).is_ok() {
        log::set_max_level(logger.max_level());
        std::panic::set_hook(Box::new(|panic| logger.log_panic(panic)));
    }
    Ok(())
}

/// Applies other options and reopens the log file, as SIGHUP asks for. Returns the names of the options that have
/// changed; none before [`init`].
///
/// # Errors
/// As [`init`]; then nothing changes.
pub fn apply(settings: &Settings) -> Result<Vec<&'static str>, String> {
    let Some(logger) = LOGGER.get() else { return Ok(Vec::new()) };
    let changed = logger.apply(settings)?;
    log::set_max_level(logger.max_level());
    Ok(changed)
}
