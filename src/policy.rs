//! What a caller may do, by the rules of oslo.policy (contract, conventions §2, and api-v2 §3 for the rules).
//!
//! The rules in [`DEFAULTS`] hold where no file says otherwise. The files are looked at for each request, and read
//! when they have changed. While they cannot be read or understood nothing is decided: every request is a 500, and
//! never a yes by rules that no longer hold, nor by defaults that the operator has narrowed.

mod check;
mod credentials;
mod defaults;
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

pub use defaults::{DEFAULTS, Deprecated, RuleDefault};
pub use evaluate::Failure;
pub use python::Values;
pub use rules::{FileRule, Rules};
pub use scope::Scope;
pub use yaml::{Source, parse as parse_file};

use crate::auth::Caller;
use crate::error::{Error, Result};
use crate::outbound;
use files::{Stamp, Text};
use remote::Remote;

/// `[oslo_policy]`. The defaults are oslo.policy's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `policy_file` (`policy.yaml`): relative to the directories of the configuration.
    pub policy_file: PathBuf,
    /// `policy_dirs` (`policy.d`): directories of further files, likewise.
    pub policy_dirs: Vec<PathBuf>,
    /// Where relative paths are looked for, in this order (oslo.config's `find_file`): each `--config-dir`, the
    /// directories of the configuration files in use from the last to the first, `~/.freezer`, `~`, `/etc/freezer`,
    /// `/etc`.
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

/// Rules that were loaded, with what they need to be asked.
struct Loaded {
    rules: Rules,
    remote: Option<Remote>,
}

/// What was found when the files were looked at last.
struct State {
    stamps: std::result::Result<Vec<Stamp>, String>,
    texts: std::result::Result<Vec<Text>, String>,
    /// Whether the files, as they lie there, may have been written again since.
    is_young: bool,
    loaded: std::result::Result<Arc<Loaded>, String>,
}

/// The rules in force.
pub struct Policy {
    settings: Settings,
    state: RwLock<Arc<State>>,
    /// Held by who reads the files, so that they are read, and complained about, once.
    reading: Mutex<()>,
}

impl Policy {
    /// The rules in code with those of the files on top.
    ///
    /// # Errors
    /// A sentence for the operator: a file is there and cannot be read or understood, or the certificates for http
    /// checks cannot be read.
    pub fn new(settings: Settings) -> std::result::Result<Self, String> {
        let settings = files::reachable(settings);
        if let Some(path) = files::forgotten(&settings) {
            log::warn!("{} is not read; rename it to policy.yaml, or set policy_file", path.display());
        }
        let state = State::read(&settings, files::look(&settings), None);
        if let Err(why) = &state.loaded {
            return Err(why.clone());
        }
        Ok(Self { settings, state: RwLock::new(Arc::new(state)), reading: Mutex::new(()) })
    }

    /// What `caller` may do, by the rules as the files are now.
    pub fn of(&self, caller: &Caller) -> Standing {
        Standing {
            is_somebody: !caller.user_id.is_empty(),
            scope: Scope::of(caller),
            loaded: self.current(),
            credentials: credentials::credentials(caller),
        }
    }

    /// As [`Standing::enforce`], for one rule alone.
    ///
    /// # Errors
    /// As that.
    pub fn enforce(&self, caller: &Caller, rule: &str, project: &str) -> Result<()> {
        self.of(caller).enforce(rule, project)
    }

