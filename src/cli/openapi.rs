//! `freezer-api openapi`: the description of the API.

use super::say;
use crate::openapi::{DEFAULT_SERVER, Settings, document};

/// Prints the document of a service as it is without configuration, whatever the configuration is.
pub fn run() {
    say(format_args!("{:#}", document(&Settings::default(), DEFAULT_SERVER)));
}
