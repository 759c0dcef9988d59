//! `If-Match` and `If-None-Match`: a change is made only if nobody was faster (RFC 9110 §13; contract, conventions §6).

use std::io;

use ring::digest::{Context, SHA256, digest};
use serde::Serialize;
use serde_json::Value;

use super::{Call, Reply, Stream};
use crate::error::{Error, Result};
use crate::hex::hex;

/// How many hex digits of the digest a tag has.
const TAG_DIGITS: usize = 32;

/// What a request demands of the resource's current state before anything is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Precondition {
    if_match: Option<Tags>,
    if_none_match: Option<Tags>,
}

/// What one of the two headers names.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Tags {
    /// `*`: whatever there is.
    Any,
    /// Any of these.
    Of(Vec<Tag>),
}

/// An entity tag as a request has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Tag {
    weak: bool,
    /// With its quotes.
    opaque: String,
}

/// The entity tag of a resource: strong, and made of the document, so that it changes with whatever that shows.
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

/// The entity tag of a document in bytes.
pub(super) fn tag_of(body: &[u8]) -> String {
    tag(digest(&SHA256, body).as_ref())
}

/// The entity tag of a document whose SHA-256 is known.
pub(super) fn tag(digest: &[u8]) -> String {
    let mut digits = hex(digest);
    digits.truncate(TAG_DIGITS);
    format!("\"{digits}\"")
}

impl Precondition {
    /// Reads the request's conditions.
    ///
    /// # Errors
    /// 400 for a header that is no list of entity tags.
    pub fn of(call: &Call) -> Result<Self> {
        Ok(Self { if_match: tags(call, "If-Match")?, if_none_match: tags(call, "If-None-Match")? })
    }

    /// Whether there is none, and nothing needs to be looked up for it.
    pub fn is_empty(&self) -> bool {
        self.if_match.is_none() && self.if_none_match.is_none()
    }

    /// Holds the conditions against the resource as the caller would see it; `None` where there is none.
    ///
    /// # Errors
    /// 412 when a condition does not hold.
    pub fn check(&self, current: Option<&Value>) -> Result<()> {
        match self.is_empty() {
            true => Ok(()),
            false => self.check_tag(current.map(entity_tag)),
        }
    }

    /// The same for the resource of that entity tag.
    ///
    /// # Errors
    /// As [`Precondition::check`].
    pub fn check_tag(&self, current: Option<String>) -> Result<()> {
        self.check_match(current.as_deref())?;
        match (&self.if_none_match, current) {
            (Some(Tags::Any), Some(_)) => Err(Error::precondition_failed(
                "If-None-Match asks that there be nothing here, and there is.",
            )),
            (Some(tags), Some(current)) if tags.name(&current) => {
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
            (Some(tags), Some(current)) if tags.are(current) => Ok(()),
            (Some(_), Some(_)) => Err(Error::precondition_failed(
                "The resource is not what If-Match names: somebody has changed it. Read it again.",
            )),
        }
    }
}

/// The answer to a GET, if the caller does not have it already: else 304 without it. Only an answer with an entity tag
/// can be one.
///
/// A tag that is not made of the whole answer says nothing of the rest, and there is no 304.
///
/// # Errors
/// As [`Precondition::of`]; 412 when `If-Match` does not hold.
pub fn not_modified(call: &Call, reply: Reply) -> Result<Reply> {
    let Some(tag) = reply.header("ETag") else { return Ok(reply) };
    let precondition = Precondition::of(call)?;
    precondition.check_match(Some(tag))?;
    let is_known = precondition.if_none_match.is_some_and(|tags| tags.name(tag));
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
    /// Whether `current` is among them, by the strong comparison: a weak tag is nothing's.
    fn are(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Of(tags) => tags.iter().any(|tag| !tag.weak && tag.opaque == current),
        }
    }

    /// Whether `current` is among them, by the weak comparison.
    fn name(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Of(tags) => tags.iter().any(|tag| tag.opaque == current),
        }
    }

    /// `*`, or tags with commas between them. There may be commas in tags, too.
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
        // A list of none is one, too: nothing is among them.
        Some(Self::Of(tags))
    }
}

/// The tags in a header, which may be on several lines.
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
    fn a_tag_is_of_the_document() {
        // printf '{"a":1}' | sha256sum
        assert_eq!(entity_tag(&json!({"a": 1})), "\"015abd7f5cc57a2dd94b7590f04ad808\"");
        assert_ne!(entity_tag(&json!({"a": "1"})), entity_tag(&json!({"a": 1})));
        assert_eq!(
            Reply::document(200, &json!({"a": 1})).header("ETag"),
            Some(&*entity_tag(&json!({"a": 1})))
        );
    }

    #[test]
    fn who_has_the_answer_already_hears_no_more() {
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
    fn a_tag_of_less_than_the_answer_says_nothing_of_the_rest() {
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
    fn what_has_no_tag_is_not_asked_for_one() {
        let list = Reply::json(200, &json!([]));
        for headers in [("If-Match", "\"x\""), ("If-None-Match", "*"), ("If-Match", "nonsense")] {
            assert_eq!(not_modified(&call(&[headers]), list.clone()).unwrap(), list);
        }
    }
}
