//! The one logger of the process.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::panic::PanicHookInfo;
use std::sync::{PoisonError, RwLock, RwLockReadGuard};
use std::time::Instant;

use log::{LevelFilter, Metadata, Record};

use crate::context;
use crate::destination::{self, Destination, Form, Sockets};
use crate::entry::{Entry, Severity};
use crate::levels::Levels;
use crate::names::{Aliases, logger_name};
use crate::rate::{Limiter, Verdict};
use crate::{PROGRAM, Settings};

/// Sends records to the configured destinations.
#[derive(Debug)]
pub struct Logger {
    state: RwLock<State>,
    aliases: &'static Aliases,
    sockets: Sockets,
}

/// The evaluated options.
#[derive(Debug)]
struct State {
    settings: Settings,
    levels: Levels,
    limiter: Option<Limiter>,
    form: Form,
    destinations: Vec<Destination>,
}

impl Logger {
    /// A logger with these options.
    ///
    /// # Errors
    /// A sentence for the operator: the log file cannot be opened, a format or a facility is not valid.
    pub fn new(settings: &Settings, aliases: &'static Aliases, sockets: Sockets) -> Result<Self, String> {
        Ok(Self { state: RwLock::new(State::new(settings, &sockets)?), aliases, sockets })
    }

    /// Applies other options and reopens the log file; returns the names of the options that differ.
    ///
    /// # Errors
    /// As [`Logger::new`]; then nothing changes.
    pub fn apply(&self, settings: &Settings) -> Result<Vec<&'static str>, String> {
        let new = State::new(settings, &self.sockets)?;
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let changed = state.settings.differences(settings);
        *state = new;
        Ok(changed)
    }

    /// The most detailed level of all loggers.
    pub fn max_level(&self) -> LevelFilter {
        self.state().levels.max()
    }

    /// Logs a panic, with a backtrace if `RUST_BACKTRACE` asks for one.
    pub fn log_panic(&self, panic: &PanicHookInfo<'_>) {
        let backtrace = Backtrace::capture();
        let traceback = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        // The text has the source line and the message on two lines.
        let message = panic.to_string().replacen('\n', " ", 1);
        let place = panic.location();
        context::with(|context| {
            self.write(&Entry {
                file: place.map_or("", |place| place.file()),
                line: place.map_or(0, |place| place.line()),
                context,
                traceback,
                ..Entry::new(Severity::Critical, PROGRAM, message)
            });
        });
    }

    fn write(&self, entry: &Entry<'_>) {
        let state = self.state();
        match state.limiter.as_ref().map(|limiter| limiter.admit(entry.severity, Instant::now())) {
            None | Some(Verdict::Pass) => state.emit(entry),
            Some(Verdict::Last(message)) => state.emit(&Entry::new(Severity::Error, "root", message)),
            Some(Verdict::Drop) => {}
        }
    }

    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn new(settings: &Settings, sockets: &Sockets) -> Result<Self, String> {
        Ok(Self {
            levels: Levels::new(settings),
            limiter: settings.rate_limit.map(|limit| Limiter::new(limit, Instant::now())),
            form: Form::new(settings)?,
            destinations: destination::from_settings(settings, sockets)?,
            settings: settings.clone(),
        })
    }

    fn emit(&self, entry: &Entry<'_>) {
        for destination in &self.destinations {
            destination.write(entry, &self.form);
        }
    }
}

