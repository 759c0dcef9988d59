mod keystone;

use front::health::Backend as HealthBackend;
use oslo_config::{File, Sources, ini};

use super::*;
use crate::config::load::resolve;

fn effective(text: &str) -> Effective {
    let file = File { path: "/etc/f.conf".into(), entries: ini::parse(text).unwrap() };
    let sources = Sources { files: vec![file], ..Sources::default() };
    resolve(&sources, vec!["/etc".into()]).unwrap_or_else(|why| panic!("{why}"))
}

fn config(text: &str) -> Result<Config, String> {
    Config::new(&effective(text), None)
}

fn refused(text: &str, says: &str) {
    let why = config(text).err().unwrap_or_else(|| panic!("{text}"));
    assert!(why.contains(says) && !why.contains("hunter2"), "{text}: {why}");
}

#[test]
fn without_options_the_server_is_local_and_has_every_modules_defaults() {
    let config = config("").unwrap();
    assert_eq!((config.server.bind_host.as_str(), config.server.bind_port), ("127.0.0.1", 9090));
    assert_eq!(config.auth_strategy, AuthStrategy::Standalone);
    assert_eq!(config.openrc, Path::new("openrc"));
    assert_eq!(config.database.redacted(), "sqlite:///freezer.sqlite");
    assert!(config.keystone.is_none() && config.trusts.is_none() && config.slave_database.is_none());
    assert!(config.server.cors.is_empty());
    assert_eq!((config.max_limit, config.client_down_time, config.max_log_size), (1000, 180, 65_536));

    let debug = |value: &dyn std::fmt::Debug| format!("{value:?}");
    let server = server::Settings { bind_host: "127.0.0.1".to_owned(), ..server::Settings::default() };
    assert_eq!(debug(&config.server), debug(&server));
    let store = store::Settings { max_connections: 15, max_idle: 15, ..store::Settings::default() };
    assert_eq!(debug(&config.store), debug(&store));
    assert_eq!(config.logging, oslo_log::Settings::default());
    assert_eq!(debug(&config.health), debug(&health::Settings::default()));
    let mut policy =
        oslo_policy::Settings { config_dirs: vec!["/etc".into()], ..oslo_policy::Settings::default() };
    policy.remote.timeout = Some(Duration::from_secs(60));
    assert_eq!(debug(&config.policy), debug(&policy));
}

#[test]
fn the_strategy_is_configured_or_derived_from_the_keystone_section() {
    for (text, expected) in [
        ("[keystone_authtoken]\nwww_authenticate_uri = http://k:5000", AuthStrategy::Keystone),
        ("[keystone_authtoken]\nauth_plugin = password", AuthStrategy::Keystone),
        ("[keystone_authtoken]\nauth_section = x", AuthStrategy::Keystone),
        ("[keystone_authtoken]\nauth_url =\nmemcached_servers = a", AuthStrategy::Standalone),
        (
            "[DEFAULT]\nauth_strategy = Noauth\n[keystone_authtoken]\nauth_url = http://k",
            AuthStrategy::Noauth,
        ),
        ("[DEFAULT]\nauth_strategy = keystone", AuthStrategy::Keystone),
    ] {
        assert_eq!(strategy(&effective(text)).unwrap(), expected, "{text}");
    }
}

#[test]
fn the_openrc_file_is_beside_the_sqlite_file() {
    let there = config("[database]\nconnection = sqlite:////var/lib/freezer/f.sqlite").unwrap();
    assert_eq!(there.openrc, Path::new("/var/lib/freezer/openrc"));
    let configured = Config::new(&effective(""), Some(Path::new("/x"))).unwrap();
    assert_eq!(configured.openrc, Path::new("/x"));
}

