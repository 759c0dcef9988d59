//! The backup document of version 1: that of version 2, with the name of the user.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{BACKUP_DOCUMENT, BackupJson, Metadata};
use crate::document::shape::{Shape, about, version};
use crate::store::backups::Backup;

/// The key of the metadata that keeps the name: it has no column.
const USER_NAME: &str = "user_name";

/// A backup as [`BackupJsonV1`] is written; `_version` is in the answer for one backup, and not in lists.
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
#[derive(Serialize)]
pub struct BackupJsonV1<'b> {
    #[serde(rename = "_version", skip_serializing_if = "Option::is_none")]
    version: Option<i32>,
    #[serde(flatten)]
    backup: BackupJson<'b, Metadata<'b>>,
    user_name: String,
}

impl<'b> BackupJsonV1<'b> {
    /// The document of one backup.
    pub fn new(backup: &'b Backup) -> Self {
        Self { version: Some(backup.version), ..Self::listed(backup) }
    }

    /// The document in a list, which has no version.
    pub fn listed(backup: &'b Backup) -> Self {
        let metadata = backup.metadata.object();
        let user_name = metadata.get(USER_NAME).and_then(Value::as_str).unwrap_or_default().to_owned();
        Self { version: None, backup: BackupJson::new(backup), user_name }
    }
}
