//! Reading the head of a request: the request line, the headers, and the framing of the body (RFC 9112).

use std::io::{BufRead, Read};

use super::refusal::Refusal;
use crate::http::authority;

/// The maximum size of a head in bytes. The longest known headers, tokens with a catalog in them, stay below 16 KiB.
const MAX_HEAD: u64 = 64 * 1024;

/// The maximum number of headers.
const MAX_HEADERS: usize = 128;

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// The method.
    pub method: String,
    /// The request target as sent.
    pub target: String,
    /// Names and values in the order sent. Values are trimmed.
    pub headers: Vec<(String, String)>,
    /// The framing of the body.
    pub framing: Framing,
    /// Whether the client may send another request on this connection.
    pub keep_alive: bool,
    /// Whether the client waits for a `100 Continue` before it sends the body.
    pub expects_continue: bool,
}

/// How the end of a body is determined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By its length in bytes, which is 0 without a body. A length that does not fit becomes the largest one that does.
    Length(u64),
    /// By chunks.
    Chunked,
}

/// Reads one head. `None` means that the connection ended before the next request.
pub fn read(source: &mut impl BufRead) -> Result<Option<Head>, Refusal> {
    let mut source = source.take(MAX_HEAD);
    let mut bytes = Vec::new();
    // The head is parsed again with each line, so that a malformed line is refused at once. `MAX_HEADERS` limits the
    // work.
    loop {
        let start = bytes.len();
        source.read_until(b'\n', &mut bytes).map_err(|error| Refusal::unread("head", &error))?;
        match &bytes[start..] {
            // A client may send an empty line after its last body (RFC 9112, 2.2).
            b"\r\n" | b"\n" if start == 0 => {
                bytes.clear();
                continue;
            }
            [.., b'\n'] => {}
            _ if source.limit() == 0 => {
                return Err(Refusal::bad("The request line and headers are too long."));
            }
            [] if start == 0 => return Ok(None),
            _ => return Err(Refusal::cut_off("head")),
        }
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        if request.parse(&bytes).map_err(malformed)?.is_complete() {
            return interpret(&request).map(Some);
        }
    }
}

fn malformed(error: httparse::Error) -> Refusal {
    use httparse::Error::{HeaderName, HeaderValue, NewLine, Status, Token, TooManyHeaders, Version};
    Refusal::bad(match error {
        Version => "The request line does not end in HTTP/1.0 or HTTP/1.1.",
        TooManyHeaders => "The request has too many headers.",
        HeaderName | HeaderValue => "A header is malformed.",
        NewLine | Status | Token => "The request line or the end of a line is malformed.",
    })
}

/// Interprets a complete head.
fn interpret(request: &httparse::Request) -> Result<Head, Refusal> {
    let method = request.method.unwrap_or_default().to_owned();
    let target = request.path.unwrap_or_default().to_owned();
    // The parser refuses only the control characters of ASCII.
    if target.contains(char::is_control) {
        return Err(Refusal::bad("The request line has control characters."));
    }
    if method == "CONNECT" {
        return Err(Refusal::bad("This is no proxy."));
    }
    let headers: Vec<_> =
        request.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect();
    let current = request.version == Some(1);
    let keep_alive = match list(&headers, "connection") {
        options if options.iter().any(|option| option == "close") => false,
        options => current || options.iter().any(|option| option == "keep-alive"),
    };
    // HTTP/1.0 has no chunks: a proxy that sends them forwards a header that it does not understand (RFC 9112, 6.1).
    let keep_alive = keep_alive && (current || list(&headers, "transfer-encoding").is_empty());
    let expects_continue = current && list(&headers, "expect").iter().any(|what| what == "100-continue");
    let framing = framing(&headers)?;
    host(&headers, current)?;
    Ok(Head { method, target, headers, framing, keep_alive, expects_continue })
}

/// Refuses a request without exactly one valid `Host`; only HTTP/1.0 may have none (RFC 9112, 3.2). If there were two
/// `Host` headers, a proxy and this service might use different ones.
fn host(headers: &[(String, String)], current: bool) -> Result<(), Refusal> {
    let mut hosts = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("host"));
    match (hosts.next(), hosts.next()) {
        (_, Some(_)) => Err(Refusal::bad("The request has more than one Host.")),
        (None, None) if current => Err(Refusal::bad("The request has no Host, which HTTP/1.1 demands.")),
        (Some((_, host)), None) if authority::checked(host).is_none() => {
            Err(Refusal::bad("The request's Host is neither a name nor an address, perhaps with a port."))
        }
        _ => Ok(()),
    }
}

/// The value of a header, which the standard defines as Latin-1, but clients usually send as UTF-8.
fn text(value: &[u8]) -> String {
    match std::str::from_utf8(value) {
        Ok(value) => value.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    }
}

