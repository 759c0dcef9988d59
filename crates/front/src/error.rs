//! The error type of everything between a request and its response.
//!
//! The kind of an error decides the status. Every error has two texts: `description` is for the client, and `log` is
//! for the operator and only logged.

use std::borrow::Cow;
use std::fmt;

/// The error of a handler, and of everything that a handler calls.
#[derive(Debug, Clone)]
pub struct Error {
    /// The kind, which decides the status and the form of the response.
    pub kind: Kind,
    /// The short `title` of the response body (contract, api-v2 §2, table of errors).
    pub title: Cow<'static, str>,
    /// The sentence that clients print.
    pub description: String,
    /// Text for the operator that the client must not see.
    pub log: Option<String>,
}

/// The kinds of errors, one for each form of response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// 400: the request itself is wrong.
    BadRequest,
    /// 401: no valid token.
    Unauthorized,
    /// 403: the policy refuses, or a quota.
    Forbidden,
    /// 404: there is no such resource that the caller may see.
    NotFound,
    /// 404: the identity service is at another path. The body has Keystone's error form too, for Keystone's clients.
    NoIdentity,
    /// 405: the path exists, but not with this method; the text is the value of the `Allow` header.
    MethodNotAllowed(String),
    /// 406: the client does not accept JSON.
    NotAcceptable,
    /// 409: the state of the resource forbids it.
    Conflict,
    /// 412: the resource does not satisfy the request's conditions.
    PreconditionFailed,
    /// 413: the body is larger than the limit.
    TooLarge,
    /// 415: the resource does not support the media type of the body.
    UnsupportedType,
    /// 415: the body is compressed, or has another content coding.
    UnsupportedCoding,
    /// 422: the body refers to a resource that does not exist, or that cannot do what is needed.
    Unprocessable,
    /// 429: too many requests of this kind; the next one is accepted after this number of seconds.
    TooManyRequests(u64),
    /// 500: a fault of the service.
    Internal,
    /// 503: the database or another dependency is unavailable for now.
    Unavailable,
    /// 503: Keystone is unavailable. The response is plain text, as keystonemiddleware's (contract, conventions §1).
    IdentityUnavailable,
}

/// The result of everything that can fail with a response.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    fn new(kind: Kind, title: &'static str, description: impl Into<String>) -> Self {
        Self { kind, title: title.into(), description: description.into(), log: None }
    }

    /// 400 `Bad request format`: the body does not conform to the contract.
    pub fn bad_request(description: impl Into<String>) -> Self {
        Self::new(Kind::BadRequest, "Bad request format", description)
    }

    /// 400 `Invalid parameter`: a query parameter has an invalid value.
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

    /// 403 `Quota Exceeded`: the project may not have more rows of a kind.
    pub fn quota_exceeded(description: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, "Quota Exceeded", description)
    }

    /// 403 `Access Forbidden`: the caller is refused for another reason than a policy rule.
    pub fn forbidden_caller(description: impl Into<String>) -> Self {
        Self::new(Kind::Forbidden, "Access Forbidden", description)
    }

    /// 404 `Not Found`.
    pub fn not_found(description: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, "Not Found", description)
    }

    /// 404: there is no `what` of this id.
    pub fn no(what: &str, id: &str) -> Self {
        Self::not_found(format!("No {what} found with ID {id}"))
    }

    /// 404 for a path that no route has.
    pub fn no_route() -> Self {
        Self::no_route_with_hint("")
    }

    /// The same, with a `hint` about the path.
    pub fn no_route_with_hint(hint: &str) -> Self {
        let description = format!("There is no resource at this path. {hint}");
        Self::new(Kind::NotFound, "404 Not Found", description.trim_end())
    }

    /// 404 for a path of an identity service, while that of this service is at `url`.
    pub fn no_identity(url: &str) -> Self {
        let hint = format!("The identity service is at {url}, which is what OS_AUTH_URL has to be.");
        Self { kind: Kind::NoIdentity, ..Self::no_route_with_hint(&hint) }
    }

    /// 405; `allow` is the value of the `Allow` header.
    pub fn method_not_allowed(allow: String) -> Self {
        let description = format!("This resource answers {allow} only.");
        Self::new(Kind::MethodNotAllowed(allow), "405 Method Not Allowed", description)
    }

    /// 406: the `Accept` header excludes JSON. The response has no body.
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

    /// 412 `Precondition Failed`: the resource does not satisfy the request's conditions.
    pub fn precondition_failed(description: impl Into<String>) -> Self {
        Self::new(Kind::PreconditionFailed, "Precondition Failed", description)
    }

    /// 413: the body has more than `limit` bytes.
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

    /// 415: the body must have one of these media types.
    pub fn unsupported_type(types: &[&str]) -> Self {
        let description = format!("The body has to be {}.", types.join(" or "));
        Self::new(Kind::UnsupportedType, "Unsupported Media Type", description)
    }

    /// 415: the body has a `Content-Encoding`.
    pub fn unsupported_coding() -> Self {
        let description = "The body has a Content-Encoding, and has to be sent as it is, without one.";
        Self::new(Kind::UnsupportedCoding, "Unsupported Media Type", description)
    }

    /// 422 `Unprocessable Entity`: the body refers to a resource that does not exist, or that cannot do what is needed.
    pub fn unprocessable(description: impl Into<String>) -> Self {
        Self::new(Kind::Unprocessable, "Unprocessable Entity", description)
    }

    /// 429: `what` is a sentence for the client, which may try again after `seconds`.
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

    /// 500 `Internal Storage Error`: the database failed, and a retry would not help.
    pub fn storage(log: impl Into<String>) -> Self {
        let mut error = Self::new(
            Kind::Internal,
            "Internal Storage Error",
            "The database failed. The failure has been logged under this request id.",
        );
        error.log = Some(log.into());
        error
    }

    /// 503 `Service Unavailable`: a dependency is unavailable, and a retry may help. `what` is a sentence for the
    /// client.
    pub fn unavailable(what: impl Into<String>, log: impl Into<String>) -> Self {
        let mut error = Self::new(Kind::Unavailable, "Service Unavailable", what);
        error.log = Some(log.into());
        error
    }

    /// 503 `Service Unavailable`, for a state whose cause has been logged. Requests in this state add no further lines.
    pub fn unavailable_already_logged(what: impl Into<String>) -> Self {
        Self::new(Kind::Unavailable, "Service Unavailable", what)
    }

    /// 503: no token can be validated, because Keystone gives no usable answer; `log` says what happened.
    pub fn identity_unavailable(log: impl Into<String>) -> Self {
        let mut error = Self::new(
            Kind::IdentityUnavailable,
            "Service Unavailable",
            "The Keystone service is temporarily unavailable.",
        );
        error.log = Some(log.into());
        error
    }

    /// 503: too many other requests wait for Keystone. These errors are counted in the log, not logged one by one.
    pub fn identity_overloaded() -> Self {
        Self { log: None, ..Self::identity_unavailable(String::new()) }
    }

    /// Whether the error is counted in the log and not logged by itself.
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
