//! The side file of an earlier import, read back: rows that an operator has mended take the place of the source's.
//!
//! A line names a row by its table and id, as they are in the source; `row` is what the row is to be. The source reads it
//! as it reads its own rows. Most lines of a side file are parts of rows that are imported: these are no rows, are
//! counted, and change nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::legacy::Table;
use super::plan::reasons::NOT_A_ROW;
use super::staging::{Staging, Taken};
use super::unit::{Note, Outcome};
use super::{Account, Result, Source};

/// The name in the account of the lines that are no rows.
pub const SIDE_FILE: &str = "side_file";

/// A line; why it is there does not matter.
#[derive(Debug, Deserialize)]
struct Line {
    table: String,
    id: String,
    row: Value,
}

/// What the lines were.
#[derive(Debug, Default)]
pub struct Edited {
    /// Rows that the source does not have, by table.
    pub added: BTreeMap<String, u64>,
    /// The lines that are no rows.
    pub account: Account,
}

/// Fails if a line cannot be read; before anything else is done.
///
/// # Errors
/// A sentence with the number of the line.
pub fn check(path: &Path) -> Result<()> {
    each(path, |_, _| Ok(()))
}

/// Puts the rows of the file into the staging file. `note` is given what the report says of lines that are no rows.
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

/// Stages a row. Why the line is none, if so.
fn place(
    table: Table,
    id: &str,
    raw: Value,
    source: &mut dyn Source,
    staging: &mut Staging,
    edited: &mut Edited,
) -> Result<Option<String>> {
    let found = staging.taken(table, id, &raw)?;
    if let Taken::Same = found {
        return Ok(None);
    }
    let row = match source.row(table, id, raw) {
        Ok(row) => row,
        Err(why) => return Ok(Some(why)),
    };
    match found {
        Taken::By(number) => staging.replace(number, &row)?,
        Taken::Free => {
            staging.add(&row)?;
            *edited.added.entry(row.table.name().to_owned()).or_default() += 1;
        }
        Taken::Same => {}
        Taken::Ambiguous => {
            return Ok(Some("the source has several rows of that id, and none with its _id".to_owned()));
        }
    }
    Ok(None)
}

/// Gives every line to `take`, with its number.
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
