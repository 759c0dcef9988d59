//! One error type for everything between a request and its answer.
//!
//! The store says what failed, this room says which status that is. Every error has two texts:
//! `description` is for the client, `log` is for the operator and never leaves the log.

use std::borrow::Cow;
use std::fmt;

/// What a handler, and everything a handler calls, fails with.
#[derive(Debug, Clone)]
pub struct Error {
    /// Which answer this becomes.
    pub kind: Kind,
    /// The short `title` of the answer's body (contract, api-v2 §2, table of errors).
    pub title: Cow<'static, str>,
    /// The sentence the clients print.
    pub description: String,
    /// What the operator needs to know and the client must not see.
    pub log: Option<String>,
}

/// The kinds of failure, one for each way of answering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// 400: the request itself is wrong.
    BadRequest,
    /// 401: no valid token.
    Unauthorized,
    /// 403: the policy refuses, or a quota.
    Forbidden,
    /// 404: no such resource in the caller's sight.
    NotFound,
    /// 404: the identity is elsewhere. Said in Keystone's form as well, as Keystone's clients ask.
    NoIdentity,
    /// 405: the path exists, the method does not; the text is the `Allow` header's.
    MethodNotAllowed(String),
    /// 406: the client does not take JSON.
    NotAcceptable,
    /// 409: the state of the resource forbids it.
    Conflict,
    /// 412: the resource is not what the request's conditions ask for.
    PreconditionFailed,
    /// 413: the body is larger than the limit.
    TooLarge,
    /// 415: the body is of a type that the resource does not have.
    UnsupportedType,
    /// 415: the body is compressed, or in another coding.
    UnsupportedCoding,
    /// 422: something the body refers to is missing or incapable.
    Unprocessable,
    /// 429: too many requests of this kind; the number is the seconds after which the next one is taken.
    TooManyRequests(u64),
    /// 500: our own fault.
    Internal,
    /// 503: something we need is away for now.
    Unavailable,
    /// 503: Keystone is. Answered in plain text, as keystonemiddleware does (contract, conventions §1).
    IdentityUnavailable,
}

