//! The options of imports.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use chrono::Utc;

use super::target::{From, secret};
use crate::cli::Failure;
use crate::import::elasticsearch;
use crate::import::plan::Mapping;

/// The options of a preflight and of an import.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ReadingOptions {
    /// The projects of rows that have none: a JSON object from user ids to project ids, or a line `USER PROJECT` for each
    #[arg(long, value_name = "FILE")]
    pub project_map: Option<PathBuf>,
    /// The project of rows for which no other rule gives one
    #[arg(long, value_name = "ID")]
    pub default_project: Option<String>,
    /// Print the account as JSON on standard output
    #[arg(long)]
    pub json: bool,
    /// No progress and no summary
    #[arg(short, long)]
    pub quiet: bool,
    /// Read a database under a schema version that no release of the Python service has
    #[arg(long)]
    pub force: bool,
}

impl ReadingOptions {
    /// The projects of rows that have none.
    ///
    /// # Errors
    /// The file cannot be read or understood.
    pub fn mapping(&self) -> Result<Mapping, Failure> {
        let projects = self.project_map.as_deref().map(project_map).transpose()?.unwrap_or_default();
        Ok(Mapping { projects, default_project: self.default_project.clone() })
    }
}

/// Reads a `--project-map`.
fn project_map(path: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let shown = path.display();
    let text = fs::read_to_string(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(&text).map_err(|error| {
            format!("{shown} has to be a JSON object from user ids to project ids: {error}").into()
        });
    }
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(number, line)| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                [user, project] => Ok((user.to_owned(), project.to_owned())),
                _ => Err(format!("{shown}:{number} has to be a user id and a project id.").into()),
            }
        })
        .collect()
}

/// The options of an import.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ImportOptions {
    #[command(flatten)]
    pub from: From,
    #[command(flatten)]
    pub reading: ReadingOptions,
    /// Import into a catalogue that has other rows; those that are in the way stay as they are
    #[arg(long)]
    pub into_existing: bool,
    /// Bring rows that an earlier import wrote, and nothing has changed since, to what the source says now
    #[arg(long)]
    pub update: bool,
    /// Delete rows that an earlier import wrote, nothing has changed since, and the source has deleted
    #[arg(long)]
    pub delete_missing: bool,
    /// Plan everything, look everything up in the target, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Write a line of JSON for each row that is not plainly imported
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Where what has no place in the target is kept verbatim, a line of JSON each; a file that is there is replaced
    /// [default: freezer-import-<time>.quarantine.ndjson]
    #[arg(long, value_name = "FILE")]
    pub quarantine: Option<PathBuf>,
    /// Import the rows of an earlier import's side file, as they were edited: each takes the place of the row of the source
    /// (--from) that has its table and id. Lines with a part of a row only are skipped and counted (not-a-row). Implies
    /// --into-existing
    #[arg(long, value_name = "FILE")]
    pub from_quarantine: Option<PathBuf>,
    /// Exit with 0 also when rows are in the quarantine
    #[arg(long)]
    pub allow_quarantine: bool,
}

impl ImportOptions {
    /// Refuses to replace the side file that is read.
    ///
    /// # Errors
    /// `--quarantine` or `--report` names it.
    pub fn keep_edits(&self) -> Result<(), Failure> {
        let real = |path: &PathBuf| fs::canonicalize(path).ok();
        let Some(read) = self.from_quarantine.as_ref().and_then(real) else { return Ok(()) };
        let written = [("--quarantine", &self.quarantine), ("--report", &self.report)];
        let same = written.iter().find(|(_, path)| path.as_ref().and_then(real).as_ref() == Some(&read));
        match same {
            Some((name, _)) => Err(Failure::usage(format!(
                "{name} is the file of --from-quarantine, which would be replaced: give another one."
            ))),
            None => Ok(()),
        }
    }

