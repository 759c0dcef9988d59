//! Lists: what the query string asks for, and the answer with its links (contract, conventions §6 "Pagination",
//! "Filtering").

mod ask;
mod fields;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Request;
use crate::document::search;
use crate::error::{Error, Result};
use crate::http::Reply;
use crate::routes::App;
use crate::store::listing::{self, Collection, Listing, Query};
use crate::store::page::Page;
use crate::store::scan::Scan;
use crate::store::search::Search;
use crate::store::{Outcome, Tx};
pub use ask::{COMMON, filter, flag, operand, time};
use fields::Fields;

/// The answer to a list, document by document.
struct Listed<'l, R, F> {
    asked: &'l Asked,
    listing: &'l Listing<R>,
    render: F,
    links: Option<Value>,
}

impl<'l, R, D: Serialize, F: Fn(&'l R) -> D> Serialize for Listed<'l, R, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let noun = self.asked.collection.noun;
        map.serialize_entry(noun, &Documents(self))?;
        if let Some(links) = &self.links {
            map.serialize_entry(&format!("{noun}_links"), links)?;
        }
        if let Some(count) = self.listing.count {
            map.serialize_entry("count", &count)?;
        }
        map.end()
    }
}

struct Documents<'d, 'l, R, F>(&'d Listed<'l, R, F>);

impl<'l, R, D: Serialize, F: Fn(&'l R) -> D> Serialize for Documents<'_, 'l, R, F> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        let Listed { asked, listing, render, .. } = self.0;
        match &asked.fields {
            None => serializer.collect_seq(listing.rows.iter().map(render)),
            Some(fields) => serializer.collect_seq(listing.rows.iter().map(|row| {
                // Nothing in it is no JSON.
                fields.of(serde_json::to_value(render(row)).unwrap_or_default())
            })),
        }
    }
}

/// What a list is asked for.
pub struct Asked {
    /// Which part of it.
    pub page: Page,
    /// Filters, order, marker.
    pub query: Query,
    /// The search in the body, which the collections of old take.
    pub search: Search,
    /// The names of the keys that narrow the list by an index.
    pub indexed: Vec<&'static str>,
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
        let indexed = collection.keys.iter().map(|key| key.name).collect();
        Ok(Asked { page, query, search, indexed, fields, collection })
    }

    /// A page of a list that is searched for what no column holds, so that each document is looked into.
    ///
    /// # Errors
    /// As [`Store::scan`]; what `chunk` fails with.
    ///
    /// [`Store::scan`]: crate::store::Store::scan
    pub(super) fn scanned<R: Clone>(
        &self,
        app: &App,
        asked: &Asked,
        chunk: impl FnMut(&mut Tx<'_>, Page, Option<&R>) -> Outcome<Listing<R>>,
        id: impl Fn(&R) -> &str,
        is_wanted: impl FnMut(&R) -> bool,
    ) -> Result<Listing<R>> {
        let page = listing::one_more(asked.page, &asked.search);
        let scan = Scan { project: self.project(), page, indexed: &asked.indexed };
        let rows = app.store.scan(&scan, chunk, id, is_wanted)?;
        Ok(listing::cut(asked.page, rows))
    }

    /// The answer to a list: the documents, `<noun>_links` when there are more, and `count` when it was asked for.
    pub(super) fn listed<'l, R, D: Serialize>(
        &self,
        asked: &'l Asked,
        listing: &'l Listing<R>,
        id: impl Fn(&R) -> &str,
        render: impl Fn(&'l R) -> D,
    ) -> Reply {
        let links = listing
            .rows
            .last()
            .filter(|_| listing.has_more)
            .map(|last| json!([{"rel": "next", "href": self.next(asked.collection, id(last))}]));
        Reply::json(200, &Listed { asked, listing, render, links })
    }

    /// Where the list goes on after the item of that id: the same question with this marker.
    fn next(&self, collection: &Collection, marker: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.call.query {
            if !matches!(name.as_str(), "marker" | "offset") {
                query.append_pair(name, value);
            }
        }
        query.append_pair("marker", marker);
        format!("{}/v2/{}/{}?{}", self.call.base_url, self.project(), collection.path, query.finish())
    }
}
