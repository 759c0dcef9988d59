//! `config show`.

use crate::program::{Place, printed, shown};

const FILE: &str = "\
[DEFAULT]
log_dir = /var/log
log_file = $log_dir/x $$ \"y\"
default_log_levels =
  a=WARN,
  b=INFO
transport_url = rabbit://u:hunter2@mq
[database]
connection = mysql+pymysql://freezer:hunter2@db/freezer?charset=utf8
slave_connection = postgresql://freezer@db/freezer?password=hunter2
[keystone_authtoken]
auth_type = password
auth_url = http://k:5000
username = freezer
password = \" hunter2 \"
memcache_secret_key = hunter2
region_name = $password
[oslo_policy]
policy_dirs = a
policy_dirs = b
[trustee]
auth_url = http://k
application_credential_secret = hunter2
[centralized_scheduler]
auth_section = trustee
";

#[test]
fn only_secrets_are_hidden() {
    let place = Place::new();
    let path = place.write("freezer-api.conf", FILE);
    let mut command = place.command("config show");
    command.env("OS_KEYSTONE_AUTHTOKEN__MEMCACHE_PASSWORD", "hunter2");
    let text = printed(command.output().unwrap());
    assert!(!text.contains("hunter2"), "{text}");
    let value = |section: &str, name: &str| shown(&text, section, name).1.to_owned();
    assert_eq!(
        value("database", "connection"),
        "connection = mysql+pymysql://freezer:***@db/freezer?charset=utf8"
    );
    assert_eq!(
        value("database", "slave_connection"),
        "slave_connection = postgresql://freezer@db/freezer?password=***"
    );
    assert_eq!(value("keystone_authtoken", "password"), "password = ***");
    assert_eq!(value("keystone_authtoken", "memcache_password"), "memcache_password = ***");
    assert_eq!(value("keystone_authtoken", "region_name"), "region_name = ***");
    assert_eq!(value("keystone_authtoken", "user_id"), "#user_id = <None>");
    assert_eq!(value("trustee", "application_credential_secret"), "application_credential_secret = ***");
    assert_eq!(value("DEFAULT", "log_file"), "log_file = /var/log/x $$ \"y\"");
    assert_eq!(value("DEFAULT", "default_log_levels"), "default_log_levels = a=WARN,b=INFO");
    assert_eq!(value("DEFAULT", "auth_strategy"), "auth_strategy = keystone");
    assert_eq!(value("DEFAULT", "bind_host"), "bind_host = 0.0.0.0");
    assert!(text.contains("\npolicy_dirs = a\npolicy_dirs = b\n"));
    let path = path.display();
    assert!(text.contains(&format!("\n# Read: {path}\n")));
    assert!(text.contains(&format!("\n# {path}:7: [DEFAULT] transport_url\n")));
    assert_eq!(value("keystone_authtoken", "memcache_secret_key"), "memcache_secret_key = ***");
    let (source, _) = shown(&text, "keystone_authtoken", "memcache_secret_key");
    assert_eq!(source, format!("{path}:16 (has no effect here)"));
    let (source, _) = shown(&text, "keystone_authtoken", "memcache_password");
    assert!(source.ends_with("MEMCACHE_PASSWORD (has no effect here)"), "{source}");
}

#[test]
fn what_is_shown_can_be_read_back() {
    let place = Place::new();
    place.write("freezer-api.conf", FILE);
    let without_sources = |text: String| {
        text.lines()
            .filter(|line| !line.starts_with('#') && !line.is_empty())
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let first = place.run("config show");
    place.write("shown.conf", &first);
    let second = place.run("config show --config-file shown.conf");
    assert_eq!(without_sources(first), without_sources(second));
}

#[test]
fn only_what_is_changed_can_be_shown() {
    let place = Place::new();
    let path = place.write("freezer-api.conf", "[DEFAULT]\nnonsense = 1\n[cors]\nmax_age = 5\n");
    let mut command = place.command("config show --changed");
    command.env("OS_HEALTHCHECK__DETAILED", "true");
    let text = printed(command.output().unwrap());
    let (head, rest) = text.split_once("\n\n").unwrap();
    assert!(head.contains(&format!("# Read: {}", path.display())), "{text}");
    let expected = format!(
        "[cors]\n# {path}:4\nmax_age = 5\n\n\
         [healthcheck]\n# the environment variable OS_HEALTHCHECK__DETAILED\ndetailed = true\n\n\
         # Not known here, and ignored:\n# {path}:2: [DEFAULT] nonsense\n",
        path = path.display()
    );
    assert_eq!(rest, expected);
}

#[test]
fn the_successors_of_old_options_are_named() {
    let place = Place::new();
    place.write(
        "freezer-api.conf",
        "[keystone_authtoken]\nidentity_uri = http://k:35357\nadmin_user = f\nadmin_password = hunter2\nadmin_tenant_name = service\n",
    );
    let shown = place.run("config show");
    for line in [
        "freezer-api.conf:2: [keystone_authtoken] identity_uri; auth_url says that now",
        "freezer-api.conf:3: [keystone_authtoken] admin_user; username says that now",
        "freezer-api.conf:4: [keystone_authtoken] admin_password; password says that now",
        "freezer-api.conf:5: [keystone_authtoken] admin_tenant_name; project_name says that now",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert!(!shown.contains("hunter2"));
    // The file counts as one with Keystone: without, the service would use its built-in users.
    let said = place.refused("serve");
    assert!(said.contains("[keystone_authtoken] auth_url is missing"), "{said}");
    assert!(
        said.contains("identity_uri (") && said.contains("freezer-api.conf:2) is not read any more"),
        "{said}"
    );
}
