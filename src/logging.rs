//! Log records in the forms of oslo.log, to standard error, a file, systemd's journal or syslog:
//! `YYYY-MM-DD HH:MM:SS.mmm PID LEVEL logger [request-ids user-identity] message` by default.
//!
//! One record is one line: whatever a client managed to get into a message, it cannot forge a second one. Only the
//! backtrace of a panic comes on lines of its own. A destination that fails never fails a request.

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
pub mod percent;
mod rate;
mod socket;
mod syslog;
mod text;

use std::path::PathBuf;
use std::sync::OnceLock;

use log::LevelFilter;

pub use context::{Identity, Scope, enter, identify};
pub use entry::Severity;
pub use levels::parse_level;
pub use rate::RateLimit;

use logger::Logger;

/// Our name in the journal and in syslog.
const PROGRAM: &str = "freezer-api";
/// What `%(version)s` is.
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// oslo.log's options in `[DEFAULT]`. The defaults are oslo.log's, except where a reason is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `debug` (false): the level is debug, not info. Can change while running.
    pub debug: bool,
    /// `default_log_levels`: a level for each logger of these names and below. Can change while running. Loggers of
    /// libraries that write down what goes over the wire get no more than warnings, whatever this says.
    pub levels: Vec<(String, LevelFilter)>,
    /// `log_file` (in `log_dir`): where records go besides the others. A file that has been moved away is made anew,
    /// whatever `watch_log_file` says.
    pub file: Option<PathBuf>,
    /// `use_stderr` (false). Where neither file nor journal is used, records go there whatever this says, as otherwise
    /// nobody would see them.
    pub stderr: Option<bool>,
    /// `log_color` (false): on standard error `%(color)s` is a colour.
    pub color: bool,
    /// `use_journal` (false): to systemd's journal.
    pub journal: bool,
    /// `syslog_log_facility` (`LOG_USER`), as the journal is told it.
    pub journal_facility: String,
    /// `use_syslog` (false): to syslog, with this `syslog_log_facility` (`LOG_USER`).
    pub syslog: Option<String>,
    /// `use_json` (false): records as JSON.
    pub json: bool,
    /// `log_date_format` (`%Y-%m-%d %H:%M:%S`)
    pub date_format: String,
    /// `logging_context_format_string`: a record within a request.
    pub context_format: Option<String>,
    /// `logging_default_format_string`: any other.
    pub default_format: Option<String>,
    /// `logging_user_identity_format`: what `%(user_identity)s` is.
    pub user_identity_format: String,
    /// `logging_debug_format_suffix`: what is appended to a record of level debug. Nothing; oslo.log's names the
    /// function, which Rust does not know.
    pub debug_suffix: Option<String>,
    /// `logging_exception_prefix`: what each line of a panic's backtrace begins with.
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

/// Begins to log. A second call changes nothing; [`apply`] does.
///
/// Panics are logged too, because only there the place is known where one began.
///
/// # Errors
/// A sentence for the operator: the log file cannot be opened, a format or a facility means nothing.
pub fn init(settings: &Settings) -> Result<(), String> {
    if LOGGER.get().is_some() {
        return Ok(());
    }
    let new = Logger::new(settings, destination::SYSTEM)?;
    let logger = LOGGER.get_or_init(|| new);
    if log::set_logger(logger).is_ok() {
        log::set_max_level(logger.most());
        std::panic::set_hook(Box::new(|panic| logger.log_panic(panic)));
    }
    Ok(())
}

/// Goes over to other options and opens the log file anew: what SIGHUP asks for. Gives back the names of the options
/// that have changed; none before [`init`].
///
/// # Errors
/// As [`init`]; then everything stays as it was.
pub fn apply(settings: &Settings) -> Result<Vec<&'static str>, String> {
    let Some(logger) = LOGGER.get() else { return Ok(Vec::new()) };
    let changed = logger.apply(settings)?;
    log::set_max_level(logger.most());
    Ok(changed)
}
