//! Reads the Python service's Elasticsearch index, from a live server or from files.
//!
//! It was never run against a real server: the tests use a simulated one, and dumps that the real elasticdump made.

mod delivery;
mod documents;
mod dump;
mod edited;
mod fields;
mod hit;
mod kinds;
mod live;
mod page;
mod total;

use std::path::PathBuf;

use super::{Result, Source};
use kinds::Kinds;
use total::Expected;

/// The location of the documents, and the credentials.
#[derive(Clone, Default)]
pub struct Options {
    /// A URL (`http://`, `https://`), `-` for standard input, or files.
    pub from: Vec<String>,
    /// `--index`: names, or `KIND=NAME`; `freezer` if there is none.
    pub indices: Vec<String>,
    /// `--ca-file`.
    pub ca_file: Option<PathBuf>,
    /// `--cert-file`.
    pub cert_file: Option<PathBuf>,
    /// `--key-file`.
    pub key_file: Option<PathBuf>,
    /// `--insecure`.
    pub insecure: bool,
    /// The value of the `Authorization` header (`Basic`, `ApiKey`, `Bearer`), from a file or the environment.
    pub authorization: Option<String>,
    /// `--rate`: the most documents per second.
    pub rate: Option<u32>,
    /// `--skip-unknown`: a document of an unknown kind is skipped and not quarantined.
    pub skip_unknown: bool,
    /// `--expect`: how many documents there are.
    pub expect: Option<u64>,
    /// `--count-file`: answers of `_count` that were saved beside a dump.
    pub count_file: Option<PathBuf>,
}

impl std::fmt::Debug for Options {
    /// Without what is secret: the header, and a URL's password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("sources", &self.from.len()).field("indices", &self.indices).finish()
    }
}

/// Opens the source.
///
/// # Errors
/// A sentence: the source cannot be reached, or is not a dump of documents.
pub fn open(options: &Options) -> Result<Box<dyn Source>> {
    let kinds = Kinds::parse(&options.indices)?;
    let expected = Expected::load(options.expect, options.count_file.as_deref())?;
    let is_url = |from: &String| from.starts_with("http://") || from.starts_with("https://");
    match options.from.as_slice() {
        [] => Err("Say where the documents are: a URL, files, or - for standard input.".into()),
        [url] if is_url(url) => Ok(Box::new(live::Live::open(url, options, kinds, expected)?)),
        sources if sources.iter().any(is_url) => {
            Err("A server is read alone: give one URL, or files, and not both.".into())
        }
        files => Ok(Box::new(dump::Dump::open(files, options, kinds, expected)?)),
    }
}
