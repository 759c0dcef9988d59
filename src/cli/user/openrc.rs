//! `freezer-api user openrc`: writes an openrc file again.

use std::io::BufRead;
use std::path::{Path, PathBuf};

use clap::Args;
use oslo_config::Effective;

use super::{passwords, sentence, user};
use crate::config;
use crate::identity::{Openrc, OpenrcFile, password_matches, read_openrc, write_openrc};
use crate::store::Store;
use crate::store::identity::{self as rows, Project, User};

/// The options of `freezer-api user openrc`.
#[derive(Debug, Args)]
pub struct OpenrcArguments {
    /// The user (name or id)
    name: String,
    /// The project (name or id) to work on [default: the one in the file, or the user's only one]
    #[arg(long)]
    project: Option<String>,
    /// The file to write [default: the one of the first start, or openrc-NAME beside it while that is another user's]
    #[arg(long, value_name = "FILE")]
    openrc: Option<PathBuf>,
    /// The identity's URL, http://host:port/identity/v3 [default: the one in the file, or from the configuration]
    #[arg(long, value_name = "URL")]
    auth_url: Option<String>,
    /// Read the password from the first line of the standard input; without this the one in the file is taken if it is
    /// right, or else asked for
    #[arg(long)]
    password_stdin: bool,
}

/// The openrc file of the first start, and how to ask for a password.
pub struct OpenrcContext {
    /// The file.
    pub path: PathBuf,
    /// The identity's URL by the configuration.
    pub auth_url: String,
    /// Asks for the password of a user of this name.
    pub prompt: fn(&str) -> Result<String, String>,
}

impl OpenrcContext {
    /// The file and the URL from the configuration; asks on the terminal.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn new(effective: &Effective) -> Result<Self, String> {
        let (path, auth_url) = config::openrc(effective)?;
        Ok(Self { path, auth_url, prompt: passwords::prompt })
    }
}

/// Writes the file; returns the text to print.
pub(super) fn write(
    store: &Store,
    arguments: &OpenrcArguments,
    context: &OpenrcContext,
    input: &mut dyn BufRead,
) -> Result<String, String> {
    let owners = |name: &str| {
        store.read(|tx| {
            let user = user(tx, name)?;
            let projects = rows::projects_of(tx, &user.id)?;
            Ok((user, projects))
        })
    };
    let (user, projects) = owners(&arguments.name).map_err(sentence)?;
    let of_first_start = read(&context.path);
    let path = match (&arguments.openrc, &of_first_start) {
        (Some(path), _) => path.clone(),
        (None, Ok(Some(file))) if file.username != user.name && is_valid(store, file)? => {
            beside(&context.path, &user)
        }
        (None, Err(why)) => return Err(format!("{why}; name another with --openrc.")),
        (None, Ok(_)) => context.path.clone(),
    };
    let old = read(&path)?;
    let own = old.as_ref().filter(|file| file.username == user.name);
    let project_name = choose(&user, &projects, arguments.project.as_deref(), own)?;
    let is_right = |password: &str| password_matches(password, &user.password_hash).map_err(sentence);
    let password = match own {
        _ if arguments.password_stdin => passwords::first_line(input)?,
        Some(file) if is_right(&file.password)? => file.password.clone(),
        _ => (context.prompt)(&user.name)?,
    };
    if !is_right(&password)? {
        return Err(format!("That is not the password of user {}; the file is left as it is.", user.name));
    }
    let url_of_file = || old.as_ref().or(of_first_start.as_ref().ok()?.as_ref()).map(|file| &file.auth_url);
    let auth_url = arguments.auth_url.as_ref().or_else(url_of_file).unwrap_or(&context.auth_url);
    let file = Openrc { auth_url, username: &user.name, password: &password, project_name };
    let path = std::path::absolute(&path).unwrap_or(path);
    write_openrc(&path, &file).map_err(|error| format!("The openrc file is not written: {error}."))?;
    Ok(format!("{} is written for user {} on project {project_name}.\n", path.display(), user.name))
}

fn read(path: &Path) -> Result<Option<OpenrcFile>, String> {
    read_openrc(path).map_err(|error| format!("The openrc file is not written: {error}"))
}

/// Whether the credentials in a file are valid. The file may hold the only copy of a password.
fn is_valid(store: &Store, file: &OpenrcFile) -> Result<bool, String> {
    match store.read(|tx| rows::user_by_name(tx, &file.username)).map_err(sentence)? {
        Some(user) => password_matches(&file.password, &user.password_hash).map_err(sentence),
        None => Ok(false),
    }
}

/// The default path of a file for another user than the first.
fn beside(path: &Path, user: &User) -> PathBuf {
    let is_plain =
        user.name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'@'));
    path.with_file_name(format!("openrc-{}", if is_plain { &user.name } else { &user.id }))
}

/// The project to work on.
fn choose<'p>(
    user: &User,
    projects: &'p [Project],
    asked: Option<&str>,
    own: Option<&OpenrcFile>,
) -> Result<&'p str, String> {
    let find = |name: &str| projects.iter().find(|project| project.name == name || project.id == name);
    let chosen = match asked {
        Some(name) => find(name),
        None => own.and_then(|file| find(&file.project_name)).or(match projects {
            [only] => Some(only),
            _ => None,
        }),
    };
    let names = || projects.iter().map(|project| project.name.as_str()).collect::<Vec<_>>().join(", ");
    match (chosen, projects.len()) {
        (Some(project), _) => Ok(&project.name),
        (None, 0) => {
            Err(format!("User {} has no role on any project; `freezer-api user grant` gives one.", user.name))
        }
        (None, _) => {
            Err(format!("Say with --project which project of user {} it is for: {}.", user.name, names()))
        }
    }
}
