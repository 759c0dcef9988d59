//! One file per noun. A handler has four beats: read the call, check what it may touch, one transaction, render.

pub mod action_attachments;
pub mod action_reports;
pub mod actions;
pub mod backups;
pub mod clients;
mod document_size;
pub mod health;
pub mod job_attachments;
pub mod jobs;
pub mod list;
mod quota;
pub mod reference;
pub mod sessions;
pub mod versions;

use serde_json::Value;

use crate::auth::Caller;
use crate::document::is_id;
use crate::error::{Error, Result};
use crate::http::{Call, Reply};
use crate::policy::Standing;
use crate::quotas::Reservations;
use crate::routes::App;
use crate::store::page::Page;

/// How many items a list gives when nobody says (contract, api-v2 §2 "Paging").
const DEFAULT_LIMIT: i64 = 10;

/// An authenticated, allowed request for something in a project.
pub struct Request<'c> {
    /// The request.
    pub call: &'c Call,
    /// Who sends it.
    pub caller: Caller,
    /// What the policy lets the caller do.
    pub standing: Standing,
    /// What the braces of the route's path stand for, in order; the first is the project.
    pub bound: Vec<&'c str>,
    /// Room in the project's quotas for what the request creates.
    pub reservations: Reservations,
}

impl<'c> Request<'c> {
    /// The project in the path.
    pub fn project(&self) -> &'c str {
        self.bound.first().copied().unwrap_or_default()
    }

    /// The id after the project in the path: the resource's own.
    pub fn id(&self) -> &'c str {
        self.bound.get(1).copied().unwrap_or_default()
    }

    /// The id of the resource inside the resource.
    pub fn inner_id(&self) -> &'c str {
        self.bound.get(2).copied().unwrap_or_default()
    }

    /// The id after the project, if it can be one; what cannot names nothing.
    pub fn valid_id(&self) -> Option<&'c str> {
        Some(self.id()).filter(|id| is_id(id))
    }

    /// The user on whose behalf a new row is written.
    pub fn user(&self) -> &str {
        &self.caller.user_id
    }

    /// The page that `limit` and `offset` ask for.
    fn page(&self, app: &App) -> Result<Page> {
        let limit = match self.number("limit")? {
            None | Some(0) => DEFAULT_LIMIT,
            Some(limit) => limit.min(app.max_limit),
        };
        Ok(Page { limit, offset: self.number("offset")?.unwrap_or(0) })
    }

    fn number(&self, name: &str) -> Result<Option<i64>> {
        let Some(text) = self.call.param(name) else { return Ok(None) };
        match text.trim().parse::<i64>() {
            Ok(number) if number >= 0 => Ok(Some(number)),
            _ => Err(Error::invalid_parameter(format!("{name} must be an integer of at least 0."))),
        }
    }

    /// A boolean of the query; Python's clients send `True` and `False`.
    fn flag(&self, name: &str) -> Result<bool> {
        match self.call.param(name).map(list::flag) {
            None => Ok(false),
            Some(Some(flag)) => Ok(flag),
            Some(None) => Err(Error::invalid_parameter(format!("{name} must be true or false."))),
        }
    }

    /// Where a new resource is, for `Location`.
    fn location(&self, noun: &str, id: &str) -> String {
        format!("{}/v2/{}/{noun}/{id}", self.call.base_url, self.project())
    }

    /// The answer to a create: 201, the body, and where it is.
    fn created(&self, noun: &str, id: &str, body: &Value) -> Reply {
        Reply::json(201, body).with_header("Location", self.location(noun, id))
    }
}
