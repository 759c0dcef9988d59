//! Ids that are made of what a document says, so that each run makes the same ones.

use uuid::Uuid;

/// The namespace of ids that an import makes (`uuid5(NAMESPACE_URL, "https://opendev.org/openstack/freezer-api")`).
fn namespace() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, b"https://opendev.org/openstack/freezer-api")
}

/// The id of what `name` stands for, 32 hex digits.
pub fn made_id(kind: &str, name: &str) -> String {
    Uuid::new_v5(&namespace(), format!("{kind}/{name}").as_bytes()).simple().to_string()
}

/// Whether a text is a UUID, with dashes or without.
pub fn is_uuid(text: &str) -> bool {
    matches!(text.len(), 32 | 36) && Uuid::try_parse(text).is_ok()
}

/// Whether a text can be an id of ours: up to 64 letters, digits, `_` and `-`.
pub fn is_usable(text: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    (1..=64).contains(&text.len()) && text.bytes().all(is_word)
}
