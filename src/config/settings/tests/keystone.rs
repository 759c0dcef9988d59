//! `[keystone_authtoken]` and `[centralized_scheduler]`.

use std::time::Duration;

use keystone_auth::{AppCredential, Credentials, IdOrName, Login, LoginScope, Settings};

use super::{config, refused};
use crate::config::settings::{AuthStrategy, Config};
use crate::trusts;

/// A user who can log in.
const LOGIN: &str = "auth_type = password\nauth_url = http://k:5000\nusername = freezer\npassword = hunter2\n\
                     user_domain_name = Default\n";

fn keystone(more: &str) -> Result<Config, String> {
    config(&format!("[keystone_authtoken]\n{LOGIN}{more}"))
}

#[test]
fn a_filled_in_keystone_section_is_keystone_on_every_interface() {
    let config = keystone("").unwrap();
    assert_eq!((config.auth_strategy, config.server.bind_host.as_str()), (AuthStrategy::Keystone, "0.0.0.0"));
    let mut defaults = Settings::default();
    let mut tokens = config.keystone.unwrap();
    assert_eq!(tokens.login.interface.as_deref(), Some("internal"));
    defaults.login = tokens.login.clone();
    assert_eq!(format!("{tokens:?}"), format!("{defaults:?}"));
    let mut trusts = config.trusts.unwrap();
    assert_eq!(format!("{:?}", trusts.login), format!("{:?}", tokens.login));
    trusts.login = Login::default();
    assert_eq!(format!("{trusts:?}"), format!("{:?}", trusts::Settings::default()));
    let Credentials::Password { user, password, scope } = std::mem::take(&mut tokens.login.credentials)
    else {
        panic!("{tokens:?}")
    };
    assert_eq!((user.name.as_deref(), user.domain_name.as_deref()), (Some("freezer"), Some("Default")));
    assert_eq!((password.reveal(), scope), ("hunter2", LoginScope::Unscoped));
}

#[test]
fn keystone_needs_to_know_where_and_who_and_says_what_is_missing() {
    let without = |name: &str| {
        let lines = LOGIN.lines().filter(|line| !line.starts_with(name));
        format!(
            "[DEFAULT]\nauth_strategy = keystone\n[keystone_authtoken]\n{}\n",
            lines.collect::<Vec<_>>().join("\n")
        )
    };
    for name in ["auth_url", "auth_type", "username", "password", "user_domain_name"] {
        refused(&without(name), &format!("[keystone_authtoken] {name} is missing"));
    }
    let app = "[keystone_authtoken]\nauth_type = v3applicationcredential\nauth_url = http://k\n";
    refused(app, "application_credential_id is missing");
    refused(&format!("{app}application_credential_id = i"), "application_credential_secret is missing");
    refused(&format!("{app}application_credential_name = n"), "username is missing");
    for (line, says) in [
        ("auth_type = v3totp", "given by /etc/f.conf:7, is not valid: this service logs in"),
        ("auth_url = k:5000", "[keystone_authtoken] auth_url, given by /etc/f.conf:7, is not valid"),
        (
            "auth_url = http://f:hunter2@k",
            "[keystone_authtoken] auth_url, given by /etc/f.conf:7, is not valid",
        ),
        (
            "cafile = /no/ca.pem\nauth_url = https://k",
            "[keystone_authtoken] cafile, given by /etc/f.conf:7, is not valid: Cannot read /no/ca.pem",
        ),
        (
            "certfile = /no/own.pem\nauth_url = https://k",
            "[keystone_authtoken] certfile, given by /etc/f.conf:7",
        ),
        (
            "certfile = /no/a\nkeyfile = /no/b\nauth_url = https://k",
            "[keystone_authtoken] keyfile, given by /etc/f.conf:8",
        ),
        ("project_name = service", "project_domain_name is missing"),
        ("project_id = p\nsystem_scope = all", "names several"),
        ("system_scope = some", "no other than `all`"),
    ] {
        refused(&format!("[keystone_authtoken]\n{LOGIN}{line}"), says);
    }
}

