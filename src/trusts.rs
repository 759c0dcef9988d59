//! Keystone trusts, by which a central scheduler runs a job in its owner's name (contract, api-v2 §7 "Trusts").
//!
//! This module calls Keystone. The handlers decide when, and the store holds which job runs under which trust.

use std::collections::BTreeSet;

use front::context::{Caller, Delegation, Secret};
use front::error::{Error, Kind, Result};
use front::outbound::Answer;
use keystone_auth::{Client, Login};
use serde_json::{Value, json};

use crate::store::is_id;

/// `[centralized_scheduler]`. The defaults are upstream's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `enabled` (true): whether trusts are created at all.
    pub enabled: bool,
    /// `enforce_trusts` (false): whether every job needs a trust, not only jobs on central clients.
    pub enforce_trusts: bool,
    /// `trusts_delegated_roles` (`member`): the names of the roles that a trust delegates; if empty, the token's roles.
    pub delegated_roles: Vec<String>,
    /// The login in the section that `auth_section` (`keystone_authtoken`) names. Its user is the trustee.
    pub login: Login,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            enabled: true,
            enforce_trusts: false,
            delegated_roles: vec!["member".to_owned()],
            login: Login::default(),
        }
    }
}

/// The trust under which a job is to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// The trust's id in Keystone.
    pub trust_id: String,
    /// The user whose roles it delegates.
    pub trustor_user_id: String,
    /// Whether this request created it, so that no other request uses it yet.
    pub is_new: bool,
}

/// Creates, recognises and removes trusts.
pub struct Trusts {
    settings: Settings,
    /// Logged in as the trustee.
    client: Client,
}

impl Trusts {
    /// Sends nothing yet. A request without an answer is sent again at most `retries` times.
    ///
    /// # Errors
    /// A sentence for the operator: a certificate or key cannot be read.
    pub fn new(settings: Settings, retries: u32) -> std::result::Result<Self, String> {
        let client = Client::new(&settings.login, retries)?;
        Ok(Self { settings, client })
    }

    /// Whether trusts are created at all. Existing trusts are removed in any case.
    pub fn is_enabled(&self) -> bool {
        self.settings.enabled
    }

    /// Whether a job needs a trust on a client that is central or not.
    pub fn are_needed(&self, is_central: bool) -> bool {
        is_central || self.settings.enforce_trusts
    }

    /// A trust by which the scheduler's user can act for the caller in `project`: one of `known`, if Keystone still has
    /// it and it delegates exactly the right roles, otherwise a new one.
    ///
    /// All requests use the caller's own token, whatever its project: Keystone checks the trustor, and the trustor's roles
    /// on the trust's project.
    ///
    /// # Errors
    /// 401 when the token is no longer valid; 422 when the token is itself delegated, or Keystone refuses; 503 when Keystone
    /// does not answer.
    pub fn ensure(&self, caller: &Caller, project: &str, known: &[String]) -> Result<Grant> {
        let Some(token) = &caller.token else {
            return Err(refused("A job on a central client needs a token, to be run in its owner's name."));
        };
        // With such a token, Keystone creates no lasting trust. An earlier trust of the user must not be used either, because
        // it would outlast the delegation that this token was issued under.
        if let Some(delegation) = caller.delegation {
            let by = match delegation {
                Delegation::Trust => "under a trust",
                Delegation::ApplicationCredential => "by a restricted application credential",
                Delegation::Oauth => "by an OAuth access token",
            };
            return Err(refused(format!(
                "A job on a central client runs under a trust of its owner, and a token that was issued {by} cannot give \
                 one; use a token that the owner has logged in for."
            )));
        }
        let trustee = self.client.service().map_err(as_unavailable)?.user_id;
        let spec =
            TrustSpec { trustor: &caller.user_id, trustee: &trustee, project, roles: self.roles(caller) };
        // A trust outlives the roles that it delegates, so a caller that has lost one gets no known trust. With a token for
        // another project, the caller's roles on this one are unknown.
        let has_roles = caller.project_id.as_deref() != Some(project)
            || spec.roles.iter().all(|role| caller.has_role(role));
        if has_roles {
            for id in known {
                if self.find(token, id)?.is_some_and(|trust| spec.matches(&trust)) {
                    return Ok(spec.grant(id.clone(), false));
                }
            }
        }
        self.create(token, &spec)
    }

    /// Removes a trust, if it exists.
    ///
    /// # Errors
    /// Neither the caller nor the service may remove it, or Keystone does not answer.
    pub fn remove(&self, caller: &Caller, id: &str) -> Result<()> {
        let path = path(id);
        // Keystone lets the trustor and an administrator remove a trust. The user who deletes a job may be neither.
        if let Some(token) = &caller.token {
            let answer = self.send("DELETE", &path, token, None)?;
            if !matches!(answer.status, 401 | 403) {
                return removed(id, &answer);
            }
        }
        removed(id, &self.client.send_as_service("DELETE", &path, &[], None).map_err(as_unavailable)?)
    }

