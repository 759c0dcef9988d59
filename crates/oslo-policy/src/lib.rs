//! What a caller may do, by the rules of oslo.policy (contract, conventions §2).
//!
//! The rules of a table of [`RuleDefault`] hold unless a file overrides them. Each request checks the files' metadata, and reads the
//! files again when they have changed. While the files cannot be read or parsed, every request is a 500: deciding by
//! the old rules, or by the defaults, might allow what the operator has forbidden.

mod check;
mod credentials;
mod default;
mod evaluate;
mod files;
mod lint;
mod literal;
mod parse;
mod python;
mod remote;
mod rules;
pub mod sample;
mod scope;
pub mod show;
mod yaml;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

pub use default::{Deprecated, RuleDefault};
use front::context::Caller;
use front::error::{Error, Result};
use front::outbound;

pub use evaluate::Failure;
pub use python::Values;
pub use rules::{FileRule, Rules};
pub use scope::Scope;
pub use yaml::{Source, parse as parse_file};

use files::{Stamp, Text};
use remote::Remote;

/// `[oslo_policy]`. The defaults are oslo.policy's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `policy_file` (`policy.yaml`): relative to the directories of the configuration.
    pub policy_file: PathBuf,
    /// `policy_dirs` (`policy.d`): directories of further files, likewise.
    pub policy_dirs: Vec<PathBuf>,
    /// The directories that are searched for relative paths, in this order (oslo.config's `find_file`): each `--config-dir`, the
    /// directories of the configuration files in use from the last to the first, `~/.freezer`, `~`, `/etc/freezer`,
    /// `/etc`.
    pub config_dirs: Vec<PathBuf>,
    /// `policy_default_rule` (`default`): the rule that decides in place of one that does not exist.
    pub default_rule: String,
    /// `enforce_new_defaults` (true): the former default of a changed rule no longer allows.
    pub enforce_new_defaults: bool,
    /// `remote_content_type` (`application/x-www-form-urlencoded`): whether http checks send JSON instead.
    pub remote_json: bool,
    /// `remote_ssl_*` and `remote_timeout` (60 s): how http checks are sent. Certificates are verified only with
    /// `remote_ssl_verify_server_crt`.
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

/// The rules, and the client for their http checks if they have any.
struct RuleSet {
    rules: Rules,
    remote: Option<Remote>,
}

/// The outcome of the last reading of the files.
struct State {
    stamps: std::result::Result<Vec<Stamp>, String>,
    texts: std::result::Result<Vec<Text>, String>,
    /// Whether a file was modified so recently that a further change may not show in its stamp.
    is_recent: bool,
    loaded: std::result::Result<Arc<RuleSet>, String>,
}

/// The rules in force.
pub struct Policy {
    defaults: &'static [RuleDefault],
    settings: Settings,
    state: RwLock<Arc<State>>,
    /// Held while a request reads the files, so that each change is read, and its problems logged, once.
    reading: Mutex<()>,
}

impl Policy {
    /// Loads the rules of the files over those of the table `defaults`.
    ///
    /// # Errors
    /// A sentence for the operator: a file cannot be read or parsed, or the certificates for http checks cannot be read.
    pub fn new(settings: Settings, defaults: &'static [RuleDefault]) -> std::result::Result<Self, String> {
        let settings = files::without_forbidden_dirs(settings);
        if let Some(path) = files::ignored_json_file(&settings) {
            log::warn!("{} is not read; rename it to policy.yaml, or set policy_file", path.display());
        }
        let state = State::read(&settings, defaults, files::find_all(&settings), None);
        if let Err(why) = &state.loaded {
            return Err(why.clone());
        }
        Ok(Self { defaults, settings, state: RwLock::new(Arc::new(state)), reading: Mutex::new(()) })
    }

    /// What `caller` may do, by the current content of the files.
    pub fn permissions(&self, caller: &Caller) -> Permissions {
        Permissions {
            defaults: self.defaults,
            is_authenticated: !caller.user_id.is_empty(),
            scope: Scope::from_caller(caller),
            loaded: self.current(),
            credentials: credentials::credentials(caller),
        }
    }

    /// [`Permissions::enforce`] for a single rule.
    ///
    /// # Errors
    /// As [`Permissions::enforce`].
    pub fn enforce(&self, caller: &Caller, rule: &str, project: &str) -> Result<()> {
        self.permissions(caller).enforce(rule, project)
    }

