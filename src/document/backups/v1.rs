//! The backup document of version 1: that of version 2, with the name of the user.

use serde_json::{Map, Value, json};

use super::{BACKUP_DOCUMENT, render as render_v2};
use crate::document::shape::{Shape, about, version};
use crate::store::backups::Backup;

/// The key of the metadata that keeps the name: it has no column.
const USER_NAME: &str = "user_name";

/// A backup as [`render`] shows it; `_version` is in the answer for one backup, and not in lists.
pub static BACKUP_DOCUMENT_V1: Shape = Shape::new("Backup", || {
    let what = "The name of the user whose token created the backup; empty where it is not known.";
    let mut schema = BACKUP_DOCUMENT.schema();
    schema["properties"][USER_NAME] = about(what, json!({"type": "string"}));
    schema["properties"]["_version"] = version();
    if let Some(required) = schema["required"].as_array_mut() {
        required.push(USER_NAME.into());
    }
    schema
});

/// Keeps the name of the user whose token creates a backup, unless the backup brings one.
pub fn name_user(metadata: &mut Map<String, Value>, name: &str) {
    metadata.entry(USER_NAME).or_insert_with(|| name.into());
}

/// A backup as version 1 shows it.
pub fn render(backup: &Backup) -> Value {
    let mut document = render_v2(backup);
    let name = backup.metadata.0.get(USER_NAME).and_then(Value::as_str).unwrap_or_default();
    document[USER_NAME] = name.into();
    document
}
