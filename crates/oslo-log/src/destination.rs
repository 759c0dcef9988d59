//! The destinations of records, and their failures.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Settings;
use crate::entry::Entry;
use crate::file::LogFile;
use crate::journal::{self, Journal};
use crate::json::Json;
use crate::syslog::{self, Facility, Syslog};
use crate::text::Text;

/// The shortest time between two complaints about a failing destination.
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(60);
/// How long a destination that did not keep up gets no records. Otherwise every request would wait for it.
const PAUSE: Duration = Duration::from_secs(1);

/// The form of records.
#[derive(Debug)]
pub enum Form {
    /// Lines of text.
    Text(Text),
    /// JSON (`use_json`).
    Json(Json),
}

impl Form {
    /// The form that the options ask for.
    ///
    /// # Errors
    /// A sentence for the operator: a format is not valid.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        Ok(if settings.json { Self::Json(Json::new(settings)?) } else { Self::Text(Text::new(settings)?) })
    }

    /// The record's line, and the lines of its traceback if the line does not contain it.
    fn lines(&self, entry: &Entry<'_>, colored: bool) -> (String, Vec<String>) {
        match self {
            Self::Text(text) => (text.line(entry, colored), text.traceback(entry)),
            Self::Json(json) => (json.line(entry), Vec::new()),
        }
    }
}

/// A destination of records.
#[derive(Debug)]
pub struct Destination {
    sink: Sink,
    trouble: Mutex<Trouble>,
}

#[derive(Debug)]
enum Sink {
    Stderr { colored: bool },
    File(LogFile),
    Journal(Journal),
    Syslog(Syslog),
}

/// The sockets of the system's own logs.
#[derive(Debug)]
pub struct Sockets {
    /// journald's.
    pub journal: &'static str,
    /// syslog's.
    pub syslog: &'static str,
}

/// The sockets of every Linux system.
pub const SYSTEM: Sockets = Sockets { journal: journal::SOCKET, syslog: syslog::SOCKET };

/// The destinations that the options ask for, chosen as in oslo.log's `_setup_logging_from_conf`; without a file and a
/// journal, also standard error. (oslo.log then takes standard output, which is for the results of commands here.)
///
/// # Errors
/// A sentence for the operator: the file cannot be opened, or there is no such facility.
pub fn from_settings(settings: &Settings, sockets: &Sockets) -> Result<Vec<Destination>, String> {
    let no_socket = |error: io::Error| format!("There is no socket for logging: {error}.");
    let mut sinks = Vec::new();
    if let Some(path) = &settings.file {
        sinks.push(Sink::File(LogFile::open(path)?));
    }
    if settings.stderr == Some(true) || (settings.file.is_none() && !settings.journal) {
        sinks.push(Sink::Stderr { colored: settings.color });
    }
    if settings.journal {
        let facility = Facility::parse(&settings.journal_facility)?;
        sinks.push(Sink::Journal(Journal::new(sockets.journal, facility).map_err(no_socket)?));
    }
    if let Some(facility) = &settings.syslog {
        let facility = Facility::parse(facility)?;
        sinks.push(Sink::Syslog(Syslog::new(sockets.syslog, facility).map_err(no_socket)?));
    }
    Ok(sinks.into_iter().map(|sink| Destination { sink, trouble: Mutex::default() }).collect())
}

impl Destination {
    /// Writes a record. A failure goes to standard error, and never fails the request.
    pub fn write(&self, entry: &Entry<'_>, form: &Form) {
        if self.trouble().is_paused(Instant::now()) {
            return;
        }
        let Err(error) = self.try_write(entry, form) else { return };
        let complaint = self.trouble().complaint(self.name(), &error, Instant::now());
        if let Some(complaint) = complaint {
            let _ = io::stderr().write_all(complaint.as_bytes());
        }
    }

    fn try_write(&self, entry: &Entry<'_>, form: &Form) -> io::Result<()> {
        let colored = matches!(self.sink, Sink::Stderr { colored: true });
        let (line, traceback) = form.lines(entry, colored);
        let lines = std::iter::once(&line).chain(&traceback).map(String::as_str);
        let text = || lines.clone().fold(String::new(), |all, line| all + line + "\n");
        match &self.sink {
            Sink::Stderr { .. } => io::stderr().write_all(text().as_bytes()),
            Sink::File(file) => file.write(&text()),
            Sink::Journal(journal) => journal.write(&line, entry),
            Sink::Syslog(syslog) => syslog.write(lines, entry),
        }
    }

    fn name(&self) -> &'static str {
        match &self.sink {
            Sink::Stderr { .. } => "standard error",
            Sink::File(_) => "the log file",
            Sink::Journal(_) => "the journal",
            Sink::Syslog(_) => "syslog",
        }
    }

    fn trouble(&self) -> std::sync::MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The failures of a destination.
