//! Ids that the import makes. They are derived from the data, so that every run makes the same ids.

use uuid::Uuid;

use crate::import::legacy::Table;

/// The namespace of these ids.
fn namespace() -> Uuid {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, b"https://opendev.org/openstack/freezer-api")
}

/// The id of a row for something that has no id of its own.
pub fn made(kind: &str, parts: &[&str]) -> String {
    Uuid::new_v5(&namespace(), format!("{kind}/{}", parts.join("/")).as_bytes()).simple().to_string()
}

/// The id that replaces one that the columns cannot hold.
pub fn replacing(table: Table, id: &str) -> String {
    made("id", &[table.name(), id])
}

/// Whether an id may be one that an import has made.
pub fn is_made(id: &str) -> bool {
    id.len() == 32 && Uuid::try_parse(id).is_ok_and(|uuid| uuid.get_version_num() == 5)
}

/// Whether a text is a UUID, with dashes or without.
pub fn is_uuid(text: &str) -> bool {
    matches!(text.len(), 32 | 36) && Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_the_same_in_every_run_and_can_be_told_from_others() {
        assert_eq!(made("place", &["job", "0"]), made("place", &["job", "0"]));
        assert_ne!(made("place", &["job", "0"]), made("place", &["job", "1"]));
        assert_ne!(replacing(Table::Jobs, "a b"), replacing(Table::Clients, "a b"));
        assert!(is_made(&made("place", &["job", "0"])));
        for other in
            ["", "5d41402abc4b2a76b9719d911017c592", "not-an-id", "5d41402a-bc4b-5a76-8971-9d911017c592"]
        {
            assert!(!is_made(other), "{other}");
        }
    }
}
