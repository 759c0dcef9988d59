//! `freezer-api user openrc`: the file of the first start can be written again.

use std::fs;
use std::path::Path;

use freezer_api::identity::{Openrc, Role, bootstrap, read_openrc, write_openrc};

use crate::commands::typed;
use crate::house::{House, on_every_backend};

const URL: &str = "http://127.0.0.1:41234/identity/v3";
const HARD: &str = "it's $HOME `id` \"quoted\" \\ é'";

/// A service after its first start, with its openrc file.
fn started(mut house: House, directory: &Path) -> (House, String) {
    house.openrc = directory.join("openrc");
    let admin = bootstrap(&house.store).unwrap().unwrap();
    let file = Openrc { auth_url: URL, username: "admin", password: &admin.password, project_name: "admin" };
    write_openrc(&house.openrc, &file).unwrap();
    (house, admin.password)
}

/// User, password, project and URL of a file.
fn said(path: &Path) -> [String; 4] {
    let file = read_openrc(path).unwrap().unwrap();
    [file.username, file.password, file.project_name, file.auth_url]
}

#[test]
fn the_stored_password_is_used_while_valid_and_asked_for_otherwise() {
    on_every_backend(|house| {
        let directory = tempfile::tempdir().unwrap();
        let (house, password) = started(house, directory.path());
        let printed = typed(&house, "openrc admin", "").unwrap();
        assert!(
            printed.contains(house.openrc.to_str().unwrap()) && !printed.contains(&password),
            "{printed}"
        );
        assert_eq!(said(&house.openrc), ["admin", &password, "admin", URL]);
        typed(&house, "set-password admin --password-stdin", HARD).unwrap();
        let refusal = typed(&house, "openrc admin", "").unwrap_err();
        assert!(refusal.contains("not the password of user admin"), "{refusal}");
        assert_eq!(said(&house.openrc)[1], password, "a wrong password changes nothing");
        typed(&house, "openrc admin --password-stdin", "wrong horse").unwrap_err();
        typed(&house, "openrc admin --password-stdin", HARD).unwrap();
        assert_eq!(said(&house.openrc), ["admin", HARD, "admin", URL]);
        typed(&house, "openrc admin", "").unwrap();
        typed(&house, "set-password admin --password-stdin", "typed by admin").unwrap();
        typed(&house, "openrc admin", "").unwrap();
        assert_eq!(said(&house.openrc)[1], "typed by admin");
    });
}

#[test]
fn a_file_that_is_gone_is_made_again_and_one_of_another_user_stays() {
    on_every_backend(|house| {
        let directory = tempfile::tempdir().unwrap();
        let (house, password) = started(house, directory.path());
        house.user("ann", "correct horse", "web", Role::Member);
        typed(&house, "openrc ann --password-stdin", "correct horse").unwrap();
        assert_eq!(said(&house.openrc)[1], password);
        assert_eq!(said(&directory.path().join("openrc-ann")), ["ann", "correct horse", "web", URL]);
        fs::remove_file(&house.openrc).unwrap();
        let line = "openrc admin --password-stdin --auth-url https://backup.example/identity/v3";
        typed(&house, line, &password).unwrap();
        assert_eq!(said(&house.openrc), ["admin", &password, "admin", "https://backup.example/identity/v3"]);
        // The file of a deleted user is useless.
        typed(&house, "delete admin --force", "").unwrap();
        typed(&house, "openrc ann --password-stdin", "correct horse").unwrap();
        assert_eq!(said(&house.openrc)[..3], ["ann", "correct horse", "web"]);
        let other = directory.path().join("mine");
        typed(&house, &format!("openrc ann --openrc {}", other.display()), "").unwrap_err();
        typed(&house, &format!("openrc ann --password-stdin --openrc {}", other.display()), "correct horse")
            .unwrap();
        assert_eq!(said(&other)[3], "https://backup.example/identity/v3");
    });
}

#[test]
fn a_refusal_says_why_no_file_is_written() {
    on_every_backend(|house| {
        let directory = tempfile::tempdir().unwrap();
        let (house, _) = started(house, directory.path());
        typed(&house, "create bob --password-stdin", "correct horse").unwrap();
        house.user("ann", "correct horse", "web", Role::Member);
        house.run(freezer_api::cli::user::UserCommand::ProjectCreate { name: "two".to_owned() }, "").unwrap();
        typed(&house, "grant ann --project two --role reader", "").unwrap();
        for (line, says) in [
            ("openrc eve", "There is no user eve."),
            ("openrc bob --password-stdin", "no role on any project"),
            ("openrc ann --password-stdin", "--project which project of user ann it is for: two, web."),
            ("openrc ann --password-stdin --project admin", "two, web"),
        ] {
            let error = typed(&house, line, "correct horse").unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
        typed(&house, "openrc ann --password-stdin --project two", "correct horse").unwrap();
        fs::write(&house.openrc, "mine\n").unwrap();
        let error = typed(&house, "openrc ann --password-stdin --project two", "correct horse").unwrap_err();
        assert!(error.contains("is left alone") && error.contains("--openrc"), "{error}");
        assert_eq!(fs::read_to_string(&house.openrc).unwrap(), "mine\n");
    });
}
