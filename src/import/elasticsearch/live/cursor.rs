//! Reads an index page by page: with a scroll, or with a point in time if the server has no scrolls.

use front::outbound::Answer;
use serde_json::{Value, json};

use super::server::{Again, Body, Server, Trouble, encoded, error_in};
use crate::import::Result;
use crate::import::elasticsearch::page::Page;

const SIZE: u64 = 500;

/// How long the server keeps the scroll between two pages.
const KEPT: &str = "5m";

/// The position of the read.
pub struct Cursor<'s> {
    server: &'s Server,
    index: String,
    state: State,
}

enum State {
    Start,
    Scroll { id: String },
    PointInTime { id: String, after: Option<Value> },
}

impl<'s> Cursor<'s> {
    /// Before the first page.
    pub fn new(server: &'s Server, index: &str) -> Self {
        Self { server, index: encoded(index), state: State::Start }
    }

    /// The next page.
    pub fn next(&mut self) -> std::result::Result<Answer, Trouble> {
        let answer = match &self.state {
            State::Start => return self.first(),
            State::Scroll { id } => {
                let (path, body) = if self.server.major < 2 {
                    (format!("/_search/scroll?scroll={KEPT}"), Body::Text(id.clone()))
                } else {
                    ("/_search/scroll".to_owned(), Body::Json(json!({"scroll": KEPT, "scroll_id": id})))
                };
                self.server.ask("POST", &path, Some(&body), Again::No)?
            }
            State::PointInTime { id, after } => self.search_point_in_time(id, after.as_ref())?,
        };
        self.usable(answer)
    }

    fn first(&mut self) -> std::result::Result<Answer, Trouble> {
        let mut query = json!({"size": SIZE, "version": true, "query": {"match_all": {}}});
        // Up to 1.x it is not certain that this order is one.
        if self.server.major >= 2 {
            query["sort"] = json!(["_doc"]);
        }
        let path = format!("/{}/_search?scroll={KEPT}", self.index);
        let answer = self.server.ask("POST", &path, Some(&Body::Json(query)), Again::Yes)?;
        let is_refused = matches!(answer.status, 400 | 403 | 405 | 410 | 501)
            && error_in(&answer.body).to_ascii_lowercase().contains("scroll");
        if !is_refused {
            return self.usable(answer);
        }
        let why = self.server.refusal(&answer);
        let id = self.open_point_in_time(&why)?;
        log::info!("{why} A point in time is read instead");
        let answer = self.search_point_in_time(&id, None);
        self.state = State::PointInTime { id, after: None };
        self.usable(answer?)
    }

    fn open_point_in_time(&self, why: &str) -> std::result::Result<String, Trouble> {
        let path = match self.server.is_opensearch {
            true => format!("/{}/_search/point_in_time?keep_alive={KEPT}", self.index),
            false => format!("/{}/_pit?keep_alive={KEPT}", self.index),
        };
        let answer = self.server.ask("POST", &path, None, Again::Yes)?;
        if answer.status != 200 {
            let other = self.server.refusal(&answer);
            return Err(Trouble::Fatal(format!("{why} Nor does it give a point in time. {other}").into()));
        }
        let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        match json.get("id").or(json.get("pit_id")).and_then(Value::as_str) {
            Some(id) => Ok(id.to_owned()),
            None => Err(Trouble::Fatal(
                format!("{} opened a point in time without an id.", self.server.name).into(),
            )),
        }
    }

    fn search_point_in_time(&self, id: &str, after: Option<&Value>) -> std::result::Result<Answer, Trouble> {
        let mut query = json!({
            "size": SIZE, "version": true, "query": {"match_all": {}}, "track_total_hits": true,
            "pit": {"id": id, "keep_alive": KEPT},
            // OpenSearch has no order of its own that is one over all shards.
            "sort": if self.server.is_opensearch {
                json!([{"_id": "asc"}, {"_index": "asc"}])
            } else {
                json!([{"_shard_doc": "asc"}])
            },
        });
        if let Some(after) = after {
            query["search_after"] = after.clone();
        }
        self.server.ask("POST", "/_search", Some(&Body::Json(query)), Again::Yes)
    }

    /// An answer with a page; a server that forgot the read is to be asked from the beginning.
    fn usable(&self, answer: Answer) -> std::result::Result<Answer, Trouble> {
        let is_start = matches!(self.state, State::Start);
        if answer.status == 404 && !is_start {
            return Err(Trouble::Lost(self.server.refusal(&answer)));
        }
        Ok(self.server.expect_success(answer)?)
    }

    /// Notes what the next request needs; the id may change with each page.
    pub fn note(&mut self, page: &Page<'_>) -> Result<()> {
        match (&mut self.state, &page.scroll_id, &page.pit_id) {
            (State::PointInTime { id, .. }, _, Some(new)) => id.clone_from(new),
            (State::PointInTime { .. }, ..) => {}
            (state, Some(new), _) => *state = State::Scroll { id: new.clone() },
            (State::Start, None, _) => {
                return Err(
                    format!("{} gave the first page of a scroll without an id.", self.server.name).into()
                );
            }
            (State::Scroll { .. }, None, _) => {}
        }
        Ok(())
    }

    /// Notes the document after which the next page begins.
    pub fn passed(&mut self, hit: &Value) {
        if let State::PointInTime { after, .. } = &mut self.state {
            *after = hit.get("sort").cloned();
        }
    }

    /// Gives the server back what it keeps. It forgets that by itself, too, so that a failure does not matter.
    pub fn close(self) {
        let major = self.server.major;
        let (path, body) = match self.state {
            State::Start => return,
            State::Scroll { id } if major < 2 => ("/_search/scroll", Body::Text(id)),
            State::Scroll { id } => ("/_search/scroll", Body::Json(json!({"scroll_id": [id]}))),
            State::PointInTime { id, .. } if self.server.is_opensearch => {
                ("/_search/point_in_time", Body::Json(json!({"pit_id": [id]})))
            }
            State::PointInTime { id, .. } => ("/_pit", Body::Json(json!({"id": id}))),
        };
        self.server.once("DELETE", path, &body);
    }
}
