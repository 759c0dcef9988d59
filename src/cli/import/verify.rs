//! `import verify`: compares the documents of the target with those of the old service.

use std::path::PathBuf;
use std::process::ExitCode;

use front::outbound;

use super::options::{CheckOptions, IndexOptions, ReadingOptions};
use super::target::{From, open};
use super::{Failure, sources};
use crate::cli::{database, say};
use crate::config::Options;
use crate::import::verify::{DIFFERENT, OldApi, OldService, Report, Verification, View, verify};

/// The end of `--help`.
pub const NOTES: &str = "\
With --from the source is read and planned as for an import, with the same options. With --old-url a running old service is \
asked for every list. With both, its documents are compared, and the plan explains the differences that the import makes.

With --json, standard output has {\"tables\": {NAME: {\"compared\", \"equal\", \"explained\", \"reasons\": {REASON: NUMBER}, \
\"different\", \"missing\", \"only_in_target\"}}}. Each line of --report has table, id, finding (different, missing, \
only_in_target), path, old, ours, and the reason if there is one.

Exit status: 0 when nothing differs without a reason, 3 when something does, 2 for a command line that cannot be read, and 1 \
for any other failure.";

/// The options of `import verify`.
#[derive(Debug, Clone, clap::Args)]
pub struct VerifyOptions {
    #[command(flatten)]
    from: From,
    #[command(flatten)]
    reading: ReadingOptions,
    #[command(flatten)]
    index: IndexOptions,
    /// The old service, as http://host:9090
    #[arg(long, value_name = "URL", requires = "old_token_file")]
    old_url: Option<String>,
    /// The version of the API that it speaks
    #[arg(long, value_name = "VERSION", value_enum, default_value_t = OldApi::V2)]
    old_api: OldApi,
    /// A file of lines `PROJECT TOKEN`, each a view of the old service; up to release 18 every user needs one. For v1 a
    /// line may be a token alone. May be repeated
    #[arg(long, value_name = "FILE", requires = "old_url")]
    old_token_file: Vec<PathBuf>,
    /// Certificates of authorities to trust for the old service, in PEM [default: the system's]
    #[arg(long, value_name = "FILE", requires = "old_url")]
    old_ca_file: Option<PathBuf>,
    /// Trust any certificate of the old service
    #[arg(long, requires = "old_url")]
    old_insecure: bool,
    /// Write a line of JSON for each difference
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
}

/// Compares everything; returns the exit status.
///
/// # Errors
/// A sentence for the operator.
pub fn run(options: &Options, more: VerifyOptions) -> Result<ExitCode, Failure> {
    let VerifyOptions { from, reading, index, .. } = more;
    let service = match &more.old_url {
        Some(url) => {
            let mut views = Vec::new();
            for file in &more.old_token_file {
                views.extend(View::from_file(file, more.old_api)?);
            }
            let settings = outbound::Settings {
                ca_file: more.old_ca_file.clone(),
                insecure: more.old_insecure,
                ..outbound::Settings::default()
            };
            Some(OldService::new(url, more.old_api, views, &settings)?)
        }
        None => None,
    };
    let has_source = !from.from.is_empty() || from.from_file.is_some() || from.from_env.is_some();
    if !has_source && service.is_none() {
        return Err(Failure::usage("Say what to compare with: --from URL, --old-url URL or both."));
    }
    let target = open(&database(options)?, options.allow_newer_schema)?;
    let mut report = Report::new(more.report.as_deref())?;
    let source = match has_source {
        true => {
            let mapping = reading.mapping()?;
            let from = CheckOptions { from, reading: reading.clone(), index, no_target: false };
            Some((sources::any(&from)?, mapping))
        }
        false => None,
    };
    verify(Verification { store: &target, source, service: service.as_ref() }, &mut report)?;
    let differences = report.finish()?;
    if !reading.quiet {
        eprint!("{}", report.summary);
        for line in differences {
            eprintln!("{line}");
        }
    }
    if reading.json {
        say(serde_json::to_string(&report.summary).map_err(|error| error.to_string())?);
    }
    Ok(if report.summary.is_clean() { ExitCode::SUCCESS } else { ExitCode::from(DIFFERENT) })
}
