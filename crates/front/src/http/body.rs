//! The request body: limited in size, and JSON that all three databases can store.

use std::io::Read;

use serde_json::Value;

use crate::error::{Error, Result};

/// The maximum number of levels of arrays and objects in a body; `{}` has one.
///
/// The JSON functions of MariaDB stop at 32 levels, and documents are stored inside others.
pub const MAX_DEPTH: usize = 24;

/// The maximum length of a key in bytes: MySQL's limit.
pub const MAX_KEY: usize = u16::MAX as usize;

/// First bytes of bodies in other formats, with a better error text than the parser's.
const OTHER_FORMATS: &[(&[u8], &str)] = &[
    (b"\xef\xbb\xbf", "the body begins with a byte order mark (EF BB BF), which has to be left out"),
    (b"\xff\xfe", "the body is in UTF-16, and has to be in UTF-8"),
    (b"\xfe\xff", "the body is in UTF-16, and has to be in UTF-8"),
    (b"\x1f\x8b", "the body is compressed with gzip, and has to be sent as it is"),
];

/// The maximum memory of a parsed body, in parts of 32 bytes: about 24 MiB.
///
/// An array takes one part per value, and an object 16 parts and four more per member. So an object with one member,
/// eight characters of text, takes 84 times the size of its text.
pub const MAX_PARTS: usize = 786_432;

/// Reads the body of a request, at most `limit` bytes.
///
/// Errors: 413 for more than `limit` bytes, without reading them if `Content-Length` announces them; 400 if the body
/// is cut off or its chunks are malformed.
pub fn read(request: &rouille::Request, limit: usize) -> Result<Vec<u8>> {
    let chunked = request.header("Transfer-Encoding").is_some();
    // Transfer-Encoding overrides Content-Length (RFC 9112, 6.3).
    let announced = match request.header("Content-Length").filter(|_| !chunked) {
        Some(text) => Some(length(text)?),
        None => None,
    };
    if announced.is_some_and(|length| length > limit as u64) {
        return Err(Error::too_large(limit));
    }
    let mut body = Vec::with_capacity(announced.unwrap_or(0).min(limit as u64) as usize);
    if let Some(source) = request.data() {
        let read = source.take(limit as u64 + 1).read_to_end(&mut body);
        read.map_err(|error| Error::bad_request(format!("The request body could not be read: {error}.")))?;
    }
    if body.len() > limit {
        return Err(Error::too_large(limit));
    }
    if announced.is_some_and(|length| length != body.len() as u64) {
        return Err(Error::bad_request("The request body is not as long as its Content-Length says."));
    }
    Ok(body)
}

/// Parses a `Content-Length`. A number that does not fit becomes the largest one that does.
fn length(text: &str) -> Result<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Error::bad_request("The Content-Length is not a number."));
    }
    Ok(text.parse().unwrap_or(u64::MAX))
}

/// Checks that a body has no content coding.
///
/// Errors: 415 for a body with a `Content-Encoding`.
pub fn check_no_coding(request: &rouille::Request, body: &[u8]) -> Result<()> {
    let codings = request.headers().filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"));
    let mut codings = codings.flat_map(|(_, value)| value.split(',')).map(str::trim);
    let is_plain = |coding: &str| coding.is_empty() || coding.eq_ignore_ascii_case("identity");
    match codings.all(is_plain) || body.is_empty() {
        true => Ok(()),
        false => Err(Error::unsupported_coding()),
    }
}

/// Parses a body.
pub fn json(body: &[u8]) -> Result<Value> {
    if body.is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    if let Some((_, why)) = OTHER_FORMATS.iter().find(|(start, _)| body.starts_with(start)) {
        return Err(malformed(why));
    }
    if memory_parts(body) > MAX_PARTS {
        return Err(malformed(&format!(
            "there are too many values in it: more than {MAX_PARTS}, of which an object counts as 16, each of its \
             members as 4 and any other value as 1"
        )));
    }
    let value = super::json::parse(body).map_err(|why| malformed(&why))?;
    match check(&value, MAX_DEPTH) {
        Ok(()) => Ok(value),
        Err(why) => Err(malformed(why)),
    }
}

