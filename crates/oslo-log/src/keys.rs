//! The keys of formats: the attributes of Python's log records, those of oslo.log, and those of oslo.context.

use std::borrow::Cow;

use crate::context::Context;
use crate::entry::{Entry, Severity, thread_name, thread_number};
use crate::value::Value;
use crate::{PROGRAM, VERSION};

/// A key of a format string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant has the name of its key")]
pub enum Key {
    // Python's.
    Asctime,
    Created,
    FileName,
    FuncName,
    LevelName,
    LevelNo,
    LineNo,
    Message,
    Module,
    Msecs,
    Name,
    Pathname,
    Process,
    ProcessName,
    RelativeCreated,
    Thread,
    ThreadName,
    // oslo.log's.
    Color,
    ErrorSummary,
    Instance,
    Isotime,
    ResetColor,
    UserIdentity,
    Version,
    // This service's own: the global request id, if there is one, and the request id.
    RequestIds,
    // oslo.context's.
    RequestId,
    GlobalRequestId,
    Project,
    ProjectId,
    ProjectDomain,
    ProjectName,
    User,
    UserDomain,
    UserName,
    Domain,
    SystemScope,
    Roles,
    AuthToken,
    /// A flag of oslo.context that is always unset here.
    Unset,
    /// A field of oslo.context that is always empty here.
    Nothing,
    /// Not a key.
    Unknown,
}

impl Key {
    /// The key with this name.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "asctime" => Self::Asctime,
            "created" => Self::Created,
            "filename" => Self::FileName,
            "funcName" => Self::FuncName,
            "levelname" => Self::LevelName,
            "levelno" => Self::LevelNo,
            "lineno" => Self::LineNo,
            "message" | "msg" => Self::Message,
            "module" => Self::Module,
            "msecs" => Self::Msecs,
            "name" => Self::Name,
            "pathname" => Self::Pathname,
            "process" => Self::Process,
            "processName" => Self::ProcessName,
            "relativeCreated" => Self::RelativeCreated,
            "thread" => Self::Thread,
            "threadName" => Self::ThreadName,
            "color" => Self::Color,
            "error_summary" => Self::ErrorSummary,
            // No record of this service is about an instance or a resource.
            "instance" | "resource" => Self::Instance,
            "isotime" => Self::Isotime,
            "reset_color" => Self::ResetColor,
            "user_identity" => Self::UserIdentity,
            "version" => Self::Version,
            "request_ids" => Self::RequestIds,
            "request_id" => Self::RequestId,
            "global_request_id" => Self::GlobalRequestId,
            "project" | "tenant" => Self::Project,
            "project_id" => Self::ProjectId,
            "project_domain" | "project_domain_id" => Self::ProjectDomain,
            "project_name" => Self::ProjectName,
            "user" | "user_id" => Self::User,
            "user_domain" | "user_domain_id" => Self::UserDomain,
            "user_name" => Self::UserName,
            "domain" | "domain_id" => Self::Domain,
            "system_scope" => Self::SystemScope,
            "roles" => Self::Roles,
            "auth_token" => Self::AuthToken,
            "read_only" | "show_deleted" => Self::Unset,
            "resource_uuid" | "domain_name" | "user_domain_name" | "project_domain_name" | "taskName" => {
                Self::Nothing
            }
            _ => return None,
        })
    }

    /// Whether the key's values are numbers.
    pub fn is_number(self) -> bool {
        matches!(
            self,
            Self::Created
                | Self::LevelNo
                | Self::LineNo
                | Self::Msecs
                | Self::Process
                | Self::RelativeCreated
                | Self::Thread
        )
    }

    /// The key's value in a record; `None` for `asctime` and `user_identity`, which have formats of their own, and for
    /// colours.
    pub fn value<'a>(self, entry: &'a Entry<'_>) -> Option<Value<'a>> {
        let text = |text: &'a str| Value::Text(text.into());
        Some(match self {
            Self::Asctime | Self::UserIdentity | Self::Color | Self::ResetColor => return None,
            Self::Created => Value::Float(entry.created()),
            Self::FileName => text(or_dash(entry.file_name())),
            Self::FuncName => text("-"),
            Self::LevelName => text(entry.severity.name()),
            Self::LevelNo => Value::Integer(entry.severity.number()),
            Self::LineNo => Value::Integer(entry.line.into()),
            Self::Message => text(&entry.message),
            Self::Module => text(or_dash(entry.module())),
            Self::Msecs => Value::Integer(entry.milliseconds()),
            Self::Name => text(&entry.logger),
            Self::Pathname => text(or_dash(entry.file)),
            Self::Process => Value::Integer(std::process::id().into()),
            Self::ProcessName => text(PROGRAM),
            Self::RelativeCreated => Value::Float(entry.relative()),
            Self::Thread => Value::Integer(i64::try_from(thread_number()).unwrap_or_default()),
            Self::ThreadName => Value::Text(thread_name().into()),
            Self::ErrorSummary => text("-"),
            Self::Instance => text(""),
            Self::Isotime => Value::Text(entry.time.format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string().into()),
            Self::Version => text(VERSION),
            _ => {
                let value = entry.context.and_then(|context| self.context_value(context));
                Value::Text(value.unwrap_or_else(|| self.missing(entry.context.is_some()).into()))
            }
        })
    }

    /// The key's value in a request, if it has one.
    pub fn context_value(self, context: &Context) -> Option<Cow<'_, str>> {
        let identity = &context.identity;
        let field = match self {
            Self::RequestId => return Some(context.request_id.as_str().into()),
            Self::RequestIds => {
                return Some(match &context.global_request_id {
                    Some(global) => format!("{global} {}", context.request_id).into(),
                    None => context.request_id.as_str().into(),
                });
            }
            Self::AuthToken => return identity.user_id.as_ref().map(|_| "***".into()),
            Self::Roles => {
                return Some(identity.roles.join(",").into()).filter(|roles: &Cow<_>| !roles.is_empty());
            }
            Self::GlobalRequestId => &context.global_request_id,
            Self::Project | Self::ProjectId => &identity.project_id,
            Self::ProjectDomain => &identity.project_domain_id,
            Self::ProjectName => &identity.project_name,
            Self::User => &identity.user_id,
            Self::UserDomain => &identity.user_domain_id,
            Self::UserName => &identity.user_name,
            Self::Domain => &identity.domain_id,
            Self::SystemScope => &identity.system_scope,
            _ => return None,
        };
        field.as_deref().map(Into::into)
    }

    /// The text for a missing value, as in Python.
    fn missing(self, in_a_request: bool) -> &'static str {
        match self {
            Self::Unset => "False",
            _ if in_a_request => "None",
            // The values of oslo.log outside of a request. For the other keys Python fails.
            Self::GlobalRequestId | Self::UserName | Self::ProjectName => "",
            Self::Project => PROGRAM,
            _ => "-",
        }
    }
}

fn or_dash(place: &str) -> &str {
    if place.is_empty() { "-" } else { place }
}

/// The colour of oslo.log's `ColorHandler`.
pub fn color(severity: Severity) -> &'static str {
    match severity {
        Severity::Trace => "\u{1b}[00;35m",
        Severity::Debug => "\u{1b}[00;32m",
        Severity::Info => "\u{1b}[00;36m",
        Severity::Warning => "\u{1b}[01;33m",
        Severity::Error | Severity::Critical => "\u{1b}[01;31m",
    }
}

/// The sequence that ends a colour.
pub const RESET_COLOR: &str = "\u{1b}[00m";