impl log::Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        self.state().levels.allow(&logger_name(self.aliases, metadata.target()), metadata.level())
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        // Formatted before anything is locked or borrowed, because formatting may log, too.
        let message = record.args().to_string();
        let name = logger_name(self.aliases, record.target());
        context::with(|context| self.write(&Entry::from_record(record, &name, message, context)));
    }

    fn flush(&self) {}
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::net::UnixDatagram;
    use std::path::Path;
    use std::time::Duration;

    use log::{Level, Log};

    use super::*;
    use crate::{Identity, RateLimit, enter, identify};

    const ALIASES: &Aliases = &[("front", "freezer_api")];

    fn settings(directory: &Path) -> Settings {
        Settings {
            file: Some(directory.join("api.log")),
            default_format: Some("%(levelname)s %(name)s [-] %(message)s".to_owned()),
            context_format: Some(
                "%(levelname)s %(name)s [%(request_ids)s %(user_identity)s] %(message)s".to_owned(),
            ),
            ..Settings::default()
        }
    }

    fn logger(settings: &Settings) -> Logger {
        Logger::new(settings, ALIASES, destination::SYSTEM).unwrap()
    }

    fn log(logger: &Logger, level: Level, message: &str) {
        logger.log(
            &Record::builder().level(level).target("freezer_api::a").args(format_args!("{message}")).build(),
        );
    }

    fn read(directory: &Path) -> String {
        fs::read_to_string(directory.join("api.log")).unwrap()
    }

    #[test]
    fn a_record_carries_its_request() {
        let directory = tempfile::tempdir().unwrap();
        let logger = logger(&settings(directory.path()));
        log(&logger, Level::Info, "before");
        let scope = enter("req-2", Some("req-1"));
        identify(Identity { user_id: Some("u".to_owned()), ..Identity::default() });
        log(&logger, Level::Warn, "with\nin");
        std::thread::scope(|threads| {
            threads.spawn(|| log(&logger, Level::Error, "elsewhere"));
        });
        drop(scope);
        log(&logger, Level::Debug, "unwanted");
        log(&logger, Level::Info, "after");
        let expected = "INFO freezer_api.a [-] before\n\
                        WARNING freezer_api.a [req-1 req-2 u - - - - -] with\\nin\n\
                        ERROR freezer_api.a [-] elsewhere\n\
                        INFO freezer_api.a [-] after\n";
        assert_eq!(read(directory.path()), expected);
    }

    #[test]
    fn an_alias_decides_the_name_and_the_level() {
        let directory = tempfile::tempdir().unwrap();
        let levels = vec![("freezer_api.server".to_owned(), LevelFilter::Debug)];
        let logger = logger(&Settings { levels, ..settings(directory.path()) });
        for target in ["front::server::edge", "front::http", "back::server"] {
            let record = Record::builder().level(Level::Debug).target(target).args(format_args!("x")).build();
            logger.log(&record);
        }
        assert_eq!(read(directory.path()), "DEBUG freezer_api.server.edge [-] x\n");
    }

    #[test]
    fn options_can_change() {
        let directory = tempfile::tempdir().unwrap();
        let before = settings(directory.path());
        let logger = logger(&before);
        log(&logger, Level::Debug, "one");
        let debug = Settings { debug: true, ..before.clone() };
        assert_eq!(logger.apply(&debug), Ok(vec!["debug"]));
        assert_eq!(logger.max_level(), LevelFilter::Debug);
        log(&logger, Level::Debug, "two");
        let json = Settings { json: true, ..before.clone() };
        assert_eq!(logger.apply(&json), Ok(vec!["debug", "use_json"]));
        log(&logger, Level::Info, "three");
        assert_eq!(logger.apply(&json), Ok(vec![]));
        let text = read(directory.path());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "DEBUG freezer_api.a [-] two");
        let json: serde_json::Value = serde_json::from_str(lines[1]).unwrap();
        assert_eq!((lines.len(), &json["message"]), (2, &"three".into()));
    }

    #[test]
    fn invalid_options_change_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let before = settings(directory.path());
        let logger = logger(&before);
        let bad = Settings { debug: true, default_format: Some("%(unknown)s".to_owned()), ..before };
        assert!(logger.apply(&bad).unwrap_err().contains("logging_default_format_string"));
        log(&logger, Level::Debug, "one");
        log(&logger, Level::Info, "two");
        assert_eq!(read(directory.path()), "INFO freezer_api.a [-] two\n");
    }

    #[test]
    fn the_rate_limit_logs_once_that_records_are_dropped() {
        let directory = tempfile::tempdir().unwrap();
        let limit =
            RateLimit { interval: Duration::from_secs(3600), burst: 1, except: Some(Severity::Error) };
        let logger = logger(&Settings { rate_limit: Some(limit), ..settings(directory.path()) });
        for message in ["one", "two", "three"] {
            log(&logger, Level::Info, message);
        }
        log(&logger, Level::Error, "four");
        let expected = "INFO freezer_api.a [-] one\n\
                        ERROR root [-] Logging rate limit: drop after 1 records/3600 sec\n\
                        ERROR freezer_api.a [-] four\n";
        assert_eq!(read(directory.path()), expected);
    }

    #[test]
    fn all_destinations_get_every_record() {
        let directory = tempfile::tempdir().unwrap();
        let socket = |name: &str| {
            let path = directory.path().join(name);
            let service = UnixDatagram::bind(&path).unwrap();
            (service, &*String::leak(path.to_str().unwrap().to_owned()))
        };
        let ((journald, journal), (syslogd, syslog)) = (socket("journal"), socket("syslog"));
        let settings =
            Settings { journal: true, syslog: Some("LOG_USER".to_owned()), ..settings(directory.path()) };
        let logger = Logger::new(&settings, ALIASES, Sockets { journal, syslog }).unwrap();
        log(&logger, Level::Info, "hello");
        let line = "INFO freezer_api.a [-] hello";
        assert_eq!(read(directory.path()), format!("{line}\n"));
        for (service, expected) in
            [(journald, format!("MESSAGE={line}\n")), (syslogd, format!("freezer-api: {line}"))]
        {
            let mut buffer = [0; 1000];
            let length = service.recv(&mut buffer).unwrap();
            let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
            assert!(text.contains(&expected), "{text}");
        }
    }

    #[test]
    fn a_message_whose_formatting_logs_does_not_deadlock() {
        struct LogsWhenFormatted<'l>(&'l Logger);
        impl std::fmt::Display for LogsWhenFormatted<'_> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                log(self.0, Level::Info, "inner");
                f.write_str("outer")
            }
        }
        let directory = tempfile::tempdir().unwrap();
        let logger = logger(&settings(directory.path()));
        let _scope = enter("req-1", None);
        logger.log(
            &Record::builder()
                .level(Level::Info)
                .target("freezer_api")
                .args(format_args!("{}", LogsWhenFormatted(&logger)))
                .build(),
        );
        let text = read(directory.path());
        assert!(text.lines().next().unwrap().ends_with("inner") && text.ends_with("outer\n"), "{text}");
    }
}
