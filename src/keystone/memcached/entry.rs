//! What is stored of a token: our own JSON, which another version of ours or another service does not take for its own.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::super::token::Token;
use super::Context;

/// A change in what an entry or a [`Token`] holds is a new format: an entry of an old one says nothing of what was added,
/// and nothing must not pass for a restriction that is not there.
const FORMAT: u32 = 2;

/// The clocks of those who share entries differ by no more than this.
const SKEW: TimeDelta = TimeDelta::seconds(10);

/// An entry.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry<T> {
    format: u32,
    /// The name that it is under.
    name: String,
    /// Where the Keystone is that said it.
    keystone: String,
    /// Whether Keystone was asked for the catalogue.
    catalog: bool,
    /// Whether Keystone was asked to say yes to a token that has ended.
    allow_expired: bool,
    /// When Keystone said it. For how long that is believed is up to the reader.
    said: DateTime<Utc>,
    token: T,
}

/// What an entry says.
#[derive(Debug, PartialEq, Eq)]
pub struct Known {
    /// The token.
    pub token: Token,
    /// Whether it may have ended already when Keystone said it.
    pub allow_expired: bool,
    /// For how long it is still believed.
    pub life: Duration,
}

impl Entry<Token> {
    /// Reads an entry that was under this name; none where it is of no use here, or of none any more.
    pub fn read(text: &[u8], name: &str, context: &Context) -> Option<Known> {
        let entry: Self = serde_json::from_slice(text).ok()?;
        let fits = entry.format == FORMAT
            && entry.name == name
            && entry.keystone == context.keystone
            && entry.catalog == context.catalog;
        let age = Utc::now() - entry.said;
        if !fits || age < -SKEW {
            return None;
        }
        let life =
            context.life.checked_sub(age.to_std().unwrap_or_default()).filter(|life| !life.is_zero())?;
        Some(Known { token: entry.token, allow_expired: entry.allow_expired, life })
    }
}

impl<'t> Entry<&'t Token> {
    /// Writes what Keystone said just now.
    pub fn write(name: &str, context: &Context, allow_expired: bool, token: &'t Token) -> Option<Vec<u8>> {
        let entry = Self {
            format: FORMAT,
            name: name.to_owned(),
            keystone: context.keystone.clone(),
            catalog: context.catalog,
            allow_expired,
            said: Utc::now(),
            token,
        };
        serde_json::to_vec(&entry).ok()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn token() -> Token {
        let body = json!({"token": {
            "user": {"id": "u", "name": "U", "domain": {"id": "d"}},
            "expires_at": "2999-01-01T00:00:00.123456Z",
            "project": {"id": "p", "name": "P", "domain": {"id": "pd"}},
            "domain": {"id": "x"},
            "system": {"all": true},
            "roles": [{"name": "admin"}, {"name": "a,\u{e9}"}],
            "is_admin_project": false,
            "application_credential": {"access_rules": [{"service": "backup", "method": "GET", "path": "/v2/**"}]},
            "catalog": [{"type": "backup"}],
            "bind": {"kerberos": "u@REALM"},
        }});
        Token::parse(body.to_string().as_bytes()).unwrap()
    }

    fn context() -> Context {
        Context { keystone: "http://k".to_owned(), catalog: true, life: Duration::from_secs(300) }
    }

    /// An entry with something else in it, read.
    fn read(change: impl FnOnce(&mut Value)) -> Option<Known> {
        let entry = Entry::write("name", &context(), false, &token()).unwrap();
        let mut entry = serde_json::from_slice(&entry).unwrap();
        change(&mut entry);
        Entry::read(entry.to_string().as_bytes(), "name", &context())
    }

    #[test]
    fn what_was_written_is_read_with_every_restriction() {
        let known = read(|_| {}).unwrap();
        assert_eq!((known.token, known.allow_expired), (token(), false));
        assert!(known.life > Duration::from_secs(200) && known.life <= Duration::from_secs(300));
        assert!(read(|entry| entry["allow_expired"] = json!(true)).unwrap().allow_expired);
        let plain =
            Token::parse(br#"{"token": {"user": {"id": "u"}, "expires_at": "2999-01-01T00:00:00Z"}}"#)
                .unwrap();
        let entry = Entry::write("name", &context(), false, &plain).unwrap();
        assert_eq!(Entry::read(&entry, "name", &context()).unwrap().token, plain);
    }

    #[test]
    fn what_is_not_for_us_is_nothing() {
        for (field, value) in [
            ("format", json!(1)),
            ("format", json!(3)),
            ("name", json!("other")),
            ("keystone", json!("http://other")),
            ("catalog", json!(false)),
            ("allow_expired", json!("no")),
            ("said", json!("soon")),
            ("token", json!({})),
            ("token", Value::Null),
            ("more", json!(1)),
        ] {
            assert_eq!(read(|entry| entry[field] = value.clone()), None, "{field}: {value}");
        }
        assert_eq!(read(|entry| entry["token"]["more"] = json!(1)), None);
        for text in ["", "{}", "null", "[]", "\u{0}", "{\"format\": 1"] {
            assert_eq!(Entry::read(text.as_bytes(), "name", &context()), None, "{text}");
        }
    }

    #[test]
    fn an_entry_is_believed_for_as_long_as_the_reader_believes_keystone() {
        let said = |seconds: i64| {
            move |entry: &mut Value| {
                entry["said"] = json!(Utc::now() + TimeDelta::seconds(seconds));
            }
        };
        let life = read(said(-200)).unwrap().life;
        assert!(life <= Duration::from_secs(100) && life > Duration::from_secs(50), "{life:?}");
        assert_eq!(read(said(-301)), None);
        assert_eq!(read(said(-400_000_000)), None);
        assert!(read(said(5)).unwrap().life <= Duration::from_secs(300));
        assert_eq!(read(said(60)), None, "from the future");
    }
}
