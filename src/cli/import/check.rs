//! `import check`: describes the source and what an import would do.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::rc::Rc;

use serde_json::{Value, json};

use super::options::CheckOptions;
use super::{sources, stop_flag, summary, target};
use crate::cli::{Failure, database, say};
use crate::config::Options;
use crate::import::legacy::{Row, Table};
use crate::import::run::{self, ImportResult};
use crate::import::write::Mode;
use crate::import::{Description, QUARANTINED, Result, Source};
use crate::store::Store;

/// Rows per second that a small machine writes; docs/PERFORMANCE.md has figures.
const ROWS_A_SECOND: u64 = 5_000;

/// The most projects that are listed.
const PROJECTS: usize = 20;

/// Plans the import; writes nothing except a temporary file.
pub fn run(options: &Options, more: &CheckOptions) -> std::result::Result<ExitCode, Failure> {
    let stop = stop_flag()?;
    let target = if more.no_target { Err("--no-target".to_owned()) } else { open(options) };
    let mut source = sources::any(more)?;
    let description = source.describe()?;
    let users = ProjectUsers::default();
    let source = Box::new(ObservedSource { source, users: users.clone() });
    let order = run::RunOptions {
        mapping: more.reading.mapping()?,
        mode: Mode { is_dry: true, ..Mode::default() },
        is_quiet: more.reading.quiet,
        into_existing: true,
        ..run::RunOptions::default()
    };
    let (target, standing) = match target {
        Ok(store) => {
            let is_empty = store.read(is_empty).map_err(|error| error.to_string())?;
            let standing = match is_empty {
                true => format!("{:?} has our schema, and no row of the catalogue", store.url()),
                false => format!(
                    "{:?} has our schema, and rows: an import of another source needs --into-existing",
                    store.url()
                ),
            };
            (Some(store), standing)
        }
        Err(why) => (None, format!("none is looked at: {why}")),
    };
    let ended = run::run(source, target.as_ref(), &order, &stop)?;
    let text = text(&description, &users, &standing, &ended);
    if !more.reading.quiet {
        eprint!("{text}");
    }
    if more.reading.json {
        let document = json!({
            "source": description.lines,
            "warnings": description.warnings,
            "target": standing,
            "tables": ended.account.tables,
        });
        say(document);
    }
    Ok(if ended.account.has_quarantined() { ExitCode::from(QUARANTINED) } else { ExitCode::SUCCESS })
}

/// The target, or why there is none.
fn open(options: &Options) -> std::result::Result<Store, String> {
    let url = database(options).map_err(|failure| failure.to_string())?;
    target::open(&url, options.allow_newer_schema).map_err(|failure| failure.to_string())
}

fn is_empty(tx: &mut crate::store::Tx<'_>) -> crate::store::Outcome<bool> {
    use crate::store::import::{Catalogue, ids_after};

    for table in Catalogue::ALL {
        if !ids_after(tx, table, "", 1)?.is_empty() {
            return Ok(false);
        }
    }
    Ok(true)
}

fn text(description: &Description, users: &ProjectUsers, standing: &str, ended: &ImportResult) -> String {
    let mut text = String::from("Source:\n");
    for line in &description.lines {
        text += &format!("  {line}\n");
    }
    for warning in &description.warnings {
        text += &format!("  Warning: {warning}\n");
    }
    text += &format!("Target: {standing}\n");
    text += &users.text();
    text += "An import would make of it:\n";
    text += &summary::table(&ended.account);
    for (reason, examples) in &ended.examples {
        text += &format!("  {reason}, as {}\n", examples.join(", "));
    }
    let rows: u64 = ended.account.tables.values().map(|figures| figures.imported).sum();
    text += &format!(
        "Room: {} MiB in {} while it imports, and about twice that in the target's database. Time: about {} s at {} rows/s.\n",
        ended.staged_bytes.div_ceil(1 << 20),
        std::env::temp_dir().display(),
        rows.div_ceil(ROWS_A_SECOND),
        ROWS_A_SECOND,
    );
    text
}

/// The projects and users of the rows, collected while reading.
#[derive(Debug, Clone, Default)]
struct ProjectUsers(Rc<RefCell<Projects>>);

/// How many rows each project has, and the users that they belong to.
type Projects = BTreeMap<String, (u64, BTreeSet<String>)>;

impl ProjectUsers {
    fn add(&self, row: &Row) {
        // The rows of these tables have no project of their own.
        if matches!(row.table, Table::JobActions | Table::UserCredentials) {
            return;
        }
        let Self(projects) = self;
        let mut projects = projects.borrow_mut();
        let (rows, users) = projects.entry(row.project.clone().unwrap_or_default()).or_default();
        *rows += 1;
        if !users.contains(&row.user) {
            users.insert(row.user.clone());
        }
    }

    fn text(&self) -> String {
        let Self(projects) = self;
        let projects = projects.borrow();
        let mut text = format!("Projects: {}\n", projects.len());
        for (project, (rows, users)) in projects.iter().take(PROJECTS) {
            let project = if project.is_empty() { "(none)" } else { project };
            text += &format!("  {project}: {rows} rows of {} users\n", users.len());
        }
        if projects.len() > PROJECTS {
            text += &format!("  and {} more\n", projects.len() - PROJECTS);
        }
        text
    }
}

/// A source that also reports each row to [`ProjectUsers`].
struct ObservedSource {
    source: Box<dyn Source>,
    users: ProjectUsers,
}

impl Source for ObservedSource {
    fn describe(&mut self) -> Result<Description> {
        self.source.describe()
    }

    fn read(&mut self, sink: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        let users = self.users.clone();
        self.source.read(&mut |row| {
            users.add(&row);
            sink(row)
        })
    }

    fn counts(&mut self) -> Result<BTreeMap<String, u64>> {
        self.source.counts()
    }

    fn row(&mut self, table: Table, id: &str, raw: Value) -> std::result::Result<Row, String> {
        self.source.row(table, id, raw)
    }
}
