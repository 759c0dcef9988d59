//! Classifies the values of a file: a document, a page of documents, or half of a `_bulk` pair.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::pieces::{End, Piece};
use crate::import::Result;
use crate::import::elasticsearch::delivery::Delivery;
use crate::import::elasticsearch::documents::{broken, row};
use crate::import::elasticsearch::hit::{Hit, bulk_operation, other_file};
use crate::import::elasticsearch::kinds::Kinds;
use crate::import::elasticsearch::page::Page;
use crate::import::legacy::Table;

/// The documents of one file.
pub struct Items<'i, 's> {
    pub name: &'i str,
    pub kinds: &'i Kinds,
    pub delivery: &'i mut Delivery<'s>,
    /// The first line of a pair; the second comes next.
    pending: Option<(u64, Map<String, Value>)>,
    /// The file's end in the middle of a document was noticed.
    is_cut_off: bool,
}

/// What a value is, as a file's description says it; `Err` for what is no document.
pub fn form(bytes: &[u8]) -> std::result::Result<&'static str, &'static str> {
    let Ok(value) = serde_json::from_slice::<Value>(bytes) else { return Ok("not recognised") };
    let Some(object) = value.as_object() else { return Ok("not recognised") };
    if is_page(object.keys().map(String::as_str)) {
        return Ok("saved answers of a search");
    }
    if let Some(sentence) = other_file(object) {
        return Err(sentence);
    }
    Ok(match object {
        object if object.contains_key("_source") => "hits, as elasticdump writes them",
        object if bulk_operation(object).is_some() => "pairs of lines for `_bulk`",
        _ => "sources without ids",
    })
}

/// Whether an object with these keys is an answer of a search.
fn is_page<'k>(keys: impl Iterator<Item = &'k str>) -> bool {
    let keys: Vec<&str> = keys.collect();
    keys.contains(&"hits")
        && (keys.len() == 1
            || ["_scroll_id", "pit_id", "_shards", "took"].iter().any(|key| keys.contains(key)))
}

impl<'i, 's> Items<'i, 's> {
    pub fn new(name: &'i str, kinds: &'i Kinds, delivery: &'i mut Delivery<'s>) -> Self {
        Self { name, kinds, delivery, pending: None, is_cut_off: false }
    }

    /// Reads one value.
    pub fn add(&mut self, piece: &Piece<'_>) -> Result<()> {
        match piece.end {
            End::TooLong => return self.bad(piece, "is longer than 128 MiB".to_owned()),
            End::CutOff => return self.cut_off(piece),
            End::Whole | End::Last => {}
        }
        if self.pending.is_none() && !piece.bytes.starts_with(br#"{"_index""#) {
            match serde_json::from_slice::<BTreeMap<Cow<'_, str>, &RawValue>>(piece.bytes) {
                Ok(object) if is_page(object.keys().map(AsRef::as_ref)) => {
                    return self.page(piece);
                }
                _ => {}
            }
        }
        let value = match serde_json::from_slice::<Value>(piece.bytes) {
            Ok(value) => value,
            Err(error) if error.is_eof() && piece.end == End::Last => return self.cut_off(piece),
            Err(error) => return self.bad(piece, format!("is no JSON: {error}")),
        };
        if let Some((_, meta)) = self.pending.take() {
            return self.document(Hit::from_bulk(&meta, value), piece.line, None);
        }
        if let Some(object) = value.as_object() {
            if let Some(sentence) = other_file(object) {
                return Err(format!("{} is {sentence}.", self.name).into());
            }
            match bulk_operation(object) {
                Some(("index" | "create", meta)) => {
                    self.pending = Some((piece.line, meta.clone()));
                    return Ok(());
                }
                Some((operation, _)) => {
                    let why =
                        format!("is the operation `{operation}` of `_bulk`, which brings no whole document");
                    return self.bad(piece, why);
                }
                None if object.contains_key("error") && object.contains_key("status") => {
                    return self.bad(
                        piece,
                        "is an error of Elasticsearch, so that documents are missing".to_owned(),
                    );
                }
                None => {}
            }
        }
        self.document(Hit::from_json(value), piece.line, None)
    }

    /// Says that the file ended in the middle of a pair.
    pub fn finish(&mut self) -> Result<()> {
        match self.pending.take() {
            Some((line, meta)) => {
                let raw = Value::Object(meta);
                self.deliver_bad(line, format!("has no second line: {CUT_OFF}"), raw)
            }
            None => Ok(()),
        }
    }

    fn page(&mut self, piece: &Piece<'_>) -> Result<()> {
        let page: Page<'_> = match serde_json::from_slice(piece.bytes) {
            Ok(page) => page,
            Err(error) => return self.bad(piece, format!("is no answer of a search: {error}")),
        };
        if let Some(why) = page.gap() {
            let why = format!(
                "{}, line {}: {why} for this page, so that documents are missing.",
                self.name, piece.line
            );
            return Err(why.into());
        }
        for (number, hit) in page.hits.hits.iter().enumerate() {
            let hit = serde_json::from_str::<Value>(hit.get());
            let hit =
                hit.map_err(|error| (format!("is no JSON: {error}"), Value::Null)).and_then(Hit::from_json);
            self.document(hit, piece.line, Some(number + 1))?;
        }
        Ok(())
    }

    fn document(
        &mut self,
        hit: std::result::Result<Hit, (String, Value)>,
        line: u64,
        number: Option<usize>,
    ) -> Result<()> {
        match hit {
            Ok(hit) => {
                let place = match number {
                    Some(number) => format!("{}:{line}:{number}", self.name),
                    None => format!("{}:{line}", self.name),
                };
                self.delivery.add(row(hit, self.kinds, &place))
            }
            Err((why, raw)) => self.deliver_bad(line, why, raw),
        }
    }

    /// Notes a compressed file that ends early. If it ends after a line, no document is affected.
    fn cut_off(&mut self, piece: &Piece<'_>) -> Result<()> {
        if std::mem::replace(&mut self.is_cut_off, true) && piece.bytes.is_empty() {
            return Ok(());
        }
        self.bad(piece, CUT_OFF.to_owned())
    }

    fn bad(&mut self, piece: &Piece<'_>, why: String) -> Result<()> {
        self.pending = None;
        self.deliver_bad(piece.line, why, Value::String(String::from_utf8_lossy(piece.bytes).into_owned()))
    }

    fn deliver_bad(&mut self, line: u64, why: String, raw: Value) -> Result<()> {
        let detail = format!("{}, line {line} {why}.", self.name);
        self.delivery.add(broken(Table::Unknown, format!("{}:{line}", self.name), "bad-line", detail, raw))
    }
}

const CUT_OFF: &str = "is cut off: the dump ends in the middle of it";
