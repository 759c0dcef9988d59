//! The options of keystonemiddleware's `auth_token`, and of keystoneauth's plugins.

use oslo_config::option::Opt;

const ANY: i64 = i32::MAX as i64;

/// `[keystone_authtoken]`, without the plugin's.
pub const OPTIONS: &[Opt] = &[
    Opt::text(
        "www_authenticate_uri",
        "Keystone's public endpoint, which a caller without a token is sent to. Unset: that of auth_url.",
    )
    .old_names(&[("", "auth_uri")]),
    Opt::bool(
        "delay_auth_decision",
        "false",
        "Let requests without a valid token through, for the policy to decide.",
    ),
    Opt::int(
        "token_cache_time",
        "For how many seconds a validated token is believed; -1 for asking each time.",
    )
    .within(-1, ANY)
    .default("300"),
    Opt::bool("include_service_catalog", "true", "Ask for the service catalogue when a token is validated."),
    Opt::list("service_token_roles", "The roles of which a service token must have one.").default("service"),
    Opt::bool("service_token_roles_required", "true", "Refuse a service token that has none of these roles."),
    Opt::text(
        "service_type",
        "Our type in the service catalogue, as backup: without it, application credentials with access rules are \
         refused.",
    ),
    INTERFACE,
    REGION_NAME,
    HTTP_REQUEST_MAX_RETRIES,
    HTTP_CONNECT_TIMEOUT,
    CAFILE,
    CERTFILE,
    KEYFILE,
    INSECURE,
    Opt::text("auth_version", "There is one version of Keystone's API here: 3.").no_effect(),
    Opt::text("enforce_token_bind", "Tokens are no longer bound to anything.")
        .default("permissive")
        .no_effect(),
    Opt::text("cache", "The name of a cache of Swift's.").no_effect(),
    Opt::list("memcached_servers", "Each process caches validated tokens in its own memory.")
        .old_names(&[("", "memcache_servers")])
        .no_effect(),
    Opt::choice("memcache_security_strategy", &["None", "MAC", "ENCRYPT"], "memcached is not used.")
        .default("None")
        .no_effect(),
    Opt::text("memcache_secret_key", "memcached is not used.").secret().no_effect(),
    Opt::bool("memcache_use_advanced_pool", "true", "memcached is not used.").no_effect(),
    Opt::int("memcache_pool_dead_retry", "memcached is not used.").within(0, ANY).default("300").no_effect(),
    Opt::int("memcache_pool_maxsize", "memcached is not used.").default("10").no_effect(),
    Opt::int("memcache_pool_socket_timeout", "memcached is not used.")
        .within(0, ANY)
        .default("3")
        .no_effect(),
    Opt::int("memcache_pool_unused_timeout", "memcached is not used.")
        .within(0, ANY)
        .default("60")
        .no_effect(),
    Opt::int("memcache_pool_conn_get_timeout", "memcached is not used.")
        .within(0, ANY)
        .default("10")
        .no_effect(),
    Opt::bool("memcache_tls_enabled", "false", "memcached is not used.").no_effect(),
    Opt::text("memcache_tls_cafile", "memcached is not used.").no_effect(),
    Opt::text("memcache_tls_certfile", "memcached is not used.").no_effect(),
    Opt::text("memcache_tls_keyfile", "memcached is not used.").no_effect(),
    Opt::text("memcache_tls_allowed_ciphers", "memcached is not used.").no_effect(),
    Opt::bool("memcache_sasl_enabled", "false", "memcached is not used.").no_effect(),
    Opt::text("memcache_username", "memcached is not used.").no_effect(),
    Opt::text("memcache_password", "memcached is not used.").secret().no_effect(),
];

/// Options of keystonemiddleware before its release of 2014, and the options that replace them. Their values cannot be
/// taken over unchanged, so they are not read.
pub const FORMER: &[(&str, &str)] = &[
    ("identity_uri", "auth_url"),
    ("auth_protocol", "auth_url"),
    ("auth_host", "auth_url"),
    ("auth_port", "auth_url"),
    ("auth_admin_prefix", "auth_url"),
    ("admin_user", "username"),
    ("admin_password", "password"),
    ("admin_tenant_name", "project_name"),
    ("admin_token", "username and password"),
];

/// How Keystone is reached: what a section that `[centralized_scheduler] auth_section` names can have, besides the
/// plugin's options.
pub const REACHED: &[Opt] =
    &[INTERFACE, REGION_NAME, HTTP_CONNECT_TIMEOUT, CAFILE, CERTFILE, KEYFILE, INSECURE];

const INTERFACE: Opt =
    Opt::text("interface", "Which of the catalogue's endpoints of Keystone is asked.").default("internal");
const REGION_NAME: Opt = Opt::text("region_name", "The region of that endpoint.");
const HTTP_REQUEST_MAX_RETRIES: Opt =
    Opt::int("http_request_max_retries", "How often a request to Keystone that got no answer is sent again.")
        .within(0, ANY)
        .default("3");
const HTTP_CONNECT_TIMEOUT: Opt =
    Opt::int("http_connect_timeout", "How long Keystone may take for an answer, in seconds.")
        .within(0, ANY)
        .shown_default("10 for connecting, 60 for all of it");
const CAFILE: Opt = Opt::text(
    "cafile",
    "The authorities that Keystone's certificate is checked against, in PEM. Unset: the system's.",
);
const CERTFILE: Opt = Opt::text("certfile", "Our certificate, in PEM, if Keystone asks for one.");
const KEYFILE: Opt = Opt::text("keyfile", "Its key, in PEM. Unset: in the same file.");
const INSECURE: Opt = Opt::bool("insecure", "false", "Believe any certificate.");

/// The options of the plugins `password`, `v3password` and `v3applicationcredential`.
pub const PLUGIN: &[Opt] = &[
    Opt::text(
        "auth_type",
        "How we log in to Keystone: password or v3password (the same here), or v3applicationcredential.",
    )
    .old_names(&[("", "auth_plugin")]),
    Opt::text("auth_section", "Take these options from the section of this name."),
    Opt::text("auth_url", "Keystone's URL, with or without /v3."),
    Opt::text("username", "Our user's name.").old_names(&[("", "user-name"), ("", "user_name")]),
    Opt::text("user_id", "Our user's id, instead of the name."),
    Opt::text("password", "Our user's password.").secret(),
    Opt::text("user_domain_id", "The id of our user's domain."),
    Opt::text("user_domain_name", "The name of our user's domain."),
    Opt::text("project_id", "The id of our project.").old_names(&[("", "tenant-id"), ("", "tenant_id")]),
    Opt::text("project_name", "The name of our project, which is usually `service`.")
        .old_names(&[("", "tenant-name"), ("", "tenant_name")]),
    Opt::text("project_domain_id", "The id of our project's domain."),
    Opt::text("project_domain_name", "The name of our project's domain."),
    Opt::text("default_domain_id", "The id of either domain, where that has no option of its own."),
    Opt::text("default_domain_name", "The name of either domain, where that has no option of its own."),
    Opt::text("domain_id", "Log in to the domain of this id instead of a project."),
    Opt::text("domain_name", "Log in to the domain of this name instead of a project."),
    Opt::text("system_scope", "Log in to the whole system instead of a project: all."),
    Opt::text("trust_id", "Log in by the trust of this id."),
    Opt::text("application_credential_id", "The id of our application credential."),
    Opt::text("application_credential_name", "Its name, with a user; instead of the id."),
    Opt::text("application_credential_secret", "Its secret.").secret(),
];
