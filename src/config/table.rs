//! The table of options: all of the Python service, and those that only this service has.
//!
//! Names, types and defaults are upstream's (contract, conventions §1 to §5). Where a default differs, the help says
//! why.

mod database;
mod general;
mod keystone;
mod logging;
mod middleware;
mod policy;
mod quotas;

use oslo_config::option::{Opt, Section};

pub use keystone::{FORMER, PLUGIN, REACHED};
pub use middleware::CORS;

/// The sections, in the order of the sample.
pub const SECTIONS: &[Section] = &[
    Section {
        name: "DEFAULT",
        parts: &[("freezer-api", general::DEFAULT), ("the log, as oslo.log's", logging::OPTIONS)],
    },
    Section { name: "database", parts: &[("the database, as oslo.db's", database::OPTIONS)] },
    Section {
        name: "keystone_authtoken",
        parts: &[
            ("Keystone, as keystonemiddleware's", keystone::OPTIONS),
            ("who we are to Keystone, as keystoneauth's", keystone::PLUGIN),
        ],
    },
    Section { name: "api_v1", parts: &[("freezer-api", general::API_V1)] },
    Section { name: "centralized_scheduler", parts: &[("freezer-api", general::CENTRALIZED_SCHEDULER)] },
    Section { name: "oslo_policy", parts: &[("oslo.policy", policy::OPTIONS)] },
    Section { name: "oslo_middleware", parts: &[("oslo.middleware", middleware::OPTIONS)] },
    Section { name: "cors", parts: &[("oslo.middleware", middleware::CORS)] },
    Section { name: "healthcheck", parts: &[("oslo.middleware", middleware::HEALTHCHECK)] },
    Section { name: "quotas", parts: &[("freezer-api, not in the Python service", quotas::OPTIONS)] },
    Section { name: "paste_deploy", parts: &[("freezer-api", general::PASTE_DEPLOY)] },
    Section { name: "storage", parts: &[("freezer-api", general::STORAGE)] },
];

/// Every option with its section.
pub fn options() -> Vec<(String, &'static Opt)> {
    let of_section = |section: &'static Section| section.parts.iter().flat_map(|(_, options)| options.iter());
    SECTIONS
        .iter()
        .flat_map(|section| of_section(section).map(|opt| (section.name.to_owned(), opt)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_option_is_unique_and_has_a_valid_default_and_a_help_text() {
        let mut seen = BTreeSet::new();
        for (section, opt) in options() {
            assert!(seen.insert((section.clone(), opt.name)), "[{section}] {}", opt.name);
            assert!(opt.help.ends_with('.'), "[{section}] {}", opt.name);
            if let Some(default) = opt.default {
                opt.kind.parse(&[default.to_owned()]).unwrap();
            }
        }
        for (section, opt) in options() {
            for (old_section, name) in opt.old_names {
                let old_section = if old_section.is_empty() { section.as_str() } else { old_section };
                assert!(!seen.contains(&(old_section.to_owned(), *name)), "[{old_section}] {name}");
                assert!(
                    old_section == "DEFAULT" || old_section.to_lowercase() == old_section,
                    "{old_section}"
                );
            }
        }
    }

    #[test]
    fn options_named_like_secrets_are_secret() {
        for (section, opt) in options() {
            let secret =
                ["password", "secret_key", "credential_secret"].iter().any(|end| opt.name.ends_with(end));
            let url = section == "database" && opt.name.ends_with("connection");
            assert_eq!(
                opt.secret,
                secret || url || opt.name == "connection_parameters",
                "[{section}] {}",
                opt.name
            );
        }
    }
}
