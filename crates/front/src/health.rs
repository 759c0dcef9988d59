//! The health check, as in oslo.middleware (contract, conventions §3): it tells a load balancer whether to send
//! requests to this node. It needs no token, and only its detailed form queries the database.

mod backends;
mod database;
mod network;
mod page;

use std::path::PathBuf;
use std::time::Duration;

use database::Probe;
use ipnet::IpNet;

use crate::http::{Call, Method, Reply};

/// `[healthcheck]`. The defaults are oslo.middleware's, with upstream freezer's backend and file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `path` (`/healthcheck`); paths below it are answered too.
    pub path: String,
    /// `detailed` (false): query the database, and show details. Only for a trusted network.
    pub detailed: bool,
    /// `backends` (`disable_by_file`)
    pub backends: Vec<Backend>,
    /// `disable_by_file_path` (`/etc/freezer/healthcheck_disable`)
    pub disable_by_file_path: Option<PathBuf>,
    /// `disable_by_file_paths`: a file per port.
    pub disable_by_file_paths: Vec<(u16, PathBuf)>,
    /// `enable_by_file_paths`: all of them must exist.
    pub enable_by_file_paths: Vec<PathBuf>,
    /// `allowed_source_ranges`: the client networks that get an answer, in CIDR form; empty allows every client.
    pub allowed_source_ranges: Vec<String>,
    /// `ignore_proxied_requests` (false): answer only requests that did not come through a proxy.
    pub ignore_proxied_requests: bool,
}

/// A check that decides whether the node is in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Out of service while the file exists.
    DisableByFile,
    /// Out of service while the file for the request's port exists.
    DisableByFilesPorts,
    /// In service while all files exist.
    EnableByFiles,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: "/healthcheck".to_owned(),
            detailed: false,
            backends: vec![Backend::DisableByFile],
            disable_by_file_path: Some("/etc/freezer/healthcheck_disable".into()),
            disable_by_file_paths: Vec::new(),
            enable_by_file_paths: Vec::new(),
            allowed_source_ranges: Vec::new(),
            ignore_proxied_requests: false,
        }
    }
}

/// The result of one backend.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    available: bool,
    /// oslo.middleware's name for the kind of result.
    class: &'static str,
    reason: &'static str,
    /// Text that only the detailed form shows.
    details: String,
}

/// The health check. One per process.
#[derive(Default)]
pub struct Health {
    settings: Settings,
    networks: Vec<IpNet>,
    database: Probe,
}

impl Health {
    /// The health check with these settings.
    ///
    /// # Errors
    /// A sentence for the operator that begins with the option whose value is invalid or conflicts with another option.
    pub fn new(settings: Settings) -> Result<Self, String> {
        if parts(&settings.path).next().is_none() {
            return Err(format!("path: {:?} would take the place of the whole API", settings.path));
        }
        let has = |backend| settings.backends.contains(&backend);
        if has(Backend::EnableByFiles) && has(Backend::DisableByFile) {
            return Err("backends: enable_by_files and disable_by_file exclude each other".to_owned());
        }
        let networks = settings
            .allowed_source_ranges
            .iter()
            .map(|range| network::parse(range).map_err(|error| format!("allowed_source_ranges: {error}")));
        let networks = networks.collect::<Result<_, _>>()?;
        Ok(Self { settings, networks, database: Probe::default() })
    }

    /// The path of the health check, with one slash before each part.
    pub fn path(&self) -> String {
        parts(&self.settings.path).map(|part| format!("/{part}")).collect()
    }

    /// Whether a request is for the health check. A request from an address that is not allowed, or through a proxy
    /// while proxied requests are ignored, is handled as if there were no health check.
    pub fn is_for(&self, call: &Call) -> bool {
        let mut segments = call.segments.iter();
        let here =
            parts(&self.settings.path).all(|part| segments.next().is_some_and(|segment| segment == part));
        here && self.is_allowed(call)
    }

    fn is_allowed(&self, call: &Call) -> bool {
        const PROXIED: [&str; 6] = [
            "Forwarded",
            "X-Forwarded",
            "X-Forwarded-Proto",
            "X-Forwarded-Host",
            "X-Forwarded-For",
            "X-Forwarded-Prefix",
        ];
        // Use the socket's address: any client can send a proxy header with an allowed one.
        let address = call.remote.ip();
        if !self.networks.is_empty() && !self.networks.iter().any(|network| network.contains(&address)) {
            return false;
        }
        let proxied = PROXIED.iter().any(|name| call.header(name).is_some_and(|value| !value.is_empty()));
        !(self.settings.ignore_proxied_requests && proxied)
    }

    /// Answers a request with any method and any `Accept` header: the health check has no 405 and no 406.
    ///
    /// `ping` asks the database for an answer within a time. `is_replaced` is whether its file is another one now.
    pub fn answer(
        &self,
        call: &Call,
        ping: impl FnOnce(Duration) -> Result<(), String> + Send + 'static,
        is_replaced: impl FnOnce() -> bool,
    ) -> Reply {
        let mut findings = backends::check(&self.settings, call.port);
        if self.settings.detailed {
            findings.push(self.database.check(ping));
        } else if is_replaced() {
            // The SQLite file was replaced: no request to this node succeeds any more, and no other node uses that
            // file.
            findings.push(database::replaced());
        }
        let healthy = findings.iter().all(|finding| finding.available);
        let status = match (healthy, call.method) {
            (true, Method::Head) => 204,
            (true, _) => 200,
            (false, _) => 503,
        };
        if call.method == Method::Head {
            return Reply::text(status, "");
        }
        match call.preferred(&["text/plain", "text/html", "application/json"]) {
            Some("application/json") => page::json(status, &findings, self.settings.detailed),
            Some("text/html") => page::html(status, &findings, self.settings.detailed),
            _ => page::text(status, &findings),
        }
    }
}

