//! The source and the target of an import or a copy, from the command line.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use crate::cli::{Failure, db};
use crate::store::Store;
use crate::store::engine::url::DatabaseUrl;

/// The source to read. It may hold a password, so [`Debug`](std::fmt::Debug) hides it.
#[derive(Clone, Default, clap::Args)]
pub struct From {
    /// What to read: a URL, a file, or `-` for standard input
    #[arg(long, value_name = "URL", conflicts_with_all = ["from_file", "from_env"])]
    pub from: Vec<String>,
    /// Read the URL from this file, so that its password is in no process list
    #[arg(long, value_name = "FILE", conflicts_with = "from_env")]
    pub from_file: Option<PathBuf>,
    /// Read the URL from this environment variable
    #[arg(long, value_name = "VAR")]
    pub from_env: Option<String>,
}

impl std::fmt::Debug for From {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("From")
    }
}

impl From {
    /// All sources; empty if the command line names none.
    ///
    /// # Errors
    /// The file or the variable cannot be read or is empty.
    pub fn all(&self) -> Result<Vec<String>, Failure> {
        for url in self.from.iter().filter(|url| holds_password(url)) {
            if io::stderr().is_terminal() {
                eprintln!(
                    "The password in --from {} is in the process list; --from-file and --from-env keep it out of there.",
                    without_password(url)
                );
            }
        }
        let more = secret(None, self.from_file.as_deref(), self.from_env.as_deref(), "--from")?;
        Ok(self.from.iter().cloned().chain(more).collect())
    }

    /// The only source.
    ///
    /// # Errors
    /// There is none, or more than one; as [`From::all`].
    pub fn only(&self) -> Result<String, Failure> {
        let mut all = self.all()?;
        match (all.pop(), all.is_empty()) {
            (Some(url), true) => Ok(url),
            (Some(_), false) => Err(Failure::usage("Only one --from can be read here.")),
            (None, _) => {
                Err(Failure::usage("Say what to read: --from URL, --from-file FILE or --from-env VAR."))
            }
        }
    }
}

/// A text that may hold a password: from the option itself, a file or an environment variable, without the line end.
/// `option` is the option's name in errors.
///
/// # Errors
/// The file cannot be read, the variable is not set, or it is empty.
pub fn secret(
    given: Option<&str>,
    file: Option<&Path>,
    variable: Option<&str>,
    option: &str,
) -> Result<Option<String>, Failure> {
    let (text, place) = match (given, file, variable) {
        (Some(text), ..) => (text.to_owned(), option.to_owned()),
        (None, Some(file), _) => {
            let place = file.display().to_string();
            let text = std::fs::read_to_string(file);
            (text.map_err(|error| Failure::from(format!("{place} cannot be read: {error}")))?, place)
        }
        (None, None, Some(variable)) => {
            let place = format!("The environment variable {variable}");
            let text = std::env::var(variable);
            (text.map_err(|_| Failure::from(format!("{place} is not set, or is no text.")))?, place)
        }
        (None, None, None) => return Ok(None),
    };
    match text.trim() {
        "" => Err(format!("{place} is empty.").into()),
        text => Ok(Some(text.to_owned())),
    }
}

/// Whether a URL contains a password.
pub fn holds_password(url: &str) -> bool {
    without_password(url) != url
}

/// A URL for messages, without user, password and query. Other texts do not change.
pub fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let rest = rest.split_once('?').map_or(rest, |(rest, _)| rest);
    // The last `@`, because a password may contain one that is not encoded.
    let rest = rest.rsplit_once('@').map_or(rest, |(_, place)| place);
    format!("{scheme}://{rest}")
}

/// Opens the target, which must have this service's schema.
///
/// # Errors
/// It cannot be reached, does not exist, or has another schema; the sentence is that of `db check`.
pub fn open(url: &DatabaseUrl, allow_newer_schema: bool) -> Result<Store, Failure> {
    db::ready(url, allow_newer_schema).map_err(|error| Failure::from(String::from(error)))?;
    Ok(Store::new(url.clone(), 1))
}