    /// The path of the side file.
    pub fn side_file(&self) -> Option<PathBuf> {
        match &self.quarantine {
            Some(path) => Some(path.clone()),
            None if self.dry_run => None,
            None => {
                let time = Utc::now().format("%Y%m%dT%H%M%SZ");
                Some(PathBuf::from(format!("freezer-import-{time}.quarantine.ndjson")))
            }
        }
    }
}

/// The options of `import sql`.
#[derive(Debug, Clone, clap::Args)]
pub struct SqlOptions {
    #[command(flatten)]
    pub import: ImportOptions,
}

/// The options of `import elasticsearch`.
#[derive(Debug, Clone, clap::Args)]
pub struct ElasticsearchOptions {
    #[command(flatten)]
    pub import: ImportOptions,
    #[command(flatten)]
    pub index: IndexOptions,
}

/// The options of `import check`.
#[derive(Debug, Clone, clap::Args)]
pub struct CheckOptions {
    #[command(flatten)]
    pub from: From,
    #[command(flatten)]
    pub reading: ReadingOptions,
    #[command(flatten)]
    pub index: IndexOptions,
    /// Look at the source alone
    #[arg(long)]
    pub no_target: bool,
}

/// The location of documents, and the credentials.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct IndexOptions {
    /// The index, or KIND=INDEX for an index of one kind (clients, actions, jobs, sessions, backups); may be repeated
    /// [default: freezer]
    #[arg(long, value_name = "NAME")]
    pub index: Vec<String>,
    /// Certificates of authorities to trust, in PEM [default: the system's]
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// The certificate to show to the server, in PEM
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub cert_file: Option<PathBuf>,
    /// Its key, in PEM
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    pub key_file: Option<PathBuf>,
    /// Trust any certificate
    #[arg(long)]
    pub insecure: bool,
    /// Log in with what this file holds: USER:PASSWORD, or `ApiKey ...` or `Bearer ...`
    #[arg(long, value_name = "FILE", conflicts_with = "auth_env")]
    pub auth_file: Option<PathBuf>,
    /// Log in with what this environment variable holds
    #[arg(long, value_name = "VAR")]
    pub auth_env: Option<String>,
    /// Read so many documents a second at most
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub rate: Option<u32>,
    /// How many documents there have to be
    #[arg(long, value_name = "NUMBER")]
    pub expect: Option<u64>,
    /// Saved answers of `_count`, which say how many documents there have to be
    #[arg(long, value_name = "FILE", conflicts_with = "expect")]
    pub count_file: Option<PathBuf>,
    /// Skip documents of unknown kinds; else they are quarantined
    #[arg(long)]
    pub skip_unknown: bool,
}

impl IndexOptions {
    /// The options of the source.
    ///
    /// # Errors
    /// The secret cannot be read.
    pub fn source(&self, from: Vec<String>) -> Result<elasticsearch::Options, Failure> {
        let secret = secret(None, self.auth_file.as_deref(), self.auth_env.as_deref(), "--auth-file")?;
        Ok(elasticsearch::Options {
            from,
            indices: self.index.clone(),
            ca_file: self.ca_file.clone(),
            cert_file: self.cert_file.clone(),
            key_file: self.key_file.clone(),
            insecure: self.insecure,
            authorization: secret.map(|secret| authorization(&secret)),
            rate: self.rate,
            skip_unknown: self.skip_unknown,
            expect: self.expect,
            count_file: self.count_file.clone(),
        })
    }
}

/// The `Authorization` header for the content of an `--auth-file`.
fn authorization(secret: &str) -> String {
    use base64::Engine;

    let is_header = ["Basic ", "ApiKey ", "Bearer "].iter().any(|scheme| secret.starts_with(scheme));
    match is_header {
        true => secret.to_owned(),
        false => format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(secret)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_and_a_password_become_a_basic_header() {
        assert_eq!(authorization("u:p"), "Basic dTpw");
        assert_eq!(authorization("ApiKey abc"), "ApiKey abc");
        assert_eq!(authorization("Bearer abc"), "Bearer abc");
    }
}
