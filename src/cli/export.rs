//! `freezer-api export`: prints documents that were created or changed, for a return to the old service.

use std::io::{BufWriter, stdout};

use chrono::TimeDelta;
use clap::Args;
use oslo_config::Effective;
use serde_json::Value;

use super::Failure;
use crate::document::time::from_value;
use crate::export::{Selection, export};
use crate::store::Store;
use crate::store::types::time::Time;

/// Deleted rows leave no trace, so the export cannot list them.
#[derive(Debug, Clone, Args)]
#[command(after_help = "\
Each line is a JSON object: kind (client, action, session, job, backup), changed (created or updated), project_id, and \
document as the API shows it, so that it can be posted to another service with its id. What was deleted is not listed: \
deleted rows leave no trace. What an import has brought is as old as it was in its source.")]
pub struct ExportOptions {
    /// Only what was created or changed at this time or later: 2026-12-31T23:59:59, in UTC or with a zone
    #[arg(long, value_name = "TIME", value_parser = time)]
    since: Option<Time>,
    /// Only this project's
    #[arg(long, value_name = "ID")]
    project: Option<String>,
}

fn time(text: &str) -> Result<Time, String> {
    from_value(&Value::from(text))
        .ok_or_else(|| "not a time from 1970 to 9999 as 2026-12-31T23:59:59Z".to_owned())
}

/// Prints the documents.
///
/// # Errors
/// A sentence for the operator.
pub fn run(store: &Store, effective: &Effective, options: ExportOptions) -> Result<(), Failure> {
    let down_time = effective.section("DEFAULT").int("client_down_time").unwrap_or(180);
    let selection = Selection {
        since: options.since,
        project: options.project,
        down_time: TimeDelta::seconds(down_time),
    };
    Ok(export(store, &selection, &mut BufWriter::new(stdout().lock()))?)
}
