//! Opens sources.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::options::{CheckOptions, ElasticsearchOptions, SqlOptions};
use crate::cli::Failure;
use crate::import::sql::SqlSource;
use crate::import::{Source, elasticsearch};
use crate::store::engine::url::DatabaseUrl;

/// The first bytes of an SQLite file.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// The database of `import sql`.
pub fn sql(more: &SqlOptions) -> Result<Box<dyn Source>, Failure> {
    database(&more.import.from.only()?, more.import.reading.force)
}

/// The documents of `import elasticsearch`.
pub fn elasticsearch(more: &ElasticsearchOptions) -> Result<Box<dyn Source>, Failure> {
    let from = more.import.from.all()?;
    if from.is_empty() {
        return Err(no_source());
    }
    Ok(elasticsearch::open(&more.index.source(from)?)?)
}

/// The source of `import check`, recognised by its form.
pub fn any(more: &CheckOptions) -> Result<Box<dyn Source>, Failure> {
    let from = more.from.all()?;
    match &from[..] {
        [] => Err(no_source()),
        [one] if is_database(one) => database(one, more.reading.force),
        _ => Ok(elasticsearch::open(&more.index.source(from)?)?),
    }
}

fn no_source() -> Failure {
    Failure::usage("Say what to read: --from URL, --from FILE, or --from - for standard input.")
}

fn database(url: &str, force: bool) -> Result<Box<dyn Source>, Failure> {
    let url = DatabaseUrl::parse(url).map_err(Failure::usage)?;
    Ok(Box::new(SqlSource::open(&url, force)?))
}

/// Whether `from` is the URL of a database, or an SQLite file.
fn is_database(from: &str) -> bool {
    match from.split_once(':') {
        Some(("http" | "https", _)) => false,
        Some((_, rest)) if rest.starts_with("//") => true,
        _ => begins_as_sqlite(Path::new(from.strip_prefix("sqlite:").unwrap_or(from))),
    }
}

fn begins_as_sqlite(path: &Path) -> bool {
    let mut start = [0; SQLITE.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *SQLITE
}
