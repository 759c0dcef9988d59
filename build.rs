//! Tells the program which commit it was built from, for `--version`.

use std::env;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=FREEZER_API_COMMIT");
    // Packages are built from sources without a repository, and say it by the variable.
    let commit = env::var("FREEZER_API_COMMIT").ok().or_else(commit);
    let version = env::var("CARGO_PKG_VERSION").unwrap_or_default();
    let version = match commit.filter(|commit| !commit.is_empty()) {
        Some(commit) => format!("{version} ({commit})"),
        None => version,
    };
    println!("cargo::rustc-env=FREEZER_API_VERSION={version}");
}

/// The commit that is checked out in the package's own repository.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    // A checkout inside another repository is not that repository's commit.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    if env::var("CARGO_MANIFEST_DIR").ok()? != top {
        return None;
    }
    for watched in ["HEAD", "logs/HEAD"] {
        println!("cargo::rerun-if-changed={}", git(&["rev-parse", "--git-path", watched])?);
    }
    git(&["rev-parse", "--short=10", "HEAD"])
}
