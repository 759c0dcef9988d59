//! The drop-in: the same configuration file, the same policy files and the same requests for the Python service and
//! for ours. They decide alike, but for what `differences` names.

mod differences;

use std::collections::HashMap;
use std::fmt;

use freezer_api::routes::{Handler, ROUTES};
use front::http::Method;
use serde_json::{Value, json};

use crate::callers::{self, Says};
use crate::http::Answer;
use crate::keystone::Cloud;
use crate::service::{Etc, Service, sections};

/// The rule that policy.yaml has refer to itself. No other decision fails; where a handler of the Python service does,
/// it has let the request in.
const IN_A_CIRCLE: &str = "sessions:delete";

/// A request to both services.
pub struct Ask {
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, &'static str)>,
    pub body: Option<Value>,
    /// The policy rule, where the route table has one.
    pub rule: &'static str,
    /// Whether callers without a valid token send this request as well.
    is_sample: bool,
}

/// The outcome of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// 401, and where to get a token.
    Unknown(Option<String>),
    /// 403
    Refused,
    /// 500: the decision is unknown.
    Undecided,
    /// Anything else: what was asked for is a matter of the handlers, which other tests look at.
    LetIn,
}

impl Decision {
    fn of(ask: &Ask, answer: &Answer) -> Self {
        match answer.status {
            500 if ask.rule == IN_A_CIRCLE => Self::Undecided,
            401 => Self::Unknown(answer.header("WWW-Authenticate").map(str::to_owned)),
            403 => Self::Refused,
            503 => panic!("Keystone was not reached: {answer}"),
            _ => Self::LetIn,
        }
    }
}

/// Both services, with the files of one `/etc/freezer`.
struct Both {
    etc: Etc,
    theirs: Service,
    ours: Service,
}

impl Both {
    fn start(cloud: &Cloud) -> Self {
        let mut sections = sections(cloud, "freezer");
        sections.insert(
            "cors",
            vec![
                "allowed_origin = https://horizon.example.org, https://other.example.org".to_owned(),
                "allow_headers = X-Auth-Token,Content-Type".to_owned(),
                "expose_headers = X-OpenStack-Request-ID".to_owned(),
                "max_age = 600".to_owned(),
            ],
        );
        sections.insert("oslo_policy", vec!["policy_file = policy.yaml".to_owned()]);
        sections.insert("oslo_middleware", vec!["enable_proxy_headers_parsing = true".to_owned()]);
        let etc = Etc::new(&sections);
        let disable_file = etc.path().join("healthcheck_disable");
        etc.append(&format!("[healthcheck]\ndisable_by_file_path = {}\n", disable_file.display()));

        let mut policy = include_str!("drop_in/policy.yaml").to_owned();
        let ids = [
            ("@member@", cloud.user("member")),
            ("@alpha@", cloud.project("alpha")),
            ("@elsewhere@", cloud.id(&["domains", "elsewhere"])),
        ];
        for (place, id) in ids {
            policy = policy.replace(place, id);
        }
        etc.write("policy.yaml", &policy);
        etc.write("policy.d/50-site.yaml", include_str!("drop_in/50-site.yaml"));
        etc.write("policy.d/.60-site.yaml.swp", "\"clients:delete\": \"@\"");
        Self { theirs: Service::upstream(&etc), ours: Service::ours(&etc), etc }
    }

    /// The same request to both: their answer, and ours.
    fn ask(&self, ask: &Ask, headers: &[(&str, &str)]) -> (Answer, Answer) {
        let headers = [headers, &ask.headers].concat();
        let [theirs, ours] = [&self.theirs, &self.ours]
            .map(|service| service.send(ask.method, &ask.path, &headers, ask.body.as_ref()));
        let may_fail = ask.rule == IN_A_CIRCLE || ask.path.starts_with("/healthcheck");
        assert!(ours.status < 500 || may_fail, "{ours}");
        (theirs, ours)
    }
}

