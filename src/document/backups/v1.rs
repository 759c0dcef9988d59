//! The backup document of version 1: the one of version 2 with the name of the user.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{BACKUP_DOCUMENT, BackupJson, Metadata};
use crate::document::shape::{Shape, about, version};
use crate::store::backups::Backup;

/// The metadata key of the user's name, which has no column.
const USER_NAME: &str = "user_name";

/// The shape of [`BackupJsonV1`]. `_version` is in the response for one backup, and not in lists.
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

/// Adds the name of the user whose token creates a backup, unless the metadata has a name.
pub fn add_user_name(metadata: &mut Map<String, Value>, name: &str) {
    metadata.entry(USER_NAME).or_insert_with(|| name.into());
}

/// The JSON of a backup in version 1.
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
