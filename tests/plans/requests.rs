//! The service without a network, so that a request's statements run on this thread.

use freezer_api::app::App;
use freezer_api::auth::Strategy;
use freezer_api::document::collection::Collection;
use freezer_api::routes;
use freezer_api::store::Store;
use freezer_api::store::engine::url::DatabaseUrl;
use front::http::Call;
use oslo_policy::Policy;
use serde_json::Value;

use crate::seed;
use crate::statement::{self, Statement};

pub struct Service(App);

impl Service {
    pub fn on(database: DatabaseUrl) -> Self {
        let policy = Policy::new(oslo_policy::Settings::default(), freezer_api::rules::DEFAULTS).unwrap();
        Self(App::new(Store::new(database, 1), Strategy::Noauth, policy))
    }

    /// The answer to a list, and its statements.
    pub fn list(&self, collection: &Collection, query: &str) -> (Value, Vec<Statement>) {
        self.search(&format!("{}?{query}", collection.path), &Value::Null)
    }

    /// As [`Self::list`], with a search in the body.
    pub fn search(&self, path: &str, search: &Value) -> (Value, Vec<Statement>) {
        let project = seed::project(seed::PROJECTS / 2);
        let caller =
            [("X-User-Id", "u"), ("X-Project-Id", &*project), ("X-Roles", "member,reader"), ("Host", "h")];
        let headers = caller.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let target = format!("/v2/{project}/{path}");
        let body = if search.is_null() { Vec::new() } else { search.to_string().into_bytes() };
        let request = rouille::Request::fake_http("GET", &target, headers, body);
        let call = Call::read(&request, "req-1", 1 << 16, "h").unwrap();
        let (reply, statements) = statement::during(|| routes::dispatch(&self.0, &call));
        let reply = reply.unwrap_or_else(|error| panic!("{target}: {error}"));
        let body = serde_json::from_slice(&reply.body.unwrap_or_default()).unwrap();
        assert_eq!(reply.status, 200, "{target}: {body}");
        (body, statements)
    }
}

/// The marker of the next page, if there is one.
pub fn marker(collection: &Collection, page: &Value) -> Option<String> {
    let href = page[format!("{}_links", collection.noun)][0]["href"].as_str()?;
    let (_, query) = href.split_once('?')?;
    let (_, marker) = url::form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "marker")?;
    Some(marker.into_owned())
}

/// The member with this name, at any depth of a document.
pub fn member<'d>(document: &'d Value, name: &str) -> Option<&'d Value> {
    match document {
        Value::Object(object) => {
            let own = object.get(name).filter(|value| !value.is_object() && !value.is_array());
            own.or_else(|| object.values().find_map(|value| member(value, name)))
        }
        Value::Array(items) => items.iter().find_map(|item| member(item, name)),
        _ => None,
    }
}
