//! Waits at the start for a database that is not up yet, as when a whole cloud boots.

use std::time::Duration;

use diesel::result::ConnectionError;

use super::dialect::{FailureKind, classify};
use super::manager::establish_with;
use super::settings::Settings;
use super::url::DatabaseUrl;

/// How long one attempt may take: the drivers give up after 10 seconds, and a name may have several addresses.
const ATTEMPT: Duration = Duration::from_secs(60);

/// Parts of the messages by which MySQL, MariaDB and PostgreSQL refuse a connection for good: waiting does not help.
const REFUSALS: &[&str] = &[
    "access denied",
    "unknown database",
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied for database",
    // libpq cannot parse an address in brackets.
    " in uri",
];

/// Waits until the database accepts a connection, for at most `max_retries` times `retry_interval`. Calls `on_wait` before
/// each pause, with the reason and the longest time that the pause and the next attempt may take.
///
/// # Errors
/// A sentence for the operator: the database did not answer, or refused the connection.
pub fn wait_for(
    url: &DatabaseUrl,
    settings: &Settings,
    on_wait: impl Fn(&str, Duration),
) -> Result<(), String> {
    let mut left = settings.max_retries;
    loop {
        let error = match establish_with(url, settings) {
            Ok(_) => return Ok(()),
            Err(error) => error,
        };
        let is_last = left == Some(0) || !is_outage(&error);
        if is_last {
            return Err(format!("The database {url:?} cannot be reached: {error}"));
        }
        let pause = settings.retry_interval;
        match left.as_mut() {
            Some(left) => {
                log::warn!(
                    "the database {url:?} cannot be reached, {left} attempts left, the next in {pause:?}: {error}"
                );
                *left -= 1;
            }
            None => {
                log::warn!("the database {url:?} cannot be reached, the next attempt in {pause:?}: {error}")
            }
        }
        on_wait(&format!("Waiting for the database {url:?}"), pause + ATTEMPT);
        std::thread::sleep(pause);
    }
}

/// Whether a later attempt may succeed.
fn is_outage(error: &ConnectionError) -> bool {
    let message = match error {
        ConnectionError::BadConnection(message) => message.to_ascii_lowercase(),
        // A Galera node that is not ready accepts the connection and then refuses every statement.
        ConnectionError::CouldntSetupConfiguration(error) => {
            return classify(error) == FailureKind::Connection;
        }
        _ => return false,
    };
    !REFUSALS.iter().any(|refusal| message.contains(refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_outage_is_waited_for() {
        let is_waited_for = |message: &str| is_outage(&ConnectionError::BadConnection(message.to_owned()));
        for message in [
            "Can't connect to server on 'db' (111)",
            "Unknown server host 'db' (-2)",
            "Lost connection to server at 'handshake: reading initial communication packet', system error: 104",
            "Too many connections",
            "connection to server at \"db\" (10.0.0.1), port 5432 failed: Connection refused",
            "connection to server at \"db\" failed: FATAL:  the database system is starting up",
            "could not translate host name \"db\" to address: Name or service not known",
        ] {
            assert!(is_waited_for(message), "{message}");
        }
        for message in [
            "Access denied for user 'freezer'@'localhost' (using password: YES)",
            "Unknown database 'freezer'",
            "connection to server failed: FATAL:  password authentication failed for user \"freezer\"",
            "connection to server failed: FATAL:  database \"freezer\" does not exist",
            "IPv6 host address may not be empty in URI: \"postgresql://[]/freezer\"",
        ] {
            assert!(!is_waited_for(message), "{message}");
        }
        assert!(!is_outage(&ConnectionError::InvalidConnectionUrl("nonsense".to_owned())));
    }
}
