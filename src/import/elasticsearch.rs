//! The documents of the Python service's Elasticsearch index: of a live server, or of files.

use std::path::PathBuf;

use super::{Result, Source};

/// Where the documents are, and how to get at them.
#[derive(Debug, Clone, Default)]
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
    /// `--rate`: documents a second at most.
    pub rate: Option<u32>,
    /// `--skip-unknown`: a document of an unknown kind is skipped and not quarantined.
    pub skip_unknown: bool,
}

/// Opens the source.
///
/// # Errors
/// A sentence: it is away, or what is there is no dump of documents.
pub fn open(_options: &Options) -> Result<Box<dyn Source>> {
    todo!()
}