#[test]
fn noauth_is_for_loopback() {
    let on = |host: &str| config(&format!("[DEFAULT]\nauth_strategy = noauth\nbind_host = {host}"));
    assert!(on("127.0.0.1").is_ok() && on("::1").is_ok());
    for open in ["0.0.0.0", "::", "192.0.2.1"] {
        assert!(on(open).unwrap_err().contains("loopback"), "{open}");
    }
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
#[test]
fn mysql_and_postgresql_need_an_explicit_strategy() {
    let scheme = if cfg!(feature = "mysql") { "mysql+pymysql" } else { "postgresql" };
    let text = format!("[database]\nconnection = {scheme}://f:hunter2@db/freezer\n");
    for choice in ["keystone", "standalone", "noauth"] {
        refused(&text, choice);
    }
    assert!(config(&format!("{text}[DEFAULT]\nauth_strategy = standalone")).is_ok());
}

#[test]
fn the_pool_is_limited_by_workers_and_by_options() {
    let pool = |text: &str| {
        let store = config(&format!("[DEFAULT]\nworkers = 16\n[database]\n{text}")).unwrap().store;
        (store.max_connections, store.max_idle)
    };
    assert_eq!(pool(""), (15, 15));
    assert_eq!(pool("max_pool_size = 5"), (15, 5));
    assert_eq!(pool("max_pool_size = 2\nmax_overflow = 3"), (5, 2));
    assert_eq!(pool("max_pool_size = 0"), (15, 15));
    assert_eq!(pool("max_pool_size = 20\nmax_overflow = -1"), (15, 15));
    for workers in [1, 2] {
        let store = config(&format!("[DEFAULT]\nworkers = {workers}\n")).unwrap().store;
        assert_eq!(store.max_connections, 1, "{workers}");
    }
    let store = config("[database]\nmax_retries = -1\nconnection_recycle_time = -1\ndb_max_retries = -1\n")
        .unwrap()
        .store;
    assert_eq!((store.max_retries, store.recycle_after, store.db_max_retries), (None, None, u32::MAX));
    let store = config("[database]\nmysql_sql_mode =\npool_timeout = 30\nmax_retries =\n").unwrap().store;
    assert_eq!(
        (store.mysql_sql_mode.as_str(), store.pool_timeout.as_secs(), store.max_retries),
        ("", 30, Some(10))
    );
}

#[test]
fn parameters_of_the_connection_are_appended() {
    for (url, whole) in [("sqlite:///f", "sqlite:///f?a=b&c=d"), ("sqlite:///f?x", "sqlite:///f?x&a=b&c=d")] {
        assert_eq!(database::with_parameters(url, Some("a=b&c=d")), whole);
        assert_eq!(database::with_parameters(url, None), url);
    }
    refused(
        "[database]\nconnection = oracle://scott:hunter2@db",
        "[database] connection, given by /etc/f.conf:2",
    );
    assert!(config("[database]\nslave_connection = sqlite:////r").unwrap().slave_database.is_some());
    refused("[database]\nslave_connection = oracle://scott:hunter2@db", "slave_connection");
}

#[test]
fn each_cors_section_is_a_rule_that_inherits_from_cors() {
    let text = "[cors]\nmax_age = 5\nallow_headers = X-A\n[cors.One]\nallowed_origin = https://a,https://b\n\
                allow_credentials = no\n[CORS.two]\nallowed_origin = https://c\nmax_age = 6\n[cors.three]\nmax_age = 7\n";
    let rules = config(text).unwrap().server.cors;
    let [one, two] = rules.as_slice() else { panic!("{rules:?}") };
    assert_eq!((one.allowed_origins.len(), one.allow_credentials, one.max_age), (2, false, Some(5)));
    assert_eq!((two.allowed_origins.len(), two.allow_credentials, two.max_age), (1, true, Some(6)));
    assert_eq!(
        (one.allow_headers.clone(), two.allow_headers.clone()),
        (vec!["X-A".to_owned()], vec!["X-A".to_owned()])
    );
    let defaults =
        front::cors::Settings { allowed_origins: vec!["*".to_owned()], ..front::cors::Settings::default() };
    assert_eq!(config("[cors]\nallowed_origin = *").unwrap().server.cors, [defaults]);
}

#[test]
fn a_health_check_has_files_and_networks() {
    let health = config(
        "[healthcheck]\nbackends = disable_by_files_ports, enable_by_files\ndisable_by_file_path =\n\
         disable_by_file_paths = 80:/a\nenable_by_file_paths = /b,/c:d\nallowed_source_ranges = 10.0.0.0/8,::1\n",
    );
    let health = health.unwrap().health;
    assert_eq!(health.backends, [HealthBackend::DisableByFilesPorts, HealthBackend::EnableByFiles]);
    assert_eq!(health.disable_by_file_path, None);
    assert_eq!(health.disable_by_file_paths, [(80, "/a".into())]);
    assert_eq!(health.enable_by_file_paths, [Path::new("/b"), Path::new("/c:d")]);
    for (line, says) in [
        ("backends = some", "there are disable_by_file"),
        ("path = x", "not a path"),
        ("disable_by_file_paths = /a", "port:path"),
        ("disable_by_file_paths = x:/a", "port:path"),
        ("path = /", "[healthcheck] path, given by /etc/f.conf:2"),
        ("backends = disable_by_file,enable_by_files", "exclude each other"),
        ("allowed_source_ranges = 10.0.0.0/33", "not a network"),
        ("allowed_source_ranges = 10.0.0.1/8", "[healthcheck] allowed_source_ranges, given by /etc/f.conf:2"),
    ] {
        refused(&format!("[healthcheck]\n{line}"), says);
    }
}

#[test]
fn the_log_goes_where_the_file_and_the_directory_say() {
    for (text, file) in [
        ("log_file = a.log", "a.log"),
        ("log_dir = /var/log", "/var/log/freezer-api.log"),
        ("logdir = /var/log\nlogfile = a.log", "/var/log/a.log"),
        ("log_dir = /var/log\nlog_file = /a.log", "/a.log"),
    ] {
        let logging = config(&format!("[DEFAULT]\n{text}")).unwrap().logging;
        assert_eq!(logging.file.as_deref(), Some(Path::new(file)), "{text}");
    }
    let logging = config(
        "[DEFAULT]\nuse_syslog = on\nuse_stderr = no\ndefault_log_levels = a.b=DEBUG, c=WARN\nrate_limit_interval = 5\n\
         rate_limit_burst = 6\nrate_limit_except_level =\nlogging_default_format_string = %(message)s\n",
    );
    let logging = logging.unwrap().logging;
    assert_eq!((logging.syslog.as_deref(), logging.stderr), (Some("LOG_USER"), Some(false)));
    let levels = [("a.b".to_owned(), log::LevelFilter::Debug), ("c".to_owned(), log::LevelFilter::Warn)];
    assert_eq!(logging.levels, levels);
    let limit = logging.rate_limit.unwrap();
    assert_eq!((limit.interval.as_secs(), limit.burst, limit.except), (5, 6, None));
    assert_eq!((logging.default_format.as_deref(), logging.context_format), (Some("%(message)s"), None));
    refused(
        "[DEFAULT]\ndefault_log_levels = a",
        "[DEFAULT] default_log_levels, given by /etc/f.conf:2, is not valid",
    );
}

#[test]
fn a_path_prefix_is_a_path() {
    let prefix = |text: &str| {
        config(&format!("[DEFAULT]\npath_prefix = {text}")).map(|config| config.server.proxy.path_prefix)
    };
    for (text, expected) in [("", ""), ("/", ""), ("/backup", "/backup"), ("/a//b/", "/a/b")] {
        assert_eq!(prefix(text).unwrap(), expected);
    }
    for text in ["backup", "http://x/y", "/a?b", "/a b", "/v2/x"] {
        assert!(prefix(text).unwrap_err().contains("path_prefix, given by /etc/f.conf:2"), "{text}");
    }
}

#[test]
fn limits_reach_the_settings_of_server_and_policy() {
    let config = config(
        "[DEFAULT]\nmax_connections = 99\nmax_limit = 500\nworkers = 3\nclient_down_time = 60\n\
         action_report_max_log_size = 0\nosapi_max_request_body_size = 1000\n\
         [oslo_middleware]\nenable_proxy_headers_parsing = True\n\
         [oslo_policy]\npolicy_file = p.json\npolicy_dirs = a\npolicy_dirs = b\nremote_content_type = application/json\n\
         remote_ssl_verify_server_crt = true\nremote_timeout = 0.5\nenforce_new_defaults = false\n",
    );
    let config = config.unwrap();
    assert_eq!((config.server.max_connections, config.max_limit, config.server.workers), (99, 500, 3));
    assert_eq!((config.client_down_time, config.max_log_size), (60, 0));
    assert_eq!((config.server.max_request_body_size, config.server.proxy.parse_headers), (1000, true));
    // If it is set, the limit applies to all bodies.
    assert_eq!(config.server.max_document_body_size, 1000);
    let policy = config.policy;
    assert_eq!((policy.policy_file, policy.policy_dirs), ("p.json".into(), vec!["a".into(), "b".into()]));
    assert!(policy.remote_json && !policy.remote.insecure && !policy.enforce_new_defaults);
    assert_eq!(policy.remote.timeout, Some(Duration::from_millis(500)));
}
