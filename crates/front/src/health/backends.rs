//! The backends that check files.

use std::path::Path;

use super::{Backend, Finding, Settings};

/// The name by which operators set the level of these log lines.
const TARGET: &str = "freezer_api::handlers::health::backends";

/// The findings of the configured backends, in their order, for a request to `port`.
pub fn check(settings: &Settings, port: u16) -> Vec<Finding> {
    settings.backends.iter().map(|backend| check_backend(*backend, settings, port)).collect()
}

fn check_backend(backend: Backend, settings: &Settings, port: u16) -> Finding {
    match backend {
        Backend::DisableByFile => match &settings.disable_by_file_path {
            Some(file) => disabled_by(file),
            None => available("disable_by_file_path is not set".to_owned()),
        },
        Backend::DisableByFilesPorts => {
            // The last of several files for a port counts.
            match settings.disable_by_file_paths.iter().rev().find(|(of, _)| *of == port) {
                Some((_, file)) => disabled_by(file),
                None => available(format!("disable_by_file_paths has no file for port {port}")),
            }
        }
        Backend::EnableByFiles => match settings.enable_by_file_paths.iter().find(|file| !file.exists()) {
            Some(file) => {
                log::warn!(target: TARGET, "health check: {} is missing", file.display());
                unavailable("FILE PATH MISSING", format!("{} is missing", file.display()))
            }
            None => available("The files of enable_by_file_paths are there".to_owned()),
        },
    }
}

fn disabled_by(file: &Path) -> Finding {
    if file.exists() {
        unavailable("DISABLED BY FILE", format!("Path '{}' was found", file.display()))
    } else {
        available(format!("Path '{}' was not found", file.display()))
    }
}

/// The class of these results in oslo.middleware's detailed form.
const CLASS: &str = "HealthcheckResult";

fn available(details: String) -> Finding {
    Finding { available: true, class: CLASS, reason: "OK", details }
}

fn unavailable(reason: &'static str, details: String) -> Finding {
    Finding { available: false, class: CLASS, reason, details }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    /// The reasons of the findings for port 9090.
    fn reason(settings: &Settings) -> Vec<&'static str> {
        let findings = check(settings, 9090);
        for finding in &findings {
            assert_eq!(finding.available, finding.reason == "OK");
        }
        findings.into_iter().map(|finding| finding.reason).collect()
    }

    #[test]
    fn files_decide_whether_the_node_is_in_service() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let (there, gone) = (file.path().to_owned(), PathBuf::from("/nowhere/file"));
        let with = |backend| Settings { backends: vec![backend], ..Settings::default() };

        let disable = |path| Settings { disable_by_file_path: path, ..with(Backend::DisableByFile) };
        assert_eq!(reason(&disable(None)), ["OK"]);
        assert_eq!(reason(&disable(Some(gone.clone()))), ["OK"]);
        assert_eq!(reason(&disable(Some(there.clone()))), ["DISABLED BY FILE"]);

        let ports = |paths| Settings { disable_by_file_paths: paths, ..with(Backend::DisableByFilesPorts) };
        assert_eq!(reason(&ports(vec![])), ["OK"]);
        assert_eq!(reason(&ports(vec![(9091, there.clone()), (9090, gone.clone())])), ["OK"]);
        assert_eq!(reason(&ports(vec![(9091, gone.clone()), (9090, there.clone())])), ["DISABLED BY FILE"]);

        let enable = |paths| Settings { enable_by_file_paths: paths, ..with(Backend::EnableByFiles) };
        assert_eq!(reason(&enable(vec![])), ["OK"]);
        assert_eq!(reason(&enable(vec![there.clone()])), ["OK"]);
        assert_eq!(reason(&enable(vec![there.clone(), gone])), ["FILE PATH MISSING"]);

        let both = vec![Backend::DisableByFilesPorts, Backend::DisableByFile];
        let both = Settings { backends: both, ..disable(Some(there)) };
        assert_eq!(reason(&both), ["OK", "DISABLED BY FILE"]);
        assert!(reason(&Settings { backends: vec![], ..Settings::default() }).is_empty());
    }
}
