//! oslo.log's options in `[DEFAULT]`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use log::LevelFilter;
use oslo_config::{Effective, Section};
use oslo_log::{RateLimit, Settings, Severity, parse_level};

/// The settings of the log.
pub fn settings(effective: &Effective) -> Result<Settings, String> {
    let section = effective.section("DEFAULT");
    let if_set = |name: &str| section.string(name).filter(|_| section.is_set(name));
    let facility = section.string("syslog_log_facility").unwrap_or_else(|| "LOG_USER".to_owned());
    Ok(Settings {
        debug: section.is("debug"),
        levels: levels(section)?,
        file: file(section),
        stderr: section.is_set("use_stderr").then(|| section.is("use_stderr")),
        color: section.is("log_color"),
        journal: section.is("use_journal"),
        journal_facility: facility.clone(),
        syslog: section.is("use_syslog").then_some(facility),
        json: section.is("use_json"),
        date_format: section.string("log_date_format").unwrap_or_else(|| Settings::default().date_format),
        context_format: if_set("logging_context_format_string"),
        default_format: if_set("logging_default_format_string"),
        user_identity_format: section.string("logging_user_identity_format").unwrap_or_default(),
        debug_suffix: if_set("logging_debug_format_suffix"),
        exception_prefix: if_set("logging_exception_prefix"),
        rate_limit: rate_limit(section),
    })
}

fn file(section: Section<'_>) -> Option<PathBuf> {
    let directory = section.text("log_dir").map(Path::new);
    match (section.text("log_file"), directory) {
        (Some(file), Some(directory)) => Some(directory.join(file)),
        (Some(file), None) => Some(file.into()),
        (None, Some(directory)) => Some(directory.join("freezer-api.log")),
        (None, None) => None,
    }
}

fn levels(section: Section<'_>) -> Result<Vec<(String, LevelFilter)>, String> {
    let levels =
        section.list("default_log_levels").into_iter().filter_map(|pair| parse_level(&pair).transpose());
    levels.collect::<Result<_, _>>().map_err(|why| section.refuse("default_log_levels", &why))
}

fn rate_limit(section: Section<'_>) -> Option<RateLimit> {
    let interval = section.count("rate_limit_interval", u64::MAX).filter(|seconds| *seconds > 0)?;
    let burst = section.count("rate_limit_burst", u32::MAX).filter(|burst| *burst > 0)?;
    let except = section.text("rate_limit_except_level").and_then(Severity::parse);
    Some(RateLimit { interval: Duration::from_secs(interval), burst, except })
}
