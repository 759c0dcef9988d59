//! The first start: one administrator, and an openrc file that a shell can source.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

use freezer_api::cli::user::UserCommand;
use freezer_api::identity::{Openrc, Role, bootstrap, refresh_openrc_url, write_openrc};

use crate::house::on_every_backend;

const HARD: &str = "it's $HOME `id` \"quoted\" \\ é";

fn openrc<'a>() -> Openrc<'a> {
    Openrc {
        auth_url: "http://127.0.0.1:9090/identity/v3",
        username: "admin",
        password: HARD,
        project_name: "admin",
    }
}

/// The value of a variable in a shell that has sourced the file.
fn sourced(path: &Path, variable: &str) -> String {
    let script = format!("set -eu; . {}; printf %s \"${variable}\"", path.display());
    let output = Command::new("sh").arg("-c").arg(script).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn the_first_start_makes_an_administrator_once() {
    on_every_backend(|house| {
        let made = bootstrap(&house.store).unwrap().unwrap();
        assert!(made.password.len() >= 32 && made.password.bytes().all(|b| b.is_ascii_graphic()));
        let login = house.password(&made.user_name, &made.password, None);
        assert_eq!(login.body["token"]["project"]["name"], made.project_name);
        assert_eq!(login.roles(), ["admin", "member", "reader"]);
        assert!(bootstrap(&house.store).unwrap().is_none());
    });
}

#[test]
fn an_existing_project_is_used() {
    on_every_backend(|house| {
        house.run(UserCommand::ProjectCreate { name: "admin".to_owned() }, "").unwrap();
        assert!(bootstrap(&house.store).unwrap().is_some());
    });
}

#[test]
fn no_user_is_made_where_one_exists() {
    on_every_backend(|house| {
        house.user("ann", "correct horse", "one", Role::Member);
        assert!(bootstrap(&house.store).unwrap().is_none());
    });
}

#[test]
fn of_several_first_starts_at_once_one_makes_the_administrator() {
    on_every_backend(|house| {
        let made: Vec<_> = std::thread::scope(|scope| {
            let starts: Vec<_> = (0..4).map(|_| scope.spawn(|| bootstrap(&house.store).unwrap())).collect();
            starts.into_iter().filter_map(|start| start.join().unwrap()).collect()
        });
        assert_eq!(made.len(), 1);
        assert_eq!(house.password("admin", &made[0].password, None).status, 201);
        let users = house.run(UserCommand::List, "").unwrap();
        assert_eq!(users.lines().count(), 2, "{users}");
        assert!(users.contains("admin on admin"), "{users}");
    });
}

#[test]
fn an_openrc_file_is_private_and_a_shell_reads_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("admin-openrc.sh");
    write_openrc(&path, &openrc()).unwrap();
    assert_eq!(mode(&path), 0o600);
    for (variable, value) in [
        ("OS_AUTH_URL", "http://127.0.0.1:9090/identity/v3"),
        ("OS_USERNAME", "admin"),
        ("OS_PASSWORD", HARD),
        ("OS_PROJECT_NAME", "admin"),
        ("OS_USER_DOMAIN_NAME", "Default"),
        ("OS_PROJECT_DOMAIN_NAME", "Default"),
        ("OS_IDENTITY_API_VERSION", "3"),
        ("OS_REGION_NAME", "RegionOne"),
    ] {
        assert_eq!(sourced(&path, variable), value);
    }
    write_openrc(&path, &Openrc { password: "another", ..openrc() }).unwrap();
    assert_eq!((sourced(&path, "OS_PASSWORD").as_str(), mode(&path)), ("another", 0o600));
    // No temporary file remains.
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn an_openrc_file_replaces_no_other_file_and_follows_no_link() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    fs::write(at("precious"), "mine\n").unwrap();
    symlink(at("precious"), at("link")).unwrap();
    symlink(at("nowhere"), at("dangling")).unwrap();
    fs::create_dir(at("directory")).unwrap();
    for name in ["precious", "link", "dangling", "directory"] {
        for error in [write_openrc(&at(name), &openrc()), refresh_openrc_url(&at(name), "http://x").map(drop)]
        {
            assert_eq!(error.unwrap_err().kind(), std::io::ErrorKind::AlreadyExists, "{name}");
        }
    }
    assert_eq!(fs::read_to_string(at("precious")).unwrap(), "mine\n");
    assert!(!at("nowhere").exists());
    assert!(write_openrc(&at("no/such/directory"), &openrc()).is_err());
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 4);
}

#[test]
fn only_the_url_of_an_openrc_file_is_brought_up_to_date() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("openrc");
    assert!(!refresh_openrc_url(&path, "http://x").unwrap());
    write_openrc(&path, &openrc()).unwrap();
    let note = "export OS_CACERT=/etc/ca.pem # added by hand\n";
    fs::write(&path, fs::read_to_string(&path).unwrap() + note).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let before = fs::read_to_string(&path).unwrap();

    assert!(refresh_openrc_url(&path, "http://127.0.0.1:41234/identity/v3").unwrap());
    assert_eq!(fs::read_to_string(&path).unwrap(), before.replace(":9090", ":41234"));
    assert_eq!((mode(&path), sourced(&path, "OS_PASSWORD").as_str()), (0o640, HARD));

    let inode = fs::metadata(&path).unwrap().ino();
    assert!(!refresh_openrc_url(&path, "http://127.0.0.1:41234/identity/v3").unwrap());
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
}
