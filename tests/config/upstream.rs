//! Files as the usual deployment tools write them for the Python service.

use crate::program::{Place, Running, shown};

/// Options and their forms are those of kolla-ansible, OpenStack-Ansible and DevStack, all at once.
const FILE: &str = "\
# Written by a tool; do not edit.

[DEFAULT]
debug = False
use_stderr = True
use_journal = False
bind_host = 127.0.0.1
bind_port = 0
transport_url = rabbit://openstack:mqpass@10.0.0.5:5672//
logging_exception_prefix = ERROR %(name)s %(instance)s

[paste_deploy]
config_file = /etc/freezer/freezer-paste.ini

[storage]
backend = sqlachemy
driver = sqlalchemy

[database]
connection = sqlite:///catalogue.sqlite?timeout=30
connection_recycle_time = 10
max_pool_size = 1
max_retries = -1
idle_timeout = 3600

[keystone_authtoken]
www_authenticate_uri = http://10.0.0.5:5000
auth_url = http://10.0.0.5:5000
auth_type = password
project_domain_id = default
user_domain_id = default
project_name = service
username = freezer
password = kS9$$x#;\"
cafile = 
insecure = False
region_name = RegionOne
interface = internal
service_type = backup
service_token_roles_required = True
service_token_roles = service
memcache_security_strategy = ENCRYPT
memcache_secret_key = s3cr3t
memcached_servers = 10.0.0.5:11211,10.0.0.6:11211
token_cache_time = 300
signing_dir = /var/cache/freezer-api

[centralized_scheduler]
enabled = True
enforce_trusts = False
service_user = freezer
service_user_domain = Default

[oslo_policy]
policy_file = policy.yaml

[oslo_middleware]
enable_proxy_headers_parsing = True

[elasticsearch]
hosts = http://10.0.0.5:9200
";

#[test]
fn a_deployed_file_starts_the_service_with_keystone() {
    let place = Place::new();
    place.write("etc/freezer-api.conf", FILE);
    let running = Running::start(place.command("serve --config-file etc/freezer-api.conf"));
    let answer = running.get("/v2/p/clients");
    assert!(answer.starts_with("HTTP/1.1 401 "), "{answer}");
    assert!(answer.contains("Keystone uri=\"http://10.0.0.5:5000\""), "{answer}");
    assert!(place.path().join("catalogue.sqlite").exists());
}

#[test]
fn the_log_says_why_a_token_was_refused() {
    let place = Place::new();
    place.write("freezer-api.conf", FILE);
    let running = Running::start(place.command("serve"));
    let answer = running.get_with("/v2/p/clients", "X-Auth-Token: two hunters2\r\n");
    assert!(answer.starts_with("HTTP/1.1 401 ") && !answer.contains("is malformed"), "{answer}");
    let line = running.wait_for("the token in the request is malformed");
    assert!(line.contains(" INFO freezer_api.") && line.contains(" [req-"), "{line}");
    assert!(!line.contains("hunters2"), "{line}");
}

#[test]
fn what_it_says_is_understood() {
    let place = Place::new();
    place.write("freezer-api.conf", FILE);
    let text = place.run("config show");
    for (section, line) in [
        ("DEFAULT", "auth_strategy = keystone"),
        ("DEFAULT", "bind_host = 127.0.0.1"),
        ("database", "connection_recycle_time = 10"),
        ("keystone_authtoken", "#cafile = <None>"),
        ("keystone_authtoken", "memcache_security_strategy = ENCRYPT"),
        ("oslo_middleware", "enable_proxy_headers_parsing = true"),
        ("centralized_scheduler", "auth_section = keystone_authtoken"),
    ] {
        let name = line.trim_start_matches('#').split(' ').next().unwrap();
        let found = shown(&text, section, name).1;
        assert!(found == line || (name == "cafile" && found == "cafile ="), "{found}");
    }
    assert!(text.contains("[keystone_authtoken] signing_dir\n") && text.contains("[elasticsearch] hosts\n"));
    for secret in ["kS9", "s3cr3t", "mqpass"] {
        assert!(!text.contains(secret), "{secret}");
    }
}
