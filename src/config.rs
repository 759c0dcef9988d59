//! The configuration: read once at the start, evaluated and passed down.
//!
//! It follows oslo.config, so that the file of the Python service works unchanged (contract, conventions §4).
//! [`Options`] is the command line; [`table`] declares the options; [`oslo_config`] finds and parses the files and gives
//! the value of each option with its source. [`Config`] has the settings of every module.

mod arguments;
mod load;
mod reload;
mod settings;
mod strategy;
mod table;

pub use arguments::{Options, ServeOptions};
pub use load::load;
pub use reload::Reload;
pub use settings::{Config, database, openrc, policy, store};
pub use strategy::AuthStrategy;

/// A configuration file with every option in it, none of them set.
pub fn sample() -> String {
    let head = "# The configuration of freezer-api. Every option is shown with its default; docs/CONFIGURATION.md says more.\n";
    oslo_config::sample(head, table::SECTIONS)
}
