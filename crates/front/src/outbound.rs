//! HTTP requests to other services of the cloud.
//!
//! The client is ureq: it is blocking, and uses rustls, so that no system library is needed. A request gives back its
//! worker slot while it waits for an answer, so that another service that hangs does not take up the workers.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};

use crate::workers;

/// The longest answer that is read by default, in bytes.
const MAX_ANSWER: u64 = 4 << 20;

/// How many requests of one client may wait for an answer at a time. Behind each is an incoming connection, of which there
/// are [`max_connections`](crate::server::Settings::max_connections): a service that hangs must not take up all of them.
const MAX_IN_FLIGHT: usize = 128;

/// How to connect to another service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The certificate authorities to trust, in PEM (`cafile`); those of the system if it is not set.
    pub ca_file: Option<PathBuf>,
    /// The client certificate, in PEM (`certfile`).
    pub cert_file: Option<PathBuf>,
    /// The client certificate's key, in PEM (`keyfile`); may be in the same file.
    pub key_file: Option<PathBuf>,
    /// Trust any certificate (`insecure`).
    pub insecure: bool,
    /// Trust no certificate, because the file with the authorities cannot be used.
    pub no_authorities: bool,
    /// Timeout for connecting; 10 s by default.
    pub connect_timeout: Option<Duration>,
    /// Timeout for the whole exchange; 60 s by default.
    pub timeout: Option<Duration>,
    /// The longest answer that is read, in bytes; 4 MiB by default.
    pub max_answer: Option<u64>,
}

/// Another service's answer, whatever its status.
#[derive(Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The first value of a header, its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl std::fmt::Debug for Answer {
    /// Without headers and body: Keystone's hold tokens.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answer({}, {} bytes)", self.status, self.body.len())
    }
}

/// A client with its own pool of connections. It is cheap to clone; the clones share the pool.
#[derive(Debug, Clone)]
pub struct Client {
    agent: ureq::Agent,
    max_answer: u64,
    /// The number of requests without an answer yet.
    in_flight: Arc<AtomicUsize>,
}

/// The reason why no answer came. The text is for the log, and holds nothing of the request but its host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How far the request came.
    pub stage: Stage,
    text: String,
}

/// How far a request without an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// It was not sent, and a retry does not help: a URL or a certificate is wrong, or too many requests wait.
    NotSendable,
    /// It was not sent, because there was no connection.
    NotConnected,
    /// It may have been sent, and carried out.
    MaybeSent,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

impl Client {
    /// A client.
    ///
    /// # Errors
    /// A sentence for the operator: a certificate or key cannot be read.
    pub fn new(settings: &Settings) -> Result<Self, String> {
        let tls = TlsConfig::builder()
            .root_certs(authorities(settings)?)
            .client_cert(own_certificate(settings)?)
            .disable_verification(settings.insecure);
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // A redirect would send tokens to another host.
            .max_redirects(0)
            .user_agent(concat!("freezer-api/", env!("CARGO_PKG_VERSION")))
            // Many tokens may be validated at the same time.
            .max_idle_connections(32)
            .max_idle_connections_per_host(32)
            // Apache closes a connection that has been idle for 5 s.
            .max_idle_age(Duration::from_secs(4))
            .timeout_connect(settings.connect_timeout.or(Some(Duration::from_secs(10))))
            .timeout_global(settings.timeout.or(Some(Duration::from_secs(60))))
            .tls_config(tls.build());
        let max_answer = settings.max_answer.unwrap_or(MAX_ANSWER);
        Ok(Self { agent: config.build().new_agent(), max_answer, in_flight: Arc::default() })
    }

    /// Sends a request and waits for the answer.
    ///
    /// # Errors
    /// No answer came. The text is for the log, and holds nothing of the request but its host.
    pub fn send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, String> {
        self.try_send(method, url, headers, body).map_err(|failure| failure.text)
    }

