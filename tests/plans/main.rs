//! The query plans of lists, on every backend that is built in: each list reads an index, does not sort, and reads no
//! more rows for the last page than for the first.
//!
//! The statements are those that the service itself runs: a test requests each list, Diesel reports the statements, and
//! the database explains them. The keys of a collection come from its `COLLECTION`, so a key that is added there is
//! tested here.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "../suite/database.rs"]
mod database;

mod explain;
mod requests;
mod seed;
mod statement;

use freezer_api::document;
use freezer_api::document::collection::Collection;
use freezer_api::store::engine::url::DatabaseUrl;
use freezer_api::store::listing::{Key, Kind};
use serde_json::{Value, json};

use explain::Explain;
use requests::Service;

/// Every collection of the API.
const COLLECTIONS: &[&Collection] = &[
    &document::clients::COLLECTION,
    &document::actions::COLLECTION,
    &document::action_attachments::COLLECTION,
    &document::jobs::COLLECTION,
    &document::job_attachments::COLLECTION,
    &document::sessions::COLLECTION,
    &document::action_reports::COLLECTION,
    &document::backups::COLLECTION,
];

/// A text in about every other client, so that a search for it reads all clients.
const FOR_MANY: [&str; 2] = ["is_central", "state"];

/// Orders that have an index also below one value of another key: the history of a job and of a client.
const BELOW: [(&str, &str); 3] =
    [("job_id", "report_date"), ("client_id", "report_date"), ("job_attachment_id", "report_date")];

/// The page size.
const PAGE: usize = 10;

#[test]
fn sqlite() {
    plans(&database::sqlite());
}

#[cfg(feature = "mysql")]
#[test]
fn mysql() {
    const DATABASES: &str = "SELECT schema_name AS name FROM information_schema.schemata";
    plans(&database::on_server("FREEZER_TEST_MYSQL_URL", DATABASES));
}

#[cfg(feature = "postgres")]
#[test]
fn postgres() {
    const DATABASES: &str = "SELECT datname::text AS name FROM pg_database";
    plans(&database::on_server("FREEZER_TEST_POSTGRES_URL", DATABASES));
}

#[test]
fn every_collection_is_tested() {
    let sources = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/src/document")).unwrap();
    let texts = sources.map(|source| std::fs::read_to_string(source.unwrap().path()).unwrap_or_default());
    let there = texts.filter(|text| text.contains("pub static COLLECTION")).count();
    assert_eq!(there, COLLECTIONS.len());
}

fn plans(database: &DatabaseUrl) {
    statement::listen();
    let mut connection = database::connect(database);
    seed::fill(&mut connection);
    let service = Service::on(database.clone());
    let mut explain = Explain::new(connection);
    if explain.is_sqlite() {
        ask(&service, &mut explain);
    }
    explain.analyze();
    ask(&service, &mut explain);
    poll_of_an_archive(&service, &mut explain);
    let complaints = explain.complaints();
    assert!(complaints.is_empty(), "{} complaints\n{}", complaints.len(), complaints.join("\n"));
}

/// The few open jobs of a client with very many completed ones.
fn poll_of_an_archive(service: &Service, explain: &mut Explain) {
    let client = explain.archive(seed::PROJECTS / 2);
    explain.analyze();
    let search = json!({"match": [{"client_id": client}], "match_not": [{"status": "completed"}]});
    let (page, statements) = service.search("jobs?limit=10", &search);
    assert!((1..10).contains(&page["jobs"].as_array().unwrap().len()), "{page}");
    explain.few("a poll", &statements);
}

fn ask(service: &Service, explain: &mut Explain) {
    for collection in COLLECTIONS {
        let mut lists = Lists { collection, service, explain };
        let examples = lists.examples();
        lists.orders();
        for key in collection.keys {
            lists.filters(key, &value(key, &examples));
        }
    }
}

/// The lists of one collection.
struct Lists<'t> {
    collection: &'static Collection,
    service: &'t Service,
    explain: &'t mut Explain,
}

