//! A stand-in for a server of Elasticsearch 1.7 to 9 or OpenSearch: `_count`, `_search`, scrolls and points in time, as
//! the releases differ in them, and the ways in which they fail.
//!
//! No real server was at hand: the answers are those that the documentation and the old clients' code describe.
#![allow(dead_code, reason = "each test program uses a part")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

/// A document as it is stored.
#[derive(Debug, Clone)]
pub struct Doc {
    pub kind: String,
    pub id: String,
    pub version: i64,
    pub source: Value,
}

/// The documents of a dump of Elasticsearch up to 6.x, or of saved answers of a scroll.
pub fn documents(dump: &str) -> Vec<Doc> {
    let mut documents = Vec::new();
    for line in dump.lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        let hits = match line.pointer("/hits/hits") {
            Some(hits) => hits.as_array().unwrap().clone(),
            None => vec![line],
        };
        for hit in hits {
            documents.push(Doc {
                kind: hit["_type"].as_str().unwrap_or("_doc").to_owned(),
                id: hit["_id"].as_str().unwrap().to_owned(),
                version: hit["_version"].as_i64().unwrap_or(1),
                source: hit["_source"].clone(),
            });
        }
    }
    documents
}

/// What the server is, and what goes wrong with it. Pages are counted from 1, over all reads.
#[derive(Debug, Clone)]
pub struct FakeEs {
    pub release: &'static str,
    pub is_opensearch: bool,
    pub indices: BTreeMap<String, Vec<Doc>>,
    /// So many documents are on a page, whatever is asked for.
    pub page_size: usize,
    /// The `Authorization` header that is asked for.
    pub authorization: Option<String>,
    /// Whether there are scrolls, as some hosted servers have none.
    pub has_scroll: bool,
    /// Whether `GET /` is allowed; rights on an index alone do not include it.
    pub has_public_root: bool,
    /// Requests for a page that get 503, counted by themselves.
    pub busy: Vec<usize>,
    /// Whether every request gets 429.
    pub is_overloaded: bool,
    /// Pages at which every read is forgotten (404).
    pub forgets: Vec<usize>,
    /// Pages of which a shard fails.
    pub failing_shards: Vec<usize>,
    /// Pages that are made and never arrive.
    pub lost: Vec<usize>,
    /// A page from which the last document is missing, in every read.
    pub short_page: Option<usize>,
    /// Documents that come with each answer of `_count`.
    pub growth: usize,
    /// Whether a page gives another id to go on with.
    pub has_changing_ids: bool,
}

impl FakeEs {
    /// A server that works, with one index.
    pub fn new(release: &'static str, documents: Vec<Doc>) -> Self {
        Self {
            release,
            is_opensearch: false,
            indices: BTreeMap::from([("freezer".to_owned(), documents)]),
            page_size: 40,
            authorization: None,
            has_scroll: true,
            has_public_root: true,
            busy: Vec::new(),
            is_overloaded: false,
            forgets: Vec::new(),
            failing_shards: Vec::new(),
            lost: Vec::new(),
            short_page: None,
            growth: 0,
            has_changing_ids: true,
        }
    }

    /// Starts it on a port of its own.
    pub fn start(self) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(Mutex::new(State { fake: self, ..State::default_parts() }));
        let server = Server { address: address.to_string(), state: Arc::clone(&state) };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), state) = (stream, Arc::clone(&state)) else { continue };
                std::thread::spawn(move || serve(&stream, &state));
            }
        });
        server
    }
}

/// A running one.
pub struct Server {
    /// `127.0.0.1:PORT`.
    pub address: String,
    state: Arc<Mutex<State>>,
}

impl Server {
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Method and path of every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.state.lock().unwrap().requests.clone()
    }

    /// How many scrolls and points in time are open.
    pub fn open(&self) -> usize {
        self.state.lock().unwrap().reads.len()
    }
}

struct State {
    fake: FakeEs,
    /// By its id: what is left of a scroll, or the whole of a point in time.
    reads: BTreeMap<String, Open>,
    requests: Vec<String>,
    pages: usize,
    page_requests: usize,
    opened: usize,
    counted: usize,
}

struct Open {
    hits: Vec<Value>,
    total: usize,
    position: usize,
}

impl State {
    fn default_parts() -> Self {
        Self {
            fake: FakeEs::new("2.4.6", Vec::new()),
            reads: BTreeMap::new(),
            requests: Vec::new(),
            pages: 0,
            page_requests: 0,
            opened: 0,
            counted: 0,
        }
    }
}

struct Request {
    method: String,
    path: Vec<String>,
    query: BTreeMap<String, String>,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

fn serve(stream: &TcpStream, state: &Mutex<State>) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = receive(&mut reader) {
        let outcome = state.lock().unwrap().answer(&request);
        let Some((status, body)) = outcome else { return };
        let body = body.to_string();
        let head = format!(
            "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\nRetry-After: 0\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        let mut stream = stream;
        if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).is_err() {
            return;
        }
    }
}

