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
use crate::store;
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
    /// The version of the API that it speaks.
    pub version: Version,
    /// Room in the project's quotas for what the request creates.
    pub reservations: Reservations,
}

/// A version of the API, and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Version {
    /// Version 2: the rows of the project in the path.
    V2,
    /// Version 1: the rows of an owner.
    V1(Owner),
}

/// Whose rows a request of version 1 sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The user; `None` for every user of the project.
    pub user: Option<String>,
    /// Whether the rows of every project are shown, not only those of the token's.
    pub in_any_project: bool,
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

    /// The project in the path, and the user on whose behalf new rows are written.
    pub fn owner(&self) -> store::Owner<'_> {
        store::Owner::new(self.project(), self.user())
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

    /// The project whose rows a list shows; `None` for those of every project.
    pub fn visible(&self) -> Option<&'c str> {
        match self.version {
            Version::V1(Owner { in_any_project: true, .. }) => None,
            Version::V1(_) | Version::V2 => Some(self.project()),
        }
    }

    /// Whether it speaks version 1 of the API.
    pub fn is_v1(&self) -> bool {
        self.version != Version::V2
    }

    /// The URL of a collection.
    fn collection_url(&self, path: &str) -> String {
        let base = &self.call.base_url;
        match self.version {
            Version::V1(_) => format!("{base}/v1/{path}"),
            Version::V2 => format!("{base}/v2/{}/{path}", self.project()),
        }
    }

    /// Where a new resource is, for `Location`.
    fn location(&self, noun: &str, id: &str) -> String {
        format!("{}/{id}", self.collection_url(noun))
    }

    /// The answer to a create: 201, the body, and where it is.
    fn created(&self, noun: &str, id: &str, body: &Value) -> Reply {
        Reply::json(201, body).with_header("Location", self.location(noun, id))
    }
}
