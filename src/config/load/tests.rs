use oslo_config::{CliValue, File, ini};

use super::*;
use crate::config::Config;

fn sources(text: &str) -> Sources {
    let file = File { path: "/f".into(), entries: ini::parse(text).unwrap() };
    Sources { files: vec![file], ..Sources::default() }
}

#[test]
fn the_command_line_overrides_the_environment_which_overrides_files() {
    let mut sources = sources("[DEFAULT]\nbind_port = 1\n");
    let port = |sources: &Sources| resolve(sources, Vec::new()).unwrap().section("DEFAULT").int("bind_port");
    assert_eq!(port(&sources), Some(1));
    sources.environment.insert("OS_DEFAULT__BIND_PORT".to_owned(), "2".to_owned());
    assert_eq!(port(&sources), Some(2));
    let given = CliValue { group: "DEFAULT", name: "bind_port", flag: "--bind-port", value: "3".to_owned() };
    sources.command_line.push(given);
    assert_eq!(port(&sources), Some(3));
    sources.command_line.clear();
    sources.environment.insert("OS_DEFAULT__BIND_PORT".to_owned(), "x".to_owned());
    let why = resolve(&sources, Vec::new()).err().unwrap();
    let says = "The option [DEFAULT] bind_port, given by the environment variable OS_DEFAULT__BIND_PORT, is not valid: \
                the value \"x\" is not a whole number.";
    assert_eq!(why, says);
}

#[test]
fn an_error_names_the_source_and_hides_secrets() {
    let why = |text: &str| resolve(&sources(text), Vec::new()).err().unwrap_or_else(|| panic!("{text}"));
    for (text, says) in [
        (
            "[DEFAULT]\nmax_limit = 499",
            "[DEFAULT] max_limit, given by /f:2, is not valid: the value \"499\" is less than 500.",
        ),
        ("[DEFAULT]\nauth_strategy = ldap", "\"ldap\" is not one of keystone, standalone, noauth."),
        ("[DEFAULT]\nlog_file = $nothing", "it refers to an unknown option ($nothing)"),
        ("[keystone_authtoken]\npassword = a$hunter2", "an unknown option; write $$ for a dollar."),
        (
            "[keystone_authtoken]\npassword = hunter2\ninsecure = $password",
            "[keystone_authtoken] insecure, given by /f:3, is not valid: its value is not a yes or no",
        ),
        ("[DEFAULT]\nlog_dir = $log_dir", "it refers to itself."),
        ("[DEFAULT]\nlog_file = $debug\ndebug = x", "[DEFAULT] debug, given by /f:3"),
        ("[keystone_authtoken]\nmemcache_pool_maxsize = many", "memcache_pool_maxsize, given by /f:2"),
    ] {
        let why = why(text);
        assert!(why.contains(says) && !why.contains("hunter2"), "{text}: {why}");
    }
}

#[test]
fn an_old_name_is_warned_about_once_and_options_without_effect_are_known() {
    let text = "[DATABASE]\nidle_timeout = 5\nidle_timeout = 6\n[DEFAULT]\nlogfile = x\nnothing = 1\nfatal_deprecations = 1\n\
                [default]\ndebug = 1\n";
    let effective = resolve(&sources(text), Vec::new()).unwrap_or_else(|why| panic!("{why}"));
    let [log, idle, capitals] = effective.warnings.as_slice() else { panic!("{:?}", effective.warnings) };
    assert!(
        idle.starts_with("/f:3: [database] idle_timeout is now called [database] connection_recycle_time"),
        "{idle}"
    );
    assert!(log.starts_with("/f:5: [DEFAULT] logfile is now called [DEFAULT] log_file"), "{log}");
    assert!(capitals.contains("/f:9") && capitals.contains("capitals"), "{capitals}");
    assert_eq!(effective.without_effect(), ["[DEFAULT] fatal_deprecations"]);
    let unknown: Vec<_> = effective
        .unknown
        .iter()
        .map(|(_, line, section, name)| (*line, section.as_str(), name.as_str()))
        .collect();
    assert_eq!(unknown, [(6, "DEFAULT", "nothing"), (9, "default", "debug")]);
    assert_eq!(effective.located("[DEFAULT] log_file: no."), "[DEFAULT] log_file: no (/f:5)");
    assert_eq!(effective.located("other: no."), "other: no.");

    let text =
        "[keystone_authtoken]\npassword = hunter2\n[DEFAULT]\nlog_file = /x/$keystone_authtoken.password";
    let effective = resolve(&sources(text), Vec::new()).unwrap_or_else(|why| panic!("{why}"));
    let shown = effective.located("[DEFAULT] log_file: cannot open /x/hunter2.");
    assert_eq!(shown, "[DEFAULT] log_file: its value makes no sense (/f:4)");
}

#[test]
fn an_error_about_a_value_hides_a_secret_that_was_substituted_into_it() {
    let text = "[keystone_authtoken]\npassword = hunter2\n[DEFAULT]\ndefault_log_levels = $keystone_authtoken.password";
    let why = Config::new(&resolve(&sources(text), Vec::new()).unwrap_or_else(|why| panic!("{why}")), None);
    let why = why.unwrap_err();
    assert!(why.contains("default_log_levels, given by /f:4") && !why.contains("hunter2"), "{why}");
}
