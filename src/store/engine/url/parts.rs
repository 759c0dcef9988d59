//! SQLAlchemy's grammar of a database URL. It differs from that of web addresses: a password may contain any character but
//! `@`, even those that would end the authority.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The characters that are percent-encoded in a URL.
const SPECIAL: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same for options, which contain paths of files.
const SPECIAL_IN_OPTIONS: &AsciiSet = &SPECIAL.remove(b'/');

/// The decoded parts of the URL of a database server.
#[derive(Default)]
pub struct Parts {
    /// The user; `None` for the driver's default.
    pub user: Option<String>,
    /// The password.
    pub password: Option<String>,
    /// `host`, `host:port`, or for PostgreSQL several of them with commas between; not decoded.
    pub hosts: String,
    /// The name of the database; `None` if it is empty.
    pub database: Option<String>,
    /// The options in their order, without those that have no value, as in SQLAlchemy.
    pub options: Vec<(String, String)>,
}

impl Parts {
    /// Parses the text behind `://`.
    ///
    /// # Errors
    /// A sentence for the operator. It does not repeat the URL.
    pub fn parse(rest: &str) -> Result<Self, String> {
        let (credentials, rest) = credentials(rest);
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (hosts, database) = place.split_once('/').unwrap_or((place, ""));
        let (user, password) = match credentials.and_then(|text| text.split_once(':')) {
            Some((user, password)) => (Some(user), Some(password)),
            None => (credentials, None),
        };
        let is_host = |c: char| c.is_ascii_alphanumeric() || ".-_:,[]%".contains(c);
        if !hosts.chars().all(is_host) {
            return Err("The host in the database URL is no host name. An `@` in the password has to be written %40, \
                        and a `/` in the user name %2F."
                .to_owned());
        }
        let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
        Ok(Self {
            user: filled(user.map(|text| decoded(text, "user name")).transpose()?),
            password: password.map(|text| decoded(text, "password")).transpose()?,
            hosts: hosts.to_owned(),
            database: filled(Some(decoded(database, "name of the database")?)),
            options: options(query)?,
        })
    }

    /// The URL for a driver, with every part encoded.
    pub fn compose(&self, scheme: &str, options: &[(String, String)]) -> String {
        let mut url = format!("{scheme}://");
        if let Some(user) = &self.user {
            url += &encoded(user);
        }
        if let Some(password) = &self.password {
            url += &format!(":{}", encoded(password));
        }
        if self.user.is_some() || self.password.is_some() {
            url.push('@');
        }
        url += &self.hosts;
        url.push('/');
        url += &self.database.as_deref().map(encoded).unwrap_or_default();
        for (number, (key, value)) in options.iter().enumerate() {
            url += if number == 0 { "?" } else { "&" };
            let encoded = |text| utf8_percent_encode(text, SPECIAL_IN_OPTIONS);
            url += &format!("{}={}", encoded(key), encoded(value));
        }
        url
    }

    /// The last value of an option.
    pub fn option(&self, key: &str) -> Option<&str> {
        self.options.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }
}

/// The credentials, if there are any, and the text behind their `@`. A user name ends at the first colon or slash, a password
/// at the first `@`.
fn credentials(rest: &str) -> (Option<&str>, &str) {
    let end = rest.find([':', '/']).unwrap_or(rest.len());
    let (head, tail) = rest.split_at(end);
    if let Some(at) = head.rfind('@') {
        return (Some(&rest[..at]), &rest[at + 1..]);
    }
    match tail.find('@') {
        Some(at) if tail.starts_with(':') => (Some(&rest[..end + at]), &rest[end + at + 1..]),
        _ => (None, rest),
    }
}

fn options(query: &str) -> Result<Vec<(String, String)>, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| {
            let text = |text: &str| decoded(&text.replace('+', " "), "options");
            Ok((text(key)?, text(value)?))
        })
        .collect()
}

/// Decodes percent-encoded text.
pub fn decoded(text: &str, what: &str) -> Result<String, String> {
    match percent_decode_str(text).decode_utf8() {
        Ok(text) if !text.contains('\0') => Ok(text.into_owned()),
        _ => Err(format!("The {what} in the database URL is not UTF-8, or holds a NUL.")),
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, SPECIAL).to_string()
}

/// Appends the options of `connection_parameters` (`k=v&...`) to a URL.
pub fn with_parameters(url: &str, parameters: &str) -> String {
    let parameters = parameters.trim().trim_start_matches(['?', '&']);
    if parameters.is_empty() {
        return url.to_owned();
    }
    // A question mark in the password does not begin the options.
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let has_options = credentials(rest).1.contains('?');
    format!("{url}{}{parameters}", if has_options { '&' } else { '?' })
}
