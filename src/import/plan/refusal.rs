//! Rows that cannot be imported, whatever they refer to.

use crate::import::legacy::{Body, Row};

/// The most characters of an id of a user.
const MAX_USER: usize = 255;

/// The most characters of the name of a client.
const MAX_NAME: usize = 255;

/// The most characters of an action's words, and of the id of a trust.
const MAX_WORD: usize = 64;

/// Why a row cannot be imported: the reason, and a sentence. `text` is the row as JSON.
pub fn check(row: &Row, text: &str) -> Option<(&'static str, String)> {
    let longer = |column: &str, value: &str, most: usize| {
        (value.chars().count() > most).then(|| {
            ("too-long", format!("{column} is longer than {most} characters, and a cut one is another one."))
        })
    };
    if let Body::Broken = row.body {
        return None;
    }
    if has_zero(text) {
        return Some((
            "zero-byte",
            "There is a zero byte in a text, which PostgreSQL cannot hold.".to_owned(),
        ));
    }
    if let Some(refusal) = longer("user_id", &row.user, MAX_USER) {
        return Some(refusal);
    }
    match &row.body {
        Body::Client(client) => longer("client_id", &client.name, MAX_NAME),
        Body::Action(action) => word(&action.definition),
        Body::Job(job) => longer("client_id", &job.client, MAX_NAME),
        Body::Trust(trust) => longer("trust_id", &trust.trust_id, MAX_WORD)
            .or_else(|| longer("trustor_user_id", &trust.trustor_user_id, MAX_USER))
            .or_else(|| {
                let is_id = crate::store::is_id(&trust.trust_id);
                (!is_id).then(|| ("id-unusable", "trust_id is no id of a trust.".to_owned()))
            }),
        Body::Backup(_) => row
            .problems
            .iter()
            .find(|problem| problem.reason == "bad-json")
            .map(|problem| ("bad-json", problem.detail.clone())),
        _ => None,
    }
}

/// Why an action's definition cannot be imported.
pub fn word(definition: &serde_json::Map<String, serde_json::Value>) -> Option<(&'static str, String)> {
    ["action", "mode"].into_iter().find_map(|key| {
        let value = definition.get(key)?.as_str()?;
        (value.chars().count() > MAX_WORD).then(|| {
            ("too-long", format!("{key} is longer than {MAX_WORD} characters, and a cut one is another one."))
        })
    })
}

/// Whether a JSON text has an escaped zero in it.
fn has_zero(text: &str) -> bool {
    text.match_indices("\\u0000").any(|(at, _)| {
        let before = text.as_bytes().get(..at).unwrap_or_default();
        before.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 0
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_byte_is_found_and_an_escaped_backslash_is_none() {
        assert!(has_zero(r#"{"a":"\u0000"}"#));
        assert!(has_zero(r#"{"a":"\\\u0000"}"#));
        assert!(!has_zero(r#"{"a":"\\u0000"}"#));
        assert!(!has_zero(r#"{"a":"0"}"#));
    }
}
