//! systemd's journal, in its own protocol, with the fields of oslo.log's `OSJournalHandler`.
//!
//! The protocol is a datagram of `NAME=value` lines (systemd's "Native Journal Protocol"). No crate is used for it, because
//! the fields are oslo.log's and a record must not wait for a journal that hangs.

use std::io;
use std::path::PathBuf;

use crate::PROGRAM;
use crate::entry::{Entry, thread_name};
use crate::format::printable;
use crate::socket::{Socket, truncate};
use crate::syslog::Facility;

/// Where journald listens.
pub const SOCKET: &str = "/run/systemd/journal/socket";

/// `use_journal`.
#[derive(Debug)]
pub struct Journal {
    socket: Socket,
    facility: Facility,
}

impl Journal {
    /// A journal at `path`; it need not listen yet.
    ///
    /// # Errors
    /// A socket cannot be created.
    pub fn new(path: impl Into<PathBuf>, facility: Facility) -> io::Result<Self> {
        Ok(Self { socket: Socket::new(path)?, facility })
    }

    /// Sends a record with `line` as its message.
    ///
    /// # Errors
    /// The journal did not receive the record.
    pub fn write(&self, line: &str, entry: &Entry<'_>) -> io::Result<()> {
        let mut datagram = Vec::with_capacity(512 + line.len());
        let mut field = |name: &str, value: &str| append(&mut datagram, name, truncate(value));
        field("MESSAGE", line);
        field("PRIORITY", &entry.severity.priority().to_string());
        field("SYSLOG_IDENTIFIER", PROGRAM);
        field("SYSLOG_FACILITY", &self.facility.code().to_string());
        field("LOGGER_NAME", &entry.logger);
        field("LOGGER_LEVEL", entry.severity.name());
        field("PROCESS_NAME", PROGRAM);
        field("THREAD_NAME", &thread_name());
        if !entry.file.is_empty() {
            field("CODE_FILE", entry.file);
            field("CODE_LINE", &entry.line.to_string());
        }
        if let Some(traceback) = &entry.traceback {
            field("EXCEPTION_INFO", traceback);
        }
        if let Some(context) = entry.context {
            let identity = &context.identity;
            field("REQUEST_ID", &context.request_id);
            for (name, value) in [
                ("GLOBAL_REQUEST_ID", &context.global_request_id),
                ("USER_ID", &identity.user_id),
                ("USER_NAME", &identity.user_name),
                ("PROJECT_ID", &identity.project_id),
                ("PROJECT_NAME", &identity.project_name),
            ] {
                if let Some(value) = value {
                    field(name, &printable(value));
                }
            }
        }
        self.socket.send(&datagram)
    }
}

/// Appends a field. A value with a line break is sent with its length; otherwise the next line would be another field.
fn append(datagram: &mut Vec<u8>, name: &str, value: &str) {
    datagram.extend_from_slice(name.as_bytes());
    if value.contains('\n') {
        datagram.push(b'\n');
        datagram.extend_from_slice(&(value.len() as u64).to_le_bytes());
    } else {
        datagram.push(b'=');
    }
    datagram.extend_from_slice(value.as_bytes());
    datagram.push(b'\n');
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::os::unix::net::UnixDatagram;

    use super::*;
    use crate::context::{Context, Identity};
    use crate::entry::Severity;

    /// Parses a datagram as journald does.
    fn fields(mut datagram: &[u8]) -> BTreeMap<String, String> {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let mut fields = BTreeMap::new();
        while !datagram.is_empty() {
            let end = datagram.iter().position(|b| *b == b'\n').unwrap();
            let (line, rest) = (&datagram[..end], &datagram[end + 1..]);
            let (name, value, rest) = match line.iter().position(|b| *b == b'=') {
                Some(at) => (&line[..at], &line[at + 1..], rest),
                None => {
                    let length = u64::from_le_bytes(rest[..8].try_into().unwrap()) as usize;
                    assert_eq!(rest[8 + length], b'\n');
                    (line, &rest[8..8 + length], &rest[9 + length..])
                }
            };
            assert!(fields.insert(text(name), text(value)).is_none());
            datagram = rest;
        }
        fields
    }

    fn sent(line: &str, entry: &Entry<'_>) -> BTreeMap<String, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("socket");
        let journald = UnixDatagram::bind(&path).unwrap();
        let facility = Facility::parse("LOG_LOCAL0").unwrap();
        Journal::new(&path, facility).unwrap().write(line, entry).unwrap();
        let mut buffer = vec![0; 1 << 20];
        let length = journald.recv(&mut buffer).unwrap();
        fields(&buffer[..length])
    }

    #[test]
    fn a_record_has_the_fields_of_oslos_handler() {
        let context = Context {
            request_id: "req-2".to_owned(),
            global_request_id: Some("req-1".to_owned()),
            identity: Identity {
                user_id: Some("u".to_owned()),
                user_name: Some("ann\u{202e}\nPRIORITY=0".to_owned()),
                project_id: Some("p".to_owned()),
                ..Identity::default()
            },
        };
        let entry = Entry {
            file: "src/auth.rs",
            line: 7,
            context: Some(&context),
            traceback: Some("0: main\nPRIORITY=0".to_owned()),
            ..Entry::new(Severity::Warning, "freezer_api::auth", String::new())
        };
        let fields = sent("the line", &entry);
        let expected = [
            ("MESSAGE", "the line"),
            ("PRIORITY", "4"),
            ("SYSLOG_IDENTIFIER", "freezer-api"),
            ("SYSLOG_FACILITY", "16"),
            ("LOGGER_NAME", "freezer_api.auth"),
            ("LOGGER_LEVEL", "WARNING"),
            ("PROCESS_NAME", "freezer-api"),
            ("CODE_FILE", "src/auth.rs"),
            ("CODE_LINE", "7"),
            ("EXCEPTION_INFO", "0: main\nPRIORITY=0"),
            ("REQUEST_ID", "req-2"),
            ("GLOBAL_REQUEST_ID", "req-1"),
            ("USER_ID", "u"),
            ("USER_NAME", "ann\\u{202e}\\nPRIORITY=0"),
            ("PROJECT_ID", "p"),
        ];
        for (name, value) in expected {
            assert_eq!(fields.get(name).map(String::as_str), Some(value), "{name}");
        }
        assert_eq!(fields.len(), expected.len() + 1, "and THREAD_NAME: {fields:?}");
    }

    #[test]
    fn a_record_outside_of_a_request_has_fewer_fields() {
        let fields = sent("the line", &Entry::new(Severity::Critical, "freezer_api", String::new()));
        assert_eq!(fields["PRIORITY"], "2");
        assert!(!fields.contains_key("REQUEST_ID") && !fields.contains_key("CODE_FILE"), "{fields:?}");
    }

    #[test]
    fn a_record_that_is_too_long_is_cut() {
        let entry = Entry::new(Severity::Info, "freezer_api", String::new());
        assert_eq!(sent(&"x".repeat(1 << 20), &entry)["MESSAGE"].len(), 48 << 10);
    }

    #[test]
    fn a_missing_journal_is_an_error() {
        let journal = Journal::new("/nowhere/socket", Facility::default()).unwrap();
        journal.write("line", &Entry::new(Severity::Info, "freezer_api", String::new())).unwrap_err();
    }
}