fn receive(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut first = lines.first()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: BTreeMap<String, String> = lines
        .iter()
        .skip(1)
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Request {
        method,
        path: path.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect(),
        query: query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(k, v)| (k.into(), v.into()))
            .collect(),
        headers,
        body,
    })
}

type Answer = Option<(u16, Value)>;

fn error(status: u16, kind: &str, reason: &str) -> Answer {
    let cause = json!({"type": kind, "reason": reason});
    Some((
        status,
        json!({"error": {"root_cause": [cause], "type": kind, "reason": reason}, "status": status}),
    ))
}

impl State {
    fn major(&self) -> u64 {
        if self.fake.is_opensearch {
            7
        } else {
            self.fake.release.split('.').next().unwrap().parse().unwrap()
        }
    }

    fn answer(&mut self, request: &Request) -> Answer {
        self.requests.push(format!("{} /{}", request.method, request.path.join("/")));
        if let Some(wanted) = &self.fake.authorization
            && request.headers.get("authorization") != Some(wanted)
        {
            return error(401, "security_exception", "missing authentication credentials");
        }
        if self.fake.is_overloaded {
            return error(429, "es_rejected_execution_exception", "rejected execution");
        }
        let is_json = request.headers.get("content-type").is_some_and(|value| value.contains("json"));
        if !request.body.is_empty() && self.major() >= 6 && !is_json {
            return error(406, "content_type", "Content-Type header [] is not supported");
        }
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let parts: Vec<&str> = request.path.iter().map(String::as_str).collect();
        match (request.method.as_str(), parts.as_slice()) {
            (_, []) if !self.fake.has_public_root => error(403, "security_exception", "cluster:monitor/main"),
            (_, []) => Some((200, self.root())),
            ("DELETE", ["_search", "scroll"]) => {
                let id = match body["scroll_id"].as_array() {
                    Some(ids) => ids[0].as_str().unwrap_or_default().to_owned(),
                    None if self.major() < 2 => String::from_utf8_lossy(&request.body).into_owned(),
                    None => body["scroll_id"].as_str().unwrap_or_default().to_owned(),
                };
                self.close(&id)
            }
            (_, ["_search", "scroll"]) => self.scroll(request, &body),
            ("DELETE", ["_pit"]) => self.close(body["id"].as_str().unwrap_or_default()),
            ("DELETE", ["_search", "point_in_time"]) => {
                self.close(body["pit_id"][0].as_str().unwrap_or_default())
            }
            ("POST", ["_search"]) => self.search_point_in_time(&body),
            (_, ["_cat", "indices"]) => Some((200, json!([]))),
            ("POST", [index, "_pit"]) if !self.fake.is_opensearch && self.major() >= 7 => {
                self.open_point_in_time(index, "id")
            }
            ("POST", [index, "_search", "point_in_time"]) if self.fake.is_opensearch => {
                self.open_point_in_time(index, "pit_id")
            }
            (_, [index, rest @ .., "_count"]) => self.count(index, rest),
            (_, [index, "_search"]) => self.first(index, request, &body),
            _ => error(400, "illegal_argument_exception", "no such route"),
        }
    }

    fn root(&self) -> Value {
        let mut version = json!({"number": self.fake.release, "lucene_version": "5.5.4"});
        if self.fake.is_opensearch {
            version["distribution"] = json!("opensearch");
        }
        json!({"name": "fake", "cluster_name": "fake", "version": version, "tagline": "You Know, for Search"})
    }

    fn count(&mut self, index: &str, kind: &[&str]) -> Answer {
        let Some(documents) = self.fake.indices.get(index) else { return missing(self.major(), index) };
        let count = documents.iter().filter(|doc| kind.first().is_none_or(|kind| doc.kind == *kind)).count();
        self.counted += self.fake.growth;
        let count = count + self.counted;
        Some((200, json!({"count": count, "_shards": {"total": 5, "successful": 5, "failed": 0}})))
    }

    fn hits(&mut self, index: &str) -> Option<Vec<Value>> {
        let major = self.major();
        let documents = self.fake.indices.get(index)?;
        let hit = |doc: &Doc| {
            let mut hit = Map::from_iter([("_index".to_owned(), json!(index))]);
            match major {
                0..7 => _ = hit.insert("_type".to_owned(), json!(doc.kind)),
                7 => _ = hit.insert("_type".to_owned(), json!("_doc")),
                _ => {}
            }
            hit.insert("_id".to_owned(), json!(doc.id));
            hit.insert("_version".to_owned(), json!(doc.version));
            hit.insert("_score".to_owned(), if major < 7 { json!(1.0) } else { Value::Null });
            hit.insert("_source".to_owned(), doc.source.clone());
            Value::Object(hit)
        };
        let mut hits: Vec<Value> = documents.iter().map(hit).collect();
        self.opened += 1;
        // The order of a read is another one each time, as between two copies of a shard.
        if self.opened.is_multiple_of(2) {
            hits.reverse();
        }
        Some(hits)
    }