/// The framing of the body. A request whose framing is ambiguous is refused.
fn framing(headers: &[(String, String)]) -> Result<Framing, Refusal> {
    let codings = list(headers, "transfer-encoding");
    let lengths = list(headers, "content-length");
    match (codings.as_slice(), lengths.as_slice()) {
        ([], []) => Ok(Framing::Length(0)),
        ([], [first, others @ ..]) => {
            let digits = !first.is_empty() && first.bytes().all(|byte| byte.is_ascii_digit());
            if !digits || others.iter().any(|other| other != first) {
                return Err(Refusal::bad("The Content-Length is not a number."));
            }
            Ok(Framing::Length(first.parse().unwrap_or(u64::MAX)))
        }
        ([coding], []) if coding == "chunked" => Ok(Framing::Chunked),
        (_, []) => Err(Refusal::bad("The only Transfer-Encoding understood is chunked.")),
        _ => Err(Refusal::bad("Content-Length and Transfer-Encoding exclude each other.")),
    }
}

/// The comma-separated values of all headers with this name, in lower case.
fn list(headers: &[(String, String)], name: &str) -> Vec<String> {
    headers
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .flat_map(|(_, value)| value.split(','))
        .map(|value| value.trim_matches([' ', '\t']).to_ascii_lowercase())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        read(&mut text.as_bytes()).unwrap().unwrap()
    }

    #[test]
    fn an_ordinary_head() {
        let head = head(
            "\r\nPOST /v2/é?a=b HTTP/1.1\r\nHost: x\r\nx-a:  b c \r\nContent-Length: 12, 12\r\n\r\nrest",
        );
        assert_eq!((head.method.as_str(), head.target.as_str()), ("POST", "/v2/é?a=b"));
        assert_eq!(head.headers[1], ("x-a".to_owned(), "b c".to_owned()));
        assert_eq!((head.framing, head.keep_alive), (Framing::Length(12), true));
    }

    #[test]
    fn version_and_connection_header_decide_on_keep_alive() {
        let keeps = |version: &str, connection: &str| {
            head(&format!("GET / {version}\r\nHost: x\r\nConnection: {connection}\r\n\r\n")).keep_alive
        };
        assert!(keeps("HTTP/1.1", "TE") && keeps("HTTP/1.0", "Keep-Alive"));
        assert!(!keeps("HTTP/1.1", "TE, Close") && !keeps("HTTP/1.0", ""));
        assert!(!keeps("HTTP/1.0", "Keep-Alive\r\nTransfer-Encoding: chunked"));
    }

    #[test]
    fn bare_line_feeds_and_other_characters() {
        let head = head("\n\r\nOPTIONS * HTTP/1.0\na:\t\n!#$%&'*+-.^_`|~9: b\tc\t\n\n");
        assert_eq!((head.method.as_str(), head.target.as_str()), ("OPTIONS", "*"));
        let headers = [("a".to_owned(), String::new()), ("!#$%&'*+-.^_`|~9".to_owned(), "b\tc".to_owned())];
        assert_eq!(head.headers, headers);
        let head = |value: &[u8]| [b"GET / HTTP/1.0\r\na: ", value, b"\r\n\r\n"].concat();
        let value = |bytes: &[u8]| read(&mut &head(bytes)[..]).unwrap().unwrap().headers[0].1.clone();
        assert_eq!((value("Zoë".as_bytes()), value(b"Zo\xeb")), ("Zoë".to_owned(), "Zoë".to_owned()));
    }

    #[test]
    fn the_bytes_after_the_head_stay_unread() {
        let mut source =
            &b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n\r\nGET /2 HTTP/1.1\nHost: x\n\nbody\r\n\r\n"[..];
        assert_eq!(read(&mut source).unwrap().unwrap().target, "/1");
        assert_eq!(read(&mut source).unwrap().unwrap().target, "/2");
        assert_eq!(source, b"body\r\n\r\n");
    }

    #[test]
    fn headers_are_limited_in_number_and_size() {
        let mut many = format!("GET / HTTP/1.0\r\n{}", "a: b\r\n".repeat(MAX_HEADERS));
        assert_eq!(head(&format!("{many}\r\n")).headers.len(), MAX_HEADERS);
        many += "a: b\r\n\r\n";
        assert!(read(&mut many.as_bytes()).is_err());
        let long = |length| format!("GET / HTTP/1.0\r\na: {}\r\n\r\n", "b".repeat(length - 23));
        assert_eq!(long(MAX_HEAD as usize).len(), MAX_HEAD as usize);
        assert_eq!(head(&long(MAX_HEAD as usize)).headers.len(), 1);
        for length in 1..3 {
            assert!(read(&mut long(MAX_HEAD as usize + length).as_bytes()).is_err());
        }
        assert!(read(&mut "\n".repeat(MAX_HEAD as usize).as_bytes()).is_err());
    }

    #[test]
    fn nonsense_is_refused_before_its_end() {
        for text in ["hello\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/1.1\r\nno colon\r\n"] {
            let refusal = read(&mut text.as_bytes()).unwrap_err();
            assert!(!format!("{refusal:?}").contains("ended"), "{refusal:?}");
        }
    }

    #[test]
    fn exactly_one_valid_host_is_required() {
        let is_accepted = |text: &str| read(&mut format!("GET / {text}\r\n\r\n").as_bytes()).is_ok();
        for good in [
            "HTTP/1.0",
            "HTTP/1.0\r\nHost: x",
            "HTTP/1.1\r\nHost: x",
            "HTTP/1.1\r\nHOST:\t[::1]:9090 ",
            "HTTP/1.1\r\nhost: a-b_c.example.:1",
            "HTTP/1.1\r\nHost: x:",
        ] {
            assert!(is_accepted(good), "{good}");
        }
        for bad in [
            "HTTP/1.1",
            "HTTP/1.1\r\nHost:",
            "HTTP/1.1\r\nHost: x\r\nHost: x",
            "HTTP/1.0\r\nHost: x\r\nHost: y",
            "HTTP/1.1\r\nHost: x, y",
            "HTTP/1.1\r\nHost: x y",
            "HTTP/1.1\r\nHost: http://x",
            "HTTP/1.1\r\nHost: x/y",
            "HTTP/1.1\r\nHost: u@x",
            "HTTP/1.0\r\nHost: x:y",
            "HTTP/1.1\r\nHost: ::1",
        ] {
            assert!(!is_accepted(bad), "{bad}");
        }
    }

    #[test]
    fn the_end_of_the_connection_is_none() {
        assert_eq!(read(&mut &b""[..]).unwrap(), None);
        assert_eq!(read(&mut &b"\r\n"[..]).unwrap(), None);
    }

    #[test]
    fn malformed_heads_are_refused() {
        for line in [
            "GET /",
            "GET  / HTTP/1.1",
            "G(T / HTTP/1.1",
            "GET / HTTP/2.0",
            "GET / http/1.1",
            "GET /\x01 HTTP/1.1",
            "GET /\0 HTTP/1.1",
            "GET /\x7f HTTP/1.1",
            "GET /\u{85} HTTP/1.1",
            "GET /\tHTTP/1.1",
            "GET /  HTTP/1.1",
            "GET / a HTTP/1.1",
            "GET / HTTP/1.1 ",
            "GET / HTTP/1.1\r",
            " GET / HTTP/1.1",
            "\rGET / HTTP/1.1",
            " / HTTP/1.1",
            "GET HTTP/1.1",
            "CONNECT x:443 HTTP/1.1",
            "GÉT / HTTP/1.1",
            "GET / HTTP/0.9",
            "GET / HTTP/1",
            "GET / HTTP/1.",
            "GET / HTTP/1.2",
            "GET / HTTP/1.10",
            "GET / HTTP/01.1",
            "GET / HTTPS/1.1",
        ] {
            assert!(read(&mut format!("{line}\r\nHost: x\r\n\r\n").as_bytes()).is_err(), "{line}");
        }
        for header in [
            "no colon",
            "a b: c",
            "a : b",
            " folded: x",
            "a: b\r\n folded",
            "a: b\r\n\tfolded: x",
            "a:\r\n b",
            ": no name",
            "a\t: b",
            "a\0: b",
            "a\x7f: b",
            "a(: b",
            "a\"b: c",
            "a@b: c",
            "a/b: c",
            "é: a",
            "a: \0",
            "a: b\0c",
            "a: \x0bb",
            "a: b\x0c",
            "a: \x7f",
            "a: b\rc: d",
            "a: b\r",
            "\ra: b",
            "\r",
            "Host: x",
            "host: y",
            "Content-Length: -1",
            "Content-Length: 1, 2",
            "Content-Length:",
            "Content-Length: 1\u{a0}",
            "Content-Length: \u{85}1",
            "Content-Length: +1",
            "Content-Length: 1,",
            "Content-Length: 1\r\nContent-Length: 01",
            "Transfer-Encoding: chunked\u{2003}",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
            "Transfer-Encoding:",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 1",
        ] {
            assert!(
                read(&mut format!("GET / HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n").as_bytes()).is_err(),
                "{header}"
            );
        }
        assert!(read(&mut &b"GET /\xff HTTP/1.1\r\nHost: x\r\n\r\n"[..]).is_err());
        assert!(read(&mut &b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\xa0\r\n\r\n"[..]).is_err());
        assert!(read(&mut &b"GET / HTTP/1.1\r\nHost"[..]).is_err());
        assert!(read(&mut &b"GET / HTTP/1.1\r\nHost: x\r\n"[..]).is_err());
        assert!(read(&mut std::io::BufReader::new(std::io::repeat(b'a'))).is_err());
        assert!(read(&mut format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200)).as_bytes()).is_err());
    }
}