    /// As [`Client::send`], with an error that says whether the request may be sent again.
    ///
    /// # Errors
    /// No answer came.
    pub fn try_send(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, Failure> {
        let Some(_in_flight) = InFlight::acquire(&self.in_flight) else {
            let text = format!("{}: {MAX_IN_FLIGHT} requests wait for an answer already", origin(url));
            return Err(Failure { stage: Stage::NotSendable, text });
        };
        workers::while_parked(|| match self.exchange(method, url, headers, body) {
            // The other side may have closed an idle connection just as this request used it again.
            Err(error) if closed_by_peer(&error) && !matches!(method, "POST" | "PATCH") => {
                self.exchange(method, url, headers, body)
            }
            outcome => outcome,
        })
        .map_err(|error| Failure {
            stage: stage(&error),
            text: format!("{}: {}", origin(url), reason(&error)),
        })
    }

    fn exchange(
        &self,
        method: &str,
        url: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Result<Answer, ureq::Error> {
        let mut request = ureq::http::Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = match body {
            Some(body) => self.agent.run(request.body(body)?)?,
            None => self.agent.run(request.body(())?)?,
        };
        let (head, body) = response.into_parts();
        let text = |value: &ureq::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
            body: body.into_with_config().limit(self.max_answer).read_to_vec()?,
        })
    }
}

/// Counts a request as waiting until it is dropped.
struct InFlight<'c>(&'c AtomicUsize);

