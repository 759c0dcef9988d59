//! Lists: what the query string asks for, and the answer with its links (contract, conventions §6 "Pagination",
//! "Filtering").

mod ask;
mod fields;

use serde_json::{Map, Value, json};
use url::form_urlencoded::Serializer;

use super::Request;
use crate::document::search;
use crate::error::{Error, Result};
use crate::http::Reply;
use crate::routes::App;
use crate::store::listing::{Collection, Listing, Query};
use crate::store::page::Page;
use crate::store::search::Search;
pub use ask::{COMMON, filter, flag, operand, time};
use fields::Fields;

/// What a list is asked for.
pub struct Asked {
    /// Which part of it.
    pub page: Page,
    /// Filters, order, marker.
    pub query: Query,
    /// The search in the body, which the collections of old take.
    pub search: Search,
    fields: Option<Fields>,
    collection: &'static Collection,
}

impl Request<'_> {
    /// What a list of this collection is asked for.
    ///
    /// # Errors
    /// 400 for a parameter or a search that means nothing.
    pub(super) fn asked(&self, app: &App, collection: &'static Collection) -> Result<Asked> {
        let (query, fields) = ask::read(self.call, collection)?;
        let search = search::parse(self.call.json()?)?;
        if collection.is_strict && !search.is_empty() {
            let refusal = format!("{} are filtered by query parameters, not in the body.", collection.path);
            return Err(Error::bad_request(refusal));
        }
        let page = self.page(app)?;
        Ok(Asked { page, query, search, fields, collection })
    }

    /// The answer to a list: the documents, `<noun>_links` when there are more, and `count` when it was asked for.
    pub(super) fn listed<R>(
        &self,
        asked: &Asked,
        listing: &Listing<R>,
        id: impl Fn(&R) -> &str,
        render: impl Fn(&R) -> Value,
    ) -> Reply {
        let documents: Vec<Value> = listing
            .rows
            .iter()
            .map(|row| match &asked.fields {
                Some(fields) => fields.of(render(row)),
                None => render(row),
            })
            .collect();
        let mut body = Map::new();
        body.insert(asked.collection.noun.to_owned(), documents.into());
        if let (true, Some(last)) = (listing.has_more, listing.rows.last()) {
            let links = json!([{"rel": "next", "href": self.next(asked.collection, id(last))}]);
            body.insert(format!("{}_links", asked.collection.noun), links);
        }
        if let Some(count) = listing.count {
            body.insert("count".to_owned(), count.into());
        }
        Reply::json(200, &Value::Object(body))
    }

    /// Where the list goes on after the item of that id: the same question with this marker.
    fn next(&self, collection: &Collection, marker: &str) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in &self.call.query {
            if !matches!(name.as_str(), "marker" | "offset") {
                query.append_pair(name, value);
            }
        }
        query.append_pair("marker", marker);
        format!("{}/v2/{}/{}?{}", self.call.base_url, self.project(), collection.path, query.finish())
    }
}
