//! Lists: what the query string asks for, and the answer with its links (contract, conventions §6 "Pagination",
//! "Filtering").

mod ask;
mod fields;

use std::io::{self, Write};

use serde::Serialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Owner, Request, Version};
use crate::document::search;
use crate::document::v1::remove_version;
use crate::error::{Error, Result};
use crate::http::Reply;
use crate::routes::App;
use crate::store::listing::{self, Collection, Filter, Listing, Op, Operand, Query, Weight};
use crate::store::page::Page;
use crate::store::scan::Scan;
use crate::store::search::Search;
use crate::store::{Outcome, Tx};
pub use ask::{COMMON, filter, flag, operand, time};
use fields::Fields;

/// Where a document of a list goes.
pub enum Sink<'s> {
    /// To the client, as text.
    Text(&'s mut dyn Write),
    /// To where some of its members are picked.
    Value(&'s mut Value),
}

impl Sink<'_> {
    /// Puts a document there.
    ///
    /// # Errors
    /// What the client's end fails with.
    pub fn put(self, document: &impl Serialize) -> io::Result<()> {
        match self {
            Self::Text(out) => serde_json::to_writer(out, document)?,
            Self::Value(value) => *value = serde_json::to_value(document)?,
        }
        Ok(())
    }
}

/// The answer to a list.
struct Listed<R, P> {
    noun: &'static str,
    fields: Option<Fields>,
    listing: Listing<R>,
    put: P,
    next: Option<String>,
    /// Documents of version 1 have no version in a list.
    is_v1: bool,
}

impl<R, P: Fn(&R, Sink<'_>) -> io::Result<()>> Listed<R, P> {
    /// Writes it document by document, so that never more than one of them is in memory beside the rows.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let noun = self.noun;
        write!(out, "{{\"{noun}\":[")?;
        for (index, row) in self.listing.rows.iter().enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            if self.fields.is_none() && !self.is_v1 {
                (self.put)(row, Sink::Text(out))?;
                continue;
            }
            let mut document = Value::Null;
            (self.put)(row, Sink::Value(&mut document))?;
            if self.is_v1 {
                remove_version(&mut document);
            }
            let shown = match &self.fields {
                Some(fields) => fields.of(document),
                None => document,
            };
            serde_json::to_writer(&mut *out, &shown)?;
        }
        out.write_all(b"]")?;
        if let Some(next) = &self.next {
            write!(out, ",\"{noun}_links\":{}", json!([{"rel": "next", "href": next}]))?;
        }
        if let Some(count) = self.listing.count {
            write!(out, ",\"count\":{count}")?;
        }
        out.write_all(b"}")
    }
}

/// What a list is asked for.
pub struct Asked {
    /// Which part of it.
    pub page: Page,
    /// Filters, order, marker.
    pub query: Query,
    /// Whether the query string has nothing but `limit` and `offset`.
    pub is_plain: bool,
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
        let (mut query, fields) = ask::read(self.call, collection)?;
        query.members = fields.as_ref().map(Fields::members);
        let search = search::parse(self.call.json()?)?;
        if collection.is_strict && !search.is_empty() {
            let refusal = format!("{} are filtered by query parameters, not in the body.", collection.path);
            return Err(Error::bad_request(refusal));
        }
        let page = self.page(app)?;
        let is_plain = query == Query::default();
        if let Version::V1(Owner { user: Some(user), .. }) = &self.version {
            query.filters.push(Filter {
                key: "user_id",
                op: Op::In,
                values: vec![Operand::Text(user.clone())],
            });
        }
        let indexed = collection.keys.iter().map(|key| key.name).collect();
        Ok(Asked { page, query, is_plain, search, indexed, fields, collection })
    }

    /// A page of a list whose search has a condition that no column answers, so that each document is looked into.
    ///
    /// # Errors
    /// As [`Store::scan`]; what `chunk` fails with.
    ///
    /// [`Store::scan`]: crate::store::Store::scan
    pub(super) fn scanned<R: Clone + Weight>(
        &self,
        app: &App,
        asked: &Asked,
        chunk: impl FnMut(&mut Tx<'_>, Page, Option<&R>) -> Outcome<Listing<R>>,
        id: impl Fn(&R) -> &str,
        is_wanted: impl FnMut(&R) -> bool,
    ) -> Result<Listing<R>> {
        let page = listing::with_lookahead(asked.page, &asked.search);
        let scan = Scan { project: self.project(), page, indexed: &asked.indexed };
        let found = app.store.scan(&scan, chunk, id, is_wanted)?;
        Ok(listing::without_lookahead(asked.page, found))
    }

    /// The answer to a list: the documents, `<noun>_links` when there are more, and `count` when it was asked for.
    pub(super) fn listed<R: Send + Sync + 'static>(
        &self,
        asked: Asked,
        listing: Listing<R>,
        id: impl Fn(&R) -> &str,
        put: impl Fn(&R, Sink<'_>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Reply {
        let last = listing.rows.last().filter(|_| listing.has_more);
        let next = last.map(|last| self.next(&asked, listing.rows.len(), id(last)));
        let (noun, is_v1) = (asked.collection.noun, self.is_v1());
        let listed = Listed { noun, fields: asked.fields, listing, put, next, is_v1 };
        Reply::written(200, move |out| listed.write(out))
    }

    /// The link to the next page, after `count` items: the same request with this marker. A search in the body goes on
    /// by offset, unless it began at a marker, or is in an order that has no offsets.
    fn next(&self, asked: &Asked, count: usize, marker: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.call.query {
            if !matches!(name.as_str(), "marker" | "offset") {
                query.append_pair(name, value);
            }
        }
        let by_marker = asked.query.marker.is_some() || asked.query.sort.is_some_and(|key| key.is_nullable);
        match asked.search.is_empty() || by_marker {
            true => query.append_pair("marker", marker),
            false => query.append_pair("offset", &asked.page.offset.saturating_add(count as i64).to_string()),
        };
        format!("{}?{}", self.collection_url(asked.collection.path), query.finish())
    }
}
