//! `freezer-api user ...`.

use clap::Parser;
use freezer_api::cli::user::UserCommand;

use crate::house::{House, on_every_backend, on_project};

#[derive(Debug, Parser)]
struct Line {
    #[command(subcommand)]
    command: UserCommand,
}

/// Runs a command line with this standard input.
pub fn typed(house: &House, line: &str, input: &str) -> Result<String, String> {
    let words = ["user"].into_iter().chain(line.split_whitespace());
    let line = Line::try_parse_from(words).map_err(|error| error.to_string())?;
    house.run(line.command, input)
}

#[test]
fn a_generated_password_is_shown_once_and_works() {
    on_every_backend(|house| {
        typed(&house, "project-create one", "").unwrap();
        let printed = typed(&house, "create ann --project one", "").unwrap();
        let shown = |text: &str| {
            text.lines().find_map(|line| line.strip_prefix("Its password is ")).unwrap().to_owned()
        };
        let login = house.password("ann", &shown(&printed), on_project("one"));
        assert_eq!((login.status, login.roles()), (201, vec!["member", "reader"]));
        let another = shown(&typed(&house, "set-password ann", "").unwrap());
        assert_eq!(house.password("ann", &shown(&printed), None).status, 401);
        assert_eq!(house.password("ann", &another, None).status, 201);
    });
}

#[test]
fn a_password_comes_from_the_first_line_of_the_standard_input() {
    on_every_backend(|house| {
        let printed = typed(&house, "create ann --password-stdin", "pass word é\r\nsecond line\n").unwrap();
        assert!(!printed.contains("password"), "{printed}");
        assert_eq!(house.password("ann", "pass word é", None).status, 201);
        for bad in ["", "\n", "short", "with\0nul12345", &"x".repeat(1025)] {
            assert!(typed(&house, "set-password ann --password-stdin", bad).is_err(), "{bad}");
        }
        assert!(typed(&house, "create bob --password correcthorse", "").is_err());
        assert_eq!(house.password("ann", "pass word é", None).status, 201);
    });
}

#[test]
fn lists_show_who_may_do_what_where() {
    on_every_backend(|house| {
        for line in [
            "project-create one",
            "project-create two",
            "create ann --project one --role admin --role service",
            "create bob",
            "grant bob --project two --role reader",
            "disable bob",
        ] {
            typed(&house, line, "").unwrap();
        }
        let users = typed(&house, "list", "").unwrap();
        let lines: Vec<Vec<&str>> = users.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(lines[0], ["NAME", "ENABLED", "ID", "ROLES"]);
        assert_eq!(
            (&lines[1][..2], lines[1][3..].join(" ")),
            (&["ann", "yes"][..], "admin on one, service on one".to_owned())
        );
        assert_eq!(
            (&lines[2][..2], lines[2][3..].join(" ")),
            (&["bob", "no"][..], "reader on two".to_owned())
        );
        assert!(!users.contains("argon2"));
        assert_eq!(typed(&house, "project-list", "").unwrap().lines().count(), 3);
        assert!(typed(&house, "grant bob --project two --role reader", "").unwrap().contains("already"));
    });
}

#[test]
fn a_command_that_fails_prints_one_sentence() {
    on_every_backend(|house| {
        typed(&house, "project-create one", "").unwrap();
        typed(&house, "create ann", "").unwrap();
        for (line, says) in [
            ("create ann", "There already is a user ann."),
            ("create bob --project none", "There is no project none."),
            ("create bob --role admin", "--project"),
            ("create bob --project one --role root", "invalid value 'root'"),
            ("project-create one", "There already is a project one."),
            ("set-password bob", "There is no user bob."),
            ("enable bob", "There is no user bob."),
            ("disable bob", "There is no user bob."),
            ("delete bob", "There is no user bob."),
            ("grant bob --project one --role member", "There is no user bob."),
            ("grant ann --project two --role member", "There is no project two."),
            ("revoke ann --project one --role member", "User ann does not have role member on project one."),
            ("project-delete two", "There is no project two."),
        ] {
            let error = typed(&house, line, "").unwrap_err();
            assert!(error.contains(says), "{line}: {error}");
        }
        for name in ["", " ann", "ann ", "a\nb", "a\0b", "\u{85}", &"n".repeat(65)] {
            let create = UserCommand::Create {
                name: name.to_owned(),
                project: None,
                roles: Vec::new(),
                password_stdin: false,
            };
            assert!(house.run(create, "").is_err(), "{name:?}");
            assert!(house.run(UserCommand::ProjectCreate { name: name.to_owned() }, "").is_err(), "{name:?}");
        }
        let users = typed(&house, "list", "").unwrap();
        assert_eq!(users.lines().count(), 2, "{users}");
    });
}
