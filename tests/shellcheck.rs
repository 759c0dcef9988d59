//! shellcheck finds nothing in any shell script of the project.

use std::{
    env,
    error::Error,
    path::{Path, PathBuf},
    process::Command,
};

/// The tracked files that are shell scripts, by a `#!` line or a shellcheck directive at their beginning.
fn scripts(top: &str) -> Result<Vec<String>, Box<dyn Error>> {
    let output = Command::new("git").args(["-C", top, "ls-files", "-z"]).output()?;
    let names = String::from_utf8(output.stdout)?;
    Ok(names
        .split_terminator('\0')
        .filter(|name| {
            // A binary or removed file is no script.
            let text = std::fs::read_to_string(Path::new(top).join(name)).unwrap_or_default();
            let first = text.lines().next().unwrap_or_default();
            first.starts_with("# shellcheck shell=")
                || first.starts_with("#!") && ["bash", "sh"].iter().any(|shell| first.ends_with(shell))
        })
        .map(str::to_owned)
        .collect())
}

#[test]
fn it_finds_nothing_in_any_script() -> Result<(), Box<dyn Error>> {
    let top = env!("CARGO_MANIFEST_DIR");
    let python = env::var("FREEZER_TEST_PYTHON")
        .map_err(|_| "FREEZER_TEST_PYTHON is not set: run scripts/test, which sets it")?;
    let shellcheck = PathBuf::from(python).with_file_name("shellcheck");
    let scripts = scripts(top)?;
    for known in ["scripts/test", "scripts/lib/venv.sh", "devstack/plugin.sh", ".ci/run"] {
        assert!(scripts.iter().any(|script| script == known), "{known} is not among {scripts:?}");
    }
    let run = Command::new(shellcheck).args(&scripts).current_dir(top).output()?;
    print!("{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
    if run.status.success() { Ok(()) } else { Err(format!("shellcheck: {}", run.status).into()) }
}
