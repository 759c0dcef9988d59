//! `[keystone_authtoken]`, `[centralized_scheduler]`, and the sections that their `auth_section` names.

use std::time::Duration;

use front::context::Secret;
use front::outbound;
use keystone_auth::{AppCredential, Credentials, IdOrName, Login, LoginScope, Settings};
use oslo_config::ini::normalized;
use oslo_config::{Effective, Section};
use url::Url;

use crate::trusts;

/// How tokens are validated.
pub fn tokens(effective: &Effective) -> Result<Settings, String> {
    let section = effective.section("keystone_authtoken");
    let plugin_section = section.text("auth_section").map(normalized);
    let plugin = plugin_section.as_deref().map_or(section, |name| effective.section(name));
    let defaults = Settings::default();
    Ok(Settings {
        www_authenticate_uri: section.string("www_authenticate_uri"),
        delay_auth_decision: section.is("delay_auth_decision"),
        http_request_max_retries: section
            .count("http_request_max_retries", u32::MAX)
            .unwrap_or(defaults.http_request_max_retries),
        token_cache_time: section
            .count("token_cache_time", u64::MAX)
            .filter(|seconds| *seconds > 0)
            .map(Duration::from_secs),
        include_service_catalog: section.is("include_service_catalog"),
        service_token_roles: section.list("service_token_roles"),
        service_token_roles_required: section.is("service_token_roles_required"),
        service_type: section.string("service_type"),
        // The connection to Keystone is configured in this section, even if the credentials are in another.
        login: login(section, plugin)?,
        ..defaults
    })
}

/// How trusts are made. `None` if trusts are turned off and there are no credentials to remove earlier trusts with.
pub fn trusts(effective: &Effective) -> Result<Option<trusts::Settings>, String> {
    let section = effective.section("centralized_scheduler");
    let enabled = section.is("enabled");
    let name = normalized(section.text("auth_section").unwrap_or("keystone_authtoken"));
    let named = effective.section(&name);
    // [keystone_authtoken] may itself refer to another section.
    let further = named.text("auth_section").map(normalized);
    let plugin = further.as_deref().map_or(named, |name| effective.section(name));
    let login = match login(named, plugin) {
        Ok(login) => login,
        Err(why) if enabled => return Err(why),
        Err(_) => return Ok(None),
    };
    let (enforce_trusts, delegated_roles) =
        (section.is("enforce_trusts"), section.list("trusts_delegated_roles"));
    Ok(Some(trusts::Settings { enabled, enforce_trusts, delegated_roles, login }))
}

/// `connection` has the options of the connection to Keystone, `plugin` those of the login.
fn login(connection: Section<'_>, plugin: Section<'_>) -> Result<Login, String> {
    let auth_url = required(plugin, "auth_url", "where Keystone is")?;
    let url = Url::parse(auth_url).ok();
    let Some(url) = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) else {
        return Err(plugin.refuse("auth_url", "it is not a URL, as http://keystone.example.com:5000/v3"));
    };
    if url.authority().contains('@') {
        return Err(plugin.refuse("auth_url", "there must be no user in it: username and password say that"));
    }
    let timeout = connection
        .count("http_connect_timeout", u64::MAX)
        .filter(|seconds| *seconds > 0)
        .map(Duration::from_secs);
    let is_encrypted = url.scheme() == "https";
    let http = outbound::Settings {
        ca_file: connection.path("cafile"),
        cert_file: connection.path("certfile"),
        key_file: connection.path("keyfile"),
        insecure: connection.is("insecure"),
        no_authorities: false,
        max_answer: None,
        connect_timeout: timeout,
        // The client derives it from `connect_timeout`.
        timeout: None,
    };
    if is_encrypted {
        check_tls_files(connection, &http)?;
    }
    Ok(Login {
        auth_url: auth_url.to_owned(),
        interface: connection.string("interface"),
        region_name: connection.string("region_name"),
        credentials: credentials(plugin)?,
        http,
    })
}

/// Loads the certificates and the key, so that the error names the option that is wrong.
fn check_tls_files(section: Section<'_>, http: &outbound::Settings) -> Result<(), String> {
    let Err(why) = outbound::Client::new(http) else { return Ok(()) };
    let is_in = |option: &&str| section.text(option).is_some_and(|file| why.contains(file));
    // Without a key file, the key is read from the certificate's file.
    let option = ["cafile", "keyfile", "certfile"].into_iter().find(is_in).unwrap_or("cafile");
    Err(section.refuse(option, why.trim_end_matches('.')))
}

