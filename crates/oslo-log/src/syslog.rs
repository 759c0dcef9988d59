//! syslog, as the C library speaks it (RFC 3164), which is what oslo.log's `OSSysLogHandler` uses.

use std::io;
use std::path::PathBuf;

use crate::PROGRAM;
use crate::entry::Entry;
use crate::socket::{Socket, truncate};

/// Where syslog listens.
pub const SOCKET: &str = "/dev/log";

/// The facilities with their numbers; the missing numbers have no name in Python.
const FACILITIES: [(&str, u8); 20] = [
    ("KERN", 0),
    ("USER", 1),
    ("MAIL", 2),
    ("DAEMON", 3),
    ("AUTH", 4),
    ("SYSLOG", 5),
    ("LPR", 6),
    ("NEWS", 7),
    ("UUCP", 8),
    ("CRON", 9),
    ("AUTHPRIV", 10),
    ("FTP", 11),
    ("LOCAL0", 16),
    ("LOCAL1", 17),
    ("LOCAL2", 18),
    ("LOCAL3", 19),
    ("LOCAL4", 20),
    ("LOCAL5", 21),
    ("LOCAL6", 22),
    ("LOCAL7", 23),
];

/// `syslog_log_facility`; the default is `LOG_USER`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facility(u8);

impl Default for Facility {
    fn default() -> Self {
        Self(1)
    }
}

impl Facility {
    /// Parses a facility's name, in any case and with or without `LOG_`.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn parse(name: &str) -> Result<Self, String> {
        let upper = name.trim().to_ascii_uppercase();
        let short = upper.strip_prefix("LOG_").unwrap_or(&upper);
        let found = FACILITIES.iter().find(|(name, _)| *name == short);
        found.map(|(_, code)| Self(*code)).ok_or_else(|| {
            let all: Vec<_> = FACILITIES.iter().map(|(name, _)| format!("LOG_{name}")).collect();
            format!("[DEFAULT] syslog_log_facility: {name:?} is none of {}.", all.join(", "))
        })
    }

    /// The facility's number.
    pub fn code(self) -> u8 {
        self.0
    }
}

/// `use_syslog`.
#[derive(Debug)]
pub struct Syslog {
    socket: Socket,
    facility: Facility,
}

impl Syslog {
    /// A syslog at `path`; it need not listen yet.
    ///
    /// # Errors
    /// A socket cannot be created.
    pub fn new(path: impl Into<PathBuf>, facility: Facility) -> io::Result<Self> {
        Ok(Self { socket: Socket::new(path)?, facility })
    }

    /// Sends the lines of a record.
    ///
    /// # Errors
    /// syslog did not receive all lines.
    pub fn write<'l>(&self, lines: impl Iterator<Item = &'l str>, entry: &Entry<'_>) -> io::Result<()> {
        let priority = self.facility.code() * 8 + entry.severity.priority();
        let time = entry.time.format("%b %e %H:%M:%S");
        for line in lines {
            let line = truncate(line);
            self.socket.send(format!("<{priority}>{time} {PROGRAM}: {line}").as_bytes())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixDatagram;

    use chrono::{Local, TimeZone};

    use super::*;
    use crate::entry::Severity;

    #[test]
    fn each_line_is_a_datagram() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let syslogd = UnixDatagram::bind(&path).unwrap();
        let syslog = Syslog::new(&path, Facility::parse("local3").unwrap()).unwrap();
        let entry = Entry {
            time: Local.with_ymd_and_hms(2026, 7, 1, 9, 8, 7).unwrap(),
            ..Entry::new(Severity::Error, "freezer_api", String::new())
        };
        syslog.write(["one", "two"].into_iter(), &entry).unwrap();
        for line in ["one", "two"] {
            let mut buffer = [0; 100];
            let length = syslogd.recv(&mut buffer).unwrap();
            let expected = format!("<155>Jul  1 09:08:07 freezer-api: {line}");
            assert_eq!(String::from_utf8_lossy(&buffer[..length]), expected);
        }
    }

    #[test]
    fn facilities_have_pythons_names() {
        for (name, code) in [("LOG_USER", 1), ("user", 1), ("Log_Local7", 23), ("daemon", 3)] {
            assert_eq!(Facility::parse(name).map(Facility::code), Ok(code), "{name}");
        }
        let refusal = Facility::parse("LOG_LOCAL8").unwrap_err();
        assert!(refusal.contains("syslog_log_facility") && refusal.contains("LOG_LOCAL7"), "{refusal}");
    }
}