#[derive(Debug, Default)]
struct Trouble {
    last_complaint: Option<Instant>,
    paused_until: Option<Instant>,
    /// Records that were lost since the last complaint.
    lost: u64,
}

impl Trouble {
    /// Whether the destination is paused; then the record is counted as lost.
    fn is_paused(&mut self, now: Instant) -> bool {
        let paused = self.paused_until.is_some_and(|until| now < until);
        self.lost += u64::from(paused);
        paused
    }

    /// The complaint about a failure, unless the last one was too short a time ago.
    fn complaint(&mut self, name: &str, error: &io::Error, now: Instant) -> Option<String> {
        if error.kind() == io::ErrorKind::WouldBlock {
            self.paused_until = Some(now + PAUSE);
        }
        if self.last_complaint.is_some_and(|last| now < last + COMPLAINT_INTERVAL) {
            self.lost += 1;
            return None;
        }
        self.last_complaint = Some(now);
        let before = std::mem::take(&mut self.lost);
        Some(format!(
            "freezer-api: cannot log to {name}: {error} ({before} records before this one were lost)\n"
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;
    use std::path::PathBuf;

    use super::*;
    use crate::entry::Severity;

    fn names(settings: &Settings) -> Vec<&'static str> {
        from_settings(settings, &SYSTEM).unwrap().iter().map(Destination::name).collect()
    }

    #[test]
    fn destinations_are_chosen_as_in_oslo() {
        let directory = tempfile::tempdir().unwrap();
        let none = Settings::default;
        let file: Option<PathBuf> = Some(directory.path().join("api.log"));
        let syslog = Some("LOG_USER".to_owned());
        assert_eq!(names(&none()), ["standard error"]);
        assert_eq!(names(&Settings { stderr: Some(false), ..none() }), ["standard error"]);
        assert_eq!(names(&Settings { file: file.clone(), ..none() }), ["the log file"]);
        assert_eq!(names(&Settings { journal: true, ..none() }), ["the journal"]);
        assert_eq!(names(&Settings { syslog: syslog.clone(), ..none() }), ["standard error", "syslog"]);
        let everything = Settings { file, syslog, journal: true, stderr: Some(true), ..none() };
        assert_eq!(names(&everything), ["the log file", "standard error", "the journal", "syslog"]);
    }

    #[test]
    fn unusable_files_and_facilities_are_refused() {
        let bad = || "LOG_NOWHERE".to_owned();
        for settings in [
            Settings { file: Some("/nowhere/api.log".into()), ..Settings::default() },
            Settings { syslog: Some(bad()), ..Settings::default() },
            Settings { journal: true, journal_facility: bad(), ..Settings::default() },
        ] {
            assert!(from_settings(&settings, &SYSTEM).unwrap_err().starts_with("[DEFAULT] "));
        }
    }

    #[test]
    fn complaints_are_rare_and_count_what_was_lost() {
        let error = || io::Error::other("away");
        let began = Instant::now();
        let mut trouble = Trouble::default();
        let mut at = |second| trouble.complaint("the journal", &error(), began + Duration::from_secs(second));
        assert_eq!(
            at(0).unwrap(),
            "freezer-api: cannot log to the journal: away (0 records before this one were lost)\n"
        );
        assert_eq!((at(1), at(59)), (None, None));
        assert!(at(60).unwrap().contains("2 records"));
    }

    #[test]
    fn a_destination_that_does_not_keep_up_is_paused() {
        let now = Instant::now();
        let mut trouble = Trouble::default();
        assert!(!trouble.is_paused(now));
        trouble.complaint("the journal", &io::ErrorKind::WouldBlock.into(), now);
        assert!(trouble.is_paused(now));
        assert!(!trouble.is_paused(now + PAUSE));
        trouble.complaint("the log file", &io::ErrorKind::StorageFull.into(), now + PAUSE);
        assert!(!trouble.is_paused(now + PAUSE));
    }

    #[test]
    fn a_missing_destination_loses_records_without_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let unread = UnixDatagram::bind(&path).unwrap();
        let sinks = [
            Sink::File(LogFile::open("/dev/full".as_ref()).unwrap()),
            Sink::Journal(Journal::new("/nowhere/socket", Facility::default()).unwrap()),
            Sink::Syslog(Syslog::new(&path, Facility::default()).unwrap()),
        ];
        let form = Form::new(&Settings::default()).unwrap();
        let entry = Entry::new(Severity::Info, "freezer_api", "hello".to_owned());
        for sink in sinks {
            let destination = Destination { sink, trouble: Mutex::default() };
            (0..5000).for_each(|_| destination.write(&entry, &form));
            assert!(destination.trouble().lost > 0, "{}", destination.name());
        }
        drop(unread);
    }
}