    fn open(&mut self, hits: Vec<Value>) -> String {
        let id = format!("read-{}==", self.opened);
        self.reads.insert(id.clone(), Open { total: hits.len(), hits, position: 0 });
        id
    }

    fn close(&mut self, id: &str) -> Answer {
        match self.reads.remove(id) {
            Some(_) => Some((200, json!({"succeeded": true, "num_freed": 1}))),
            None => error(404, "search_context_missing_exception", "No search context found"),
        }
    }

    fn first(&mut self, index: &str, request: &Request, body: &Value) -> Answer {
        if !request.query.contains_key("scroll") {
            return error(400, "illegal_argument_exception", "this stand-in only scrolls");
        }
        if !self.fake.has_scroll {
            return error(400, "illegal_argument_exception", "scroll is not available");
        }
        if self.major() < 2 && body.get("sort").is_some() {
            return error(
                400,
                "SearchPhaseExecutionException",
                "No mapping found for [_doc] in order to sort on",
            );
        }
        let Some(hits) = self.hits(index) else { return missing(self.major(), index) };
        let id = self.open(hits);
        let answer = self.page(&id);
        if answer.as_ref().is_some_and(|(status, _)| *status != 200) {
            self.reads.remove(&id);
        }
        answer
    }

    fn scroll(&mut self, request: &Request, body: &Value) -> Answer {
        let raw = String::from_utf8_lossy(&request.body).into_owned();
        let id = match body.get("scroll_id").and_then(Value::as_str) {
            Some(_) if self.major() < 2 => {
                return error(400, "IllegalArgumentException", "Malformed scroll id");
            }
            Some(id) => id.to_owned(),
            None if self.major() < 2 => raw,
            None => return error(400, "parsing_exception", "no scroll_id"),
        };
        self.page(&id)
    }

    fn open_point_in_time(&mut self, index: &str, key: &str) -> Answer {
        let Some(hits) = self.hits(index) else { return missing(self.major(), index) };
        let id = self.open(hits);
        Some((200, json!({ key: id })))
    }

    /// The page after the position that `search_after` says.
    fn search_point_in_time(&mut self, body: &Value) -> Answer {
        let id = body["pit"]["id"].as_str().unwrap_or_default().to_owned();
        let order = if self.fake.is_opensearch { "_id" } else { "_shard_doc" };
        if body["sort"][0].get(order).is_none() {
            return error(
                400,
                "illegal_argument_exception",
                "an order that is one over all shards is needed",
            );
        }
        let position =
            body["search_after"][0].as_u64().map_or(0, |after| usize::try_from(after).unwrap() + 1);
        if let Some(open) = self.reads.get_mut(&id) {
            open.position = position;
        }
        self.page(&id)
    }

    fn page(&mut self, id: &str) -> Answer {
        self.page_requests += 1;
        if self.fake.busy.contains(&self.page_requests) {
            return error(503, "unavailable_shards_exception", "primary shard is not active");
        }
        self.pages += 1;
        let number = self.pages;
        if self.fake.forgets.contains(&number) {
            self.reads.clear();
        }
        let Some(mut open) = self.reads.remove(id) else {
            return error(404, "search_context_missing_exception", "No search context found for id [1]");
        };
        let size = self.fake.page_size;
        let start = open.position.min(open.hits.len());
        open.position = (start + size).min(open.hits.len());
        let mut hits = open.hits[start..open.position].to_vec();
        for (place, hit) in hits.iter_mut().enumerate() {
            hit["sort"] = json!([start + place]);
        }
        if self.fake.short_page == Some(start / size + 1) {
            hits.pop();
        }
        let total =
            if self.major() < 7 { json!(open.total) } else { json!({"value": open.total, "relation": "eq"}) };
        let is_scroll = self.fake.has_scroll;
        let new = if self.fake.has_changing_ids {
            format!("{}{number}", &id[..id.find('=').unwrap_or(id.len()) + 2])
        } else {
            id.to_owned()
        };
        self.reads.insert(new.clone(), open);
        if self.fake.lost.contains(&number) {
            return None;
        }
        let failed = usize::from(self.fake.failing_shards.contains(&number));
        let mut page = json!({
            "took": 1, "timed_out": false,
            "_shards": {"total": 5, "successful": 5 - failed, "failed": failed},
            "hits": {"total": total, "max_score": 1.0, "hits": hits},
        });
        page[if is_scroll { "_scroll_id" } else { "pit_id" }] = json!(new);
        Some((200, page))
    }
}

fn missing(major: u64, index: &str) -> Answer {
    if major < 2 {
        return Some((
            404,
            json!({"error": format!("IndexMissingException[[{index}] missing]"), "status": 404}),
        ));
    }
    error(404, "index_not_found_exception", &format!("no such index [{index}]"))
}
