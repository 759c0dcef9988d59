//! The modules of the service use one another only in the directions that docs/ARCHITECTURE.md names.
//!
//! What the crates use stands in their `Cargo.toml`.

use std::{
    error::Error,
    fs,
    path::{Path, PathBuf},
};

/// A module, and the modules that it must not use. `*` stands for every other module.
const WALLS: &[(&str, &[&str])] = &[
    ("lifecycle", &["*"]),
    ("schedule", &["*"]),
    ("store", &["app", "auth", "catalogue", "document", "handlers", "http", "openapi", "routes"]),
    ("document", &["app", "catalogue", "handlers", "http", "openapi", "routes"]),
    ("catalogue", &["app", "handlers", "http", "openapi", "routes"]),
    ("handlers", &["openapi", "routes"]),
    ("routes", &["openapi"]),
    ("app", &["openapi", "routes"]),
    ("config", &["handlers"]),
];

/// Our crates, and those of them that each may use.
const CRATES: &[(&str, &[&str])] = &[
    ("front", &["oslo-log"]),
    ("keystone-auth", &["front", "oslo-log"]),
    ("oslo-config", &[]),
    ("oslo-log", &[]),
    ("oslo-policy", &["front", "oslo-log"]),
];

/// A call that would block a worker or end the process, and the files that may make it.
const CALLS: &[(&str, &[&str])] = &[
    (
        "thread::sleep(",
        &[
            // Threads of their own, which serve no request.
            "identity/upkeep.rs",
            "front/server.rs",
            "front/server/deadline.rs",
            "front/server/listener.rs",
            "front/supervisor.rs",
            // Pauses before another attempt.
            "import/elasticsearch/live.rs",
            "import/run.rs",
            "keystone-auth/client.rs",
            "store/engine/dialect.rs",
            "store/engine/dialect/cluster.rs",
            "store/engine/sqlite_file/lock.rs",
            "store/engine/transact.rs",
            "store/engine/wait.rs",
        ],
    ),
    // The second signal ends the process at once.
    ("process::exit(", &["front/server/signals.rs"]),
    // Only the store begins transactions: it decides about the isolation level, and runs them again.
    (".transaction(", &[]),
];

/// The code of every file without its tests and comments, by the file's path below `src`. Before that of a crate stands
/// the crate's name.
fn sources() -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = sources_below(&top.join("src"), "")?;
    for krate in fs::read_dir(top.join("crates"))? {
        let krate = krate?;
        let prefix = format!("{}/", krate.file_name().display());
        sources.extend(sources_below(&krate.path().join("src"), &prefix)?);
    }
    Ok(sources)
}

fn sources_below(top: &Path, prefix: &str) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let (mut open, mut sources) = (vec![top.to_owned()], Vec::new());
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory)? {
            let path: PathBuf = entry?.path();
            let name = format!("{prefix}{}", path.strip_prefix(top)?.display());
            if path.is_dir() {
                open.push(path);
            } else if name.ends_with(".rs") && !name.contains("tests") {
                let text = fs::read_to_string(&path)?;
                let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
                let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
                sources.push((name, lines.collect::<Vec<_>>().join("\n")));
            }
        }
    }
    Ok(sources)
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The name that a text begins with.
fn first_name(text: &str) -> &str {
    &text[..text.find(|c| !is_name(c)).unwrap_or(text.len())]
}

/// The modules of the service or of its front that a text names: `a` of `crate::a::b`, and of `use front::{a, b}`.
fn modules(code: &str) -> Vec<&str> {
    let mut modules = Vec::new();
    for rest in code.split("crate::").skip(1).chain(code.split("front::").skip(1)) {
        match rest.strip_prefix('{') {
            Some(group) => {
                let (mut depth, mut begins) = (0, true);
                for (at, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => begins = true,
                        c if begins && is_name(c) => {
                            modules.push(first_name(&group[at..]));
                            begins = false;
                        }
                        _ => {}
                    }
                }
            }
            None => modules.push(first_name(rest)),
        }
    }
    modules
}

#[test]
fn modules_use_only_what_they_may() -> Result<(), Box<dyn Error>> {
    let mut wrong = Vec::new();
    for (file, code) in sources()? {
        let own = file.split(['/', '.']).next().unwrap_or_default();
        let Some((_, forbidden)) = WALLS.iter().find(|(module, _)| *module == own) else { continue };
        for used in modules(&code) {
            if used != own && (forbidden.contains(&used) || forbidden.contains(&"*")) {
                wrong.push(format!("src/{file} uses crate::{used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn crates_use_only_what_they_may() -> Result<(), Box<dyn Error>> {
    let mut wrong = Vec::new();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("crates"))? {
        let entry = entry?;
        let name = entry.file_name().display().to_string();
        let allowed = CRATES.iter().find(|(own, _)| *own == name).map_or(&[][..], |(_, allowed)| allowed);
        let manifest = fs::read_to_string(entry.path().join("Cargo.toml"))?;
        for line in manifest.lines().filter(|line| line.contains("path = ")) {
            let used = line.split_whitespace().next().unwrap_or_default();
            if !allowed.contains(&used) {
                wrong.push(format!("crates/{name} uses {used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn the_engine_of_the_store_knows_no_noun() -> Result<(), Box<dyn Error>> {
    let mut wrong = Vec::new();
    for (file, code) in sources()?.iter().filter(|(file, _)| file.starts_with("store/engine")) {
        for used in code.split("store::").skip(1).map(first_name) {
            if used.starts_with(|c: char| c.is_ascii_lowercase()) && !["engine", "types"].contains(&used) {
                wrong.push(format!("src/{file} uses crate::store::{used}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

/// The modules of handlers that several nouns share.
const SHARED: &[&str] = &["document_size", "job_document", "list", "quota"];

#[test]
fn a_handler_uses_no_handler_of_another_noun() -> Result<(), Box<dyn Error>> {
    let mut wrong = Vec::new();
    for (file, code) in sources()?.iter().filter(|(file, _)| file.starts_with("handlers/")) {
        let own = first_name(&file["handlers/".len()..]);
        for text in ["handlers::", "\nuse super::", "\nuse super::super::"] {
            for used in code.split(text).skip(1).map(first_name) {
                let is_noun =
                    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("src/handlers/{used}.rs")).exists();
                let is_own =
                    used == own || file.starts_with(&format!("handlers/{own}/")) && text == "\nuse super::";
                if is_noun && !is_own && !SHARED.contains(&used) {
                    wrong.push(format!("src/{file} uses {used}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn a_decision_has_no_transaction_and_makes_no_ids() -> Result<(), Box<dyn Error>> {
    let mut wrong = Vec::new();
    for (file, code) in sources()?.iter().filter(|(file, _)| file.starts_with("catalogue")) {
        for name in ["Tx", "Store", "new_v4", "store::new_id", "store::now"] {
            if code.split(|c| !is_name(c) && c != ':').any(|word| word.ends_with(name)) {
                wrong.push(format!("src/{file} uses {name}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}

#[test]
fn calls_that_block_or_exit_stay_in_their_files() -> Result<(), Box<dyn Error>> {
    let mut wrong = Vec::new();
    for (file, code) in sources()? {
        for (call, files) in CALLS {
            if code.contains(call) && !files.contains(&file.as_str()) {
                wrong.push(format!("{file} calls {call}..)"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    Ok(())
}
