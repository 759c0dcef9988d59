//! SIGHUP: what can change while the service runs, does.

use super::arguments::{Options, ServeOptions};
use super::effective::Effective;
use super::load::load;
use super::setting::Setting;
use super::settings::Config;
use crate::logging;

/// What is needed to read the configuration again.
pub struct Reload {
    options: Options,
    serve: ServeOptions,
    /// As it was at the start, for what needs another one.
    started: Effective,
}

impl Reload {
    /// Remembers what the service was started with.
    pub fn new(options: Options, serve: ServeOptions, started: Effective) -> Self {
        Self { options, serve, started }
    }

    /// Reads everything again, applies what can change, and says in the log what cannot. A configuration that is not
    /// valid changes nothing.
    pub fn run(&self) {
        let read = load(&self.options, Some(&self.serve));
        let valid = read.and_then(|fresh| Ok((Config::new(&fresh, self.serve.openrc.as_deref())?, fresh)));
        let (config, fresh) = match valid {
            Ok(valid) => valid,
            Err(why) => {
                return log::error!("SIGHUP: the configuration is not valid, nothing is changed: {why}");
            }
        };
        for warning in &fresh.warnings {
            log::warn!("{warning}");
        }
        match logging::apply(&config.logging) {
            Ok(changed) if changed.is_empty() => log::info!("SIGHUP: the configuration was read again"),
            Ok(changed) => log::info!("SIGHUP: changed: {}", changed.join(", ")),
            Err(why) => return log::error!("SIGHUP: nothing is changed: {}", fresh.located(&why)),
        }
        let restart: Vec<String> = self.started.differences(&fresh).into_iter().map(Setting::name).collect();
        if !restart.is_empty() {
            log::warn!("SIGHUP: changed, but only in effect after a restart: {}", restart.join(", "));
        }
    }
}
