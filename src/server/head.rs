//! Reading the head of a request: request line, headers, and what they say about the body (RFC 9112).

use std::io::{BufRead, Read};

use super::refusal::Refusal;

/// The longest head taken, in bytes. Tokens with a catalog in them, the longest headers known, stay below 16 KiB.
const MAX_HEAD: u64 = 64 * 1024;

/// The most headers taken.
const MAX_HEADERS: usize = 128;

/// The head of a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// The method's word.
    pub method: String,
    /// The request target as sent.
    pub target: String,
    /// Names and values in the order sent; values are trimmed.
    pub headers: Vec<(String, String)>,
    /// How long the body is.
    pub framing: Framing,
    /// Whether the client means to send another request on this connection.
    pub keep_alive: bool,
    /// Whether the client waits for a `100 Continue` before it sends the body.
    pub expects_continue: bool,
}

/// How the end of a body is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// By its length in bytes, 0 if there is none; more digits than fit are as many bytes as can be.
    Length(u64),
    /// By chunks.
    Chunked,
}

/// Reads one head. `None` is the end of the connection where the next request would begin.
pub fn read(source: &mut impl BufRead) -> Result<Option<Head>, Refusal> {
    let mut source = source.take(MAX_HEAD);
    // A client may leave an empty line behind its last body (RFC 9112, 2.2).
    let request_line = loop {
        match line(&mut source)? {
            None => return Ok(None),
            Some(line) if line.is_empty() => {}
            Some(line) => break line,
        }
    };
    let (method, target, minor) = parse_request_line(&request_line)?;
    let mut headers = Vec::new();
    loop {
        let line = line(&mut source)?.ok_or(Refusal::cut_off("head"))?;
        if line.is_empty() {
            break;
        }
        if headers.len() == MAX_HEADERS {
            return Err(Refusal::bad("The request has too many headers."));
        }
        headers.push(parse_header(&line)?);
    }
    let keep_alive = match list(&headers, "connection") {
        options if options.iter().any(|option| option == "close") => false,
        options => minor > 0 || options.iter().any(|option| option == "keep-alive"),
    };
    let expects_continue = minor > 0 && list(&headers, "expect").iter().any(|what| what == "100-continue");
    let framing = framing(&headers)?;
    Ok(Some(Head { method, target, headers, framing, keep_alive, expects_continue }))
}

/// One line without its end; `None` at the end of the stream. A bare LF ends a line too.
fn line(source: &mut std::io::Take<&mut impl BufRead>) -> Result<Option<Vec<u8>>, Refusal> {
    let mut line = Vec::new();
    source.read_until(b'\n', &mut line).map_err(|error| Refusal::unread("head", &error))?;
    if line.pop() != Some(b'\n') {
        return match source.limit() {
            0 => Err(Refusal::bad("The request line and headers are too long.")),
            _ if line.is_empty() => Ok(None),
            _ => Err(Refusal::cut_off("head")),
        };
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(line))
}

/// Method, target and minor version.
fn parse_request_line(line: &[u8]) -> Result<(String, String, u8), Refusal> {
    const MALFORMED: Refusal = Refusal::bad("The request line is malformed.");
    let line = std::str::from_utf8(line).map_err(|_| Refusal::bad("The request line is not UTF-8."))?;
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(MALFORMED);
    };
    if method.is_empty()
        || !method.bytes().all(is_token)
        || target.is_empty()
        || target.contains(char::is_control)
    {
        return Err(MALFORMED);
    }
    let minor = match version.strip_prefix("HTTP/1.").map(str::as_bytes) {
        Some([minor @ b'0'..=b'9']) => minor - b'0',
        _ if version.starts_with("HTTP/") => {
            return Err(Refusal::bad("Only HTTP/1.0 and HTTP/1.1 are spoken here."));
        }
        _ => return Err(MALFORMED),
    };
    Ok((method.to_owned(), target.to_owned(), minor))
}

fn parse_header(line: &[u8]) -> Result<(String, String), Refusal> {
    const MALFORMED: Refusal = Refusal::bad("A header is malformed.");
    let colon = line.iter().position(|byte| *byte == b':').ok_or(MALFORMED)?;
    // A blank before the colon or at the beginning of a line is how requests are smuggled past proxies.
    let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
    if name.is_empty() || !name.iter().copied().all(is_token) {
        return Err(MALFORMED);
    }
    if value.iter().any(|byte| byte.is_ascii_control() && *byte != b'\t') {
        return Err(MALFORMED);
    }
    // Headers are Latin-1 by the letter and UTF-8 by custom.
    let value = match std::str::from_utf8(value) {
        Ok(value) => value.to_owned(),
        Err(_) => value.iter().copied().map(char::from).collect(),
    };
    Ok((String::from_utf8_lossy(name).into_owned(), value))
}

/// What the headers say about the body. Two readings of one request are never guessed between: they are refused.
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

/// The comma separated values of all headers of that name, in lower case.
fn list(headers: &[(String, String)], name: &str) -> Vec<String> {
    headers
        .iter()
        .filter(|(key, _)| key.eq_ignore_ascii_case(name))
        .flat_map(|(_, value)| value.split(','))
        .map(|value| value.trim().to_ascii_lowercase())
        .collect()
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
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
    fn who_keeps_the_connection() {
        let keeps = |version: &str, connection: &str| {
            head(&format!("GET / {version}\r\nConnection: {connection}\r\n\r\n")).keep_alive
        };
        assert!(keeps("HTTP/1.1", "TE") && keeps("HTTP/1.0", "Keep-Alive"));
        assert!(!keeps("HTTP/1.1", "TE, Close") && !keeps("HTTP/1.0", ""));
    }

    #[test]
    fn nothing_is_the_end() {
        assert_eq!(read(&mut &b""[..]).unwrap(), None);
        assert_eq!(read(&mut &b"\r\n"[..]).unwrap(), None);
    }

    #[test]
    fn what_is_refused() {
        for line in [
            "GET /",
            "GET  / HTTP/1.1",
            "G(T / HTTP/1.1",
            "GET / HTTP/2.0",
            "GET / http/1.1",
            "GET /\x01 HTTP/1.1",
        ] {
            assert!(read(&mut format!("{line}\r\n\r\n").as_bytes()).is_err(), "{line}");
        }
        for header in [
            "no colon",
            "a b: c",
            "a : b",
            " folded: x",
            "a: \0",
            "Content-Length: -1",
            "Content-Length: 1, 2",
            "Content-Length:",
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 1",
        ] {
            assert!(read(&mut format!("GET / HTTP/1.1\r\n{header}\r\n\r\n").as_bytes()).is_err(), "{header}");
        }
        assert!(read(&mut &b"GET / HTTP/1.1\r\nHost"[..]).is_err());
        assert!(read(&mut std::io::BufReader::new(std::io::repeat(b'a'))).is_err());
        assert!(read(&mut format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(200)).as_bytes()).is_err());
    }
}
