//! Configurations that the service refuses to start with.

use crate::program::{Place, said};

#[test]
fn a_bad_value_stops_every_command_with_option_file_line_and_reason() {
    for (text, says) in [
        ("[DEFAULT]\n\nbind_port = http\n", ":3, is not valid: the value \"http\" is not a whole number."),
        ("[DEFAULT]\nbind_port = 70000\n", "[DEFAULT] bind_port, given by"),
        ("[DEFAULT]\nmax_limit = 499\n", "is less than 500."),
        ("[DEFAULT]\nworkers = 0\n", "is less than 1."),
        // A client that polls every 30 seconds must count as up.
        ("[DEFAULT]\nclient_down_time = 59\n", "is less than 60."),
        ("[DEFAULT]\naction_report_max_log_size = -1\n", "is less than 0."),
        ("[quotas]\nbackups = -2\n", "is less than -1."),
        ("[quotas]\njobs = many\n", "is not a whole number"),
        ("[DEFAULT]\ndebug = true # really\n", "[DEFAULT] debug"),
        ("[database]\nmax_retries = -2\n", "[database] max_retries"),
        ("[keystone_authtoken]\ntoken_cache_time = 5m\n", "[keystone_authtoken] token_cache_time"),
        ("[oslo_policy]\nremote_content_type = text/plain\n", "[oslo_policy] remote_content_type"),
        ("[cors.one]\nmax_age = x\n", "[cors.one] max_age"),
        ("[DEFAULT]\nworkers\n", "cannot be understood at line 2: there is neither `=` nor `:` in it."),
    ] {
        let place = Place::new();
        let path = place.write("bad.conf", text);
        for command in ["serve", "db check", "user list", "config show"] {
            let said = place.refused(&format!("{command} --config-file bad.conf"));
            assert!(said.contains(says) && said.contains(path.to_str().unwrap()), "{text}: {said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
        assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1, "no file was made");
    }
}

#[test]
fn a_public_endpoint_is_a_url_without_the_services_paths() {
    for (url, says) in [
        ("cloud.example.com", "it has no scheme"),
        ("ftp://cloud.example.com", "the scheme is neither http nor https"),
        ("https://ann@cloud.example.com", "it has no plain host"),
        ("https://cloud.example.com/a?b", "it has a query or a fragment"),
        ("https://cloud.example.com/backup/v2", "it leads to one of the service's paths"),
    ] {
        let place = Place::new();
        let path = place.write("bad.conf", &format!("[DEFAULT]\npublic_endpoint = {url}\n"));
        let said = place.refused("serve --config-file bad.conf");
        for part in ["[DEFAULT] public_endpoint", path.to_str().unwrap(), url, says] {
            assert!(said.contains(part), "{part}: {said}");
        }
    }
}

#[test]
fn a_bad_variable_is_named() {
    let place = Place::new();
    for (name, value) in
        [("OS_DEFAULT__DEBUG", "maybe"), ("OS_DEFAULT__BIND_PORT", "x"), ("OS_CORS__MAX_AGE", "-5")]
    {
        let mut command = place.command("serve");
        command.env(name, value);
        let said = said(command);
        assert!(said.contains(&format!("given by the environment variable {name}, is not valid")), "{said}");
    }
}

#[test]
fn a_named_file_must_exist() {
    let place = Place::new();
    assert!(
        place
            .refused("serve --config-file no.conf")
            .contains("no.conf cannot be read: there is no such file.")
    );
    assert!(
        place
            .refused("db sync --config-dir no.d")
            .contains("no.d cannot be read: there is no such directory.")
    );
}

#[test]
fn contradictory_options_are_refused() {
    let keystone =
        "[keystone_authtoken]\nauth_type = password\nauth_url = http://127.0.0.1:5000\nusername = freezer\n";
    for (text, says) in [
        ("[DEFAULT]\nauth_strategy = keystone\n".to_owned(), "[keystone_authtoken] auth_url is missing"),
        (keystone.to_owned(), "[keystone_authtoken] user_domain_name is missing"),
        (format!("{keystone}user_domain_id = default\n"), "[keystone_authtoken] password is missing"),
        (format!("{keystone}auth_type = v3kerberos\n"), "`v3applicationcredential`."),
        ("[DEFAULT]\nauth_strategy = noauth\nbind_host = 0.0.0.0\n".to_owned(), "loopback"),
        (
            format!(
                "{}user_domain_id = default\npassword = p\ncafile = none.pem\n",
                keystone.replace("http:", "https:")
            ),
            "freezer-api.conf:7, is not valid: Cannot read none.pem",
        ),
        (
            "[healthcheck]\nallowed_source_ranges = 10.0.0.1/8\n".to_owned(),
            "freezer-api.conf:2, is not valid",
        ),
    ] {
        let place = Place::new();
        place.write("freezer-api.conf", &text);
        let said = place.refused("serve");
        assert!(said.contains(says), "{text}: {said}");
    }
}

#[test]
fn a_refusal_does_not_show_a_secret() {
    for text in [
        "[keystone_authtoken]\npassword = hun$ter2\n",
        "[keystone_authtoken]\npassword = hunter2\n\n ter2\n",
        "[keystone_authtoken]\nhunter2\n",
        "[keystone_authtoken]\npassword = hunter2\n[DEFAULT]\nworkers = ${keystone_authtoken.password}\n",
        "[database]\nconnection = oracle://f:hunter2@db/x\n",
        "[database]\nconnection = mysql://f:hunter2@:::/x\n",
    ] {
        let place = Place::new();
        place.write("freezer-api.conf", text);
        let said = place.refused("serve");
        assert!(!said.contains("ter2"), "{said}");
    }
}
