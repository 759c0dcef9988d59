//! `If-Match` and `If-None-Match`: a change is made only if the resource has not changed in the meantime (RFC 9110 §13;
//! contract, conventions §6).

use std::io;

use ring::digest::{Context, SHA256, digest};
use serde::Serialize;
use serde_json::Value;

use super::{Call, Reply, Stream};
use crate::error::{Error, Result};
use crate::hex::hex;

/// The number of hex digits of the digest in a tag.
const TAG_DIGITS: usize = 32;

/// The conditions of a request on the current state of the resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// The value of one of the two headers.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: any existing resource.
    Any,
    /// Any of these.
    List(Vec<Tag>),
}

/// An entity tag in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    weak: bool,
    /// The tag with its quotes.
    opaque: String,
}

/// The entity tag of a resource: strong, and a digest of the document, so that it changes with every visible change.
pub fn entity_tag(document: &impl Serialize) -> String {
    struct Digest(Context);
    impl io::Write for Digest {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut digest = Digest(Context::new(&SHA256));
    // Documents hold only values that JSON can represent.
    let _ = serde_json::to_writer(&mut digest, document);
    tag(digest.0.finish().as_ref())
}

/// The entity tag of a serialized document.
pub(super) fn tag_of(body: &[u8]) -> String {
    tag(digest(&SHA256, body).as_ref())
}

/// The entity tag from the SHA-256 of a document.
pub(super) fn tag(digest: &[u8]) -> String {
    let mut digits = hex(digest);
    digits.truncate(TAG_DIGITS);
    format!("\"{digits}\"")
}

impl Precondition {
    /// Parses the request's conditions.
    ///
    /// # Errors
    /// 400 for a header that is not a list of entity tags.
    pub fn from_call(call: &Call) -> Result<Self> {
        Ok(Self { if_match: tags(call, "If-Match")?, if_none_match: tags(call, "If-None-Match")? })
    }

    /// Whether the request has no conditions, so that the resource need not be read for them.
    pub fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Checks the conditions against the document that the caller would see; `None` means that there is no resource.
    ///
    /// # Errors
    /// 412 if a condition does not hold.
    pub fn check(&self, current: Option<&Value>) -> Result<()> {
        match self.is_empty() {
            true => Ok(()),
            false => self.check_tag(current.map(entity_tag)),
        }
    }

    /// As [`Precondition::check`], with the entity tag of the resource.
    ///
    /// # Errors
    /// As [`Precondition::check`].
    pub fn check_tag(&self, current: Option<String>) -> Result<()> {
        self.check_match(current.as_deref())?;
        match (&self.if_none_match, current) {
            (Some(Tags::Any), Some(_)) => Err(Error::precondition_failed(
                "If-None-Match asks that there be nothing here, and there is.",
            )),
            (Some(tags), Some(current)) if tags.contains_weakly(&current) => {
                Err(Error::precondition_failed("The resource still is what If-None-Match names."))
            }
            _ => Ok(()),
        }
    }

    fn check_match(&self, current: Option<&str>) -> Result<()> {
        match (&self.if_match, current) {
            (None, _) => Ok(()),
            (Some(_), None) => {
                Err(Error::precondition_failed("If-Match asks for a resource, and there is none here."))
            }
            (Some(tags), Some(current)) if tags.contains_strongly(current) => Ok(()),
            (Some(_), Some(_)) => Err(Error::precondition_failed(
                "The resource is not what If-Match names: it has changed. Read it again.",
            )),
        }
    }
}

/// Turns the response to a GET into a 304 if the caller has the same version already. A response without an entity tag
/// stays as it is.
///
/// There is no 304 for a tag that covers only a part of the response: the rest may have changed.
///
/// # Errors
/// As [`Precondition::from_call`]; 412 if `If-Match` does not hold.
pub fn not_modified(call: &Call, reply: Reply) -> Result<Reply> {
    let Some(tag) = reply.header("ETag") else { return Ok(reply) };
    let precondition = Precondition::from_call(call)?;
    precondition.check_match(Some(tag))?;
    let is_known = precondition.if_none_match.is_some_and(|tags| tags.contains_weakly(tag));
    let is_whole = match (&reply.body, &reply.stream) {
        (Some(body), _) => tag_of(body) == tag,
        (None, stream) => {
            stream.as_ref().and_then(Stream::digest).is_some_and(|digest| self::tag(digest) == tag)
        }
    };
    if is_known && is_whole {
        return Ok(Reply { status: 304, body: None, stream: None, ..reply });
    }
    Ok(reply)
}

impl Tags {
    /// Whether `current` is in the list, by the strong comparison: a weak tag never matches.
    fn contains_strongly(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => tags.iter().any(|tag| !tag.weak && tag.opaque == current),
        }
    }

    /// Whether `current` is in the list, by the weak comparison.
    fn contains_weakly(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::List(tags) => tags.iter().any(|tag| tag.opaque == current),
        }
    }

    /// Parses `*`, or tags separated by commas. A tag itself may contain commas.
    fn parse(value: &str) -> Option<Self> {
        const BLANKS: [char; 2] = [' ', '\t'];
        if value.trim_matches(BLANKS) == "*" {
            return Some(Self::Any);
        }
        let mut tags = Vec::new();
        let mut rest = value;
        loop {
            // An element of a list may be empty (RFC 9110, 5.6.1).
            rest = rest.trim_start_matches([' ', '\t', ',']);
            if rest.is_empty() {
                break;
            }
            let strong = rest.strip_prefix("W/");
            let weak = strong.is_some();
            let (opaque, after) = strong.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
            if opaque.chars().any(|c| c.is_ascii() && !c.is_ascii_graphic()) {
                return None;
            }
            tags.push(Tag { weak, opaque: format!("\"{opaque}\"") });
            rest = after.trim_start_matches(BLANKS);
            if !rest.is_empty() && !rest.starts_with(',') {
                return None;
            }
        }
        // An empty list is valid, and matches nothing.
        Some(Self::List(tags))
    }
}

