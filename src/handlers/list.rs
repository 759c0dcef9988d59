//! Lists: parsing the request, and rendering the response with its links (contract, conventions §6 "Pagination",
//! "Filtering").

mod fields;
mod query_string;

use std::io::{self, Write};

use diesel::Table;
use front::error::{Error, Result};
use front::http::Reply;
use serde::Serialize;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Request, Version};
use crate::app::App;
use crate::document::collection::Collection;
use crate::document::search;
use crate::document::v1::remove_version;
use crate::scope::VisibleRows;
use crate::store::listing::{self, Filter, ListKeys, Listing, Op, Operand, Query, Weight};
use crate::store::page::Page;
use crate::store::scan::Scan;
use crate::store::search::Search;
use crate::store::{Outcome, Tx};
use fields::Fields;
pub use query_string::{COMMON, filter, flag, operand, time};

/// Where a document of a list is written to.
pub enum Sink<'s> {
    /// To the client, as text.
    Text(&'s mut dyn Write),
    /// To a value, of which only some members are sent.
    Value(&'s mut Value),
}

impl Sink<'_> {
    /// Writes a document.
    ///
    /// # Errors
    /// The error of the writer.
    pub fn write(self, document: &impl Serialize) -> io::Result<()> {
        match self {
            Self::Text(out) => serde_json::to_writer(out, document)?,
            Self::Value(value) => *value = serde_json::to_value(document)?,
        }
        Ok(())
    }
}

/// The body of the response to a list request.
struct ListBody<R, P> {
    noun: &'static str,
    fields: Option<Fields>,
    listing: Listing<R>,
    write_document: P,
    next: Option<String>,
    /// Whether to remove the documents' version, which lists of version 1 do not have.
    is_v1: bool,
}

impl<R, P: Fn(&R, Sink<'_>) -> io::Result<()>> ListBody<R, P> {
    /// Writes one document at a time, so that at most one of them is in memory beside the rows.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let noun = self.noun;
        write!(out, "{{\"{noun}\":[")?;
        for (index, row) in self.listing.rows.iter().enumerate() {
            if index > 0 {
                out.write_all(b",")?;
            }
            if self.fields.is_none() && !self.is_v1 {
                (self.write_document)(row, Sink::Text(out))?;
                continue;
            }
            let mut document = Value::Null;
            (self.write_document)(row, Sink::Value(&mut document))?;
            if self.is_v1 {
                remove_version(&mut document);
            }
            let shown = match &self.fields {
                Some(fields) => fields.select(document),
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

/// A parsed request for a list.
pub struct ListRequest {
    /// The limit and the offset.
    pub page: Page,
    /// The filters, the order and the marker.
    pub query: Query,
    /// Whether the query string has no parameters but `limit` and `offset`.
    pub has_default_query: bool,
    /// The search in the body, which only the older collections support.
    pub search: Search,
    /// The names of the keys whose conditions an index can answer.
    pub indexed: Vec<&'static str>,
    fields: Option<Fields>,
    collection: &'static Collection,
}

impl Request<'_> {
    /// Parses the request for a list of this collection.
    ///
    /// # Errors
    /// 400 for an invalid parameter or search.
    pub(super) fn list_request(&self, app: &App, collection: &'static Collection) -> Result<ListRequest> {
        let (mut query, fields) = query_string::parse(self.call, collection)?;
        query.members = fields.as_ref().map(Fields::members);
        let search = search::parse(self.call.json()?)?;
        if collection.is_strict && !search.is_empty() {
            let refusal = format!("{} are filtered by query parameters, not in the body.", collection.path);
            return Err(Error::bad_request(refusal));
        }
        let page = self.page(app)?;
        let has_default_query = query == Query::default();
        if let Version::V1(VisibleRows { user: Some(user), .. }) = &self.version {
            query.filters.push(Filter {
                key: "user_id",
                op: Op::In,
                values: vec![Operand::Text(user.clone())],
            });
        }
        let indexed = collection.keys.iter().map(|key| key.name).collect();
        Ok(ListRequest { page, query, has_default_query, search, indexed, fields, collection })
    }

    /// A page of a list that may be searched. If the search has a condition that is not about a column, each document is
    /// rendered and matched.
    ///
    /// # Errors
    /// As [`Permits::scan`]; the errors of `list`, which reads a page of rows that begins after a row.
    ///
    /// [`Permits::scan`]: crate::store::scan::Permits::scan
    pub(super) fn searched_page<T: Table, R: Clone + Weight>(
        &self,
        app: &App,
        list_request: &ListRequest,
        keys: &ListKeys<T, R>,
        mut list: impl FnMut(&mut Tx<'_>, Page, Option<&R>) -> Outcome<Listing<R>>,
        render: impl Fn(&R) -> Value,
    ) -> Result<Listing<R>> {
        let rest = keys.residual(&list_request.search);
        if rest.is_empty() {
            return app.store.read_lagging(|tx| list(tx, list_request.page, None));
        }
        let page = listing::with_lookahead(list_request.page, &list_request.search);
        let scan = Scan { project: self.project(), page, indexed: &list_request.indexed };
        let is_wanted = |row: &R| search::matches(&render(row), &rest, list_request.collection);
        let found = app.scan_permits.scan(&app.store, &scan, list, is_wanted)?;
        Ok(listing::without_lookahead(list_request.page, found))
    }

    /// The response to a list request: the documents, `<noun>_links` if there are more, and `count` if `with_count`
    /// is set.
    pub(super) fn list_reply<R: Weight + Send + Sync + 'static>(
        &self,
        list_request: ListRequest,
        listing: Listing<R>,
        write_document: impl Fn(&R, Sink<'_>) -> io::Result<()> + Send + Sync + 'static,
    ) -> Reply {
        let last = listing.rows.last().filter(|_| listing.has_more);
        let next = last.map(|last| self.next(&list_request, listing.rows.len(), last.row_id()));
        let (noun, is_v1) = (list_request.collection.noun, self.is_v1());
        let body = ListBody { noun, fields: list_request.fields, listing, write_document, next, is_v1 };
        Reply::stream_json(200, move |out| body.write(out))
    }

    /// The link to the next page, after `count` items: the same request with this marker. For a search in the body it
    /// has an offset instead, unless the request has a marker or sorts by a nullable key.
    fn next(&self, list_request: &ListRequest, count: usize, marker: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in &self.call.query {
            if !matches!(name.as_str(), "marker" | "offset") {
                query.append_pair(name, value);
            }
        }
        let by_marker =
            list_request.query.marker.is_some() || list_request.query.sort.is_some_and(|key| key.is_nullable);
        match list_request.search.is_empty() || by_marker {
            true => query.append_pair("marker", marker),
            false => query
                .append_pair("offset", &list_request.page.offset.saturating_add(count as i64).to_string()),
        };
        format!("{}?{}", self.collection_url(list_request.collection.path), query.finish())
    }
}
