//! The configuration: what was given, and what it comes to. Read once at the start and passed down.
//!
//! It is oslo.config's, so that the file of the Python service works unchanged (contract, conventions §4):
//! [`Options`] is the command line, [`files`] finds and [`ini`] parses the files, [`table`] says which options there
//! are, and [`Effective`] is what each of them comes to, and from where. [`Config`] gives every room its settings.

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
