//! Documents of the type `backups`.

use super::{Content, Unreadable, business_id, unreadable};
use crate::import::elasticsearch::fields::{Fields, from_seconds, int};
use crate::import::ids::{is_uuid, made};
use crate::import::legacy::{Backup, Body};
use crate::store::is_id;

/// Up to release 3.0 the id is a text, `container_host_name_time_level`, and a UUID stands beside it.
pub fn read(fields: &mut Fields, id: Option<&str>) -> Result<Content, Unreadable> {
    let own = business_id(fields, "backup_id", id)?;
    // Beside an id that is one, a second is left to be reported.
    let uuid = if is_uuid(&own) { None } else { fields.word("backup_uuid") };
    let is_legacy = !is_uuid(&own) && (uuid.is_some() || !is_id(&own) || ends_with_time_and_level(&own));
    let (id, legacy_id) = match uuid {
        _ if !is_legacy => (own, None),
        Some(uuid) if is_uuid(&uuid) => (uuid.replace('-', "").to_ascii_lowercase(), Some(own)),
        _ => (made("backups", &[&own]), Some(own)),
    };
    if let Some(legacy) = &legacy_id {
        fields.note("legacy-backup-id", format!("The id was {legacy}."), None);
    }
    let Some(metadata) = fields.object("backup_metadata") else {
        return unreadable(fields, "bad-json", "There is no object `backup_metadata`.");
    };
    let time = |key: &str| metadata.get(key).and_then(int).and_then(from_seconds);
    let created = time("time_stamp").or_else(|| time("timestamp"));
    let backup = Backup {
        job_id: fields.word("job_id"),
        status: fields.word("status"),
        user_name: fields.text("user_name"),
        legacy_id,
        metadata,
    };
    Ok(Content { id, created, body: Body::Backup(backup) })
}

fn ends_with_time_and_level(text: &str) -> bool {
    let mut parts = text.rsplit('_');
    let mut is_number =
        || parts.next().is_some_and(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()));
    is_number() && is_number()
}
