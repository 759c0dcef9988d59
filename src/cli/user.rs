//! `freezer-api user ...`: manages the users, projects and roles of the built-in identity.

mod openrc;
mod passwords;

use std::io::{BufRead, Write};

use clap::Subcommand;
use front::error::{Error, Kind};

pub use self::openrc::{OpenrcArguments, OpenrcContext};
use crate::identity::Role;
use crate::store::identity::{self as rows, Project, User};
use crate::store::{Outcome, Store, Tx};

/// The longest name of a user or project, in characters.
const LONGEST_NAME: usize = 64;

/// A hint after tokens are revoked: a scheduler does not log in again by itself.
const RESTART: &str =
    "Restart what runs as this user, such as its freezer-scheduler: until then it gets 401.";
const STOP: &str = "What runs as this user, such as its freezer-scheduler, gets 401 from now on.";

/// The commands of `freezer-api user`. A password is never an argument, because other users of the machine can see
/// arguments.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user; prints a random password unless one is given on the standard input
    Create {
        /// The name to log in with
        name: String,
        /// The project (name or id) to give the roles on
        #[arg(long)]
        project: Option<String>,
        /// A role on the project, may be repeated [default: member]
        #[arg(long = "role", value_name = "ROLE", requires = "project")]
        roles: Vec<Role>,
        /// Read the password from the first line of the standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// List the users and their roles
    List,
    /// Give a user another password; prints a random one unless one is given on the standard input
    SetPassword {
        /// The user (name or id)
        name: String,
        /// Read the password from the first line of the standard input
        #[arg(long)]
        password_stdin: bool,
    },
    /// Let a disabled user log in again
    Enable {
        /// The user (name or id)
        name: String,
    },
    /// Let a user no longer log in, and take back its tokens
    Disable {
        /// The user (name or id)
        name: String,
        /// Also if no enabled user with the role admin is left
        #[arg(long)]
        force: bool,
    },
    /// Delete a user; what it has made stays
    Delete {
        /// The user (name or id)
        name: String,
        /// Also if no enabled user with the role admin is left
        #[arg(long)]
        force: bool,
    },
    /// Give a user a role on a project
    Grant {
        /// The user (name or id)
        name: String,
        /// The project (name or id)
        #[arg(long)]
        project: String,
        /// The role
        #[arg(long)]
        role: Role,
    },
    /// Take a role on a project from a user, and take back its tokens
    Revoke {
        /// The user (name or id)
        name: String,
        /// The project (name or id)
        #[arg(long)]
        project: String,
        /// The role
        #[arg(long)]
        role: Role,
        /// Also if no enabled user with the role admin is left
        #[arg(long)]
        force: bool,
    },
    /// Make a project
    ProjectCreate {
        /// Its name
        name: String,
    },
    /// List the projects
    ProjectList,
    /// Delete a project that holds nothing and on which no user has a role
    ProjectDelete {
        /// The project (name or id)
        name: String,
        /// Also if users have roles on it, which are taken from them, or if it holds something: that stays in the
        /// database, and only users with the role admin reach it, by the project's id
        #[arg(long)]
        force: bool,
    },
    /// Write the openrc file of a user again
    Openrc(OpenrcArguments),
}

/// Runs a command, reading from the standard input and writing to the standard output.
///
/// # Errors
/// A sentence for the operator.
pub fn run(store: &Store, command: &UserCommand, context: &OpenrcContext) -> Result<(), String> {
    run_with(store, command, context, &mut std::io::stdin().lock(), &mut std::io::stdout().lock())
}

