//! The line form: oslo.log's `ContextFormatter`.

use std::fmt::Write;

use chrono::format::{Item, StrftimeItems};
use chrono::{DateTime, Local};

use crate::Settings;
use crate::entry::Entry;
use crate::format::{Format, Unknown};
use crate::keys::{Key, RESET_COLOR, color};
use crate::value::Value;

/// The format of a record within a request. oslo.log has `%(global_request_id)s %(request_id)s`, which prints `None` for
/// a missing global id.
const CONTEXT_FORMAT: &str = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s \
                              [%(request_ids)s %(user_identity)s] %(instance)s%(message)s";
/// The format of any other record.
const DEFAULT_FORMAT: &str =
    "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [-] %(instance)s%(message)s";
/// The prefix of each line of a traceback.
const EXCEPTION_PREFIX: &str = "%(asctime)s.%(msecs)03d %(process)d ERROR %(name)s %(instance)s";

/// Formats records as lines.
#[derive(Debug)]
pub struct Text {
    in_request: Format,
    outside: Format,
    debug_suffix: Option<Format>,
    exception_prefix: Format,
    identity: Format,
    date: Date,
}

impl Text {
    /// The line form that the options ask for.
    ///
    /// # Errors
    /// A sentence for the operator: a format is not valid.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let format = |option, given: &Option<String>, default: &str, unknown| {
            Format::parse(given.as_deref().unwrap_or(default), unknown)
                .map_err(|why| format!("[DEFAULT] {option}: {why}."))
        };
        let suffix = settings.debug_suffix.as_deref().filter(|suffix| !suffix.is_empty());
        let suffix = suffix.map(|suffix| {
            format("logging_debug_format_suffix", &Some(format!(" {suffix}")), "", Unknown::Refuse)
        });
        Ok(Self {
            in_request: format(
                "logging_context_format_string",
                &settings.context_format,
                CONTEXT_FORMAT,
                Unknown::Refuse,
            )?,
            outside: format(
                "logging_default_format_string",
                &settings.default_format,
                DEFAULT_FORMAT,
                Unknown::Refuse,
            )?,
            debug_suffix: suffix.transpose()?,
            exception_prefix: format(
                "logging_exception_prefix",
                &settings.exception_prefix,
                EXCEPTION_PREFIX,
                Unknown::Refuse,
            )?,
            identity: format(
                "logging_user_identity_format",
                &Some(settings.user_identity_format.clone()),
                "",
                Unknown::Dash,
            )?,
            date: Date::parse(&settings.date_format)?,
        })
    }

    /// The record's line, without the line end.
    pub fn line(&self, entry: &Entry<'_>, colored: bool) -> String {
        let mut out = String::with_capacity(160 + entry.message.len());
        let format = if entry.context.is_some() { &self.in_request } else { &self.outside };
        format.render(&mut out, |key| self.value(key, entry, colored));
        if let (Some(suffix), crate::Severity::Debug) = (&self.debug_suffix, entry.severity) {
            suffix.render(&mut out, |key| self.value(key, entry, colored));
        }
        if colored {
            out.push_str(RESET_COLOR);
        }
        out
    }

    /// The lines of the record's traceback, if it has one.
    pub fn traceback(&self, entry: &Entry<'_>) -> Vec<String> {
        let lines = entry.traceback.as_deref().unwrap_or_default().lines();
        lines
            .map(|line| {
                let mut out = String::new();
                self.exception_prefix.render(&mut out, |key| self.value(key, entry, false));
                out.push_str(&crate::format::printable(line));
                out
            })
            .collect()
    }

    fn value<'a>(&self, key: Key, entry: &'a Entry<'_>, colored: bool) -> Value<'a> {
        match key {
            Key::Asctime => Value::Text(self.date.text(&entry.time).into()),
            Key::UserIdentity => Value::Text(self.identity(entry).into()),
            Key::Color => Value::Raw(if colored { color(entry.severity) } else { "" }),
            Key::ResetColor => Value::Raw(if colored { RESET_COLOR } else { "" }),
            other => other.value(entry).unwrap_or_else(|| Value::Text("-".into())),
        }
    }

    /// The caller; empty outside of a request.
    fn identity(&self, entry: &Entry<'_>) -> String {
        let mut out = String::new();
        if let Some(context) = entry.context {
            self.identity.render(&mut out, |key| {
                Value::Text(key.context_value(context).unwrap_or_else(|| "-".into()))
            });
        }
        out
    }
}

