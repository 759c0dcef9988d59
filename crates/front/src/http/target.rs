//! The request target: path and query.

use percent_encoding::percent_decode;

use crate::error::{Error, Result};

/// Splits a request target into path and query. The scheme and host of an absolute-form target are dropped.
pub fn split(target: &str) -> (&str, &str) {
    let target = target.split('#').next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = match path.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.find('/').map_or("/", |slash| &rest[slash..]),
        _ => path,
    };
    (path, query)
}

/// The path with repeated slashes collapsed and the trailing one removed, which clients always send on collections.
pub fn normal(path: &str) -> String {
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
    format!("/{}", parts.join("/"))
}

/// The percent-decoded parts of a normal path. The path is split before it is decoded: an escaped slash belongs to
/// its part.
pub fn segments(path: &str) -> Result<Vec<String>> {
    path.split('/')
        .filter(|part| !part.is_empty())
        .map(|part| {
            if !well_escaped(part) {
                return Err(Error::bad_request("The path contains a malformed percent escape."));
            }
            decode(part.as_bytes(), "path")
        })
        .collect()
}

/// The decoded parameters of a query string, in order; a parameter without `=` has the empty value.
pub fn query(query: &str) -> Result<Vec<(String, String)>> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let text = |part: &str| decode(part.replace('+', " ").as_bytes(), "query string");
            Ok((text(name)?, text(value)?))
        })
        .collect()
}

fn well_escaped(part: &str) -> bool {
    let bytes = part.as_bytes();
    bytes.iter().enumerate().filter(|(_, byte)| **byte == b'%').all(|(at, _)| {
        bytes.get(at + 1..at + 3).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

fn decode(text: &[u8], what: &str) -> Result<String> {
    let text = percent_decode(text)
        .decode_utf8()
        .map_err(|_| Error::bad_request(format!("The {what} is not UTF-8.")))?;
    // PostgreSQL cannot store a NUL, and no name contains one.
    if text.contains('\0') {
        return Err(Error::bad_request(format!("The {what} contains a NUL character.")));
    }
    Ok(text.into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extra_slashes_are_removed() {
        assert_eq!(normal("//v2///p/jobs/"), "/v2/p/jobs");
        assert_eq!(normal("/"), "/");
        assert_eq!(split("http://host:9090/v2/?a=b"), ("/v2/", "a=b"));
        assert_eq!(split("http://host"), ("/", ""));
        assert_eq!(split("/v2/a://b"), ("/v2/a://b", ""));
    }

    #[test]
    fn parts_are_decoded_after_splitting() {
        assert_eq!(segments("/v2/a%2Fb/%C3%A9+").unwrap(), ["v2", "a/b", "é+"]);
        for bad in ["/%", "/%2", "/%zz", "/%+1", "/%ff", "/%00"] {
            assert_eq!(segments(bad).unwrap_err().status(), 400, "{bad}");
        }
    }

    #[test]
    fn queries_keep_their_order() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            query("a=1&&a=x+y%26&flag&b=c=d").unwrap(),
            [pair("a", "1"), pair("a", "x y&"), pair("flag", ""), pair("b", "c=d")]
        );
        assert!(query("a=%ff").is_err() && query("%00").is_err());
    }
}
