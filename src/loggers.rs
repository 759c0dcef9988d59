//! The names of loggers that differ from the paths of their modules. Operators set levels by these names.

use oslo_log::Aliases;

/// A crate's modules log under the names of the service's modules, because they are parts of the service. Modules that
/// have moved keep their names.
pub const ALIASES: &Aliases = &[
    ("freezer_api::handlers::job_document", "freezer_api.handlers.jobs"),
    ("freezer_api::store::engine", "freezer_api.store"),
    ("front", "freezer_api"),
    ("keystone_auth", "freezer_api.keystone"),
    ("oslo_config", "freezer_api.config"),
    ("oslo_log", "freezer_api.logging"),
    ("oslo_policy", "freezer_api.policy"),
];

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use oslo_log::logger_name;

    use super::*;

    #[test]
    fn every_crate_logs_under_the_services_name() {
        let crates = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates")).unwrap();
        for name in crates.map(|entry| entry.unwrap().file_name().into_string().unwrap().replace('-', "_")) {
            assert!(logger_name(ALIASES, &name).starts_with("freezer_api"), "{name} has no alias");
        }
    }

    #[test]
    fn loggers_keep_their_names() {
        for (target, name) in [
            ("freezer_api::store::jobs", "freezer_api::store::jobs"),
            ("freezer_api::handlers::job_document::trust", "freezer_api.handlers.jobs.trust"),
            ("freezer_api::store::engine::pool", "freezer_api.store.pool"),
            ("front::http", "freezer_api.http"),
            ("front::server::edge", "freezer_api.server.edge"),
            ("keystone_auth", "freezer_api.keystone"),
            ("keystone_auth::client", "freezer_api.keystone.client"),
            ("oslo_log::logger", "freezer_api.logging.logger"),
            ("oslo_policy", "freezer_api.policy"),
            ("oslo_policy::files", "freezer_api.policy.files"),
        ] {
            assert_eq!(logger_name(ALIASES, target), name);
        }
    }
}
