//! The JSON form: the fields of oslo.log's `JSONFormatter`, in its order.

use serde::Serialize;

use crate::context::Context;
use crate::entry::{Entry, thread_name, thread_number};
use crate::format::is_unprintable;
use crate::text::Date;
use crate::{PROGRAM, Settings};

/// Formats records as JSON.
#[derive(Debug)]
pub struct Json {
    date: Date,
    hostname: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    message: &'a str,
    asctime: String,
    name: &'a str,
    msg: &'a str,
    args: [(); 0],
    levelname: &'a str,
    levelno: i64,
    pathname: &'a str,
    filename: &'a str,
    module: &'a str,
    lineno: u32,
    // The name of the function is not known in Rust.
    funcname: Option<()>,
    created: f64,
    msecs: f64,
    relative_created: f64,
    thread: u64,
    thread_name: String,
    process_name: &'a str,
    process: u32,
    traceback: Option<&'a str>,
    hostname: Option<&'a str>,
    error_summary: &'a str,
    context: Fields<'a>,
    extra: Empty,
}

#[derive(Serialize)]
struct Empty {}

#[derive(Serialize)]
#[serde(untagged)]
enum Fields<'a> {
    None(Empty),
    Some(Box<Request<'a>>),
}

#[derive(Serialize)]
struct Request<'a> {
    user_name: Option<&'a str>,
    project_name: Option<&'a str>,
    user: Option<&'a str>,
    project_id: Option<&'a str>,
    system_scope: Option<&'a str>,
    project: Option<&'a str>,
    domain: Option<&'a str>,
    user_domain: Option<&'a str>,
    project_domain: Option<&'a str>,
    request_id: &'a str,
    global_request_id: Option<&'a str>,
    roles: &'a [String],
    user_identity: String,
}

impl Json {
    /// The JSON form that the options ask for.
    ///
    /// # Errors
    /// A sentence for the operator: the date format is not valid.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let hostname = hostname.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        Ok(Self { date: Date::parse(&settings.date_format)?, hostname })
    }

    /// The record as one line of JSON, without the end of the line.
    pub fn line(&self, entry: &Entry<'_>) -> String {
        let document = Document {
            message: &entry.message,
            asctime: self.date.text(&entry.time),
            name: &entry.logger,
            msg: &entry.message,
            args: [],
            levelname: entry.severity.name(),
            levelno: entry.severity.number(),
            pathname: entry.file,
            filename: entry.file_name(),
            module: entry.module(),
            lineno: entry.line,
            funcname: None,
            created: entry.created(),
            msecs: f64::from(entry.time.timestamp_subsec_micros()) / 1e3,
            relative_created: entry.relative(),
            thread: thread_number(),
            thread_name: thread_name(),
            process_name: PROGRAM,
            process: std::process::id(),
            traceback: entry.traceback.as_deref(),
            hostname: self.hostname.as_deref(),
            error_summary: "",
            context: entry
                .context
                .map_or(Fields::None(Empty {}), |context| Fields::Some(request(context).into())),
            extra: Empty {},
        };
        // Strings and numbers can always be serialized.
        escaped(serde_json::to_string(&document).unwrap_or_default())
    }
}

/// Writes characters that JSON allows but that control a terminal as `\uXXXX`. They occur only inside strings.
fn escaped(line: String) -> String {
    if !line.contains(is_unprintable) {
        return line;
    }
    let mut out = String::with_capacity(line.len() + 16);
    for character in line.chars() {
        if is_unprintable(character) {
            let units = &mut [0; 2];
            out.extend(character.encode_utf16(units).iter().map(|unit| format!("\\u{unit:04x}")));
        } else {
            out.push(character);
        }
    }
    out
}

