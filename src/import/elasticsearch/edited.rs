//! Documents of a side file.

use serde_json::Value;

use super::documents;
use super::hit::Hit;
use super::kinds::Kinds;
use crate::import::legacy::{Row, Table};

/// The row of a whole hit, or of a bare source of the kind that the line names. A line of a part of a document has
/// neither.
pub fn row(kinds: &Kinds, table: Table, id: &str, raw: Value) -> Result<Row, String> {
    let is_hit = raw.get("_source").is_some();
    let hit = Hit::from_json(raw).map_err(|(why, _)| format!("row {why}"))?;
    let kind = kinds.table_of(hit.doc_type.as_deref(), hit.index.as_deref(), &hit.source);
    let is_bare = kind.is_some_and(|kind| kind == table || table == Table::Unknown);
    if is_hit || is_bare {
        Ok(documents::row(hit, kinds, id))
    } else {
        Err("row is neither a hit nor a whole document".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn hits_and_whole_sources_are_rows_and_parts_are_not() {
        let kinds = Kinds::parse(&[]).unwrap();
        let read = |table, raw| row(&kinds, table, "i", raw).map(|row| row.table);
        let source = json!({"action_id": "a", "freezer_action": {"action": "backup"}});
        assert_eq!(read(Table::Actions, source.clone()), Ok(Table::Actions));
        assert_eq!(read(Table::Unknown, source.clone()), Ok(Table::Actions));
        assert_eq!(read(Table::Unknown, json!({"_id": "i", "_source": source})), Ok(Table::Actions));
        for part in [json!({"mode": "x"}), json!("x"), json!(null), json!({"_source": 1}), source] {
            assert!(read(Table::Jobs, part.clone()).is_err(), "{part}");
        }
    }
}
