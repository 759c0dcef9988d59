//! Log lines in the form of oslo.log, on standard error:
//! `YYYY-MM-DD HH:MM:SS.mmm PID LEVEL logger [request-id user-identity] message`.
//!
//! One record is one line: whatever a client managed to get into a message, it cannot forge a second one.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use log::{Level, LevelFilter, Record};

/// oslo.log's options in `[DEFAULT]`. The defaults are oslo.log's, except where a reason is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `debug` (false): the level is debug, not info. Can change while running.
    pub debug: bool,
    /// `default_log_levels`: a level for each logger of these names and below. Can change while running.
    pub levels: Vec<(String, LevelFilter)>,
    /// `log_file` (in `log_dir`): where records go besides the others.
    pub file: Option<PathBuf>,
    /// `watch_log_file` (false): open the file anew when it has been moved away.
    pub watch_file: bool,
    /// `use_stderr`: true where neither file nor journal nor syslog is used, as then nothing would be seen.
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
    /// `logging_debug_format_suffix`: what is appended to a record of level debug.
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
            watch_file: false,
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

/// `rate_limit_interval`, `rate_limit_burst` and `rate_limit_except_level`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// The length of an interval (`rate_limit_interval`, in seconds).
    pub interval: Duration,
    /// How many records an interval has room for (`rate_limit_burst`).
    pub burst: u32,
    /// Records as grave as this or graver are not counted (`rate_limit_except_level`); `None` counts all.
    pub except: Option<Severity>,
}

/// How grave a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
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
    /// The severity of Python's name for it.
    pub fn parse(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "DEBUG" => Some(Self::Debug),
            "INFO" => Some(Self::Info),
            "WARN" | "WARNING" => Some(Self::Warning),
            "ERROR" => Some(Self::Error),
            "CRITICAL" | "FATAL" => Some(Self::Critical),
            _ => None,
        }
    }
}

/// One `logger=LEVEL` pair of `default_log_levels`; `None` for a pair that leaves the level as it is.
///
/// # Errors
/// What is wrong with the pair, for the operator.
pub fn parse_level(pair: &str) -> Result<Option<(String, LevelFilter)>, String> {
    let (name, level) =
        pair.split_once('=').ok_or_else(|| format!("{pair:?} is not of the form logger=LEVEL"))?;
    let filter = match Severity::parse(level.trim()) {
        Some(Severity::Debug) => LevelFilter::Debug,
        Some(Severity::Info) => LevelFilter::Info,
        Some(Severity::Warning) => LevelFilter::Warn,
        Some(Severity::Error) => LevelFilter::Error,
        Some(Severity::Critical) => LevelFilter::Off,
        None if level.trim() == "NOTSET" => return Ok(None),
        None => return Err(format!("{level:?} is no level")),
    };
    Ok(Some((name.trim().to_owned(), filter)))
}

thread_local! {
    /// What stands between the brackets while this thread serves a request.
    static CONTEXT: RefCell<Option<Context>> = const { RefCell::new(None) };
}

struct Context {
    request_ids: String,
    identity: String,
}

/// While it lives, the records of this thread carry the request's ids.
#[must_use]
pub struct Scope(());

/// Starts logging on behalf of a request; `global` is the caller's own id for it.
pub fn enter(request_id: &str, global: Option<&str>) -> Scope {
    let request_ids = match global {
        Some(global) => format!("{global} {request_id}"),
        None => request_id.to_owned(),
    };
    CONTEXT.set(Some(Context { request_ids, identity: "-".to_owned() }));
    Scope(())
}

/// Names the caller in this thread's records from here to the end of the request.
pub fn identify(identity: &str) {
    CONTEXT.with_borrow_mut(|context| {
        if let Some(context) = context {
            context.identity = identity.to_owned();
        }
    });
}

impl Drop for Scope {
    fn drop(&mut self) {
        CONTEXT.set(None);
    }
}

/// Sends all log records to standard error. A second call changes nothing.
///
/// Panics are logged too, because only there the place is known where one began.
///
/// # Errors
/// A sentence for the operator.
pub fn init(settings: &Settings) -> Result<(), String> {
    if env_logger::Builder::new().filter_level(LevelFilter::Trace).format(write_record).try_init().is_ok() {
        std::panic::set_hook(Box::new(|panic| log::error!("{panic}")));
        apply(settings)?;
    }
    Ok(())
}

/// Goes over to other options: what SIGHUP asks for. Gives back the names of the options that have changed.
///
/// # Errors
/// As [`init`]; then everything stays as it was.
pub fn apply(settings: &Settings) -> Result<Vec<&'static str>, String> {
    let level = if settings.debug { LevelFilter::Debug } else { LevelFilter::Info };
    let changed = log::max_level() != level;
    log::set_max_level(level);
    Ok(if changed { vec!["debug"] } else { Vec::new() })
}

fn write_record(out: &mut env_logger::fmt::Formatter, record: &Record<'_>) -> io::Result<()> {
    writeln!(out, "{}", line(record))
}

fn line(record: &Record<'_>) -> String {
    let time = chrono::Local::now().format("%Y-%m-%d %H:%M:%S%.3f");
    let level = match record.level() {
        Level::Error => "ERROR",
        Level::Warn => "WARNING",
        Level::Info => "INFO",
        Level::Debug | Level::Trace => "DEBUG",
    };
    let logger = record.target().replace("::", ".");
    let context = CONTEXT.with_borrow(|context| match context {
        Some(context) => format!("{} {}", context.request_ids, context.identity),
        None => "-".to_owned(),
    });
    let line = format!("{time} {} {level} {logger} [{context}] {}", std::process::id(), record.args());
    printable(&line)
}

/// The text with its control characters escaped.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logged(message: &str) -> String {
        let args = format_args!("{message}").to_string();
        let record = |args| line(&Record::builder().level(Level::Warn).target("a::b").args(args).build());
        let line = record(format_args!("{args}"));
        line.split_once("WARNING").unwrap().1.to_owned()
    }

    #[test]
    fn a_record_carries_its_request() {
        assert_eq!(logged("hello"), " a.b [-] hello");
        let scope = enter("req-2", Some("req-1"));
        assert_eq!(logged("hello"), " a.b [req-1 req-2 -] hello");
        identify("user project");
        assert_eq!(logged("hello"), " a.b [req-1 req-2 user project] hello");
        drop(scope);
        assert_eq!(logged("hello"), " a.b [-] hello");
    }

    #[test]
    fn a_record_is_one_line() {
        assert_eq!(logged("a\nb\r\x1b[1mc"), " a.b [-] a\\nb\\r\\u{1b}[1mc");
    }
}
