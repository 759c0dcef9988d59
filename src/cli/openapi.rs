//! `freezer-api openapi`: prints the OpenAPI document.

use super::say;
use crate::openapi::{DEFAULT_SERVER, Settings, document};

/// Prints the document of a service with default options; ignores the configuration.
pub fn run() {
    say(format_args!("{:#}", document(&Settings::default(), DEFAULT_SERVER)));
}
