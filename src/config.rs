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
mod option;
mod reload;
mod sample;
mod settings;
mod show;
mod table;
mod template;

pub use arguments::{Options, ServeOptions};
pub use effective::{Effective, Setting, Source};
pub use option::Value;
pub use reload::Reload;
pub use sample::sample;
pub use settings::{AuthStrategy, Config};