fn request(context: &Context) -> Request<'_> {
    let identity = &context.identity;
    let or_dash = |field: &Option<String>| field.clone().unwrap_or_else(|| "-".to_owned());
    Request {
        user_name: identity.user_name.as_deref(),
        project_name: identity.project_name.as_deref(),
        user: identity.user_id.as_deref(),
        project_id: identity.project_id.as_deref(),
        system_scope: identity.system_scope.as_deref(),
        project: identity.project_id.as_deref(),
        domain: identity.domain_id.as_deref(),
        user_domain: identity.user_domain_id.as_deref(),
        project_domain: identity.project_domain_id.as_deref(),
        request_id: &context.request_id,
        global_request_id: context.global_request_id.as_deref(),
        roles: &identity.roles,
        // oslo.context's fixed form, which no option changes.
        user_identity: [
            &identity.user_id,
            &identity.project_id,
            &identity.domain_id,
            &identity.user_domain_id,
            &identity.project_domain_id,
        ]
        .map(or_dash)
        .join(" "),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::context::Identity;
    use crate::entry::Severity;

    fn line(entry: &Entry<'_>) -> Value {
        let line = Json::new(&Settings::default()).unwrap().line(entry);
        assert!(!line.contains('\n'), "{line}");
        serde_json::from_str(&line).unwrap()
    }

    #[test]
    fn a_record_has_the_fields_of_oslos_formatter() {
        let entry = Entry {
            file: "src/store/mod.rs",
            line: 12,
            ..Entry::new(Severity::Error, "freezer_api::store", "a \"b\"\nc".to_owned())
        };
        let value = line(&entry);
        let mut names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        let mut expected = [
            "message",
            "asctime",
            "name",
            "msg",
            "args",
            "levelname",
            "levelno",
            "pathname",
            "filename",
            "module",
            "lineno",
            "funcname",
            "created",
            "msecs",
            "relative_created",
            "thread",
            "thread_name",
            "process_name",
            "process",
            "traceback",
            "hostname",
            "error_summary",
            "context",
            "extra",
        ];
        expected.sort_unstable();
        assert_eq!(names, expected);
        assert_eq!(value["message"], "a \"b\"\nc");
        assert_eq!((&value["name"], &value["levelname"]), (&json!("freezer_api.store"), &json!("ERROR")));
        assert_eq!(
            (&value["filename"], &value["module"], &value["lineno"]),
            (&json!("mod.rs"), &json!("mod"), &json!(12))
        );
        assert_eq!((&value["context"], &value["extra"]), (&json!({}), &json!({})));
        assert_eq!(value["traceback"], Value::Null);
        assert_eq!(value["process"], std::process::id());
        assert!(value["created"].as_f64().unwrap() > 1.7e9 && value["msecs"].as_f64().unwrap() < 1000.0);
    }

    #[test]
    fn characters_that_control_a_terminal_are_escaped_and_parse_back() {
        let text = "a\u{202e}b\u{2028}\u{9b}\u{e0041}\u{1b}é";
        let entry = Entry::new(Severity::Info, "freezer_api", text.to_owned());
        let json = Json::new(&Settings::default()).unwrap().line(&entry);
        assert!(json.contains(r"a\u202eb\u2028\u009b\udb40\udc41\u001bé"), "{json}");
        assert_eq!(line(&entry)["message"], text);
    }

    #[test]
    fn the_context_has_the_fields_of_the_request() {
        let context = Context {
            request_id: "req-2".to_owned(),
            global_request_id: Some("req-1".to_owned()),
            identity: Identity {
                user_id: Some("u".to_owned()),
                project_id: Some("p".to_owned()),
                roles: vec!["member".to_owned()],
                ..Identity::default()
            },
        };
        let entry = Entry {
            context: Some(&context),
            ..Entry::new(Severity::Info, "freezer_api", "hello".to_owned())
        };
        let context = &line(&entry)["context"];
        for (name, expected) in [
            ("request_id", json!("req-2")),
            ("global_request_id", json!("req-1")),
            ("user", json!("u")),
            ("project", json!("p")),
            ("project_id", json!("p")),
            ("domain", Value::Null),
            ("roles", json!(["member"])),
            ("user_identity", json!("u p - - -")),
        ] {
            assert_eq!(context[name], expected, "{name}");
        }
    }
}