impl<'c> InFlight<'c> {
    fn acquire(count: &'c AtomicUsize) -> Option<Self> {
        let more = |count| (count < MAX_IN_FLIGHT).then_some(count + 1);
        count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more).ok()?;
        Some(Self(count))
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The `scheme://host:port` of a URL. The rest may hold secrets, which must not be logged.
fn origin(url: &str) -> String {
    match url::Url::parse(url) {
        Ok(url) => url.origin().ascii_serialization(),
        Err(_) => "an invalid URL".to_owned(),
    }
}

fn reason(error: &ureq::Error) -> String {
    match error {
        // ureq's own text repeats the URL.
        ureq::Error::BadUri(_) => "not an http or https URL".to_owned(),
        other => other.to_string(),
    }
}

fn closed_by_peer(error: &ureq::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    let ureq::Error::Io(error) = error else { return false };
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

fn stage(error: &ureq::Error) -> Stage {
    use std::io::ErrorKind;
    use ureq::{Error, Timeout};
    match error {
        Error::BadUri(_)
        | Error::Http(_)
        | Error::InvalidProxyUrl
        | Error::Tls(_)
        | Error::Pem(_)
        | Error::Rustls(_)
        | Error::TlsRequired => Stage::NotSendable,
        Error::HostNotFound
        | Error::ConnectionFailed
        | Error::ConnectProxyFailed(_)
        | Error::Timeout(Timeout::Resolve | Timeout::Connect) => Stage::NotConnected,
        Error::Io(error) => match error.kind() {
            // rustls reports certificate errors by these kinds.
            ErrorKind::InvalidData | ErrorKind::InvalidInput => Stage::NotSendable,
            ErrorKind::ConnectionRefused
            | ErrorKind::HostUnreachable
            | ErrorKind::NetworkUnreachable
            | ErrorKind::AddrNotAvailable => Stage::NotConnected,
            _ => Stage::MaybeSent,
        },
        _ => Stage::MaybeSent,
    }
}

impl Settings {
    /// The settings without their files, for a service without TLS. A service with TLS is not trusted then.
    pub fn without_files(&self) -> Self {
        Self { ca_file: None, cert_file: None, key_file: None, no_authorities: true, ..self.clone() }
    }
}

fn authorities(settings: &Settings) -> Result<RootCerts, String> {
    match &settings.ca_file {
        None if settings.no_authorities => Ok(RootCerts::Specific(Arc::default())),
        None => Ok(RootCerts::PlatformVerifier),
        Some(file) => Ok(RootCerts::Specific(Arc::new(certificates(file)?))),
    }
}

fn own_certificate(settings: &Settings) -> Result<Option<ClientCert>, String> {
    let Some(file) = &settings.cert_file else { return Ok(None) };
    let key_file = settings.key_file.as_ref().unwrap_or(file);
    let key = PrivateKey::from_pem(&read(key_file)?)
        .map_err(|error| format!("There is no private key in {}: {error}.", key_file.display()))?;
    Ok(Some(ClientCert::new_with_certs(&certificates(file)?, key)))
}

fn certificates(file: &Path) -> Result<Vec<Certificate<'static>>, String> {
    let mut found = Vec::new();
    for item in parse_pem(&read(file)?) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(error) => return Err(format!("{} is not in PEM form: {error}.", file.display())),
        }
    }
    if found.is_empty() {
        return Err(format!("There is no certificate in {}.", file.display()));
    }
    Ok(found)
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(file).map_err(|error| format!("Cannot read {}: {error}.", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(url: &str) -> Failure {
        let client = Client::new(&Settings { insecure: true, ..Settings::default() }).unwrap();
        client.try_send("GET", url, &[("X-Auth-Token", "hunter2")], None).unwrap_err()
    }

    #[test]
    fn a_failure_names_the_host_and_nothing_else_of_the_request() {
        // Nothing listens on a port that was just released.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let refused = failure(&format!("http://user:hunter2@127.0.0.1:{port}/hunter2?hunter2"));
        assert_eq!(refused.stage, Stage::NotConnected);
        assert!(refused.to_string().starts_with(&format!("http://127.0.0.1:{port}: ")), "{refused}");
        for url in ["ftp://host/hunter2?hunter2", "/hunter2", "http://ho st/hunter2"] {
            assert_eq!(failure(url).stage, Stage::NotSendable, "{url}");
            assert!(!failure(url).to_string().contains("hunter2"), "{url}");
        }
        assert!(!refused.to_string().contains("hunter2"), "{refused}");
    }

    #[test]
    fn an_answer_shows_no_token() {
        let headers = vec![("x-subject-token".to_owned(), "hunter2".to_owned())];
        let answer = Answer { status: 201, headers, body: b"hunter2".to_vec() };
        assert_eq!(format!("{answer:?}"), "Answer(201, 7 bytes)");
        assert_eq!(answer.header("x-subject-token"), Some("hunter2"));
    }

    #[test]
    fn an_answer_may_have_the_length_that_the_settings_say() {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            for _ in 0..2 {
                let mut stream = listener.accept().unwrap().0;
                _ = stream.read(&mut [0; 4096]);
                _ = stream.write_all(
                    b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 10\r\n\r\n0123456789",
                );
            }
        });
        let with = |max_answer| {
            Client::new(&Settings { max_answer: Some(max_answer), ..Settings::default() }).unwrap()
        };
        assert_eq!(with(10).send("POST", &url, &[], None).unwrap().body, b"0123456789");
        with(9).send("POST", &url, &[], None).unwrap_err();
        server.join().unwrap();
    }

    #[test]
    fn a_service_that_hangs_gets_a_bounded_number_of_requests() {
        // This listener never accepts a connection.
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", silent.local_addr().unwrap());
        let timeout = Some(Duration::from_secs(20));
        let client = Client::new(&Settings { timeout, ..Settings::default() }).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..MAX_IN_FLIGHT {
                scope.spawn(|| client.send("GET", &url, &[], None).unwrap_err());
            }
            while client.in_flight.load(Ordering::SeqCst) < MAX_IN_FLIGHT {
                std::thread::yield_now();
            }
            let refused = client.try_send("GET", &url, &[], None).unwrap_err();
            assert_eq!(refused.stage, Stage::NotSendable);
            assert!(refused.to_string().contains("128 requests wait"), "{refused}");
            // This also closes the connections that were never accepted.
            drop(silent);
        });
        assert_eq!(client.in_flight.load(Ordering::SeqCst), 0);
    }
}
