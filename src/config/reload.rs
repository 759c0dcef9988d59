//! Reloads the configuration on SIGHUP: applies the options that can change while the service runs.

use oslo_config::{Effective, Setting};

use super::arguments::{Options, ServeOptions};
use super::load::load;
use super::settings::Config;

/// The state needed to read the configuration again.
pub struct Reload {
    options: Options,
    serve: ServeOptions,
    /// The configuration at the start. An option that differs from it needs a restart.
    started: Effective,
}

impl Reload {
    /// Keeps the command line and the configuration of the start.
    pub fn new(options: Options, serve: ServeOptions, started: Effective) -> Self {
        Self { options, serve, started }
    }

    /// Reads all sources again, applies the options that can change, and logs those that need a restart. An invalid
    /// configuration changes nothing.
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
        match oslo_log::apply(&config.logging) {
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
