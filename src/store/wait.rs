//! Waiting for a database that is not there yet, as when a whole cloud is switched on.

use std::time::Duration;

use diesel::result::ConnectionError;

use super::connection::establish_with;
use super::dialect::{Failed, classify};
use super::settings::Settings;
use super::url::DatabaseUrl;

/// How long one attempt may take: the drivers give up after 10 seconds, and a name may have several addresses.
const ATTEMPT: Duration = Duration::from_secs(60);

/// What no waiting mends, in the words of MySQL, MariaDB and PostgreSQL: the database is there and says no.
const REFUSALS: &[&str] = &[
    "access denied",
    "unknown database",
    "authentication failed",
    "no password supplied",
    "no pg_hba.conf entry",
    "does not exist",
    "permission denied for database",
    // libpq's of an address in brackets that it cannot take apart.
    " in uri",
];

/// Waits until the database gives a connection: `max_retries` times `retry_interval` at most. Before each pause `on_wait`
/// is told why, and how long that and the next attempt may take.
///
/// # Errors
/// A sentence for the operator: the database did not answer, or it refuses us.
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
        // An attempt itself takes as long as the driver lets it.
        on_wait(&format!("Waiting for the database {url:?}"), pause + ATTEMPT);
        std::thread::sleep(pause);
    }
}

/// Whether the database may be there the next time.
fn is_outage(error: &ConnectionError) -> bool {
    let message = match error {
        ConnectionError::BadConnection(message) => message.to_ascii_lowercase(),
        // A node of Galera that is not ready lets us in and then does nothing for us.
        ConnectionError::CouldntSetupConfiguration(error) => return classify(error) == Failed::Connection,
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