#[test]
fn the_same_files_and_tokens_come_to_the_same_decisions() {
    let cloud = Cloud::get();
    let both = Both::start(&cloud);
    let asks = asks(cloud.project("alpha"));
    let callers = callers::all(&cloud);
    let (mut met, mut wrong) = (vec![false; differences::ALL.len()], Vec::new());
    for caller in &callers {
        // A request without a valid token never reaches a route, and each one costs a question to Keystone.
        let known = caller.read != Says::Unauthorized || caller.write != Says::Unauthorized;
        let mut decided = HashMap::new();
        for ask in asks.iter().filter(|ask| known || ask.is_sample) {
            let (theirs, ours) = both.ask(ask, &caller.headers());
            let (theirs, ours) = (Decision::of(ask, &theirs), Decision::of(ask, &ours));
            decided.insert((ask.method, ask.rule), ours.clone());
            if theirs == ours {
                continue;
            }
            match differences::find(caller, ask, &ours) {
                Some(found) => met[found] = true,
                None => wrong.push(format!("{}, {ask}: theirs {theirs:?}, ours {ours:?}", caller.kind)),
            }
        }
        for [one, other] in differences::ALIKE.iter().filter(|_| known) {
            assert_eq!(decided[one], decided[other], "{}: {one:?}, {other:?}", caller.kind);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (difference, met) in differences::ALL.iter().zip(met) {
        assert!(met, "a listed difference that does not occur: {}", difference.why);
    }
    cross_origin(&both);
    health(&both);
}

/// Every route that both have, and paths without a route.
fn asks(project: &str) -> Vec<Ask> {
    let mut asks = Vec::new();
    for route in ROUTES {
        let rule = match route.handler {
            Handler::Project(rule, _) if !differences::is_ours_alone(rule) => rule,
            _ => continue,
        };
        let method = match route.method {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
            _ => panic!("{}", route.path),
        };
        let parts = route.path.split('/').map(|part| match part {
            "{project_id}" => project,
            part if part.starts_with('{') => "00000000000000000000000000000000",
            part => part,
        });
        let path = parts.collect::<Vec<_>>().join("/");
        let body = (rule == "clients:create").then(|| json!({ "client_id": "desk", "hostname": "desk" }));
        asks.push(Ask { body, ..Ask::new(method, path, rule) });
    }
    let central = json!({ "client_id": "hall", "hostname": "hall", "is_central": true });
    let list = format!("/v2/{project}/clients");
    asks.push(Ask { body: Some(central), ..Ask::new("POST", list.clone(), "clients:create_central") });
    let everywhere = format!("/v2/{project}/jobs?all_projects=True");
    asks.push(Ask::new("GET", everywhere, "jobs:get_all_projects"));
    asks.push(Ask::new("PUT", list.clone(), ""));
    asks.push(Ask::new("HEAD", list, "clients:get_all"));
    for path in ["/v2", "/v2/", "/v1", "/v2/nowhere", "/nowhere", "/v2//clients"] {
        asks.push(Ask::new("GET", path.to_owned(), ""));
    }
    asks
}

impl Ask {
    fn new(method: &'static str, path: String, rule: &'static str) -> Self {
        let is_sample = ["", "jobs:get_all", "actions:create"].contains(&rule);
        Self { method, path, headers: Vec::new(), body: None, rule, is_sample }
    }
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ({})", self.method, self.path, self.rule)
    }
}

/// Preflights, and what a browser is told about answers.
fn cross_origin(both: &Both) {
    let origin = |origin| vec![("Origin", origin)];
    let preflight = |from, method, headers| {
        let asked = [("Access-Control-Request-Method", method), ("Access-Control-Request-Headers", headers)];
        [origin(from), asked.to_vec()].concat()
    };
    let horizon = "https://horizon.example.org";
    for (method, headers) in [
        ("OPTIONS", preflight(horizon, "POST", "X-Auth-Token")),
        ("OPTIONS", preflight(horizon, "GET", "x-auth-token, content-type")),
        ("OPTIONS", preflight(horizon, "GET", "X-Something-Else")),
        ("OPTIONS", preflight(horizon, "BREW", "X-Auth-Token")),
        ("OPTIONS", preflight("https://evil.example.org", "GET", "X-Auth-Token")),
        ("GET", origin(horizon)),
        ("GET", origin("https://evil.example.org")),
    ] {
        let ask = Ask { headers, ..Ask::new(method, "/v2/alpha/jobs".to_owned(), "") };
        let (theirs, ours) = both.ask(&ask, &[]);
        assert_eq!(theirs.status, ours.status, "{theirs}\n{ours}");
        assert_eq!(cors_headers(&theirs), cors_headers(&ours), "{theirs}\n{ours}");
    }
}

/// The headers that browsers act upon.
fn cors_headers(answer: &Answer) -> Vec<(&str, &str)> {
    let mut found: Vec<_> = answer
        .headers
        .iter()
        .filter(|(name, _)| name.as_str().starts_with("access-control-"))
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    found.sort_unstable();
    found
}

/// The health check, in service and out of service.
fn health(both: &Both) {
    for out_of_service in [false, true] {
        if out_of_service {
            both.etc.write("healthcheck_disable", "");
        }
        for (method, path, accept) in [
            ("GET", "/healthcheck", "*/*"),
            ("GET", "/healthcheck/", "text/plain"),
            ("GET", "/healthcheck/below", "image/png"),
            ("GET", "/healthcheck", "application/json"),
            ("GET", "/healthcheck", "text/html"),
            ("POST", "/healthcheck", "*/*"),
            ("HEAD", "/healthcheck", "*/*"),
        ] {
            let ask = Ask { headers: vec![("Accept", accept)], ..Ask::new(method, path.to_owned(), "") };
            let (theirs, ours) = both.ask(&ask, &[]);
            assert_eq!(theirs.status, ours.status, "{theirs}\n{ours}");
            let form = |answer: &Answer| answer.header("Content-Type").unwrap_or_default().to_lowercase();
            assert_eq!(form(&theirs), form(&ours), "{theirs}\n{ours}");
            // Only people read the HTML.
            let text = |answer: &Answer| answer.body.split_whitespace().collect::<String>();
            assert!(accept == "text/html" || text(&theirs) == text(&ours), "{theirs}\n{ours}");
        }
    }
}
