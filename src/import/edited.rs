//! Reads back the side file of an earlier import: rows that an operator has edited replace those of the source.
//!
//! A line names a row by its table and id in the source; `row` is its new content, which the source reads as it reads its
//! own rows. Most lines of a side file hold only a part of an imported row: these are counted, and change nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::legacy::Table;
use super::plan::reasons::NOT_A_ROW;
use super::staging::{Existing, Staging};
use super::unit::{Note, Outcome};
use super::{Account, Result, Source};

/// The table in the account under which lines that are not rows are counted.
pub const SIDE_FILE: &str = "side_file";

/// A line of the file. Its reason does not matter.
#[derive(Debug, Deserialize)]
struct Line {
    table: String,
    id: String,
    row: Value,
}

/// The counts of the lines.
#[derive(Debug, Default)]
pub struct Edited {
    /// Rows that the source does not have, by table.
    pub added: BTreeMap<String, u64>,
    /// The lines that are no rows.
    pub account: Account,
}

/// Checks that every line can be read, before anything else is done.
///
/// # Errors
/// A sentence with the number of the line.
pub fn check(path: &Path) -> Result<()> {
    each(path, |_, _| Ok(()))
}

/// Puts the rows of the file into the staging file. `note` receives the notes on lines that are not rows.
///
/// # Errors
/// As [`check`]; the staging file cannot be used.
pub fn apply(
    path: &Path,
    source: &mut dyn Source,
    staging: &mut Staging,
    note: &mut dyn FnMut(&Note) -> Result<()>,
) -> Result<Edited> {
    staging.seal()?;
    let mut edited = Edited::default();
    each(path, |number, line| {
        let Line { table, id, row } = line;
        let kind = Table::ALL.into_iter().find(|kind| kind.name() == table);
        let why = match kind {
            Some(kind) => place(kind, &id, row, source, staging, &mut edited)?,
            None => Some("it is an entry of a row, which is not imported by itself".to_owned()),
        };
        if let Some(why) = why {
            edited.account.read(SIDE_FILE, 1);
            edited.account.skip(SIDE_FILE, NOT_A_ROW);
            let table = kind.map_or(SIDE_FILE, Table::name);
            let detail = format!("Line {number} of {} is not imported: {why}.", path.display());
            let outcome = Outcome::Skipped;
            note(&Note { table, id, project_id: None, outcome, reason: NOT_A_ROW, into: None, detail })?;
        }
        Ok(())
    })?;
    Ok(edited)
}

/// Stages a row, or returns why the line is not one.
fn place(
    table: Table,
    id: &str,
    raw: Value,
    source: &mut dyn Source,
    staging: &mut Staging,
    edited: &mut Edited,
) -> Result<Option<String>> {
    let found = staging.existing(table, id, &raw)?;
    if let Existing::Same = found {
        return Ok(None);
    }
    let row = match source.row(table, id, raw) {
        Ok(row) => row,
        Err(why) => return Ok(Some(why)),
    };
    match found {
        Existing::Other(number) => staging.replace(number, &row)?,
        Existing::None => {
            staging.add(&row)?;
            *edited.added.entry(row.table.name().to_owned()).or_default() += 1;
        }
        Existing::Same => {}
        Existing::Ambiguous => {
            return Ok(Some("the source has several rows of that id, and none with its _id".to_owned()));
        }
    }
    Ok(None)
}

/// Calls `take` for every line, with its number.
fn each(path: &Path, mut take: impl FnMut(u64, Line) -> Result<()>) -> Result<()> {
    let shown = path.display();
    let cannot_read = |error: std::io::Error| format!("{shown} cannot be read: {error}.");
    let mut file = BufReader::new(File::open(path).map_err(cannot_read)?);
    let (mut text, mut number) = (Vec::new(), 0);
    loop {
        text.clear();
        if file.read_until(b'\n', &mut text).map_err(cannot_read)? == 0 {
            return Ok(());
        }
        number += 1;
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let line = serde_json::from_slice(&text).map_err(|error| {
            format!(
                "{shown}:{number} is to be a line of a side file, an object with table, id and row: {error}. Nothing \
                 is written."
            )
        })?;
        take(number, line)?;
    }
}
