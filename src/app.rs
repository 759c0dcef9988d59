//! The state that all handlers share.

use std::sync::LazyLock;

use front::health::Health;
use oslo_policy::Policy;

use crate::auth::Strategy;
use crate::quotas::Quotas;
use crate::scope::Scope;
use crate::store::Store;
use crate::store::jobs::Readers;
use crate::store::scan::{Limits, Permits};
use crate::trusts::Trusts;

/// The API reference as text, rendered by the first request for it.
pub type LazyApiDocs = LazyLock<ApiDocs, Box<dyn FnOnce() -> ApiDocs + Send>>;

/// The API reference as text. Only the URL of the service differs between requests.
#[derive(Debug, Default)]
pub struct ApiDocs {
    /// The OpenAPI document before and after the server's URL, which is a JSON string.
    pub document: (String, String),
    /// The HTML page before and after the prefix of the service's paths.
    pub page: (String, String),
    /// The page's `Content-Security-Policy`.
    pub page_policy: String,
}

fn no_docs() -> LazyApiDocs {
    LazyLock::new(Box::new(ApiDocs::default))
}

/// The state that all handlers share.
pub struct App {
    /// The database.
    pub store: Store,
    /// The coalescers of concurrent reads of jobs.
    pub readers: Readers,
    /// Bounds the searches inside documents.
    pub scan_permits: Permits,
    /// How callers are authenticated.
    pub auth: Strategy,
    /// What callers are allowed to do.
    pub policy: Policy,
    /// The trusts of jobs on central clients; `None` without a Keystone.
    pub trusts: Option<Trusts>,
    /// The health check.
    pub health: Health,
    /// The maximum `limit` of a list (1000). At least 500, which the dashboard requests (contract, api-v2 §2 "Paging").
    pub max_limit: i64,
    /// The maximum size of a request body in bytes, and of one that changes or replaces a document. The server enforces
    /// both; here they are for the API reference.
    pub max_body: (usize, usize),
    /// The API reference of version 2.
    pub api_docs: LazyApiDocs,
    /// Which rows version 1 of the API shows; `None` while it is off.
    pub v1: Option<Scope>,
    /// The API reference of version 1.
    pub api_docs_v1: LazyApiDocs,
    /// The maximum age of the last poll of a client that is up, in seconds (180).
    pub client_down_time: i64,
    /// The maximum size of a report's log in bytes (65536). 0 refuses every log.
    pub max_log_size: usize,
    /// The quotas of each project.
    pub quotas: Quotas,
}

impl App {
    /// An app with defaults for everything but these three, and without an API reference.
    pub fn new(store: Store, auth: Strategy, policy: Policy) -> Self {
        Self {
            scan_permits: Permits::for_store(&store, Limits::default()),
            readers: Readers::default(),
            store,
            auth,
            policy,
            trusts: None,
            health: Health::default(),
            max_limit: 1000,
            max_body: (114_688, 4_194_304),
            api_docs: no_docs(),
            v1: None,
            api_docs_v1: no_docs(),
            client_down_time: 180,
            max_log_size: 65_536,
            quotas: Quotas::default(),
        }
    }
}