/// The parts of a path, without empty ones.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(settings: Settings) -> String {
        Health::new(settings).err().unwrap_or_default()
    }

    #[test]
    fn an_error_in_the_settings_begins_with_the_option() {
        let base = Settings::default;
        assert_eq!(refusal(base()), "");
        for path in ["", "/", "//"] {
            assert!(refusal(Settings { path: path.into(), ..base() }).starts_with("path: "));
        }
        let backends = vec![Backend::EnableByFiles, Backend::DisableByFile];
        assert!(refusal(Settings { backends, ..base() }).starts_with("backends: "));
        let ranges = vec!["10.0.0.0/8".to_owned(), "10.0.0.1/8".to_owned()];
        let message = refusal(Settings { allowed_source_ranges: ranges, ..base() });
        assert!(
            message.starts_with("allowed_source_ranges: ") && message.contains("10.0.0.1/8"),
            "{message}"
        );
    }

    const PORT: u16 = 9090;

    /// Whether a request is for the health check of a service without a database, and the status and content type of
    /// the answer.
    fn ask(settings: Settings, method: &str, path: &str, headers: &[(&str, &str)]) -> (bool, u16, String) {
        let health = Health::new(settings).unwrap();
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = rouille::Request::fake_http(method, path, headers, Vec::new());
        let mut call = Call::read(&request, "req-1", 100, "local").unwrap();
        call.port = PORT;
        let reply = health.answer(&call, |_| Err("there is no database".to_owned()), || false);
        (health.is_for(&call), reply.status, reply.header("Content-Type").unwrap_or_default().to_owned())
    }

    #[test]
    fn the_health_check_answers_its_path_and_paths_below() {
        for (own, path, expected) in [
            ("/healthcheck", "/healthcheck", true),
            ("/healthcheck", "/healthcheck/a/b", true),
            ("/healthcheck", "//healthcheck//", true),
            ("/healthcheck", "/%68ealthcheck", true),
            ("/healthcheck", "/healthchecks", false),
            ("/healthcheck", "/health", false),
            ("/healthcheck", "/", false),
            ("/healthcheck", "/v2/healthcheck", false),
            ("/_/alive/", "/_/alive", true),
            ("/_/alive/", "/_", false),
            ("/_/alive/", "/healthcheck", false),
        ] {
            let settings = Settings { path: own.to_owned(), ..Settings::default() };
            assert_eq!(ask(settings, "GET", path, &[]).0, expected, "{own} {path}");
        }
    }

    #[test]
    fn the_accept_header_selects_the_form() {
        // Recorded from oslo.middleware.
        for (accept, kind) in [
            ("", "text/plain"),
            ("*/*", "text/plain"),
            ("text/*", "text/plain"),
            ("text/html", "text/html"),
            ("application/*", "application/json"),
            ("application/json, text/html", "text/html"),
            ("application/json;q=0.5, text/html;q=0.4", "application/json"),
            ("application/json, */*", "text/plain"),
            ("application/json, */*;q=0.5", "application/json"),
            ("text/plain;q=0, */*", "text/html"),
            ("text/html;q=0, application/json;q=0", "text/plain"),
            ("*/*;q=0", "text/plain"),
            ("image/png", "text/plain"),
            ("nonsense", "text/plain"),
        ] {
            let (_, status, got) = ask(Settings::default(), "GET", "/", &[("Accept", accept)]);
            assert_eq!((status, got.split(';').next()), (200, Some(kind)), "{accept}");
        }
    }

    #[test]
    fn only_the_detailed_form_queries_the_database() {
        let detailed = || Settings { detailed: true, ..Settings::default() };
        for (settings, method, status) in [
            (Settings::default(), "GET", 200),
            (Settings::default(), "HEAD", 204),
            (Settings::default(), "DELETE", 200),
            (detailed(), "GET", 503),
            (detailed(), "HEAD", 503),
        ] {
            assert_eq!(ask(settings, method, "/healthcheck", &[]).1, status, "{method}");
        }
    }

    #[test]
    fn the_file_of_the_requests_port_decides() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (port, status) in [(PORT, 503), (PORT + 1, 200)] {
            let settings = Settings {
                backends: vec![Backend::DisableByFilesPorts],
                disable_by_file_paths: vec![(port, file.path().to_owned())],
                ..Settings::default()
            };
            assert_eq!(ask(settings, "GET", "/healthcheck", &[]).1, status);
        }
    }

    #[test]
    fn proxied_requests_can_be_ignored() {
        let settings = || Settings { ignore_proxied_requests: true, ..Settings::default() };
        assert!(ask(settings(), "GET", "/healthcheck", &[]).0);
        assert!(ask(settings(), "GET", "/healthcheck", &[("X-Forwarded-For", "")]).0);
        for name in ["X-Forwarded-For", "x-forwarded-proto", "X-Forwarded", "X-Forwarded-Prefix", "Forwarded"]
        {
            assert!(!ask(settings(), "GET", "/healthcheck", &[(name, "a")]).0, "{name}");
            assert!(ask(Settings::default(), "GET", "/healthcheck", &[(name, "a")]).0, "{name}");
        }
    }
}