/// Runs a command, reading from `input` and writing to `output`.
///
/// # Errors
/// A sentence for the operator.
pub fn run_with(
    store: &Store,
    command: &UserCommand,
    context: &OpenrcContext,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
) -> Result<(), String> {
    let text = match command {
        UserCommand::Create { name, project, roles, password_stdin } => {
            valid_name(name)?;
            let (password, hash) = passwords::new(*password_stdin, input)?;
            let created = create(store, name, &hash, project.as_deref(), roles).map_err(sentence)?;
            created + &password_note(password)
        }
        UserCommand::List => list(store).map_err(sentence)?,
        UserCommand::SetPassword { name, password_stdin } => {
            // Checked first, so that the operator is not asked for a password in vain.
            store.read(|tx| user(tx, name)).map_err(sentence)?;
            let (password, hash) = passwords::new(*password_stdin, input)?;
            on_user(store, name, |tx, user| rows::set_password(tx, &user.id, &hash))?;
            format!(
                "The password of user {name} is set, its tokens are revoked. \
                 An openrc file written earlier still has the old password: `freezer-api user openrc {name}` writes it \
                 again. {RESTART}\n{}",
                password_note(password)
            )
        }
        UserCommand::Enable { name } => {
            on_user(store, name, |tx, user| rows::set_enabled(tx, &user.id, true))?;
            format!("User {name} is enabled.\n")
        }
        UserCommand::Disable { name, force } => {
            on_user(store, name, |tx, user| {
                keeping_an_admin(tx, *force, |tx| rows::set_enabled(tx, &user.id, false))
            })?;
            format!("User {name} is disabled, its tokens are revoked. {STOP}\n")
        }
        UserCommand::Delete { name, force } => {
            on_user(store, name, |tx, user| {
                keeping_an_admin(tx, *force, |tx| rows::delete_user(tx, &user.id))
            })?;
            format!("User {name} is deleted, its tokens are revoked. {STOP}\n")
        }
        UserCommand::Grant { name, project: on, role } => {
            let granted = store.write(|tx| {
                let (user, project) = (user(tx, name)?, project(tx, on)?);
                rows::grant(tx, &user.id, &project.id, role.name())
            });
            let had = if granted.map_err(sentence)? { "now has" } else { "already has" };
            format!(
                "User {name} {had} role {} on project {on}; the tokens that it has on the project carry it at once. \
                 Restart only what is to work on this project now and did not before, such as a freezer-scheduler, with \
                 this project.\n",
                role.name()
            )
        }
        UserCommand::Revoke { name, project: on, role, force } => {
            let revoked = store.write(|tx| {
                let (user, project) = (user(tx, name)?, project(tx, on)?);
                keeping_an_admin(tx, *force, |tx| rows::revoke(tx, &user.id, &project.id, role.name()))
            });
            if !revoked.map_err(sentence)? {
                return Err(format!("User {name} does not have role {} on project {on}.", role.name()));
            }
            format!(
                "User {name} no longer has role {} on project {on}, its tokens are revoked. {RESTART}\n",
                role.name()
            )
        }
        UserCommand::ProjectCreate { name } => {
            valid_name(name)?;
            let project = store.write(|tx| create_project(tx, name)).map_err(sentence)?;
            format!("Project {name} is made, with id {}.\n", project.id)
        }
        UserCommand::ProjectList => {
            let projects = store.read(rows::projects).map_err(sentence)?;
            table(
                &["NAME", "ENABLED", "ID"],
                projects.into_iter().map(|p| [p.name, yes_or_no(p.enabled), p.id]),
            )
        }
        UserCommand::ProjectDelete { name, force } => {
            let left = store.write(|tx| delete_project(tx, name, *force)).map_err(sentence)?;
            format!(
                "Project {name} is deleted.{left} What still works on it, such as a freezer-scheduler, gets 401 until it \
                 is restarted with another project.\n"
            )
        }
        UserCommand::Openrc(arguments) => openrc::write(store, arguments, context, input)?,
    };
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).map_err(|error| error.to_string())
}

fn create(
    store: &Store,
    name: &str,
    hash: &str,
    on: Option<&str>,
    roles: &[Role],
) -> front::error::Result<String> {
    let roles = if roles.is_empty() { &[Role::Member] } else { roles };
    let made = store.write(|tx| {
        if rows::user_by_name(tx, name)?.is_some() {
            return Err(Error::conflict(format!("There already is a user {name}.")).into());
        }
        let project = on.map(|on| project(tx, on)).transpose()?;
        let user = rows::insert_user(tx, name, hash)?;
        if let Some(project) = project {
            for role in roles {
                rows::grant(tx, &user.id, &project.id, role.name())?;
            }
        }
        Ok(user)
    })?;
    Ok(format!("User {name} is made, with id {}.\n", made.id))
}

fn list(store: &Store) -> front::error::Result<String> {
    let (users, assignments) = store.read(|tx| Ok((rows::users(tx)?, rows::assignments(tx)?)))?;
    let lines = users.into_iter().map(|user| {
        let roles = assignments.iter().filter(|(user_id, ..)| *user_id == user.id);
        let roles: Vec<_> = roles.map(|(_, project, role)| format!("{role} on {project}")).collect();
        [user.name, yes_or_no(user.enabled), user.id, roles.join(", ")]
    });
    Ok(table(&["NAME", "ENABLED", "ID", "ROLES"], lines))
}

fn create_project(tx: &mut Tx<'_>, name: &str) -> Outcome<Project> {
    if rows::project_by_name(tx, name)?.is_some() {
        return Err(Error::conflict(format!("There already is a project {name}.")).into());
    }
    rows::insert_project(tx, name)
}