fn credentials(plugin: Section<'_>) -> Result<Credentials, String> {
    match required(plugin, "auth_type", "how we log in to Keystone, usually `password`")? {
        "password" => Ok(Credentials::Password {
            user: user(plugin, true)?,
            password: secret(plugin, "password", "the password of our user")?,
            scope: scope(plugin, true)?,
        }),
        "v3password" => Ok(Credentials::Password {
            user: user(plugin, false)?,
            password: secret(plugin, "password", "the password of our user")?,
            scope: scope(plugin, false)?,
        }),
        "v3applicationcredential" => {
            let secret_name = "application_credential_secret";
            let credential = match plugin.string("application_credential_id") {
                Some(id) => AppCredential::Id(id),
                None => {
                    let what =
                        "which application credential is ours (or application_credential_name, with a user)";
                    match plugin.string("application_credential_name") {
                        Some(name) => AppCredential::Name(name, user(plugin, false)?),
                        None => return Err(missing(plugin, "application_credential_id", what)),
                    }
                }
            };
            let secret = secret(plugin, secret_name, "the secret of our application credential")?;
            Ok(Credentials::ApplicationCredential { credential, secret })
        }
        _ => Err(plugin.refuse(
            "auth_type",
            "this service logs in to Keystone by `password`, `v3password` or `v3applicationcredential`",
        )),
    }
}

/// The user that logs in; with `defaults`, the `default_domain_*` options apply to user and project.
fn user(plugin: Section<'_>, defaults: bool) -> Result<IdOrName, String> {
    let user = id_or_name(plugin, "user", "user_id", "username", defaults);
    if user.id.is_none() && user.name.is_none() {
        return Err(missing(plugin, "username", "who we are to Keystone (or user_id)"));
    }
    require_domain(plugin, &user, "user_domain_name")?;
    Ok(user)
}

fn scope(plugin: Section<'_>, defaults: bool) -> Result<LoginScope, String> {
    let project = id_or_name(plugin, "project", "project_id", "project_name", defaults);
    let domain = IdOrName {
        domain_id: plugin.string("domain_id"),
        domain_name: plugin.string("domain_name"),
        ..IdOrName::default()
    };
    let is_project = project.id.is_some() || project.name.is_some();
    let is_domain = domain.domain_id.is_some() || domain.domain_name.is_some();
    let (system, trust) = (plugin.text("system_scope"), plugin.string("trust_id"));
    let several =
        [is_project, is_domain, system.is_some(), trust.is_some()].into_iter().filter(|is| *is).count() > 1;
    if several {
        return Err(format!(
            "A token is for one thing, but [{}] names several: keep one of project_id or project_name, domain_id or \
             domain_name, system_scope, trust_id.",
            plugin.name
        ));
    }
    if is_project {
        require_domain(plugin, &project, "project_domain_name")?;
        return Ok(LoginScope::Project(project));
    }
    if is_domain {
        return Ok(LoginScope::Domain(domain));
    }
    match (system, trust) {
        (Some("all"), _) => Ok(LoginScope::System),
        (Some(_), _) => Err(plugin.refuse("system_scope", "there is no other than `all`")),
        (None, Some(trust)) => Ok(LoginScope::Trust(trust)),
        (None, None) => Ok(LoginScope::Unscoped),
    }
}

fn id_or_name(plugin: Section<'_>, what: &str, id: &str, name: &str, defaults: bool) -> IdOrName {
    let or_default = |option: &str| {
        let default = || if defaults { plugin.string(&format!("default_{option}")) } else { None };
        plugin.string(&format!("{what}_{option}")).or_else(default)
    };
    IdOrName {
        id: plugin.string(id),
        name: plugin.string(name),
        domain_id: or_default("domain_id"),
        domain_name: or_default("domain_name"),
    }
}

/// Checks that a name comes with a domain, because names are unique only within one.
fn require_domain(plugin: Section<'_>, named: &IdOrName, option: &str) -> Result<(), String> {
    if named.id.is_none() && named.domain_id.is_none() && named.domain_name.is_none() {
        let what = format!("in which domain that name is (or {})", option.replace("_name", "_id"));
        return Err(missing(plugin, option, &what));
    }
    Ok(())
}

fn secret(plugin: Section<'_>, name: &str, what: &str) -> Result<Secret, String> {
    required(plugin, name, what).map(Secret::new)
}

fn required<'e>(plugin: Section<'e>, name: &str, what: &str) -> Result<&'e str, String> {
    plugin.text(name).ok_or_else(|| missing(plugin, name, what))
}

fn missing(plugin: Section<'_>, name: &str, what: &str) -> String {
    let former =
        plugin.former(name).map(|(former, place)| format!("; {former} ({place}) is not read any more"));
    format!(
        "The option [{}] {name} is missing: with auth_strategy keystone it says {what}{}.",
        plugin.name,
        former.unwrap_or_default()
    )
}
