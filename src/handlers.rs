//! One file per noun. A handler does four things: it reads the call, checks permissions, runs one transaction, and
//! renders the result.

pub mod action_attachments;
pub mod action_reports;
pub mod actions;
pub mod backups;
pub mod clients;
mod document_size;
pub mod job_attachments;
mod job_document;
pub mod jobs;
pub mod list;
mod quota;
pub mod reference;
pub mod sessions;
pub mod versions;

use front::context::Caller;
use front::error::{Error, Result};
use front::http::{Call, Reply};
use oslo_policy::Permissions;
use serde_json::Value;

use crate::app::App;
use crate::document::is_id;
use crate::quotas::Reservations;
use crate::scope::VisibleRows;
use crate::store;
use crate::store::page::Page;

/// The default `limit` of a list (contract, api-v2 §2 "Paging").
const DEFAULT_LIMIT: i64 = 10;

/// An authenticated, allowed request for something in a project.
pub struct Request<'c> {
    /// The request.
    pub call: &'c Call,
    /// The authenticated caller.
    pub caller: Caller,
    /// What the policy lets the caller do.
    pub permissions: Permissions,
    /// The values of the path's parameters, in order; the first is the project.
    pub path_params: Vec<&'c str>,
    /// The version of the API that the request uses.
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
    V1(VisibleRows),
}

impl<'c> Request<'c> {
    /// The project in the path.
    pub fn project(&self) -> &'c str {
        self.path_params.first().copied().unwrap_or_default()
    }

    /// The id after the project in the path: the resource's own.
    pub fn id(&self) -> &'c str {
        self.path_params.get(1).copied().unwrap_or_default()
    }

    /// The id of the nested resource in the path.
    pub fn inner_id(&self) -> &'c str {
        self.path_params.get(2).copied().unwrap_or_default()
    }

    /// The resource's id, if it is well-formed. No resource has a malformed id.
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

    /// A boolean query parameter. Python's clients send `True` and `False`.
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
            Version::V1(VisibleRows { in_any_project: true, .. }) => None,
            Version::V1(_) | Version::V2 => Some(self.project()),
        }
    }

    /// Whether the request uses version 1 of the API.
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

    /// The URL of a new resource, for `Location`.
    fn location(&self, noun: &str, id: &str) -> String {
        format!("{}/{id}", self.collection_url(noun))
    }

    /// The response to a create: 201 with the body and the `Location`.
    fn created(&self, noun: &str, id: &str, body: &Value) -> Reply {
        Reply::json(201, body).with_header("Location", self.location(noun, id))
    }
}
