//! Verifies, independently of the import, that the target shows the documents of the source.
//!
//! The document of the old API is made from the row itself ([`old`]), or read from the old service ([`service`]). It is
//! compared ([`compare`]) with the document of this service ([`ours`]). A difference that the plan has a reason for is
//! counted under that reason ([`explain`]); any other is reported.

mod compare;
mod explain;
mod ledger;
/// What the old API showed of a row.
pub mod old;
/// The documents of our service, out of the database.
pub mod ours;
mod report;
mod run;
mod service;

use serde_json::Value;

use super::legacy::Table;

pub use report::{Report, Summary};
pub use run::{Verification, verify};
pub use service::{OldApi, OldService, View};

/// The exit status when something differs that the plan has no reason for.
pub const DIFFERENT: u8 = 3;

/// A collection of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)] // the five collections
pub enum Kind {
    Client,
    Action,
    Session,
    Job,
    Backup,
}

impl Kind {
    /// All of them, in the order of the import.
    pub const ALL: [Self; 5] = [Self::Client, Self::Action, Self::Session, Self::Job, Self::Backup];

    /// The table that the documents stand for.
    pub fn table(self) -> Table {
        match self {
            Self::Client => Table::Clients,
            Self::Action => Table::Actions,
            Self::Session => Table::Sessions,
            Self::Job => Table::Jobs,
            Self::Backup => Table::Backups,
        }
    }

    /// The collection's name, which is the table's.
    pub fn name(self) -> &'static str {
        self.table().name()
    }

    /// Where a document has its id.
    fn id_pointer(self) -> &'static str {
        match self {
            Self::Client => "/client/uuid",
            Self::Action => "/action_id",
            Self::Session => "/session_id",
            Self::Job => "/job_id",
            Self::Backup => "/backup_id",
        }
    }
}

/// The id of a document.
pub fn id_of(kind: Kind, document: &Value) -> Option<String> {
    let text = |pointer| document.pointer(pointer).and_then(Value::as_str).filter(|id| !id.is_empty());
    let id = text(kind.id_pointer());
    // Clients of the first releases have it beside the client.
    id.or_else(|| text("/uuid").filter(|_| kind == Kind::Client)).map(str::to_owned)
}
