//! The health check, as oslo.middleware's (contract, conventions §3).

use std::path::PathBuf;

/// `[healthcheck]`. The defaults are oslo.middleware's, with upstream freezer's backend and file.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `path` (`/healthcheck`)
    pub path: String,
    /// `detailed` (false): tell more than needed; for a network that is trusted.
    pub detailed: bool,
    /// `backends` (`disable_by_file`)
    pub backends: Vec<Backend>,
    /// `disable_by_file_path` (`/etc/freezer/healthcheck_disable`)
    pub disable_by_file_path: Option<PathBuf>,
    /// `disable_by_file_paths`: by port.
    pub disable_by_file_paths: Vec<(u16, PathBuf)>,
    /// `enable_by_file_paths`: by port where one is given.
    pub enable_by_file_paths: Vec<(Option<u16>, PathBuf)>,
    /// `allowed_source_ranges`: who may ask; everybody where it is empty. Networks as CIDR.
    pub allowed_source_ranges: Vec<String>,
    /// `ignore_proxied_requests` (false): answer only who asks directly.
    pub ignore_proxied_requests: bool,
}

/// What decides on the node's health.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Out of service while the file is there.
    DisableByFile,
    /// Out of service while the file of the port asked on is there.
    DisableByFilesPorts,
    /// In service while one of the files is there.
    EnableByFiles,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            path: "/healthcheck".to_owned(),
            detailed: false,
            backends: vec![Backend::DisableByFile],
            disable_by_file_path: Some("/etc/freezer/healthcheck_disable".into()),
            disable_by_file_paths: Vec::new(),
            enable_by_file_paths: Vec::new(),
            allowed_source_ranges: Vec::new(),
            ignore_proxied_requests: false,
        }
    }
}