    fn current(&self) -> std::result::Result<Arc<RuleSet>, String> {
        let stamps = files::find_all(&self.settings);
        let state = self.state();
        if state.is_current(&stamps) {
            return state.loaded.clone();
        }
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // Another request may have read them while this one waited.
        let (stamps, state) = (files::find_all(&self.settings), self.state());
        if state.is_current(&stamps) {
            return state.loaded.clone();
        }
        let state = Arc::new(State::read(&self.settings, self.defaults, stamps, Some(&state)));
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&state);
        state.loaded.clone()
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a caller may do during one request. The rules are fetched, and the caller's credentials built, once per request.
pub struct Permissions {
    defaults: &'static [RuleDefault],
    /// False for a request that `delay_auth_decision` let through without a valid token.
    is_authenticated: bool,
    scope: Option<Scope>,
    loaded: std::result::Result<Arc<RuleSet>, String>,
    credentials: Values,
}

impl Permissions {
    /// Lets the caller do what `rule` guards in `project`, or refuses.
    ///
    /// # Errors
    /// 403 when the rule or the token's scope refuses; 401 without an authenticated user; 500 when the rule fails.
    pub fn enforce(&self, rule: &str, project: &str) -> Result<()> {
        match self.decide(rule, project)? {
            Decision::Allow => Ok(()),
            Decision::Deny => Err(Error::forbidden(rule)),
            Decision::WrongScope(why) => Err(Error { log: Some(why), ..Error::forbidden(rule) }),
        }
    }

    /// Whether the caller may do what `rule` guards in `project`.
    ///
    /// # Errors
    /// 401 without an authenticated user; 500 when the rule fails.
    pub fn permits(&self, rule: &str, project: &str) -> Result<bool> {
        Ok(matches!(self.decide(rule, project)?, Decision::Allow))
    }

    fn decide(&self, rule: &str, project: &str) -> Result<Decision> {
        // `delay_auth_decision` lets such a request through for the policy to decide. As upstream's, it always refuses.
        if !self.is_authenticated {
            return Err(Error::unauthorized());
        }
        let default = default::find(self.defaults, rule);
        let scopes = default.map_or(&[Scope::Project][..], |default| default.scopes);
        let scope = self.scope;
        if !scope.is_some_and(|scope| scopes.contains(&scope)) {
            let scope = scope.map_or_else(|| "no".to_owned(), |scope| scope.to_string());
            let wanted: Vec<String> = scopes.iter().map(Scope::to_string).collect();
            return Ok(Decision::WrongScope(format!("{scope} scope, {} is wanted", wanted.join(" or "))));
        }
        let mut target = Values::new();
        if !default.is_some_and(|default| default.is_cloud_wide) {
            target.insert("project_id".to_owned(), project.into());
        }
        let undecided = |why: &dyn std::fmt::Display| Error::internal(format!("policy, rule {rule}: {why}"));
        let loaded = self.loaded.as_ref().map_err(|why| undecided(why))?;
        let allowed = loaded.rules.allows(rule, &self.credentials, &target, loaded.remote.as_ref());
        Ok(if allowed.map_err(|failure| undecided(&failure))? { Decision::Allow } else { Decision::Deny })
    }
}

enum Decision {
    Allow,
    Deny,
    WrongScope(String),
}

impl State {
    /// Whether the files are unchanged. After a failure they are always read again, because the cause may lie outside
    /// of them, such as in a certificate.
    fn is_current(&self, stamps: &std::result::Result<Vec<Stamp>, String>) -> bool {
        self.loaded.is_ok() && !self.is_recent && self.stamps == *stamps
    }

