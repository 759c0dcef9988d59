//! `fields`: only some members of each document.

use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::store::listing::Collection;

/// How many members may be named, apart from those that are within another.
const MAX_PATHS: usize = 100;

/// The members that are wanted, none of them within another, each as the names on the way to it.
#[derive(Debug, PartialEq, Eq)]
pub struct Fields(Vec<Vec<String>>);

impl Fields {
    /// Reads `fields=id,client.hostname`.
    ///
    /// # Errors
    /// 400 when there is none in it; for a member that no document has, where that is known.
    pub fn parse(text: &str, collection: &Collection) -> Result<Self> {
        let paths = text.split(',').map(str::trim).filter(|path| !path.is_empty());
        let mut paths: Vec<Vec<String>> =
            paths.map(|path| path.split('.').map(str::to_owned).collect()).collect();
        // A path below another one comes right after it.
        paths.sort();
        paths.dedup_by(|path, above| path.starts_with(above));
        if paths.len() > MAX_PATHS {
            return Err(Error::invalid_parameter(format!("fields may name {MAX_PATHS} members.")));
        }
        if paths.is_empty() {
            return Err(Error::invalid_parameter("fields must name members of the documents."));
        }
        let schema = collection.document.map(crate::document::shape::Shape::schema);
        if let Some(known) = schema.as_ref().and_then(|schema| schema["properties"].as_object())
            && let Some(unknown) =
                paths.iter().filter_map(|path| path.first()).find(|name| !known.contains_key(*name))
        {
            return Err(Error::invalid_parameter(format!(
                "fields names {unknown:?}, which no {} have.",
                collection.path
            )));
        }
        Ok(Self(paths))
    }

    /// The top-level members of the documents that are wanted, whole or in part.
    pub fn members(&self) -> Vec<String> {
        let mut members: Vec<String> = self.0.iter().filter_map(|path| path.first().cloned()).collect();
        members.dedup();
        members
    }

    /// What is wanted of a document; what it does not have is left out.
    pub fn of(&self, document: Value) -> Value {
        let mut kept = Value::Object(Map::new());
        for path in &self.0 {
            copy(&document, &mut kept, path);
        }
        kept
    }
}

fn copy(from: &Value, to: &mut Value, path: &[String]) {
    let (Some((name, rest)), Value::Object(to)) = (path.split_first(), to) else { return };
    let Some(value) = from.get(name) else { return };
    if rest.is_empty() {
        to.insert(name.clone(), value.clone());
    } else if value.is_object() {
        copy(value, to.entry(name.clone()).or_insert_with(|| Value::Object(Map::new())), rest);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::listing::Collection;

    const ANY: Collection = Collection {
        noun: "clients",
        path: "clients",
        keys: &[],
        extras: &[],
        is_strict: false,
        document: None,
    };

    #[test]
    fn members_are_picked_by_their_paths() {
        let document = json!({"id": 1, "client": {"a": 2, "b": [3], "c": 4}, "other": null});
        for (fields, kept) in [
            ("id", json!({"id": 1})),
            ("client.a,client.b", json!({"client": {"a": 2, "b": [3]}})),
            ("client,client.a", json!({"client": {"a": 2, "b": [3], "c": 4}})),
            (" other , missing, id.x", json!({"other": null})),
        ] {
            assert_eq!(Fields::parse(fields, &ANY).unwrap().of(document.clone()), kept, "{fields}");
        }
        assert!(Fields::parse(" ,", &ANY).is_err());
    }

    #[test]
    fn each_member_is_picked_once() {
        let named = |text: &str| Fields::parse(text, &ANY).map(|fields| fields.0.len());
        assert_eq!(named(&"a,".repeat(4000)).unwrap(), 1);
        assert_eq!(named("a.b.c,a-b,a.b,a.bc,a.b.d,b").unwrap(), 4);
        assert_eq!(named("a.b,a,c.a").unwrap(), 2);
        let distinct = |count: usize| (0..count).map(|n| format!("k{n},")).collect::<String>();
        assert_eq!(named(&distinct(100)).unwrap(), 100);
        assert_eq!(named(&distinct(101)).unwrap_err().status(), 400);
    }
}
