//! Which source of an option wins.

use crate::program::{Place, printed, shown};

#[test]
fn the_command_line_overrides_the_environment_which_overrides_the_files() {
    let place = Place::new();
    let first = place.write(
        "first.conf",
        "[DEFAULT]\nbind_port = 1\ndebug = yes\nworkers = 5\n[database]\nconnection = one\n",
    );
    let second = place.write("second.conf", "[DEFAULT]\nbind_port = 2\n[DATABASE]\nconnection = two\n");
    let line = "config show --config-file first.conf --config-file second.conf --database-connection four";
    let mut command = place.command(line);
    command
        .env("OS_DEFAULT__DEBUG", "no")
        .env("OS_DATABASE__CONNECTION", "three")
        .env("OS_database__backend", "x");
    let text = printed(command.output().unwrap());
    assert_eq!(shown(&text, "DEFAULT", "max_limit"), ("default", "max_limit = 1000"));
    let (first, second) = (format!("{}:4", first.display()), format!("{}:2", second.display()));
    assert_eq!(shown(&text, "DEFAULT", "workers"), (first.as_str(), "workers = 5"));
    assert_eq!(shown(&text, "DEFAULT", "bind_port"), (second.as_str(), "bind_port = 2"));
    let environment = "the environment variable OS_DEFAULT__DEBUG";
    assert_eq!(shown(&text, "DEFAULT", "debug"), (environment, "debug = false"));
    let command_line = "the command line option --database-connection";
    assert_eq!(shown(&text, "database", "connection"), (command_line, "connection = four"));
    assert_eq!(shown(&text, "database", "backend"), ("default", "backend = sqlalchemy"));
}

#[test]
fn files_are_found_at_home_and_directories_override_files() {
    let place = Place::new();
    place.write("freezer-api.conf", "[DEFAULT]\nworkers = 1\n");
    place.write(".freezer/freezer.conf", "[DEFAULT]\nworkers = 2\nmax_limit = 600\n");
    let port = |text: &str| shown(text, "DEFAULT", "workers").1.to_owned();
    assert_eq!(port(&place.run("config show")), "workers = 1");
    // The search order holds for each name alone: the program's file overrides the project's, wherever they are.
    place.write(".freezer/freezer-api.conf", "[DEFAULT]\nbind_port = 3\n");
    assert_eq!(port(&place.run("config show")), "workers = 2");
    place.write("freezer.conf.d/10.conf", "[DEFAULT]\nworkers = 4\n");
    place.write("freezer.conf.d/9.conf", "[DEFAULT]\nworkers = 5\n");
    let text = place.run("config show");
    assert_eq!(port(&text), "workers = 5");
    assert_eq!(shown(&text, "DEFAULT", "max_limit").1, "max_limit = 600");
    place.write("other/x.conf", "[DEFAULT]\nworkers = 6\n");
    let text = place.run("config show --config-dir other");
    assert_eq!(port(&text), "workers = 6");
    assert_eq!(shown(&text, "DEFAULT", "max_limit").1, "max_limit = 600");
    place.write("named.conf", "[DEFAULT]\nworkers = 7\n");
    let text = place.run("config show --config-file ~/named.conf");
    assert_eq!(port(&text), "workers = 7");
    assert_eq!(shown(&text, "DEFAULT", "max_limit").1, "max_limit = 1000");
    assert_eq!(port(&place.run("config show --config-dir other --config-file named.conf")), "workers = 6");
}

#[test]
fn every_command_reads_the_configuration() {
    let place = Place::new();
    place.write("freezer-api.conf", "[database]\nconnection = sqlite:///from-file.sqlite\n");
    place.run("db sync");
    assert!(place.path().join("from-file.sqlite").exists());
    assert!(place.run("user list").starts_with("NAME"));
    place.run("db sync --database-connection other.sqlite");
    assert!(place.path().join("other.sqlite").exists());
    assert!(!place.path().join("freezer.sqlite").exists());
}