/// A `strftime` format.
#[derive(Debug)]
pub struct Date(Vec<Item<'static>>);

impl Date {
    /// Parses a `log_date_format`.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        // An empty format means Python's default.
        let text = if text.is_empty() { "%Y-%m-%d %H:%M:%S,%3f" } else { text };
        StrftimeItems::new(text)
            .parse_to_owned()
            .map(Self)
            .map_err(|_| format!("[DEFAULT] log_date_format: strftime does not know what {text:?} means."))
    }

    /// The time in this format.
    pub fn text(&self, time: &DateTime<Local>) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail, and the format was checked.
        let _ = write!(out, "{}", time.format_with_items(self.0.iter()));
        out
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;
    use crate::context::{Context, Identity};
    use crate::entry::Severity;

    fn context() -> Context {
        Context {
            request_id: "req-2".to_owned(),
            global_request_id: None,
            identity: Identity {
                user_id: Some("u".to_owned()),
                project_id: Some("p".to_owned()),
                user_domain_id: Some("ud".to_owned()),
                project_domain_id: Some("pd".to_owned()),
                project_name: Some("web".to_owned()),
                roles: vec!["admin".to_owned(), "member".to_owned()],
                ..Identity::default()
            },
        }
    }

    fn entry(context: Option<&Context>) -> Entry<'_> {
        Entry {
            time: Local.with_ymd_and_hms(2026, 7, 1, 9, 8, 7).unwrap() + chrono::TimeDelta::milliseconds(45),
            file: "src/store/mod.rs",
            line: 12,
            context,
            ..Entry::new(Severity::Warning, "freezer_api::store", "hello\nyou".to_owned())
        }
    }

    fn line(settings: Settings, entry: &Entry<'_>) -> String {
        Text::new(&settings).unwrap().line(entry, settings.color)
    }

    fn within(format: &str) -> String {
        let settings = Settings { context_format: Some(format.to_owned()), ..Settings::default() };
        line(settings, &entry(Some(&context())))
    }

    #[test]
    fn the_default_format_is_that_of_the_conventions() {
        let start = format!("2026-07-01 09:08:07.045 {} WARNING freezer_api.store ", std::process::id());
        assert_eq!(line(Settings::default(), &entry(None)), format!("{start}[-] hello\\nyou"));
        let mut context = context();
        let text = line(Settings::default(), &entry(Some(&context)));
        assert_eq!(text, format!("{start}[req-2 u p - - ud pd] hello\\nyou"));
        context.global_request_id = Some("req-1".to_owned());
        context.identity = Identity::default();
        let text = line(Settings::default(), &entry(Some(&context)));
        assert_eq!(text, format!("{start}[req-1 req-2 - - - - - -] hello\\nyou"));
    }

    #[test]
    fn every_key_of_oslo_has_a_value() {
        for (format, text) in [
            ("%(levelno)s %(module)s %(filename)s %(lineno)05d", "30 mod mod.rs 00012"),
            ("%(pathname)s %(funcName)s", "src/store/mod.rs -"),
            ("%(user)s %(project)s %(user_id)s %(tenant)s %(project_name)s", "u p u p web"),
            ("%(global_request_id)s %(user_name)s %(domain)s %(system_scope)s", "None None None None"),
            ("%(instance)s%(resource)s%(color)s%(reset_color)s|", "|"),
            ("%(roles)s %(auth_token)s %(read_only)s %(taskName)s", "admin,member *** False None"),
            ("%(error_summary)s %(processName)s", "- freezer-api"),
            ("%(version)s", env!("CARGO_PKG_VERSION")),
        ] {
            assert_eq!(within(format), text, "{format}");
        }
        assert!(within("%(isotime)s").starts_with("2026-07-01T09:08:07.045000"));
        assert!(within("%(created)f").ends_with(".045000"));
        let settings = Settings {
            default_format: Some(
                "%(project)s|%(global_request_id)s|%(request_id)s|%(user_identity)s".to_owned(),
            ),
            ..Settings::default()
        };
        assert_eq!(line(settings, &entry(None)), "freezer-api||-|");
    }

    #[test]
    fn the_identity_and_the_date_have_formats() {
        let settings = Settings {
            user_identity_format: "%(project_name)s/%(user_name)s/%(unknown)s/%(request_id)s".to_owned(),
            context_format: Some("%(asctime)s <%(user_identity)s>".to_owned()),
            date_format: "%d/%b/%y".to_owned(),
            ..Settings::default()
        };
        assert_eq!(line(settings, &entry(Some(&context()))), "01/Jul/26 <web/-/-/req-2>");
        let settings = Settings {
            default_format: Some("%(asctime)s".to_owned()),
            date_format: String::new(),
            ..Settings::default()
        };
        assert_eq!(line(settings, &entry(None)), "2026-07-01 09:08:07,045");
    }

    #[test]
    fn debug_records_may_have_a_suffix() {
        let settings = || Settings {
            default_format: Some("%(message)s".to_owned()),
            debug_suffix: Some("{{%(pathname)s:%(lineno)d}}".to_owned()),
            ..Settings::default()
        };
        assert_eq!(line(settings(), &entry(None)), "hello\\nyou");
        let debug = Entry { severity: Severity::Debug, ..entry(None) };
        assert_eq!(line(settings(), &debug), "hello\\nyou {{src/store/mod.rs:12}}");
    }

    #[test]
    fn colours_are_optional() {
        let settings = |color| Settings {
            default_format: Some("%(color)s%(message)s".to_owned()),
            color,
            ..Settings::default()
        };
        assert_eq!(line(settings(true), &entry(None)), "\u{1b}[01;33mhello\\nyou\u{1b}[00m");
        assert_eq!(line(settings(false), &entry(None)), "hello\\nyou");
    }

    #[test]
    fn each_line_of_a_traceback_has_the_prefix() {
        let settings = Settings { exception_prefix: Some("! %(name)s ".to_owned()), ..Settings::default() };
        let entry = Entry { traceback: Some("0: main\n1: \u{1b}start".to_owned()), ..entry(None) };
        let lines = Text::new(&settings).unwrap().traceback(&entry);
        assert_eq!(lines, ["! freezer_api.store 0: main", "! freezer_api.store 1: \\u{1b}start"]);
        let by_default = Text::new(&Settings::default()).unwrap().traceback(&entry);
        assert!(by_default[0].ends_with(" ERROR freezer_api.store 0: main"), "{by_default:?}");
    }

    #[test]
    fn an_error_names_the_option_of_the_format() {
        let bad = || Some("%(unknown)s".to_owned());
        for (settings, option) in [
            (Settings { context_format: bad(), ..Settings::default() }, "logging_context_format_string"),
            (Settings { default_format: bad(), ..Settings::default() }, "logging_default_format_string"),
            (Settings { debug_suffix: bad(), ..Settings::default() }, "logging_debug_format_suffix"),
            (Settings { exception_prefix: bad(), ..Settings::default() }, "logging_exception_prefix"),
            (
                Settings { user_identity_format: "%(user".to_owned(), ..Settings::default() },
                "logging_user_identity_format",
            ),
            (Settings { date_format: "%Q".to_owned(), ..Settings::default() }, "log_date_format"),
        ] {
            let refusal = Text::new(&settings).unwrap_err();
            assert!(refusal.contains(option), "{refusal}");
        }
    }
}
