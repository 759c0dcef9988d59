//! The page's style sheet and its `Content-Security-Policy`.

use ring::digest::{SHA256, digest};

/// The page's only style sheet.
pub const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8885;--soft:#8881;--link:#06c}\
@media(prefers-color-scheme:dark){:root{--link:#6bf}}\
body{font:16px/1.5 system-ui,sans-serif;max-width:72rem;margin:0 auto;padding:0 1rem 4rem}\
a{color:var(--link)}nav ul{list-style:none;padding-left:1rem}nav>ul{padding-left:0}\
h2{border-bottom:2px solid var(--line);margin-top:3rem}h3{margin:0 0 .5rem;overflow-wrap:anywhere}h4{margin:1rem 0 .25rem}\
article{border:1px solid var(--line);border-radius:.5rem;padding:1rem;margin:1rem 0;overflow-x:auto}\
article:target{outline:3px solid var(--link)}\
table{border-collapse:collapse;width:100%}td,th{border:1px solid var(--line);padding:.25rem .5rem;text-align:left;\
vertical-align:top}td p{margin:0}code{font:.9em ui-monospace,monospace;overflow-wrap:anywhere}\
pre{background:var(--soft);padding:.75rem;border-radius:.25rem;overflow-x:auto}\
.method{font:bold .9em ui-monospace,monospace;padding:.1rem .4rem;border:1px solid;border-radius:.25rem}\
.get,.head{color:#0a7}.post{color:#c60}.put,.patch{color:#96c}.delete{color:#d33}.summary{font-weight:bold}";

/// The value of `Content-Security-Policy`: the page loads nothing, runs no script, and has only this style sheet.
pub fn content_security_policy() -> String {
    format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        base64(digest(&SHA256, STYLE.as_bytes()).as_ref())
    )
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place <= chunk.len() { char::from(digit) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_the_test_vectors_of_the_rfc() {
        for (bytes, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn the_style_neither_closes_its_element_nor_loads_anything() {
        assert!(!STYLE.contains('<') && !STYLE.contains("url("));
    }
}
