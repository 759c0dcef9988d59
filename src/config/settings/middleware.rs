//! `[cors]`, each `[cors.<name>]`, and `[healthcheck]`.

use std::path::PathBuf;

use front::cors;
use front::health::{Backend, Health, Settings};
use oslo_config::Effective;

/// The CORS rules, those of `[cors]` first. A section without an origin is no rule.
pub fn cors(effective: &Effective) -> Vec<cors::Settings> {
    let mut names: Vec<&str> = vec!["cors"];
    for setting in &effective.settings {
        if setting.group.starts_with("cors.") && !names.contains(&setting.group.as_str()) {
            names.push(&setting.group);
        }
    }
    let rules = names.into_iter().map(|name| {
        let section = effective.section(name);
        cors::Settings {
            allowed_origins: section.list("allowed_origin"),
            allow_credentials: section.is("allow_credentials"),
            expose_headers: section.list("expose_headers"),
            max_age: section.count("max_age", u32::MAX),
            allow_methods: section.list("allow_methods"),
            allow_headers: section.list("allow_headers"),
        }
    });
    rules.filter(|rules| !rules.allowed_origins.is_empty()).collect()
}

/// How the health check answers.
pub fn health(effective: &Effective) -> Result<Settings, String> {
    let section = effective.section("healthcheck");
    let defaults = Settings::default();
    let path = section.string("path").unwrap_or(defaults.path);
    if !path.starts_with('/') {
        return Err(section.refuse("path", "it is not a path, as /healthcheck"));
    }
    let backends = section
        .list("backends")
        .iter()
        .map(|name| backend(name))
        .collect::<Option<_>>()
        .ok_or_else(|| {
            section
                .refuse("backends", "there are disable_by_file, disable_by_files_ports and enable_by_files")
        })?;
    let pairs = section.list("disable_by_file_paths");
    let pairs = pairs.iter().map(|pair| parse_port_path(pair)).collect::<Option<_>>();
    let settings = Settings {
        path,
        detailed: section.is("detailed"),
        backends,
        disable_by_file_path: section.path("disable_by_file_path"),
        disable_by_file_paths: pairs
            .ok_or_else(|| section.refuse("disable_by_file_paths", "it is not a list of port:path"))?,
        enable_by_file_paths: section.list("enable_by_file_paths").into_iter().map(PathBuf::from).collect(),
        allowed_source_ranges: section.list("allowed_source_ranges"),
        ignore_proxied_requests: section.is("ignore_proxied_requests"),
    };
    // The error names the option, but not its source.
    let refuse = |why: String| match why.split_once(": ") {
        Some((option, why)) => section.refuse(option, why),
        None => why,
    };
    Health::new(settings.clone()).map_err(refuse)?;
    Ok(settings)
}

fn backend(name: &str) -> Option<Backend> {
    match name {
        "disable_by_file" => Some(Backend::DisableByFile),
        "disable_by_files_ports" => Some(Backend::DisableByFilesPorts),
        "enable_by_files" => Some(Backend::EnableByFiles),
        _ => None,
    }
}

/// `port:path`
fn parse_port_path(text: &str) -> Option<(u16, PathBuf)> {
    let (port, path) = text.split_once(':')?;
    Some((port.trim().parse().ok()?, path.trim().into()))
}
