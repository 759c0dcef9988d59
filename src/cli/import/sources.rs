//! Opening sources.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::Opened;
use super::options::{CheckOptions, ElasticsearchOptions, SqlOptions};
use crate::cli::Failure;
use crate::import::run::ALL_ROWS;
use crate::import::sql::SqlSource;
use crate::import::{Source, elasticsearch};
use crate::store::url::DatabaseUrl;

/// What an SQLite file begins with.
const SQLITE: &[u8] = b"SQLite format 3\0";

/// The database of `import sql`.
pub fn sql(more: &SqlOptions) -> Result<Opened, Failure> {
    let source = database(&more.import.from.one()?, more.import.reading.force)?;
    Ok(Opened { source, expected: Default::default() })
}

/// The documents of `import elasticsearch`.
pub fn elasticsearch(more: &ElasticsearchOptions) -> Result<Opened, Failure> {
    let from = more.import.from.all()?;
    if from.is_empty() {
        return Err(Failure::usage(
            "Say what to read: --from URL, --from FILE or --from - for standard input.",
        ));
    }
    let source = elasticsearch::open(&more.index.source(from)?)?;
    let expected = more.index.expected()?.map(|count| (ALL_ROWS.to_owned(), count));
    Ok(Opened { source, expected: expected.into_iter().collect() })
}

/// The source of `import check`, recognised by its form.
pub fn any(more: &CheckOptions) -> Result<Opened, Failure> {
    let from = more.from.all()?;
    match &from[..] {
        [] => Err(Failure::usage(
            "Say what to look at: --from URL, --from FILE or --from - for standard input.",
        )),
        [one] if is_database(one) => {
            Ok(Opened { source: database(one, more.reading.force)?, expected: Default::default() })
        }
        _ => {
            let source = elasticsearch::open(&more.index.source(from)?)?;
            let expected = more.index.expected()?.map(|count| (ALL_ROWS.to_owned(), count));
            Ok(Opened { source, expected: expected.into_iter().collect() })
        }
    }
}

fn database(url: &str, force: bool) -> Result<Box<dyn Source>, Failure> {
    let url = DatabaseUrl::parse(url).map_err(Failure::usage)?;
    Ok(Box::new(SqlSource::open(&url, force)?))
}

/// Whether it is the URL of a database, or an SQLite file.
fn is_database(from: &str) -> bool {
    match from.split_once(':') {
        Some((scheme, _)) if ["http", "https"].contains(&scheme) => false,
        Some((_, rest)) if rest.starts_with("//") => true,
        _ => begins_as_sqlite(Path::new(from.strip_prefix("sqlite:").unwrap_or(from))),
    }
}

fn begins_as_sqlite(path: &Path) -> bool {
    let mut start = [0; SQLITE.len()];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).is_ok() && start == *SQLITE
}