/// The memory that a body takes when it is parsed, in parts ([`MAX_PARTS`]).
fn memory_parts(body: &[u8]) -> usize {
    // A shorter body cannot exceed the limit; most bodies are shorter.
    if body.len() < MAX_PARTS / 16 {
        return 0;
    }
    let (mut parts, mut is_text, mut is_escaped, mut opened) = (0_usize, false, false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => {
                is_text = !is_text;
                parts += if std::mem::take(&mut opened) { 16 } else { 0 };
            }
            _ if is_text => {}
            b'{' => opened = true,
            b'}' => opened = false,
            b':' => parts += 4,
            b',' | b'[' => parts += 1,
            _ => {}
        }
    }
    parts
}

fn malformed(why: &str) -> Error {
    Error::bad_request(format!("Malformed JSON: {why}"))
}

/// Checks a value of at most `levels` levels, which also limit the recursion.
fn check(value: &Value, levels: usize) -> std::result::Result<(), &'static str> {
    const DEEP: &str = "the document is nested too deeply";
    const NUL: &str = "strings must not contain U+0000";
    const LONG: &str = "a key is too long";
    match value {
        Value::String(text) if text.contains('\0') => Err(NUL),
        Value::Array(_) | Value::Object(_) if levels == 0 => Err(DEEP),
        Value::Array(items) => items.iter().try_for_each(|item| check(item, levels - 1)),
        Value::Object(map) => map.iter().try_for_each(|(key, item)| {
            if key.contains('\0') {
                return Err(NUL);
            }
            if key.len() > MAX_KEY {
                return Err(LONG);
            }
            check(item, levels - 1)
        }),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json as j;

    #[test]
    fn no_body_is_an_empty_object() {
        assert_eq!(json(b"").unwrap(), j!({}));
        assert_eq!(json(b"[1, \"\\u00e9\"]").unwrap(), j!([1, "é"]));
    }

    #[test]
    fn a_body_that_takes_too_much_memory_is_refused() {
        let list = |item: &str, count: usize| format!("[{}{item}]", format!("{item},").repeat(count - 1));
        for (item, weight) in [("0", 1), ("{}", 1), ("[]", 2), ("{\"\":0}", 21), ("\"{\\\":,\"", 1)] {
            assert_eq!(memory_parts(list(item, 100_000).as_bytes()), weight * 100_000, "{item}");
        }
        assert!(json(list("0", MAX_PARTS).as_bytes()).is_ok());
        assert_eq!(json(list("0", MAX_PARTS + 1).as_bytes()).unwrap_err().status(), 400);
        assert_eq!(json(list("{\"\":0}", MAX_PARTS / 20).as_bytes()).unwrap_err().status(), 400);
    }

    #[test]
    fn json_that_a_database_cannot_store_is_refused() {
        let deep = |levels: usize| [vec![b'['; levels], vec![b']'; levels]].concat();
        assert!(json(&deep(MAX_DEPTH)).is_ok());
        let keyed = |length: usize| format!("{{\"{}\": 1}}", "k".repeat(length)).into_bytes();
        assert!(json(&keyed(MAX_KEY)).is_ok());
        for bad in [
            &deep(MAX_DEPTH + 1)[..],
            &deep(100_000)[..],
            &keyed(MAX_KEY + 1)[..],
            b"{",
            b"{} {}",
            b" ",
            b"NaN",
            b"1e999",
            b"\"\xff\"",
            b"\"\\ud800\"",
            b"\xef\xbb\xbf{}",
            b"\xff\xfe{\0}\0",
            b"\x1f\x8b\x08\0",
            b"{\"a\": 1, \"a\": 1}",
            b"\"\\u0000\"",
            b"{\"a\": {\"\\u0000\": 1}}",
        ] {
            let error = json(bad).unwrap_err();
            assert_eq!(error.status(), 400);
            assert!(error.description.starts_with("Malformed JSON: "), "{}", error.description);
        }
    }
}