    /// The rules as the files are now.
    fn current(&self) -> std::result::Result<Arc<Loaded>, String> {
        let stamps = files::look(&self.settings);
        let state = self.state();
        if state.holds(&stamps) {
            return state.loaded.clone();
        }
        let _reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        // Another request may have read them while this one waited.
        let (stamps, state) = (files::look(&self.settings), self.state());
        if state.holds(&stamps) {
            return state.loaded.clone();
        }
        let state = Arc::new(State::read(&self.settings, stamps, Some(&state)));
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&state);
        state.loaded.clone()
    }

    fn state(&self) -> Arc<State> {
        Arc::clone(&self.state.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a caller may do during one request: the rules are looked at, and the caller is put into their terms, once.
pub struct Standing {
    /// Whether it is anybody.
    is_somebody: bool,
    scope: Option<Scope>,
    loaded: std::result::Result<Arc<Loaded>, String>,
    credentials: Values,
}

impl Standing {
    /// Lets the caller do what `rule` guards in `project`, or refuses.
    ///
    /// # Errors
    /// 403 when the rule, or the token's scope, refuses; 401 for nobody; 500 when that cannot be decided.
    pub fn enforce(&self, rule: &str, project: &str) -> Result<()> {
        match self.answer(rule, project)? {
            Answer::Yes => Ok(()),
            Answer::No => Err(Error::forbidden(rule)),
            Answer::WrongScope(why) => Err(Error { log: Some(why), ..Error::forbidden(rule) }),
        }
    }

    /// Whether the caller may do what `rule` guards in `project`.
    ///
    /// # Errors
    /// 401 for nobody; 500 when it cannot be decided.
    pub fn permits(&self, rule: &str, project: &str) -> Result<bool> {
        Ok(matches!(self.answer(rule, project)?, Answer::Yes))
    }

    fn answer(&self, rule: &str, project: &str) -> Result<Answer> {
        // Let through for the policy to decide (`delay_auth_decision`); upstream lets nobody any further.
        if !self.is_somebody {
            return Err(Error::unauthorized());
        }
        let default = defaults::find(rule);
        let scopes = default.map_or(&[Scope::Project][..], |default| default.scopes);
        let scope = self.scope;
        if !scope.is_some_and(|scope| scopes.contains(&scope)) {
            let scope = scope.map_or_else(|| "no".to_owned(), |scope| scope.to_string());
            let wanted: Vec<String> = scopes.iter().map(Scope::to_string).collect();
            return Ok(Answer::WrongScope(format!("{scope} scope, {} is wanted", wanted.join(" or "))));
        }
        let mut target = Values::new();
        if !default.is_some_and(|default| default.is_cloud_wide) {
            target.insert("project_id".to_owned(), project.into());
        }
        let undecided = |why: &dyn std::fmt::Display| Error::internal(format!("policy, rule {rule}: {why}"));
        let loaded = self.loaded.as_ref().map_err(|why| undecided(why))?;
        let allowed = loaded.rules.allows(rule, &self.credentials, &target, loaded.remote.as_ref());
        Ok(if allowed.map_err(|failure| undecided(&failure))? { Answer::Yes } else { Answer::No })
    }
}

enum Answer {
    Yes,
    No,
    WrongScope(String),
}

impl State {
    /// Whether the files are still what they were. What is broken may be mended elsewhere: by a certificate.
    fn holds(&self, stamps: &std::result::Result<Vec<Stamp>, String>) -> bool {
        self.loaded.is_ok() && !self.is_young && self.stamps == *stamps
    }

    /// Reads the files, and complains once about what is wrong in them.
    fn read(
        settings: &Settings,
        stamps: std::result::Result<Vec<Stamp>, String>,
        before: Option<&Self>,
    ) -> Self {
        // Judged before the reading: what is written from now on is seen to be.
        let is_young = stamps.as_deref().is_ok_and(files::is_young);
        let texts = stamps.as_deref().map_err(Clone::clone).and_then(files::read);
        if let Some(before) = before.filter(|before| before.loaded.is_ok() && before.texts == texts) {
            return Self { stamps, texts, is_young, loaded: before.loaded.clone() };
        }
        let loaded = texts.as_deref().map_err(Clone::clone).and_then(|texts| load(settings, texts));
        match (&loaded, before) {
            (Ok(loaded), _) => complain(&loaded.rules),
            // At the start whoever starts us says it.
            (Err(_), None) => {}
            (Err(why), Some(State { loaded: Err(known), .. })) if why == known => {}
            (Err(why), Some(_)) => log::error!("{why} Until it is mended every request is a 500."),
        }
        if before.is_some() && loaded.is_ok() {
            log::info!("the policy files have changed and were read");
        }
        Self { stamps, texts, is_young, loaded: loaded.map(Arc::new) }
    }
}

fn load(settings: &Settings, texts: &[Text]) -> std::result::Result<Loaded, String> {
    let files = files::parse(texts)?;
    let rules = Rules::new(files, DEFAULTS, &settings.default_rule, settings.enforce_new_defaults);
    let remote = if rules.has_remote_checks() { Some(Remote::new(settings)?) } else { None };
    Ok(Loaded { rules, remote })
}

/// Logs what is wrong with rules that were loaded nevertheless.
fn complain(rules: &Rules) {
    for (name, rule) in &rules.from_files {
        for problem in &rule.problems {
            log::error!("policy rule {name} in {}: {problem}", rule.file.display());
        }
    }
    for (name, other) in rules.undefined() {
        log::warn!("policy rule {name} refers to rule {other}, which does not exist");
    }
    for name in rules.cyclic() {
        log::warn!("policy rule {name} leads back to itself; where it gets that far requests are a 500");
    }
    for deprecation in &rules.deprecations {
        log::warn!("{deprecation}");
    }
}

/// The rules as the files are now, for the commands.
///
/// # Errors
/// As [`Policy::new`].
pub fn rules(settings: &Settings) -> std::result::Result<Rules, String> {
    let settings = files::reachable(settings.clone());
    let texts = files::read(&files::look(&settings)?)?;
    load(&settings, &texts).map(|loaded| loaded.rules)
}

/// Whether a rule of that name exists in code.
pub fn is_known(rule: &str) -> bool {
    defaults::find(rule).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Kind;

    fn policy(text: &str) -> (tempfile::TempDir, Policy) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("policy.yaml"), text).unwrap();
        let config_dirs = vec![directory.path().to_owned()];
        (directory, Policy::new(Settings { config_dirs, ..Settings::default() }).unwrap())
    }

    fn admin() -> Caller {
        let roles = vec!["admin".to_owned()];
        Caller { user_id: "u".to_owned(), project_id: Some("p".to_owned()), roles, ..Caller::default() }
    }

    #[test]
    fn only_tokens_for_a_project_are_asked_about() {
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
            assert!(!policy.of(&caller).permits("jobs:get", "p").unwrap());
        }
    }

    #[test]
    fn nobody_is_let_through_by_no_rule() {
        let (_directory, policy) = policy("jobs:get: '@'\njobs:get_all_projects: '@'");
        let nobody = Caller { user_id: String::new(), ..admin() };
        assert_eq!(policy.enforce(&nobody, "jobs:get", "p").unwrap_err().kind, Kind::Unauthorized);
        assert!(policy.of(&nobody).permits("jobs:get_all_projects", "p").is_err());
    }

    #[test]
    fn many_ask_while_the_files_change() {
        let (directory, policy) = policy("jobs:get: '@'");
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                        policy.of(&admin()).permits("jobs:get", "p").unwrap();
                    }
                });
            }
            for round in 0..50 {
                let allowed = round % 2 == 0;
                let text = if allowed { "jobs:get: '@'" } else { "jobs:get: '!'" };
                std::fs::write(directory.path().join("new"), text).unwrap();
                std::fs::rename(directory.path().join("new"), directory.path().join("policy.yaml")).unwrap();
                assert_eq!(policy.of(&admin()).permits("jobs:get", "p").unwrap(), allowed);
            }
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        });
    }
}
