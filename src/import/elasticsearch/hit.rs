//! A document as Elasticsearch and its tools write it: a hit, or a bare source.

use serde_json::{Map, Value};

/// A document with what is known of it.
#[derive(Debug, Clone)]
pub struct Hit {
    /// `_index`.
    pub index: Option<String>,
    /// `_type`.
    pub doc_type: Option<String>,
    /// `_id`.
    pub id: Option<String>,
    /// `_version`, which counts writes.
    pub version: Option<i64>,
    /// `_source`.
    pub source: Map<String, Value>,
    /// Everything, as it was read.
    pub raw: Value,
}

impl Hit {
    /// Takes a hit, or a source without one, apart. Fails with a sentence and what was read.
    pub fn from_json(raw: Value) -> Result<Self, (String, Value)> {
        let Value::Object(object) = &raw else { return Err(("is no JSON object".to_owned(), raw)) };
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        match object.get("_source") {
            Some(Value::Object(source)) => Ok(Self {
                index: text("_index"),
                doc_type: text("_type"),
                id: text("_id"),
                version: object.get("_version").and_then(Value::as_i64),
                source: source.clone(),
                raw,
            }),
            Some(_) => Err(("has a `_source` that is no JSON object".to_owned(), raw)),
            None if object.contains_key("_id") && object.contains_key("_index") => {
                Err(("has no `_source`".to_owned(), raw))
            }
            None => {
                let source = object.clone();
                Ok(Self { index: None, doc_type: None, id: None, version: None, source, raw })
            }
        }
    }

    /// The document of a pair of lines for `_bulk`: what the first says of it, and the second.
    pub fn from_bulk(meta: &Map<String, Value>, source: Value) -> Result<Self, (String, Value)> {
        let mut hit = Map::new();
        for key in ["_index", "_type", "_id", "_version"] {
            if let Some(value) = meta.get(key) {
                hit.insert(key.to_owned(), value.clone());
            }
        }
        hit.insert("_source".to_owned(), source);
        Self::from_json(Value::Object(hit))
    }
}

/// Whether an object is the first line of such a pair: the operation, and what it says of the document.
pub fn bulk_operation(object: &Map<String, Value>) -> Option<(&str, &Map<String, Value>)> {
    let (operation, meta) = object.iter().next().filter(|_| object.len() == 1)?;
    let meta = meta.as_object()?;
    let is_meta =
        |key: &String| key.starts_with('_') || matches!(key.as_str(), "routing" | "version" | "parent");
    let is_known = matches!(operation.as_str(), "index" | "create" | "update" | "delete");
    (is_known && meta.keys().all(is_meta)).then_some((operation, meta))
}

/// What a file without documents is, as a sentence says it.
pub fn other_file(object: &Map<String, Value>) -> Option<&'static str> {
    let parts = ["mappings", "settings", "aliases", "defaults", "data_stream", "warmers"];
    let is_description = |value: &Value| {
        value
            .as_object()
            .is_some_and(|value| !value.is_empty() && value.keys().all(|key| parts.contains(&key.as_str())))
    };
    if object.contains_key("count") && object.contains_key("_shards") {
        return Some("the answer of `_count`, and not the data; it can be given as `--count-file`");
    }
    if object.is_empty() || !object.values().all(is_description) {
        return None;
    }
    let has = |key: &str| object.values().any(|value| value.get(key).is_some());
    Some(if has("mappings") {
        "the mapping (`--type=mapping`), and not the data (`--type=data`)"
    } else if object.values().any(|value| value.pointer("/settings/index/analysis").is_some()) {
        "the analyzers (`--type=analyzer`), and not the data (`--type=data`)"
    } else if has("settings") {
        "the settings (`--type=settings`), and not the data (`--type=data`)"
    } else {
        "the aliases (`--type=alias`), and not the data (`--type=data`)"
    })
}