impl Lists<'_> {
    /// Some documents.
    fn examples(&self) -> Vec<Value> {
        let (page, _) = self.service.list(self.collection, "limit=50");
        page[self.collection.noun].as_array().unwrap().clone()
    }

    /// Every order, ascending and descending, on the first and the last page.
    fn orders(&mut self) {
        let sorting = self.collection.keys.iter().filter(|key| key.sorts);
        let orders = sorting.flat_map(|key| [(key.name, "asc", "desc"), (key.name, "desc", "asc")]);
        self.in_order(&format!("limit={PAGE}"));
        for (key, direction, back) in orders {
            let query = format!("limit={PAGE}&sort={key}:{direction}");
            self.in_order(&query);
            // The last page of one direction is found from the first page of the other.
            let (page, _) = self.service.list(self.collection, &format!("limit=25&sort={key}:{back}"));
            let marker = requests::marker(self.collection, &page).unwrap();
            self.in_order(&format!("{query}&marker={marker}"));
        }
    }

    /// Checks a key with each of its operators.
    fn filters(&mut self, key: &Key, value: &str) {
        let equal = format!("limit={PAGE}&{}={value}", key.name);
        self.in_order(&equal);
        let (page, _) = self.service.list(self.collection, &equal);
        assert_ne!(page[self.collection.noun][0], Value::Null, "{} has no {equal}", self.collection.path);
        if let Some(marker) = requests::marker(self.collection, &page) {
            self.in_order(&format!("{equal}&marker={marker}"));
        }
        let below =
            BELOW.iter().filter(|(name, sort)| *name == key.name && self.collection.key(sort).is_some());
        for (_, sort) in below {
            for rest in [":asc", ":desc", &format!(":desc&{sort}=lte:{}", seed::MIDDLE)] {
                self.in_order(&format!("{equal}&sort={sort}{rest}"));
            }
        }
        self.by_index(&format!("{equal}&with_count=true"));
        let other = if matches!(key.kind, Kind::Id | Kind::Text) { ",nobody" } else { "" };
        self.by_index(&format!("{}=in:{value}{other}", key.name));
        self.by_index(&format!("{}=neq:{value}", key.name));
        if key.is_nullable && matches!(key.kind, Kind::Id | Kind::Text | Kind::Word(_)) {
            self.by_index(&format!("{}=", key.name));
            self.by_index(&format!("{}=neq:", key.name));
        }
        if key.kind.is_ordered() {
            for operator in ["gt", "gte", "lt", "lte"] {
                let bounded = format!("{}={operator}:{value}", key.name);
                self.by_index(&bounded);
                if key.sorts {
                    self.in_order(&format!("limit={PAGE}&{bounded}&sort={}", key.name));
                }
            }
        }
    }

    /// Checks a page that must be read in the order of an index, and no further than needed.
    fn in_order(&mut self, query: &str) {
        // A filter or a marker asks for more than the beginning of the whole list.
        let mut names = query.split(['=', '&']).step_by(2);
        let is_narrow = names.any(|name| !["limit", "sort"].contains(&name) && !FOR_MANY.contains(&name));
        let (_, statements) = self.service.list(self.collection, query);
        self.explain.in_order(&format!("{}?{query}", self.collection.path), &statements, is_narrow);
    }

    /// Checks a page that must be read from an index, in any order.
    fn by_index(&mut self, query: &str) {
        let (_, statements) = self.service.list(self.collection, query);
        self.explain.by_index(&format!("{}?{query}", self.collection.path), &statements);
    }
}

/// A value of a key for a query string: from a document that has one, or the seeded value.
fn value(key: &Key, documents: &[Value]) -> String {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let members = documents.iter().rev().filter_map(|document| requests::member(document, key.name));
    let value = members.map(text).find(|text| !matches!(text.as_str(), "" | "null"));
    value.unwrap_or_else(|| match key.kind {
        Kind::Id | Kind::Text => format!("{}-7", key.name),
        Kind::Word(words) => (*words.iter().find(|word| !word.is_empty()).unwrap()).to_owned(),
        Kind::Small | Kind::Integer => "1".to_owned(),
        Kind::Time => seed::MIDDLE.to_owned(),
        Kind::Flag => "false".to_owned(),
    })
}
