//! Listens to what the service sends.

use std::cell::RefCell;
use std::collections::HashSet;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use freezer_api::app::App;
use freezer_api::auth::Strategy;
use freezer_api::routes;
use freezer_api::store::Store;
use freezer_api::store::engine::url::DatabaseUrl;
use front::http::Call;
use oslo_policy::Policy;

use super::{Requests, Statement, value};
use crate::http::Request;
use crate::{Failure, Result};

thread_local! {
    static HEARD: RefCell<Heard> = RefCell::default();
}

/// What a thread's connections have told.
#[derive(Default)]
struct Heard {
    /// The statements, with their values, since it was asked for.
    sent: Vec<String>,
    /// Those that are kept prepared, from the beginning.
    kept: HashSet<String>,
}

/// The service without a network in between, so that what it sends is this thread's.
pub struct Service(App);

impl Service {
    /// The service on that database. From now on, new connections of this process tell what they send, until
    /// [`super::measure`] begins.
    pub fn on(database: DatabaseUrl) -> Result<Self> {
        fn listener() -> Option<Box<dyn Instrumentation>> {
            Some(Box::new(|event: InstrumentationEvent<'_>| match event {
                InstrumentationEvent::StartQuery { query, .. } => {
                    HEARD.with_borrow_mut(|heard| heard.sent.push(query.to_string()));
                }
                InstrumentationEvent::CacheQuery { sql, .. } => {
                    HEARD.with_borrow_mut(|heard| heard.kept.insert(sql.trim().to_owned()));
                }
                _ => {}
            }))
        }
        set_default_instrumentation(listener)?;
        let policy = Policy::new(oslo_policy::Settings::default(), freezer_api::rules::DEFAULTS)?;
        Ok(Self(App::new(Store::new(database, 1), Strategy::Noauth, policy)))
    }

    /// What these requests send, one after the other. Each set is of requests that follow each other.
    pub fn statements(&self, sets: &[Vec<Request>]) -> Result<Vec<Requests>> {
        // What a new connection sends is not the request's.
        self.ask(&Request::get(&crate::documents::path_of("jobs?limit=1")))?;
        let heard: Vec<Vec<Vec<String>>> = sets
            .iter()
            .map(|set| set.iter().map(|request| self.ask(request)).collect::<Result<_>>())
            .collect::<Result<_>>()?;
        HEARD.with_borrow(|known| {
            let read = |said: &String| statement(said, &known.kept);
            let request = |said: &Vec<String>| said.iter().map(read).collect::<Result<Vec<_>>>();
            heard.iter().map(|set| set.iter().map(request).collect()).collect()
        })
    }

    /// What one request sends.
    fn ask(&self, request: &Request) -> Result<Vec<String>> {
        HEARD.with_borrow_mut(|heard| heard.sent.clear());
        let call =
            Call::read(&request.rouille()?, "req-1", self.0.max_body.1, "127.0.0.1").map_err(refused)?;
        let reply = routes::dispatch(&self.0, &call).map_err(refused)?;
        if !(200..300).contains(&reply.status) {
            return Err(format!("a request whose statements were wanted got a {}", reply.status).into());
        }
        Ok(HEARD.with_borrow_mut(|heard| std::mem::take(&mut heard.sent)))
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // Nothing is told any more by what is measured.
        let _ = set_default_instrumentation(|| None);
    }
}

fn refused(error: impl std::fmt::Display) -> Failure {
    error.to_string().into()
}

/// Reads `SELECT ... WHERE a = ? -- binds: ["b"]`.
fn statement(said: &str, kept: &HashSet<String>) -> Result<Statement> {
    let Some((sql, values)) = said.rsplit_once(" -- binds: ") else {
        return Ok(Statement::Plain(said.to_owned()));
    };
    let (sql, values) = (sql.trim(), value::list(values)?);
    let mut parts = vec![String::new()];
    let mut rest = sql;
    // No statement of ours has a text in it; what looks like a placeholder is one.
    while let Some(at) = rest.find(['?', '$']) {
        if let Some(last) = parts.last_mut() {
            last.push_str(&rest[..at]);
        }
        parts.push(String::new());
        rest = rest[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit());
    }
    if let Some(last) = parts.last_mut() {
        last.push_str(rest);
    }
    if parts.len() != values.len() + 1 {
        return Err(format!("not as many values as places: {said}").into());
    }
    let is_query = ["SELECT", "WITH"].iter().any(|word| sql.starts_with(word)) || sql.contains(" RETURNING ");
    Ok(Statement::Prepared { parts, values, is_kept: kept.contains(sql), is_query })
}
