//! `freezer-api copy`: copies everything into another database of this service.

use std::path::PathBuf;

use clap::Args;

use super::{Failure, say};
use crate::copy::{self, Request};
use crate::store::engine::url::DatabaseUrl;

/// The options of `freezer-api copy`. A URL may hold a password, so [`Debug`](std::fmt::Debug) hides it.
#[derive(Args)]
pub struct CopyOptions {
    /// The database to copy from
    #[arg(long, value_name = "URL", required_unless_present_any = ["from_file", "from_env"])]
    from: Option<String>,
    /// Read the URL to copy from from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from", "from_env"])]
    from_file: Option<PathBuf>,
    /// Read the URL to copy from from this environment variable
    #[arg(long, value_name = "VARIABLE", conflicts_with = "from")]
    from_env: Option<String>,
    /// The database to copy into [default: [database] connection]
    #[arg(long, value_name = "URL")]
    to: Option<String>,
    /// Read the URL to copy into from the first line of this file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["to", "to_env"])]
    to_file: Option<PathBuf>,
    /// Read the URL to copy into from this environment variable
    #[arg(long, value_name = "VARIABLE", conflicts_with = "to")]
    to_env: Option<String>,
    /// Copy into a database that has other rows already; rows with an id of the source must be equal to it
    #[arg(long)]
    into_existing: bool,
    /// Check everything, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Copy the tokens of the built-in identity, too, so that its users stay logged in
    #[arg(long)]
    with_tokens: bool,
    /// Print the account of the rows on standard output, as JSON
    #[arg(long)]
    json: bool,
    /// Show neither progress nor a table at the end
    #[arg(short, long)]
    quiet: bool,
}

impl std::fmt::Debug for CopyOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CopyOptions")
    }
}

/// Copies; `configured` gives the database of the configuration.
///
/// # Errors
/// A sentence for the operator.
pub fn run(
    options: &CopyOptions,
    configured: impl FnOnce() -> Result<DatabaseUrl, Failure>,
) -> Result<(), Failure> {
    let from = url(options.from.as_deref(), options.from_file.as_ref(), options.from_env.as_deref())?
        .ok_or_else(|| Failure::from("--from names the database to copy from.".to_owned()))?;
    let to = match url(options.to.as_deref(), options.to_file.as_ref(), options.to_env.as_deref())? {
        Some(url) => url,
        None => configured()?,
    };
    let account = copy::run(Request {
        from,
        to,
        into_existing: options.into_existing,
        is_dry: options.dry_run,
        with_tokens: options.with_tokens,
        is_quiet: options.quiet,
    })?;
    if options.json {
        say(serde_json::to_string_pretty(&account).map_err(|error| error.to_string())?);
    }
    Ok(())
}

/// The URL from the option, the file or the environment variable; `None` if none is named.
fn url(
    given: Option<&str>,
    file: Option<&PathBuf>,
    variable: Option<&str>,
) -> Result<Option<DatabaseUrl>, Failure> {
    let text = match (given, file, variable) {
        (Some(text), ..) => text.to_owned(),
        (_, Some(file), _) => {
            let text = std::fs::read_to_string(file);
            text.map_err(|error| format!("The file {} cannot be read: {error}.", file.display()))?
        }
        (.., Some(variable)) => std::env::var(variable)
            .map_err(|_| format!("The environment variable {variable} holds no database URL."))?,
        _ => return Ok(None),
    };
    let line = text.lines().next().unwrap_or_default();
    Ok(Some(DatabaseUrl::parse(line)?))
}
