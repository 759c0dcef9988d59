//! The module under test, set up for the fake Keystone, and requests to it.

use front::context::{Caller, Secret};
use front::error::{Error, Result};
use front::http::Call;
use keystone_auth::{Credentials, IdOrName, Keystone, Login, LoginScope, Settings};

use super::fake::{Fake, PASSWORD};

/// Settings for a Keystone, without the back-off between retries.
pub fn settings(auth_url: &str) -> Settings {
    Settings {
        http_request_max_retries: 0,
        login: login(auth_url),
        service_type: Some("backup".to_owned()),
        ..Settings::default()
    }
}

pub fn login(auth_url: &str) -> Login {
    let named = |name: &str| IdOrName {
        name: Some(name.to_owned()),
        domain_name: Some("Default".to_owned()),
        ..IdOrName::default()
    };
    Login {
        auth_url: auth_url.to_owned(),
        credentials: Credentials::Password {
            user: named("freezer"),
            password: Secret::new(PASSWORD),
            scope: LoginScope::Project(named("service")),
        },
        ..Login::default()
    }
}

pub fn keystone(fake: &Fake) -> Keystone {
    with(fake, |_| {})
}

pub fn with(fake: &Fake, change: impl FnOnce(&mut Settings)) -> Keystone {
    let mut settings = settings(&fake.url());
    change(&mut settings);
    Keystone::new(settings).unwrap()
}

pub fn without_memory(settings: &mut Settings) {
    settings.token_cache_time = None;
}

pub fn request(method: &str, path: &str, headers: &[(&str, &str)]) -> Call {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = rouille::Request::fake_http(method, path, headers, Vec::new());
    Call::read(&request, "req-1", 1000, "localhost:9090").unwrap()
}

pub fn call(headers: &[(&str, &str)]) -> Call {
    request("GET", "/v2/p/jobs", headers)
}

/// The caller of a request with this token.
pub fn authenticate(keystone: &Keystone, token: &str) -> Result<Caller> {
    keystone.authenticate(&call(&[("X-Auth-Token", token)]))
}

/// The status of a refusal, after a check that its text does not tell the caller the reason.
pub fn refusal(outcome: Result<Caller>) -> u16 {
    let error: Error = outcome.unwrap_err();
    match error.status() {
        401 => assert_eq!(error.description, Error::unauthorized().description),
        503 => assert_eq!(error.description, "The Keystone service is temporarily unavailable."),
        other => panic!("{other}: {error}"),
    }
    error.status()
}
