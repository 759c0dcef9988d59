//! The number of documents that the operator expects.

use std::path::Path;

use serde_json::Value;

use crate::import::{ACCOUNT_IS_WRONG, Error, Result};

/// `--expect` and `--count-file`.
#[derive(Debug, Clone, Default)]
pub struct Expected {
    said: Vec<(String, u64)>,
}

impl Expected {
    /// Reads the options.
    pub fn load(expect: Option<u64>, count_file: Option<&Path>) -> Result<Self> {
        let mut said = Vec::new();
        if let Some(count) = expect {
            said.push((format!("--expect says {count}"), count));
        }
        if let Some(file) = count_file {
            let count = count_in(file)?;
            said.push((format!("{} says {count}", file.display()), count));
        }
        Ok(Self { said })
    }

    /// Fails if another number of documents was read.
    pub fn check(&self, read: u64) -> Result<()> {
        match self.said.iter().find(|(_, count)| *count != read) {
            Some((sentence, _)) => Err(differs(read, sentence)),
            None => Ok(()),
        }
    }
}

/// The error of a source of which another number of documents was read.
pub fn differs(read: u64, sentence: &str) -> Error {
    let why = format!("{read} documents were read, and {sentence}: the dump or the read is not complete.");
    Error { why, status: ACCOUNT_IS_WRONG }
}

/// The sum of the answers of `_count` in a file, or of plain numbers.
fn count_in(file: &Path) -> Result<u64> {
    let name = file.display();
    let text = std::fs::read(file).map_err(|error| format!("Cannot read {name}: {error}."))?;
    let mut sum = None;
    for value in serde_json::Deserializer::from_slice(&text).into_iter::<Value>() {
        let count = value.ok().and_then(|value| value.get("count").unwrap_or(&value).as_u64());
        let Some(count) = count else {
            return Err(
                format!("{name} is to hold answers of `_count`, as {{\"count\": 187}}, or numbers.").into()
            );
        };
        sum = Some(sum.unwrap_or(0) + count);
    }
    sum.ok_or_else(|| format!("{name} is empty; it is to hold the answer of `_count`.").into())
}