    /// Reads the files, and logs their problems once.
    fn read(
        settings: &Settings,
        defaults: &'static [RuleDefault],
        stamps: std::result::Result<Vec<Stamp>, String>,
        before: Option<&Self>,
    ) -> Self {
        // Taken before reading, so that a write during the reading is noticed the next time.
        let is_recent = stamps.as_deref().is_ok_and(files::is_recent);
        let texts = stamps.as_deref().map_err(Clone::clone).and_then(files::read);
        if let Some(before) = before.filter(|before| before.loaded.is_ok() && before.texts == texts) {
            return Self { stamps, texts, is_recent, loaded: before.loaded.clone() };
        }
        let loaded = texts.as_deref().map_err(Clone::clone).and_then(|texts| load(settings, defaults, texts));
        match (&loaded, before) {
            (Ok(loaded), _) => log_problems(&loaded.rules),
            // At the start the caller of `Policy::new` reports it.
            (Err(_), None) => {}
            (Err(why), Some(State { loaded: Err(known), .. })) if why == known => {}
            (Err(why), Some(_)) => log::error!("{why} Until this is fixed, every request gets a 500."),
        }
        if before.is_some() && loaded.is_ok() {
            log::info!("the policy files have changed and were read");
        }
        Self { stamps, texts, is_recent, loaded: loaded.map(Arc::new) }
    }
}

fn load(
    settings: &Settings,
    defaults: &[RuleDefault],
    texts: &[Text],
) -> std::result::Result<RuleSet, String> {
    let files = files::parse(texts)?;
    let rules = Rules::new(files, defaults, &settings.default_rule, settings.enforce_new_defaults);
    let remote = if rules.has_remote_checks() { Some(Remote::new(settings)?) } else { None };
    Ok(RuleSet { rules, remote })
}

/// Logs problems that do not keep the rules from being loaded.
fn log_problems(rules: &Rules) {
    for (name, rule) in &rules.from_files {
        for problem in &rule.problems {
            log::error!("policy rule {name} in {}: {problem}", rule.file.display());
        }
    }
    for (name, other) in rules.undefined() {
        log::warn!("policy rule {name} refers to rule {other}, which does not exist");
    }
    for name in rules.cyclic() {
        log::warn!(
            "policy rule {name} leads back to itself; a request whose decision depends on it gets a 500"
        );
    }
    for deprecation in &rules.deprecations {
        log::warn!("{deprecation}");
    }
}

/// The rules that the files give now, for the commands.
///
/// # Errors
/// As [`Policy::new`].
pub fn rules(settings: &Settings, defaults: &[RuleDefault]) -> std::result::Result<Rules, String> {
    let settings = files::without_forbidden_dirs(settings.clone());
    let texts = files::read(&files::find_all(&settings)?)?;
    load(&settings, defaults, &texts).map(|loaded| loaded.rules)
}

#[cfg(test)]
mod tests {
    use front::error::Kind;

    use super::*;

    fn policy(text: &str) -> (tempfile::TempDir, Policy) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("policy.yaml"), text).unwrap();
        let config_dirs = vec![directory.path().to_owned()];
        (directory, Policy::new(Settings { config_dirs, ..Settings::default() }, &[]).unwrap())
    }

    fn admin() -> Caller {
        let roles = vec!["admin".to_owned()];
        Caller { user_id: "u".to_owned(), project_id: Some("p".to_owned()), roles, ..Caller::default() }
    }

    #[test]
    fn a_token_that_is_not_for_a_project_is_refused() {
        let (_directory, policy) = policy("jobs:get: '@'");
        let enforce = |caller: &Caller| {
            policy.enforce(caller, "jobs:get", "p").map_err(|error| (error.kind, error.log))
        };
        assert_eq!(enforce(&admin()), Ok(()));
        let none = Caller { project_id: None, ..admin() };
        for (caller, scope) in [
            (none.clone(), "no"),
            (Caller { domain_id: Some("d".to_owned()), ..none.clone() }, "domain"),
            (Caller { system_scope: Some("all".to_owned()), ..none }, "system"),
        ] {
            let why = Some(format!("{scope} scope, project is wanted"));
            assert_eq!(enforce(&caller), Err((Kind::Forbidden, why)));
            assert!(!policy.permissions(&caller).permits("jobs:get", "p").unwrap());
        }
    }

    #[test]
    fn no_rule_lets_an_unauthenticated_caller_through() {
        let (_directory, policy) = policy("jobs:get: '@'\njobs:get_all_projects: '@'");
        let unauthenticated = Caller { user_id: String::new(), ..admin() };
        assert_eq!(policy.enforce(&unauthenticated, "jobs:get", "p").unwrap_err().kind, Kind::Unauthorized);
        assert!(policy.permissions(&unauthenticated).permits("jobs:get_all_projects", "p").is_err());
    }

    #[test]
    fn requests_are_decided_while_the_files_change() {
        let (directory, policy) = policy("jobs:get: '@'");
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        policy.permissions(&admin()).permits("jobs:get", "p").unwrap();
                    }
                });
            }
            for round in 0..50 {
                let allowed = round % 2 == 0;
                let text = if allowed { "jobs:get: '@'" } else { "jobs:get: '!'" };
                std::fs::write(directory.path().join("new"), text).unwrap();
                std::fs::rename(directory.path().join("new"), directory.path().join("policy.yaml")).unwrap();
                assert_eq!(policy.permissions(&admin()).permits("jobs:get", "p").unwrap(), allowed);
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
