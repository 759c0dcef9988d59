//! The configuration: read once at the start, evaluated and passed down.
//!
//! It follows oslo.config, so that the file of the Python service works unchanged (contract, conventions §4).
//! [`Options`] is the command line; [`files`] finds and [`ini`] parses the files; [`table`] declares the options;
//! [`Effective`] holds the value of each option and its source. [`Config`] has the settings of every module.

mod arguments;
mod effective;
mod evaluate;
mod files;
mod ini;
mod load;
mod option;
mod reload;
mod sample;
mod setting;
mod settings;
mod show;
mod strategy;
mod table;
mod template;

pub use arguments::{Options, ServeOptions};
pub use effective::Effective;
pub use load::load;
pub use option::Value;
pub use reload::Reload;
pub use setting::{Setting, Source};
pub use settings::{Config, database, openrc, policy, store};
pub use strategy::AuthStrategy;

/// A configuration file with every option in it, none of them set.
pub fn sample() -> String {
    let head = "# The configuration of freezer-api. Every option is shown with its default; docs/CONFIGURATION.md says more.\n";
    sample::sample(head, table::SECTIONS)
}