    fn send(&self, method: &str, path: &str, token: &Secret, body: Option<&Value>) -> Result<Answer> {
        self.client.send(method, path, token, &[], body).map_err(as_unavailable)
    }

    /// The names of the roles to delegate. Their ids are not known here.
    fn roles<'a>(&'a self, caller: &'a Caller) -> &'a [String] {
        match self.settings.delegated_roles.as_slice() {
            [] => &caller.roles,
            roles => roles,
        }
    }

    /// Fetches a trust; `None` if it is gone or not the caller's. Keystone shows its roles only here, not in lists.
    fn find(&self, token: &Secret, id: &str) -> Result<Option<Value>> {
        let answer = self.send("GET", &path(id), token, None)?;
        match answer.status {
            200 => body(&answer).map(Some),
            401 => Err(Error::unauthorized()),
            403 | 404 | 410 => Ok(None),
            _ => Err(failed(&answer)),
        }
    }

    fn create(&self, token: &Secret, spec: &TrustSpec<'_>) -> Result<Grant> {
        let answer = self.send("POST", "/OS-TRUST/trusts", token, Some(&spec.document()))?;
        match answer.status {
            200..=299 => {}
            401 => return Err(Error::unauthorized()),
            // A temporary refusal.
            408 | 429 => return Err(failed(&answer)),
            400..=499 => {
                return Err(refused(format!(
                    "Keystone does not let you hand the roles ({}) on project {} to the central scheduler's user {}: {}",
                    spec.roles.join(", "),
                    spec.project,
                    spec.trustee,
                    message(&answer)
                )));
            }
            _ => return Err(failed(&answer)),
        }
        match body(&answer)?["id"].as_str() {
            Some(id) if is_id(id) => {
                log::info!("created trust {id} of user {} on project {}", spec.trustor, spec.project);
                Ok(spec.grant(id.to_owned(), true))
            }
            _ => Err(failed(&answer)),
        }
    }
}

/// The properties that a trust must have.
struct TrustSpec<'a> {
    trustor: &'a str,
    trustee: &'a str,
    project: &'a str,
    roles: &'a [String],
}

impl TrustSpec<'_> {
    fn document(&self) -> Value {
        let roles: Vec<Value> = self.roles.iter().map(|role| json!({"name": role})).collect();
        json!({"trust": {
            "impersonation": false,
            "allow_redelegation": false,
            "trustor_user_id": self.trustor,
            "trustee_user_id": self.trustee,
            "project_id": self.project,
            "roles": roles,
        }})
    }

    /// Whether a trust has exactly these roles, and no limit in time or use.
    fn matches(&self, trust: &Value) -> bool {
        let named: BTreeSet<String> = match trust["roles"].as_array() {
            Some(roles) => {
                roles.iter().filter_map(|role| role["name"].as_str()).map(str::to_lowercase).collect()
            }
            None => return false,
        };
        let wanted: BTreeSet<String> = self.roles.iter().map(|role| role.to_lowercase()).collect();
        let unlimited = ["expires_at", "remaining_uses", "deleted_at", "redelegated_trust_id"];
        trust["trustor_user_id"] == self.trustor
            && trust["trustee_user_id"] == self.trustee
            && trust["project_id"] == self.project
            && trust["impersonation"] == false
            && matches!(trust["redelegation_count"].as_i64(), None | Some(0))
            && unlimited.iter().all(|key| trust[key].is_null())
            && named == wanted
    }

    fn grant(&self, trust_id: String, is_new: bool) -> Grant {
        Grant { trust_id, trustor_user_id: self.trustor.to_owned(), is_new }
    }
}

fn path(id: &str) -> String {
    format!("/OS-TRUST/trusts/{id}")
}

/// The trust in an answer.
fn body(answer: &Answer) -> Result<Value> {
    let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
    body.and_then(|mut body| body.get_mut("trust").map(Value::take)).ok_or_else(|| failed(answer))
}

/// Keystone's reason for a refusal, to show to the caller.
fn message(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let words = body["error"]["message"].as_str().unwrap_or("it gives no reason");
    words.chars().take(300).collect()
}

fn refused(description: impl Into<String>) -> Error {
    Error::unprocessable(description).titled("Missing required credentials")
}

fn removed(id: &str, answer: &Answer) -> Result<()> {
    match answer.status {
        200..=299 => {
            log::info!("removed trust {id}");
            Ok(())
        }
        // It was removed already.
        404 | 410 => Ok(()),
        500.. => Err(failed(answer)),
        status => Err(refused(format!("Keystone answered {status}: {}", message(answer)))),
    }
}

fn failed(answer: &Answer) -> Error {
    unavailable(format!("Keystone answered {} to a request for a trust", answer.status))
}

/// Rewords an outage of Keystone: this caller is authenticated already, so the text says what Keystone is needed for.
fn as_unavailable(error: Error) -> Error {
    match error.kind {
        Kind::IdentityUnavailable => unavailable(error.log.unwrap_or_default()),
        _ => error,
    }
}

fn unavailable(log: String) -> Error {
    Error::unavailable("Keystone cannot be asked for a trust at the moment; try again.", log)
}
