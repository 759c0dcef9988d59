//! The report, with the outcome of each row, and the side file, with data that has no place in the target.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::unit::{Note, Remainder};
use super::{Error, Result};

/// The report and the side file. A line is an object in JSON.
pub struct Files {
    report: Option<Lines>,
    quarantine: SideFile,
}

/// The side file; created with its first line.
struct SideFile {
    path: Option<PathBuf>,
    lines: Option<Lines>,
}

struct Lines {
    path: PathBuf,
    out: BufWriter<File>,
}

impl Files {
    /// A report at `report`, and a side file at `quarantine`; what has no path is not written. Files that are there are
    /// replaced: an import that is run again writes every line again.
    ///
    /// # Errors
    /// The report cannot be made.
    pub fn new(report: Option<&Path>, quarantine: Option<PathBuf>) -> Result<Self> {
        let report = report.map(Lines::create).transpose()?;
        Ok(Self { report, quarantine: SideFile { path: quarantine, lines: None } })
    }

    /// A line of the report.
    ///
    /// # Errors
    /// The disk is full.
    pub fn note(&mut self, note: &Note) -> Result<()> {
        self.report.as_mut().map_or(Ok(()), |lines| lines.add(note))
    }

    /// A line of the side file.
    ///
    /// # Errors
    /// The file cannot be made, or the disk is full.
    pub fn remainder(&mut self, remainder: &Remainder) -> Result<()> {
        let Some(path) = &self.quarantine.path else { return Ok(()) };
        let lines = match &mut self.quarantine.lines {
            Some(lines) => lines,
            none => none.insert(Lines::create(path)?),
        };
        lines.add(remainder)
    }

    /// Flushes both files; called after each batch.
    ///
    /// # Errors
    /// The disk is full.
    pub fn flush(&mut self) -> Result<()> {
        self.report.iter_mut().chain(&mut self.quarantine.lines).try_for_each(Lines::flush)
    }

    /// Ends both files. The path of the side file, if there is one.
    ///
    /// # Errors
    /// The disk is full.
    pub fn finish(mut self) -> Result<Option<PathBuf>> {
        self.flush()?;
        for lines in self.report.iter().chain(&self.quarantine.lines) {
            lines.out.get_ref().sync_all().map_err(|error| lines.failed(&error))?;
        }
        match (self.quarantine.lines, self.quarantine.path) {
            (Some(lines), _) => Ok(Some(lines.path)),
            (None, Some(path)) if path.is_file() => {
                // An earlier import's: what it has is imported now.
                File::create(&path).map_err(|error| cannot_make(&path, &error))?;
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

impl Lines {
    fn create(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        // Rows of a backup catalogue are for the operator alone.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| cannot_make(path, &error))?;
        Ok(Self { path: path.to_owned(), out: BufWriter::new(file) })
    }

    fn add(&mut self, line: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.out, line).map_err(|error| self.failed(&error.into()))?;
        self.out.write_all(b"\n").map_err(|error| self.failed(&error))
    }

    fn flush(&mut self) -> Result<()> {
        self.out.flush().map_err(|error| self.failed(&error))
    }

    fn failed(&self, error: &std::io::Error) -> Error {
        format!(
            "{} cannot be written: {error}. The rows of the target are complete up to this batch; running the import \
             again continues.",
            self.path.display()
        )
        .into()
    }
}

fn cannot_make(path: &Path, error: &std::io::Error) -> Error {
    format!("{} cannot be made: {error}", path.display()).into()
}
