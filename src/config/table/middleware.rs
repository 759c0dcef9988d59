//! The options of oslo.middleware.

use oslo_config::option::Opt;

/// `[oslo_middleware]`
pub const OPTIONS: &[Opt] = &[
    Opt::bool(
        "enable_proxy_headers_parsing",
        "false",
        "Believe what a proxy says in Forwarded and X-Forwarded-*. Only where nobody but the proxy can reach us.",
    ),
    Opt::int(
        "max_request_body_size",
        "The largest body that is taken, in bytes. Unset: 114688, and 4194304 where a job, an action, a session or a \
         backup is changed or replaced.",
    )
    .within(1, 1 << 30)
        .old_names(&[("DEFAULT", "osapi_max_request_body_size"), ("DEFAULT", "max_request_body_size")]),
    Opt::text("secure_proxy_ssl_header", "The scheme is found in Forwarded or X-Forwarded-Proto.")
        .default("X-Forwarded-Proto")
        .no_effect(),
    Opt::text("http_basic_auth_user_file", "The users of a middleware that freezer-api does not have.")
        .default("/etc/htpasswd")
        .no_effect(),
];

/// `[cors]`, and each `[cors.<name>]`.
pub const CORS: &[Opt] = &[
    Opt::list(
        "allowed_origin",
        "The origins whose pages may send requests, as https://horizon.example.com, without a slash at the end; * for \
         all. Empty: none. For other rules for other origins there may be sections [cors.NAME] beside this one.",
    )
    .default(""),
    Opt::bool("allow_credentials", "true", "Whether such requests may carry credentials."),
    Opt::list("expose_headers", "The headers of an answer that a page may see, besides the simple ones.")
        .default("X-OpenStack-Request-ID"),
    Opt::int("max_age", "For how many seconds a browser may remember the rules.").within(0, 31_536_000).default("3600"),
    Opt::list("allow_methods", "The methods that a page may use.")
        .default("OPTIONS,GET,HEAD,POST,PUT,DELETE,TRACE,PATCH"),
    Opt::list("allow_headers", "The headers that a page may send, besides the simple ones.").default("X-Auth-Token"),
];

/// `[healthcheck]`
pub const HEALTHCHECK: &[Opt] = &[
    Opt::text("path", "Where the health check is.").default("/healthcheck"),
    Opt::bool("detailed", "false", "Tell more than needed, the state of the database too. For trusted networks."),
    Opt::list(
        "backends",
        "What decides on the health: disable_by_file, disable_by_files_ports, enable_by_files. The default is that of \
         the Python service's paste file.",
    )
    .default("disable_by_file"),
    Opt::text("disable_by_file_path", "Out of service while this file is there.")
        .default("/etc/freezer/healthcheck_disable"),
    Opt::list("disable_by_file_paths", "The same for each port, as 9090:/path."),
    Opt::list("enable_by_file_paths", "Out of service unless these files are there."),
    Opt::list("allowed_source_ranges", "The networks that may ask, as 10.0.0.0/8. Empty: all."),
    Opt::bool("ignore_proxied_requests", "false", "Answer only who asks directly, not through a proxy."),
];
