//! The options of freezer-api itself.

use crate::scope::Scope;
use oslo_config::option::{Kind, Opt};

/// `[DEFAULT]`, without the log's.
pub const DEFAULT: &[Opt] = &[
    Opt::text("bind_host", "The address or name to listen on.")
        .shown_default("0.0.0.0 with keystone, else 127.0.0.1"),
    Opt::int("bind_port", "The port to listen on; 0 picks a free one.").with_kind(Kind::Port).default("9090"),
    Opt::choice(
        "auth_strategy",
        &["keystone", "standalone", "noauth"],
        "How callers are known: by tokens of Keystone, by tokens of the built-in identity, or by believing whatever a \
         caller says of itself, which is for tests and served on loopback only. Not in the Python service.",
    )
    .shown_default("keystone where [keystone_authtoken] is filled in, else standalone with SQLite"),
    Opt::int(
        "workers",
        "How many requests are served at the same time; also the most database connections. Not in the Python \
         service, whose web server decides on that.",
    )
    .within(1, 1024)
    .default("16"),
    Opt::int(
        "max_connections",
        "How many connections of clients are open at the same time; for a further one the one that rests longest is \
         ended. Each takes one of the open files that the system allows. Not in the Python service.",
    )
    .within(1, 1_000_000)
    .default("768"),
    Opt::int(
        "max_limit",
        "The most that a list gives at once, whatever a client asks for. The dashboard asks for 500. Not in the \
         Python service.",
    )
    .within(500, 1_000_000)
    .default("1000"),
    Opt::int(
        "client_down_time",
        "A client is shown as down when its last poll is older than so many seconds. Polls are noted every 30 seconds \
         at most, and schedulers poll every 60 unless they are told otherwise. Not in the Python service.",
    )
    .within(60, 31_536_000)
    .default("180"),
    Opt::int(
        "action_report_max_log_size",
        "The most bytes that the log of an action report can have; 0 refuses every log. The limit on request bodies \
         holds too. Not in the Python service.",
    )
    .within(0, 8_388_608)
    .default("65536"),
    Opt::text(
        "path_prefix",
        "What a proxy keeps before our paths, as /backup; empty where there is nothing. Not in the Python service, \
         whose web server decides on that.",
    )
    .default(""),
    Opt::text(
        "public_endpoint",
        "The URL by which clients reach the service, as https://cloud.example.com/backup, without a version. With it every \
         link in an answer begins, and the catalog of the built-in identity has it. Without it they begin with what the \
         request says: its Host, or what a proxy says in Forwarded and X-Forwarded-*. Not in the Python service.",
    ),
    Opt::bool(
        "enable_v1_api",
        "false",
        "Offer version 1 of the API beside version 2, for clients that speak no other: schedulers and command lines up \
         to python-freezerclient 6.3.0.",
    ),
];

/// `[api_v1]`.
pub const API_V1: &[Opt] = &[Opt::choice(
    "scope",
    Scope::WORDS,
    "Which rows version 1 shows: own, the caller's own in the token's project; user, the caller's own in every project, \
     as the Python service did; project, all of the token's project, as version 2 does. Not in the Python service.",
)
.default("own")];

/// `[centralized_scheduler]`
pub const CENTRALIZED_SCHEDULER: &[Opt] = &[
    Opt::bool("enabled", "true", "Make a Keystone trust for each job of a central client."),
    Opt::bool("enforce_trusts", "false", "Make one for every job, whatever client it is for."),
    Opt::text(
        "auth_section",
        "The section that has the credentials of the trustee: the user of the central schedulers.",
    )
    .default("keystone_authtoken"),
    Opt::list(
        "trusts_delegated_roles",
        "The names of the roles that a trust hands on. Empty: all roles of the user.",
    )
    .default("member"),
    Opt::text("service_user", "The trustee; auth_section replaces it.").no_effect(),
    Opt::text("service_user_domain", "The domain of the trustee; auth_section replaces it.")
        .default("default")
        .no_effect(),
];

/// `[paste_deploy]`
pub const PASTE_DEPLOY: &[Opt] = &[Opt::text(
    "config_file",
    "The file with the pipelines of the Python service. What can be set there has options here: [DEFAULT] path_prefix, \
     [healthcheck], [cors] and [keystone_authtoken].",
)
.default("freezer-paste.ini")
.no_effect()];

/// `[storage]`
pub const STORAGE: &[Opt] = &[
    Opt::text("backend", "There is one storage here: the relational database of [database].")
        .default("sqlalchemy")
        .no_effect(),
    Opt::text("driver", "There is one storage here: the relational database of [database].")
        .default("sqlalchemy")
        .no_effect(),
];