#[test]
fn a_login_is_for_what_the_plugin_options_say() {
    let scope = |more: &str| match keystone(more).unwrap().keystone.unwrap().login.credentials {
        Credentials::Password { scope, .. } => scope,
        other => panic!("{other:?}"),
    };
    let named = |name: &str, domain: &str| IdOrName {
        name: Some(name.to_owned()),
        domain_id: Some(domain.to_owned()),
        ..IdOrName::default()
    };
    assert_eq!(
        scope("tenant_name = service\nproject_domain_id = d"),
        LoginScope::Project(named("service", "d"))
    );
    assert_eq!(
        scope("project-name = no\ntenant-name = s\ndefault_domain_id = d"),
        LoginScope::Project(named("s", "d"))
    );
    assert_eq!(scope("system_scope = all"), LoginScope::System);
    assert_eq!(scope("trust_id = t"), LoginScope::Trust("t".to_owned()));
    let domain = IdOrName { domain_id: Some("d".to_owned()), ..IdOrName::default() };
    assert_eq!(scope("domain_id = d"), LoginScope::Domain(domain));
    // The versioned plugin has no default domain.
    refused(
        &format!(
            "[keystone_authtoken]\n{LOGIN}auth_type = v3password\nproject_name = s\ndefault_domain_id = d"
        ),
        "project_domain_name is missing",
    );
}

/// A file with some certificate.
fn authority() -> tempfile::NamedTempFile {
    let certificate = rcgen::CertificateParams::new(Vec::new()).unwrap();
    let pem = certificate.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().pem();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), pem).unwrap();
    file
}

#[test]
fn the_credentials_may_be_in_another_section_each() {
    let ca = authority();
    let ca = ca.path();
    let config = config(&format!(
        "[keystone_authtoken]\nauth_section = Service\ncafile = {}\nhttp_connect_timeout = 7\nregion_name = r\n\
         [service]\n{LOGIN}cafile = /other.pem\n\
         [centralized_scheduler]\nauth_section = trustee\ntrusts_delegated_roles =\nenforce_trusts = yes\n\
         [trustee]\nauth_type = v3applicationcredential\nauth_url = http://k\ninsecure = 1\nregion_name = s\n\
         application_credential_id = i\napplication_credential_secret = hunter2\n",
        ca.display()
    ));
    let config = config.unwrap();
    let login = config.keystone.unwrap().login;
    assert_eq!((login.auth_url.as_str(), login.region_name.as_deref()), ("http://k:5000", Some("r")));
    assert_eq!((login.http.ca_file.as_deref(), login.http.insecure), (Some(ca), false));
    assert_eq!(login.http.connect_timeout, Some(Duration::from_secs(7)));
    let trusts = config.trusts.unwrap();
    assert!(trusts.enforce_trusts && trusts.delegated_roles.is_empty() && trusts.login.http.insecure);
    // It is the same Keystone: what its section does not say of the way there is as for tokens.
    assert_eq!(
        (trusts.login.http.ca_file.as_deref(), trusts.login.region_name.as_deref()),
        (Some(ca), Some("s"))
    );
    assert_eq!(trusts.login.http.connect_timeout, Some(Duration::from_secs(7)));
    let Credentials::ApplicationCredential { credential: AppCredential::Id(id), secret } =
        trusts.login.credentials
    else {
        panic!()
    };
    assert_eq!((id.as_str(), secret.reveal()), ("i", "hunter2"));
}

#[test]
fn trusts_that_are_turned_off_need_no_credentials() {
    let off = "[centralized_scheduler]\nauth_section = nowhere\n";
    let text = format!("[keystone_authtoken]\n{LOGIN}{off}");
    refused(&text, "[nowhere] auth_url is missing");
    assert!(config(&format!("{text}enabled = false")).unwrap().trusts.is_none());
    assert!(!keystone("[centralized_scheduler]\nenabled = false").unwrap().trusts.unwrap().enabled);
}

#[test]
fn options_of_memcached_do_not_stop_the_start() {
    for lines in [
        "memcached_servers = a:1, [::1]:2, http://k",
        "memcache_servers = controller:11211,",
        "memcache_security_strategy = encrypt",
        "memcached_servers = a\nmemcache_sasl_enabled = true",
        "memcached_servers = /run/m\nmemcache_tls_enabled = true\nmemcache_tls_cafile = /missing",
    ] {
        assert!(keystone(lines).is_ok(), "{lines}");
    }
}
