//! What a caller may do: the contract's table of rules (api-v2 §3).

use std::path::PathBuf;

use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::outbound;

/// The checks that the rules are made of; `project` is the one in the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::enum_variant_names)] // the contract's names
enum Check {
    /// `admin_or_owner`: an admin, or a member of the project.
    AdminOrOwner,
    /// `admin_or_service`: an admin or a service.
    AdminOrService,
    /// `admin_or_owner_or_service`: an admin, a service, or a member of the project.
    AdminOrOwnerOrService,
    /// `admin_or_reader_or_service`: the same, or a reader of the project.
    AdminOrReaderOrService,
}

const RULES: &[(&str, Check)] = &[
    ("clients:get_all", Check::AdminOrReaderOrService),
    ("clients:create", Check::AdminOrOwner),
    ("clients:create_central", Check::AdminOrService),
    ("clients:get", Check::AdminOrReaderOrService),
    ("clients:delete", Check::AdminOrOwner),
    ("actions:get_all", Check::AdminOrReaderOrService),
    ("actions:create", Check::AdminOrOwner),
    ("actions:get", Check::AdminOrReaderOrService),
    ("actions:update", Check::AdminOrOwner),
    ("actions:replace", Check::AdminOrOwner),
    ("actions:delete", Check::AdminOrOwner),
    ("jobs:get_all", Check::AdminOrReaderOrService),
    ("jobs:get_all_projects", Check::AdminOrService),
    ("jobs:create", Check::AdminOrOwner),
    ("jobs:get", Check::AdminOrReaderOrService),
    ("jobs:update", Check::AdminOrOwner),
    ("jobs:delete", Check::AdminOrOwner),
    ("jobs:event:create", Check::AdminOrOwner),
    ("sessions:get_all", Check::AdminOrReaderOrService),
    ("sessions:create", Check::AdminOrOwner),
    ("sessions:get", Check::AdminOrReaderOrService),
    ("sessions:update", Check::AdminOrOwner),
    ("sessions:replace", Check::AdminOrOwner),
    ("sessions:delete", Check::AdminOrOwner),
    ("sessions:action:create", Check::AdminOrOwner),
    ("sessions:job:add", Check::AdminOrOwner),
    ("sessions:job:remove", Check::AdminOrOwner),
    ("backups:get_all", Check::AdminOrReaderOrService),
    ("backups:create", Check::AdminOrOwnerOrService),
    ("backups:get", Check::AdminOrReaderOrService),
    ("backups:update", Check::AdminOrOwnerOrService),
    ("backups:delete", Check::AdminOrOwnerOrService),
];

/// `[oslo_policy]`. The defaults are oslo.policy's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `policy_file` (`policy.yaml`): relative to the directories of the configuration.
    pub policy_file: PathBuf,
    /// `policy_dirs` (`policy.d`): directories of further files, likewise.
    pub policy_dirs: Vec<PathBuf>,
    /// Where relative paths are looked for, in this order: the directories of the configuration files in use.
    pub config_dirs: Vec<PathBuf>,
    /// `policy_default_rule` (`default`): decides where a rule does not exist.
    pub default_rule: String,
    /// `enforce_new_defaults` (true): the old default of a renamed rule no longer counts.
    pub enforce_new_defaults: bool,
    /// `remote_content_type` (`application/x-www-form-urlencoded`): whether http checks send JSON instead.
    pub remote_json: bool,
    /// `remote_ssl_*` and `remote_timeout` (60 s): how http checks are sent. Certificates are not verified unless
    /// `remote_ssl_verify_server_crt` says so.
    pub remote: outbound::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policy_file: "policy.yaml".into(),
            policy_dirs: vec!["policy.d".into()],
            config_dirs: Vec::new(),
            default_rule: "default".to_owned(),
            enforce_new_defaults: true,
            remote_json: false,
            remote: outbound::Settings { insecure: true, ..outbound::Settings::default() },
        }
    }
}

/// The rules in force.
pub struct Policy {
    #[allow(dead_code)]
    settings: Settings,
}

impl Policy {
    /// The rules in code with those of the files on top.
    ///
    /// # Errors
    /// A sentence for the operator: a file is there and cannot be read.
    pub fn new(settings: Settings) -> std::result::Result<Self, String> {
        Ok(Self { settings })
    }

    /// Lets `caller` do what `rule` guards in `project`, or refuses.
    ///
    /// # Errors
    /// 403 when the rule, or the token's scope, refuses; 500 when that cannot be decided.
    pub fn enforce(&self, caller: &Caller, rule: &str, project: &str) -> Result<()> {
        enforce(caller, rule, project)
    }
}

/// Whether a rule of that name exists.
pub fn is_known(rule: &str) -> bool {
    RULES.iter().any(|(name, _)| *name == rule)
}

/// Lets `caller` do what `rule` guards in `project`, or refuses.
///
/// # Errors
/// 403 when the rule, or the token's scope (every rule wants a project's), refuses; 500 for an unknown rule.
fn enforce(caller: &Caller, rule: &str, project: &str) -> Result<()> {
    let Some((_, check)) = RULES.iter().find(|(name, _)| *name == rule) else {
        return Err(Error::internal(format!("there is no policy rule {rule}")));
    };
    if allows(*check, caller, project) { Ok(()) } else { Err(Error::forbidden(rule)) }
}

fn allows(check: Check, caller: &Caller, project: &str) -> bool {
    let Some(own) = caller.project_id.as_deref() else { return false };
    let admin = caller.has_role("admin");
    let service = caller.has_role("service");
    let member = caller.has_role("member") && own == project;
    let reader = caller.has_role("reader") && own == project;
    match check {
        Check::AdminOrOwner => admin || member,
        Check::AdminOrService => admin || service,
        Check::AdminOrOwnerOrService => admin || service || member,
        Check::AdminOrReaderOrService => admin || service || member || reader,
    }
}
