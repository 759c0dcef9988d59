//! The configuration options of the command line.

use std::path::PathBuf;

use clap::ValueEnum;
use clap::builder::BoolishValueParser;
use oslo_config::CliValue;

use super::strategy::AuthStrategy;

/// The options of every command. They may hold a password, so there is no [`Debug`](std::fmt::Debug).
#[derive(Clone, Default, clap::Args)]
pub struct Options {
    /// Read this configuration file; may be repeated, the later is the stronger [default: freezer.conf and
    /// freezer-api.conf, each in ~/.freezer, ~, /etc/freezer or /etc]
    #[arg(long, global = true, value_name = "PATH")]
    pub config_file: Vec<PathBuf>,
    /// Read the files *.conf of this directory after the others; may be repeated [default: freezer.conf.d and
    /// freezer-api.conf.d in the same places]
    #[arg(long, global = true, value_name = "PATH")]
    pub config_dir: Vec<PathBuf>,
    /// The database, as SQLAlchemy or Diesel writes it [default: sqlite:///freezer.sqlite]
    #[arg(long, global = true, value_name = "URL")]
    pub database_connection: Option<String>,
    /// Work with a database schema that a newer release has migrated, at your own risk
    #[arg(long, global = true)]
    pub allow_newer_schema: bool,
    /// Log at level debug [default: false]
    #[arg(
        short,
        long,
        global = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub debug: Option<bool>,
    /// Log to this file
    #[arg(long, global = true, value_name = "PATH")]
    pub log_file: Option<String>,
    /// The directory of the log file
    #[arg(long, global = true, value_name = "PATH")]
    pub log_dir: Option<String>,
    /// Log to systemd's journal [default: false]
    #[arg(
        long,
        global = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub use_journal: Option<bool>,
    /// Log in JSON [default: false]
    #[arg(
        long,
        global = true,
        value_name = "BOOL",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "true",
        value_parser = BoolishValueParser::new()
    )]
    pub use_json: Option<bool>,
}

/// The options of `serve`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ServeOptions {
    /// The address or name to listen on [default: 0.0.0.0 with keystone, else 127.0.0.1]
    #[arg(long, value_name = "HOST")]
    pub bind_host: Option<String>,
    /// The port to listen on; 0 picks a free one [default: 9090]
    #[arg(long, value_name = "PORT")]
    pub bind_port: Option<u16>,
    /// How callers are known [default: keystone where [keystone_authtoken] is filled in, else standalone with SQLite]
    #[arg(long, value_enum, value_name = "STRATEGY")]
    pub auth_strategy: Option<AuthStrategy>,
    /// How many requests are served at the same time; also the most database connections [default: 16]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub workers: Option<u16>,
    /// Where the first start with standalone writes the administrator's openrc file [default: beside the SQLite file]
    #[arg(long, value_name = "PATH")]
    pub openrc: Option<PathBuf>,
}

impl Options {
    /// The values that the command line gives to options.
    pub fn cli_values(&self, serve: Option<&ServeOptions>) -> Vec<CliValue> {
        let text = |option: &Option<String>| option.clone();
        let bool = |option: Option<bool>| option.map(|value| value.to_string());
        let mut all = vec![
            ("database", "connection", "--database-connection", text(&self.database_connection)),
            ("DEFAULT", "debug", "--debug", bool(self.debug)),
            ("DEFAULT", "log_file", "--log-file", text(&self.log_file)),
            ("DEFAULT", "log_dir", "--log-dir", text(&self.log_dir)),
            ("DEFAULT", "use_journal", "--use-journal", bool(self.use_journal)),
            ("DEFAULT", "use_json", "--use-json", bool(self.use_json)),
        ];
        if let Some(serve) = serve {
            let strategy = serve.auth_strategy.and_then(|strategy| strategy.to_possible_value());
            all.extend([
                ("DEFAULT", "bind_host", "--bind-host", text(&serve.bind_host)),
                ("DEFAULT", "bind_port", "--bind-port", serve.bind_port.map(|port| port.to_string())),
                (
                    "DEFAULT",
                    "auth_strategy",
                    "--auth-strategy",
                    strategy.map(|value| value.get_name().to_owned()),
                ),
                ("DEFAULT", "workers", "--workers", serve.workers.map(|workers| workers.to_string())),
            ]);
        }
        let cli_value = |(group, name, flag, value): (_, _, _, Option<String>)| {
            Some(CliValue { group, name, flag, value: value? })
        };
        all.into_iter().filter_map(cli_value).collect()
    }
}