/// Deletes a project. Returns a text about the resources that it held.
fn delete_project(tx: &mut Tx<'_>, name: &str, force: bool) -> Outcome<String> {
    let project = project(tx, name)?;
    let contents = rows::contents(tx, &project.id)?.join(", ");
    let users = rows::users_of_project(tx, &project.id)?;
    let users: Vec<_> = users.into_iter().map(|(user, role)| format!("{user} ({role})")).collect();
    let users = users.join(", ");
    if !force {
        let reasons = [("it still has", &contents), ("these users have roles on it:", &users)];
        let reasons = reasons.into_iter().filter(|(_, what)| !what.is_empty());
        let reasons: Vec<_> = reasons.map(|(why, what)| format!("{why} {what}")).collect();
        if !reasons.is_empty() {
            let reasons = reasons.join(", and ");
            let text =
                format!("Project {name} is not deleted, because {reasons}; --force deletes it all the same.");
            return Err(Error::conflict(text).into());
        }
    }
    rows::delete_project(tx, &project.id)?;
    let id = project.id;
    let mut left = String::new();
    if !users.is_empty() {
        left += &format!(" These users no longer have their roles on it: {users}.");
    }
    if !contents.is_empty() {
        left += &format!(
            " It still had {contents}, which stay in the database: only users with the role admin reach them, at \
             /v2/{id}."
        );
    }
    Ok(left)
}

/// Runs a change, and refuses it if it leaves no administrator where there was one, unless it is forced.
fn keeping_an_admin<T>(
    tx: &mut Tx<'_>,
    force: bool,
    change: impl FnOnce(&mut Tx<'_>) -> Outcome<T>,
) -> Outcome<T> {
    let before = rows::lock_admins(tx)?;
    let changed = change(tx)?;
    if force || before.is_empty() || !rows::admins(tx)?.is_empty() {
        return Ok(changed);
    }
    let names: Vec<_> = before.into_iter().map(|(_, name)| name).collect();
    let text = format!(
        "User {} is the last one that is enabled and has the role admin, and nothing is changed; give the role to \
         another first, or use --force.",
        names.join(", ")
    );
    Err(Error::conflict(text).into())
}

fn on_user(
    store: &Store,
    name: &str,
    mut change: impl FnMut(&mut Tx<'_>, &User) -> Outcome<()>,
) -> Result<(), String> {
    let changed = store.write(|tx| {
        let user = user(tx, name)?;
        change(tx, &user)
    });
    changed.map_err(sentence)
}

/// The user with this name, else with this id.
fn user(tx: &mut Tx<'_>, name: &str) -> Outcome<User> {
    let user = match rows::user_by_name(tx, name)? {
        Some(user) => Some(user),
        None => rows::user_by_id(tx, name)?,
    };
    user.ok_or_else(|| Error::not_found(format!("There is no user {name}.")).into())
}

/// The project with this name, else with this id.
fn project(tx: &mut Tx<'_>, name: &str) -> Outcome<Project> {
    let project = match rows::project_by_name(tx, name)? {
        Some(project) => Some(project),
        None => rows::project_by_id(tx, name)?,
    };
    let missing = || format!("There is no project {name}. `freezer-api user project-create` makes one.");
    project.ok_or_else(|| Error::not_found(missing()).into())
}

fn valid_name(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    // Spaces at the ends are invisible, and MySQL ignores trailing ones in comparisons.
    let printable = name.chars().all(|c| !c.is_control()) && name.trim() == name;
    if printable && (1..=LONGEST_NAME).contains(&length) {
        return Ok(());
    }
    Err(format!("A name has 1 to {LONGEST_NAME} printable characters, and no space at its ends."))
}

fn password_note(password: Option<String>) -> String {
    password
        .map(|password| format!("Its password is {password}\nIt is kept nowhere: note it now.\n"))
        .unwrap_or_default()
}

fn yes_or_no(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// A table with columns as wide as their widest cell.
fn table<const N: usize>(head: &[&str; N], lines: impl Iterator<Item = [String; N]>) -> String {
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(lines);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default();
    let widths: Vec<_> = (0..N).map(width).collect();
    let line = |row: &[String; N]| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

/// An error with all details, because the command line has no client to hide them from.
fn sentence(error: Error) -> String {
    match (error.kind, error.log) {
        (Kind::Internal, Some(log)) => format!("The database or the system failed: {log}"),
        (_, Some(log)) => format!("{} ({log})", error.description),
        (_, None) => error.description,
    }
}