/// The tags of a header, which may be repeated.
fn tags(call: &Call, name: &str) -> Result<Option<Tags>> {
    let lines = call.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
    let lines: Vec<&str> = lines.map(|(_, value)| value.as_str()).collect();
    if lines.is_empty() {
        return Ok(None);
    }
    match Tags::parse(&lines.join(",")) {
        Some(tags) => Ok(Some(tags)),
        None => Err(Error::bad_request(format!("{name} is neither * nor a list of entity tags in quotes."))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn call(headers: &[(&str, &str)]) -> Call {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = rouille::Request::fake_http("GET", "/", headers, Vec::new());
        Call::read(&request, "req-1", 0, "localhost").unwrap()
    }

    #[test]
    fn a_tag_is_a_digest_of_the_document() {
        // printf '{"a":1}' | sha256sum
        assert_eq!(entity_tag(&json!({"a": 1})), "\"015abd7f5cc57a2dd94b7590f04ad808\"");
        assert_ne!(entity_tag(&json!({"a": "1"})), entity_tag(&json!({"a": 1})));
        assert_eq!(
            Reply::document(200, &json!({"a": 1})).header("ETag"),
            Some(&*entity_tag(&json!({"a": 1})))
        );
    }

    #[test]
    fn a_caller_with_the_current_version_gets_a_304() {
        let document = json!({"a": 1, "seen": "now"});
        let whole = Reply::document(200, &document).with_header("Vary", "X");
        let tag = entity_tag(&document);
        let known = not_modified(&call(&[("If-None-Match", &tag)]), whole.clone()).unwrap();
        assert_eq!((known.status, &known.body), (304, &None));
        assert_eq!((known.header("etag"), known.header("vary")), (Some(&*tag), Some("X")));
        for other in ["\"x\"", "\"\""] {
            assert_eq!(not_modified(&call(&[("If-None-Match", other)]), whole.clone()).unwrap(), whole);
        }
        assert_eq!(not_modified(&call(&[]), whole.clone()).unwrap(), whole);
        assert_eq!(not_modified(&call(&[("If-Match", "\"x\"")]), whole.clone()).unwrap_err().status(), 412);
        assert_eq!(not_modified(&call(&[("If-Match", &tag)]), whole.clone()).unwrap(), whole);
    }

    #[test]
    fn there_is_no_304_for_a_tag_of_a_part_of_the_response() {
        let (document, lasting) = (json!({"a": 1, "seen": "now"}), json!({"a": 1}));
        let reply = Reply::document_tagged(200, &document, &lasting);
        let tag = entity_tag(&lasting);
        assert_eq!(reply.header("ETag"), Some(&*tag));
        for known in [&*tag, "*"] {
            assert_eq!(not_modified(&call(&[("If-None-Match", known)]), reply.clone()).unwrap(), reply);
        }
        assert_eq!(not_modified(&call(&[("If-Match", "\"x\"")]), reply).unwrap_err().status(), 412);
    }

    #[test]
    fn conditions_do_not_apply_to_a_response_without_a_tag() {
        let list = Reply::json(200, &json!([]));
        for headers in [("If-Match", "\"x\""), ("If-None-Match", "*"), ("If-Match", "nonsense")] {
            assert_eq!(not_modified(&call(&[headers]), list.clone()).unwrap(), list);
        }
    }
}
