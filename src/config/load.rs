//! Reads the configuration of this service: the command line, the environment and the files.

use std::path::PathBuf;

use oslo_config::ini::normalized;
use oslo_config::{Effective, Evaluator, Files, Setting, Sources};

use super::arguments::{Options, ServeOptions};
use super::strategy::{AuthStrategy, strategy};
use super::table::{self, CORS, FORMER, PLUGIN, REACHED};

/// The name prefixes of configuration files: the project's, and the program's, which takes precedence.
const NAMES: [&str; 2] = ["freezer", "freezer-api"];

/// Reads the files and the environment.
///
/// # Errors
/// A sentence for the operator: a file cannot be read or parsed, or a value is not valid.
pub fn load(options: &Options, serve: Option<&ServeOptions>) -> Result<Effective, String> {
    let files = Files::load(NAMES, &options.config_file, &options.config_dir)?;
    let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    let environment = environment.filter(|(name, _)| name.starts_with("OS_")).collect();
    let sources = Sources { command_line: options.cli_values(serve), environment, files: files.read };
    resolve(&sources, files.directories)
}

/// Evaluates the sources.
///
/// # Errors
/// A sentence for the operator: a value is not valid.
pub fn resolve(sources: &Sources, directories: Vec<PathBuf>) -> Result<Effective, String> {
    let mut evaluator = Evaluator::new(sources, table::options());
    let mut trustee = None;
    for (group, reached) in [("keystone_authtoken", &[][..]), ("centralized_scheduler", REACHED)] {
        let section = evaluator.setting(group, "auth_section")?.and_then(Setting::text).map(normalized);
        if let Some(section) = section {
            evaluator.add(&section, PLUGIN.iter().chain(reached));
            trustee = Some(section);
        }
    }
    let entries = sources.files.iter().flat_map(|file| &file.entries);
    for entry in entries.filter(|entry| entry.section.starts_with("cors.")) {
        evaluator.add(&entry.section, CORS);
    }
    let mut effective = Effective::new(evaluator, FORMER, directories)?;
    effective.inherit("cors", |setting| {
        setting.group.starts_with("cors.") && setting.opt.name != "allowed_origin"
    });
    // Trusts are made by the same Keystone that validates tokens.
    effective.inherit("keystone_authtoken", |setting| {
        let is_trustees = trustee.as_ref() == Some(&setting.group);
        is_trustees && REACHED.iter().any(|opt| opt.name == setting.opt.name)
    });
    if let Ok(strategy) = strategy(&effective) {
        // The other strategies listen on an open network only if `bind_host` says so.
        let bind_host = if strategy == AuthStrategy::Keystone { "0.0.0.0" } else { "127.0.0.1" };
        effective.set_default("DEFAULT", "auth_strategy", strategy.name());
        effective.set_default("DEFAULT", "bind_host", bind_host);
    }
    Ok(effective)
}

#[cfg(test)]
mod tests;
