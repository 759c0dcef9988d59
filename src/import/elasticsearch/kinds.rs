//! Which of the old service's types a document is of.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::import::Result;
use crate::import::legacy::Table;

/// The index that every release up to 18.0.0 writes to, whatever its configuration says.
pub const DEFAULT_INDEX: &str = "freezer";

const KINDS: [Table; 6] =
    [Table::Clients, Table::Actions, Table::Jobs, Table::Sessions, Table::Backups, Table::UserCredentials];

/// What `--index` says: the indices to read, and which of them hold one kind alone.
#[derive(Debug, Clone, Default)]
pub struct Kinds {
    /// The indices in the order in which they were given, each once.
    pub indices: Vec<String>,
    by_index: BTreeMap<String, Table>,
}

impl Kinds {
    /// Reads the values of `--index`: names, or `KIND=NAME`.
    pub fn parse(options: &[String]) -> Result<Self> {
        let mut kinds = Self::default();
        for option in options {
            let (kind, name) = match option.split_once('=') {
                None => (None, option.as_str()),
                Some((kind, name)) => match named(kind) {
                    Some(kind) => (Some(kind), name),
                    None => {
                        let names = KINDS.map(Table::name).join(", ");
                        return Err(format!(
                            "--index {option}: {kind} is no kind of document; there are {names}."
                        )
                        .into());
                    }
                },
            };
            if name.is_empty() {
                return Err(format!("--index {option}: the name of the index is missing.").into());
            }
            if let Some(kind) = kind
                && kinds.by_index.insert(name.to_owned(), kind).is_some_and(|other| other != kind)
            {
                return Err(format!("--index: {name} is given two kinds; give the name alone.").into());
            }
            if !kinds.indices.iter().any(|index| index == name) {
                kinds.indices.push(name.to_owned());
            }
        }
        if kinds.indices.is_empty() {
            kinds.indices.push(DEFAULT_INDEX.to_owned());
        }
        Ok(kinds)
    }

    /// The kind of a document: by its `_type`, else by the options for its index, else by its shape.
    pub fn table_of(
        &self,
        doc_type: Option<&str>,
        index: Option<&str>,
        source: &Map<String, Value>,
    ) -> Option<Table> {
        doc_type
            .and_then(named)
            .or_else(|| index.and_then(|index| self.by_index.get(index)).copied())
            .or_else(|| by_shape(source))
    }
}

fn named(name: &str) -> Option<Table> {
    KINDS.into_iter().find(|kind| kind.name() == name)
}

/// The order matters: a job has a `session_id`, too, and an entry of one a `freezer_action`.
fn by_shape(source: &Map<String, Value>) -> Option<Table> {
    let has = |key: &str| source.contains_key(key);
    let object = |key: &str| source.get(key).and_then(Value::as_object);
    if object("backup_metadata").is_some() {
        Some(Table::Backups)
    } else if object("client").is_some_and(|client| client.contains_key("client_id")) {
        Some(Table::Clients)
    } else if has("job_actions") || has("job_schedule") {
        Some(Table::Jobs)
    } else if object("schedule").is_some() || has("session_tag") && has("session_id") {
        Some(Table::Sessions)
    } else if object("freezer_action").is_some() {
        Some(Table::Actions)
    } else if has("trust_id") && has("job_id") {
        Some(Table::UserCredentials)
    } else {
        None
    }
}
