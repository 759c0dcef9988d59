//! Log lines in the form of oslo.log, on standard error:
//! `YYYY-MM-DD HH:MM:SS.mmm PID LEVEL logger [request-id user-identity] message`.
//!
//! One record is one line: whatever a client managed to get into a message, it cannot forge a second one.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::PathBuf;

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
    /// `use_journal` (false): to systemd's journal.
    pub journal: bool,
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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            debug: false,
            levels: Vec::new(),
            file: None,
            watch_file: false,
            stderr: None,
            journal: false,
            syslog: None,
            json: false,
            date_format: "%Y-%m-%d %H:%M:%S".to_owned(),
            context_format: None,
            default_format: None,
        }
    }
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

/// Sends all log records to standard error, those of level debug only if `debug`. A second call changes nothing.
///
/// Panics are logged too, because only there the place is known where one began.
pub fn init(debug: bool) {
    let level = if debug { LevelFilter::Debug } else { LevelFilter::Info };
    if env_logger::Builder::new().filter_level(level).format(write_record).try_init().is_ok() {
        std::panic::set_hook(Box::new(|panic| log::error!("{panic}")));
    }
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
