//! No caller is ever mistaken for another.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use front::context::Caller;
use front::http::Call;
use keystone_auth::Keystone;
use serde_json::json;

use super::fake::{Fake, Keystone as State, in_seconds, member};
use super::house::{call, keystone, refusal, with};

/// Every header by which keystonemiddleware tells a service the caller.
const IDENTITY_HEADERS: &[&str] = &[
    "X-Identity-Status",
    "X-Service-Identity-Status",
    "X-Service-Catalog",
    "X-Is-Admin-Project",
    "X-Domain-Id",
    "X-Domain-Name",
    "X-Project-Id",
    "X-Project-Name",
    "X-Project-Domain-Id",
    "X-Project-Domain-Name",
    "X-User-Id",
    "X-User-Name",
    "X-User-Domain-Id",
    "X-User-Domain-Name",
    "X-Roles",
    "X-Service-Domain-Id",
    "X-Service-Domain-Name",
    "X-Service-Project-Id",
    "X-Service-Project-Name",
    "X-Service-Project-Domain-Id",
    "X-Service-Project-Domain-Name",
    "X-Service-User-Id",
    "X-Service-User-Name",
    "X-Service-User-Domain-Id",
    "X-Service-User-Domain-Name",
    "X-Service-Roles",
    "X-Role",
    "X-User",
    "X-Tenant",
    "X-Tenant-Id",
    "X-Tenant-Name",
    "OpenStack-System-Scope",
];

#[test]
fn identity_headers_of_a_client_are_ignored() {
    let fake = Fake::start();
    fake.keystone.knows("good", member("ann", json!({})));
    let keystone = keystone(&fake);
    let plain = keystone.authenticate(&call(&[("X-Auth-Token", "good")])).unwrap();
    for header in IDENTITY_HEADERS {
        for value in ["Confirmed", "admin", "all", "True", "project-of-bob", ""] {
            assert_eq!(refusal(keystone.authenticate(&call(&[(header, value)]))), 401, "{header}");
            let caller = keystone.authenticate(&call(&[(header, value), ("X-Auth-Token", "good")])).unwrap();
            assert_eq!(caller, plain, "{header}");
        }
    }
    let all: Vec<_> = IDENTITY_HEADERS.iter().map(|header| (*header, "admin")).collect();
    assert_eq!(refusal(keystone.authenticate(&call(&all))), 401);
}

const THREADS: usize = 64;
const REQUESTS: usize = 1_000_000 / THREADS;
const HOT: usize = 400;
const COLD: usize = 2000;
const SERVICES: usize = 4;

/// A small generator of numbers, so that every run is the same (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn token(number: usize) -> String {
    format!("token-of-{number}")
}

fn introduce(state: &State, number: usize) {
    // Some expire while the test runs.
    let seconds = if number.is_multiple_of(100) { 2 } else { 3600 };
    state
        .knows(&token(number), member(&format!("user-{number}"), json!({"expires_at": in_seconds(seconds)})));
}

/// Whether the caller is the token's user, in every respect.
fn is(caller: &Caller, number: usize) -> bool {
    let user = format!("user-{number}");
    caller.project_id.as_deref() == Some(&format!("project-of-{user}"))
        && caller.user_id == user
        && caller.roles == ["member", "reader"]
        && caller.token.as_ref().map(|token| token.reveal()) == Some(&token(number))
}

/// A token's requests: one without a service token, and one with the token of each service.
fn requests_with(number: usize) -> [Call; SERVICES + 1] {
    let text = token(number);
    std::array::from_fn(|service| {
        let service_text = format!("service-{service}");
        let headers = [("X-Auth-Token", text.as_str()), ("X-Service-Token", service_text.as_str())];
        call(if service == SERVICES { &headers[..1] } else { &headers })
    })
}

/// Sends one thread's requests. Returns how many were accepted, and how many refused.
fn requests(keystone: &Keystone, calls: &[[Call; SERVICES + 1]], seed: usize) -> (usize, usize) {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15 ^ (seed as u64 + 1));
    let (mut known, mut refused) = (0, 0);
    for _ in 0..REQUESTS {
        let number = if numbers.below(500) == 0 { HOT + numbers.below(COLD) } else { numbers.below(HOT) };
        let service = (numbers.below(8) == 0).then(|| numbers.below(SERVICES));
        match keystone.authenticate(&calls[number][service.unwrap_or(SERVICES)]) {
            Ok(caller) => {
                assert!(is(&caller, number), "{number} was taken for {caller:?}");
                let expected = service.map(|service| format!("nova-{service}"));
                assert_eq!(caller.service.map(|service| service.user_id), expected);
                known += 1;
            }
            Err(error) => {
                assert_eq!(error.status(), 401, "{error}");
                refused += 1;
            }
        }
    }
    (known, refused)
}

#[test]
fn a_million_requests_in_64_threads_mix_up_no_callers() {
    let fake = Fake::start();
    for number in 0..HOT + COLD {
        introduce(&fake.keystone, number);
    }
    for number in 0..SERVICES {
        let service = member(&format!("nova-{number}"), json!({"roles": [{"name": "service"}]}));
        fake.keystone.knows(&format!("service-{number}"), service);
    }
    // Fewer cache entries than tokens, and a short lifetime: entries are evicted, expire and are made anew all the time.
    let keystone = with(&fake, |settings| {
        settings.cached_tokens = 2 * HOT;
        settings.token_cache_time = Some(Duration::from_secs(2));
    });
    let calls: Vec<_> = (0..HOT + COLD).map(requests_with).collect();
    let (known, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut numbers = Numbers(7);
            let mut gone = HashSet::new();
            while !done.load(Ordering::SeqCst) {
                let number = numbers.below(HOT);
                if gone.remove(&number) {
                    introduce(&fake.keystone, number);
                } else if gone.len() < 5 {
                    fake.keystone.revoke(&token(number));
                    gone.insert(number);
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        let threads: Vec<_> = (0..THREADS)
            .map(|seed| {
                let (keystone, calls, known, refused) = (&keystone, &calls, &known, &refused);
                scope.spawn(move || {
                    let counts = requests(keystone, calls, seed);
                    known.fetch_add(counts.0, Ordering::SeqCst);
                    refused.fetch_add(counts.1, Ordering::SeqCst);
                })
            })
            .collect();
        let outcomes: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        done.store(true, Ordering::SeqCst);
        assert!(outcomes.iter().all(Result::is_ok));
    });
    let (known, refused) = (known.into_inner(), refused.into_inner());
    assert_eq!(known + refused, THREADS * REQUESTS);
    assert!(known > refused && refused > 0, "{known} {refused}");
    let asked = fake.keystone.validations();
    assert!(asked > HOT + COLD / 2 && asked < known / 4, "{asked} questions");
}
