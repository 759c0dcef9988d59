//! The results of a verification: figures by collection, and a line for each difference.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use super::Kind;
use crate::import::Result;

/// How many differences are kept for the terminal.
const SHOWN: usize = 20;

/// The figures of one collection. What was compared is equal, explained, different or missing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Documents that the old service shows.
    pub compared: u64,
    /// Documents that this service shows equally, apart from allowed differences.
    pub equal: u64,
    /// Documents whose every difference has a reason of the import.
    pub explained: u64,
    /// How many documents each reason is about; a document may have several.
    pub reasons: BTreeMap<String, u64>,
    /// Documents with a difference that no reason explains.
    pub different: u64,
    /// Documents that this service does not show, without a reason.
    pub missing: u64,
    /// Documents of this service without a counterpart in the old service.
    pub only_in_target: u64,
}

/// The figures of all collections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// By the collection's name.
    pub tables: BTreeMap<&'static str, Figures>,
}

impl Summary {
    /// Whether everything is as it should be.
    pub fn is_clean(&self) -> bool {
        self.tables.values().all(|figures| figures.different + figures.missing + figures.only_in_target == 0)
    }
}

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// A member has another value.
    Different,
    /// This service does not show the document.
    Missing,
    /// Only this service shows the document.
    OnlyInTarget,
}

/// A line of the report.
#[derive(Debug, Clone, Serialize)]
pub struct Line<'l> {
    /// The collection.
    pub table: &'static str,
    /// The document's id in the source; in the target, if only this service shows it.
    pub id: &'l str,
    /// What is wrong.
    pub finding: Finding,
    /// Where; empty for the document as a whole.
    pub path: &'l str,
    /// The value in the old service's document.
    pub old: Option<&'l Value>,
    /// The value in this service's document.
    pub ours: Option<&'l Value>,
    /// The reason, if it is explained.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'l str>,
}

/// The figures so far, and the output file.
pub struct Report {
    /// The figures.
    pub summary: Summary,
    file: Option<(PathBuf, BufWriter<File>)>,
    shown: Vec<String>,
    unexplained: u64,
}

impl Report {
    /// A report that writes every difference into `file`, if there is one.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new(file: Option<&Path>) -> Result<Self> {
        let file = match file {
            Some(path) => {
                let made = File::create(path)
                    .map_err(|error| format!("Cannot write the report {}: {error}.", path.display()))?;
                Some((path.to_owned(), BufWriter::new(made)))
            }
            None => None,
        };
        let tables = Kind::ALL.into_iter().map(|kind| (kind.name(), Figures::default())).collect();
        Ok(Self { summary: Summary { tables }, file, shown: Vec::new(), unexplained: 0 })
    }

    /// The figures of a collection.
    pub fn figures(&mut self, kind: Kind) -> &mut Figures {
        self.summary.tables.entry(kind.name()).or_default()
    }

    /// Writes a line.
    ///
    /// # Errors
    /// The disk is full.
    pub fn line(&mut self, line: &Line<'_>) -> Result<()> {
        if line.reason.is_none() {
            self.unexplained += 1;
            if self.shown.len() < SHOWN {
                self.shown.push(sentence(line));
            }
        }
        if let Some((path, file)) = &mut self.file {
            serde_json::to_writer(&mut *file, line)
                .map_err(std::io::Error::from)
                .and_then(|()| file.write_all(b"\n"))
                .map_err(|error| format!("Cannot write the report {}: {error}.", path.display()))?;
        }
        Ok(())
    }

    /// Ends the report: the file is complete after it. The lines for a terminal.
    ///
    /// # Errors
    /// The disk is full.
    pub fn finish(&mut self) -> Result<Vec<String>> {
        if let Some((path, file)) = &mut self.file {
            file.flush().map_err(|error| format!("Cannot write the report {}: {error}.", path.display()))?;
        }
        let mut lines = std::mem::take(&mut self.shown);
        let more = self.unexplained.saturating_sub(lines.len() as u64);
        if more > 0 {
            lines.push(format!("and {more} more"));
        }
        Ok(lines)
    }
}

fn sentence(line: &Line<'_>) -> String {
    let Line { table, id, path, .. } = line;
    match line.finding {
        Finding::Missing => format!("{table} {id}: not in the target"),
        Finding::OnlyInTarget => format!("{table} {id}: only in the target"),
        Finding::Different => {
            format!(
                "{table} {id}: {path}: {} in the source, {} in the target",
                short(line.old),
                short(line.ours)
            )
        }
    }
}

fn short(value: Option<&Value>) -> String {
    const MOST: usize = 80;
    let Some(value) = value else { return "nothing".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The figures as a table for a terminal.
impl std::fmt::Display for Summary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(
            f,
            "{:<10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>14}",
            "table", "compared", "equal", "explained", "different", "missing", "only in target"
        )?;
        for (table, figures) in &self.tables {
            let Figures { compared, equal, explained, different, missing, only_in_target, .. } = figures;
            writeln!(
                f,
                "{table:<10} {compared:>9} {equal:>9} {explained:>9} {different:>9} {missing:>9} {only_in_target:>14}"
            )?;
            for (reason, count) in &figures.reasons {
                writeln!(f, "  {reason}: {count}")?;
            }
        }
        Ok(())
    }
}
