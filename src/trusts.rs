//! Keystone trusts, by which a central scheduler runs a job in its owner's name (contract, api-v2 §7 "Trusts").
//!
//! This room asks Keystone. When it is asked, and which jobs run under which trust, is for the handlers and the store.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::auth::{Caller, Delegation, Secret};
use crate::error::{Error, Kind, Result};
use crate::keystone::{Client, Login};
use crate::outbound::Answer;
use crate::store::is_id;

/// `[centralized_scheduler]`. The defaults are upstream's.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `enabled` (true): whether trusts are made at all.
    pub enabled: bool,
    /// `enforce_trusts` (false): for every job, not only those on central clients.
    pub enforce_trusts: bool,
    /// `trusts_delegated_roles` (`member`): the names of the roles that a trust hands on; the token's where empty.
    pub delegated_roles: Vec<String>,
    /// The section that `auth_section` (`keystone_authtoken`) names: its user is the trustee.
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
    /// Keystone's id of it.
    pub trust_id: String,
    /// Whose roles it hands on.
    pub trustor_user_id: String,
    /// Made just now, so that nobody else knows of it yet.
    pub is_new: bool,
}

/// Makes, recognises and removes trusts.
pub struct Trusts {
    settings: Settings,
    /// Logged in as the trustee.
    client: Client,
}

impl Trusts {
    /// Nothing is asked yet. A request that got no answer is sent again `retries` times.
    ///
    /// # Errors
    /// A sentence for the operator: a certificate or key cannot be read.
    pub fn new(settings: Settings, retries: u32) -> std::result::Result<Self, String> {
        let client = Client::new(&settings.login, retries)?;
        Ok(Self { settings, client })
    }

    /// Whether trusts are made for any job. What was made before is removed in any case.
    pub fn are_made(&self) -> bool {
        self.settings.enabled
    }

    /// Whether a job on a client that is central, or is not, needs one.
    pub fn are_needed_on(&self, is_central: bool) -> bool {
        is_central || self.settings.enforce_trusts
    }

    /// A trust by which the scheduler's user can act for the caller in `project`: one of `known`, if Keystone still has
    /// it and it hands on the right roles and nothing more, else a new one.
    ///
    /// All of it is asked with the caller's own token, whatever project that is for: Keystone looks at who delegates,
    /// and at that user's roles on the trust's project.
    ///
    /// # Errors
    /// 401 when the token is no longer valid; 422 when the token is itself delegated, or Keystone refuses; 503 when it
    /// cannot be asked.
    pub fn ensure(&self, caller: &Caller, project: &str, known: &[String]) -> Result<Grant> {
        let Some(token) = &caller.token else {
            return Err(refused("A job on a central client needs a token, to be run in its owner's name."));
        };
        // Keystone lets these make no trust that lasts. A trust that the user gave before must not be used either: it
        // outlasts the delegation that this token was issued under.
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
        let trustee = self.client.service().map_err(outage)?.user_id;
        let wanted =
            Wanted { trustor: &caller.user_id, trustee: &trustee, project, roles: self.roles(caller) };
        // A trust outlives the roles it hands on. For another project's token they are not known.
        let has_roles = caller.project_id.as_deref() != Some(project)
            || wanted.roles.iter().all(|role| caller.has_role(role));
        if has_roles {
            for id in known {
                if self.find(token, id)?.is_some_and(|trust| wanted.is(&trust)) {
                    return Ok(wanted.grant(id.clone(), false));
                }
            }
        }
        self.create(token, &wanted)
    }

    /// Removes a trust, if it is there.
    ///
    /// # Errors
    /// The caller may not remove it and the service may not either, or Keystone cannot be asked.
    pub fn remove(&self, caller: &Caller, id: &str) -> Result<()> {
        let path = path(id);
        // Keystone lets the trustor do that, and an administrator. Who deletes a job need be neither.
        if let Some(token) = &caller.token {
            let answer = self.send("DELETE", &path, token, None)?;
            if !matches!(answer.status, 401 | 403) {
                return removed(id, &answer);
            }
        }
        removed(id, &self.client.send_as_service("DELETE", &path, &[], None).map_err(outage)?)
    }

    fn send(&self, method: &str, path: &str, token: &Secret, body: Option<&Value>) -> Result<Answer> {
        self.client.send(method, path, token, &[], body).map_err(outage)
    }

    /// The roles to hand on. Names: a token does not say ids here.
    fn roles<'a>(&'a self, caller: &'a Caller) -> &'a [String] {
        match self.settings.delegated_roles.as_slice() {
            [] => &caller.roles,
            roles => roles,
        }
    }

    /// A trust with its roles, which only asking for it alone tells; `None` when it is gone, or not the caller's.
    fn find(&self, token: &Secret, id: &str) -> Result<Option<Value>> {
        let answer = self.send("GET", &path(id), token, None)?;
        match answer.status {
            200 => body(&answer).map(Some),
            401 => Err(Error::unauthorized()),
            403 | 404 | 410 => Ok(None),
            _ => Err(failed(&answer)),
        }
    }

    fn create(&self, token: &Secret, wanted: &Wanted<'_>) -> Result<Grant> {
        let answer = self.send("POST", "/OS-TRUST/trusts", token, Some(&wanted.document()))?;
        match answer.status {
            200..=299 => {}
            401 => return Err(Error::unauthorized()),
            // It has no time just now.
            408 | 429 => return Err(failed(&answer)),
            400..=499 => {
                return Err(refused(format!(
                    "Keystone does not let you hand the roles ({}) on project {} to the central scheduler's user {}: {}",
                    wanted.roles.join(", "),
                    wanted.project,
                    wanted.trustee,
                    message(&answer)
                )));
            }
            _ => return Err(failed(&answer)),
        }
        match body(&answer)?["id"].as_str() {
            Some(id) if is_id(id) => {
                log::info!("made trust {id} of user {} on project {}", wanted.trustor, wanted.project);
                Ok(wanted.grant(id.to_owned(), true))
            }
            _ => Err(failed(&answer)),
        }
    }
}

/// What a trust must be like.
struct Wanted<'a> {
    trustor: &'a str,
    trustee: &'a str,
    project: &'a str,
    roles: &'a [String],
}

impl Wanted<'_> {
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

    /// Whether a trust is what [`Self::document`] asks for: these roles exactly, for ever.
    fn is(&self, trust: &Value) -> bool {
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

/// Keystone's own words about a refusal, for the caller whom it refused.
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
        // Somebody has removed it already.
        404 | 410 => Ok(()),
        500.. => Err(failed(answer)),
        status => Err(refused(format!("Keystone answered {status}: {}", message(answer)))),
    }
}

fn failed(answer: &Answer) -> Error {
    away(format!("Keystone answered {} to a request for a trust", answer.status))
}

/// Whoever has a job made has been let in already, and hears what it was for that Keystone was needed again.
fn outage(error: Error) -> Error {
    match error.kind {
        Kind::IdentityUnavailable => away(error.log.unwrap_or_default()),
        _ => error,
    }
}

fn away(log: String) -> Error {
    Error::unavailable("Keystone cannot be asked for a trust at the moment; try again.", log)
}