/// The result of everything that can fail with an answer.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn new(kind: Kind, title: &'static str, description: impl Into<String>) -> Self {
        Self { kind, title: title.into(), description: description.into(), log: None }
    }

    /// 400 `Bad request format`: the body is not what the contract says.
    pub fn bad_request(description: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, "Bad request format", description)
    }

    /// 400 `Invalid parameter`: a query parameter has a value that means nothing.
    pub fn invalid_parameter(description: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, "Invalid parameter", description)
    }

    /// 401 `Unauthorized`.
    pub fn unauthorized() -> Self {
        Self::new(Kind::Unauthorized, "Unauthorized", "The request you have made requires authentication.")
    }

    /// 403 `Access Forbidden`: the policy rule `rule` refused.
    pub fn forbidden(rule: &str) -> Self {
        Self::new(
            Kind::Forbidden,
            "Access Forbidden",
            format!("Policy does not allow {rule} to be performed."),
        )
    }

    /// 403 `Quota Exceeded`: the project may not have more of something.
    pub fn quota_exceeded(description: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, "Quota Exceeded", description)
    }

    /// 403 `Access Forbidden`: the caller itself is refused, and not by a rule.
    pub fn unfit_caller(description: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, "Access Forbidden", description)
    }

    /// 404 `Not Found`.
    pub fn not_found(description: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, "Not Found", description)
    }

    /// 404 for a path that no route has.
    pub fn no_route() -> Self {
        Self::no_route_but("")
    }

    /// The same, with a `hint` about the path.
    pub fn no_route_but(hint: &str) -> Self {
        let description = format!("There is no resource at this path. {hint}");
        Self::new(Kind::NotFound, "404 Not Found", description.trim_end())
    }

    /// 404 for a path of an identity service, which is at `url`.
    pub fn no_identity(url: &str) -> Self {
        let hint = format!("The identity service is at {url}, which is what OS_AUTH_URL has to be.");
        Self { kind: Kind::NoIdentity, ..Self::no_route_but(&hint) }
    }

    /// 405; `allow` is the value of the `Allow` header.
    pub fn method_not_allowed(allow: String) -> Self {
        let description = format!("This resource answers {allow} only.");
        Self::new(Kind::MethodNotAllowed(allow), "405 Method Not Allowed", description)
    }

    /// 406: the `Accept` header excludes JSON. The answer has no body.
    pub fn not_acceptable() -> Self {
        Self::new(Kind::NotAcceptable, "Not Acceptable", "This API answers in application/json only.")
    }

    /// 409 `Document already existing`: the id is taken.
    pub fn already_exists(description: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, "Document already existing", description)
    }

    /// 409 `Conflict`: the state of the resource forbids the request.
    pub fn conflict(description: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, "Conflict", description)
    }

    /// 412 `Precondition Failed`: the resource is not what the request's conditions ask for.
    pub fn precondition_failed(description: impl Into<String>) -> Self {
        Self::new(Kind::PreconditionFailed, "Precondition Failed", description)
    }

    /// 413: a body of more than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        let description = format!("The request body is larger than {limit} bytes.");
        Self::new(Kind::TooLarge, "Request Entity Too Large", description)
    }

    /// 413: the document to be stored would have `size` bytes, more than `limit`.
    pub fn document_too_large(what: &str, size: usize, limit: usize) -> Self {
        let description = format!(
            "The document of {what} would have {size} bytes; a stored document has at most {limit} bytes."
        );
        Self::new(Kind::TooLarge, "Request Entity Too Large", description)
    }

    /// 415: the body has to be of one of these media types.
    pub fn unsupported_type(types: &[&str]) -> Self {
        let description = format!("The body has to be {}.", types.join(" or "));
        Self::new(Kind::UnsupportedType, "Unsupported Media Type", description)
    }

    /// 415: the body has a `Content-Encoding`.
    pub fn unsupported_coding() -> Self {
        let description = "The body has a Content-Encoding, and has to be sent as it is, without one.";
        Self::new(Kind::UnsupportedCoding, "Unsupported Media Type", description)
    }

    /// 422 `Unprocessable Entity`: the body refers to something missing or incapable.
    pub fn unprocessable(description: impl Into<String>) -> Self {
        Self::new(Kind::Unprocessable, "Unprocessable Entity", description)
    }

    /// 429: `what` is a sentence for the client; after `seconds` it may try again.
    pub fn too_many_requests(what: impl Into<String>, seconds: u64) -> Self {
        Self::new(Kind::TooManyRequests(seconds), "Too Many Requests", what)
    }

    /// 500 `Internal Server Error`; `log` says what happened.
    pub fn internal(log: impl Into<String>) -> Self {
        let mut error = Self::new(
            Kind::Internal,
            "Internal Server Error",
            "The server could not complete the request. The failure has been logged under this request id.",
        );
        error.log = Some(log.into());
        error
    }

    /// 500 `Internal Storage Error`: the database refused in a way that waiting does not mend.
    pub fn storage(log: impl Into<String>) -> Self {
        let mut error = Self::new(
            Kind::Internal,
            "Internal Storage Error",
            "The database failed. The failure has been logged under this request id.",
        );
        error.log = Some(log.into());
        error
    }

    /// 503 `Service Unavailable`: `what` (a sentence for the client) is away; waiting mends it.
    pub fn unavailable(what: impl Into<String>, log: impl Into<String>) -> Self {
        let mut error = Self::new(Kind::Unavailable, "Service Unavailable", what);
        error.log = Some(log.into());
        error
    }

    /// 503 `Service Unavailable`, for a state whose cause is in the log already: each request in it adds no line.
    pub fn unavailable_as_logged(what: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, "Service Unavailable", what)
    }

    /// 503: nobody can be known, because Keystone gives no usable answer; `log` says what happened.
    pub fn identity_unavailable(log: impl Into<String>) -> Self {
        let mut error = Self::new(
            Kind::IdentityUnavailable,
            "Service Unavailable",
            "The Keystone service is temporarily unavailable.",
        );
        error.log = Some(log.into());
        error
    }

    /// 503: too many other requests wait for Keystone. The log counts these errors, and does not name each.
    pub fn crowded_out() -> Self {
        Self { log: None, ..Self::identity_unavailable(String::new()) }
    }

    /// Whether the log has an error in a count.
    pub fn is_counted(&self) -> bool {
        self.kind == Kind::IdentityUnavailable && self.log.is_none()
    }

    /// The same error under another title.
    pub fn titled(mut self, title: &'static str) -> Self {
        self.title = title.into();
        self
    }

    /// The HTTP status code of the answer.
    pub fn status(&self) -> u16 {
        match self.kind {
            Kind::BadRequest => 400,
            Kind::Unauthorized => 401,
            Kind::Forbidden => 403,
            Kind::NotFound | Kind::NoIdentity => 404,
            Kind::MethodNotAllowed(_) => 405,
            Kind::NotAcceptable => 406,
            Kind::Conflict => 409,
            Kind::PreconditionFailed => 412,
            Kind::TooLarge => 413,
            Kind::UnsupportedType | Kind::UnsupportedCoding => 415,
            Kind::Unprocessable => 422,
            Kind::TooManyRequests(_) => 429,
            Kind::Internal => 500,
            Kind::Unavailable | Kind::IdentityUnavailable => 503,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.title, self.description)?;
        match &self.log {
            Some(log) => write!(f, " ({log})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
