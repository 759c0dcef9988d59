//! The options of oslo.policy.

use oslo_config::option::{Kind, Opt};

/// `[oslo_policy]`
pub const OPTIONS: &[Opt] = &[
    Opt::text(
        "policy_file",
        "The file with rules that replace the built-in ones, beside the configuration file.",
    )
    .default("policy.yaml"),
    Opt::list("policy_dirs", "A directory of more such files; may be repeated.")
        .with_kind(Kind::Multi)
        .default("policy.d"),
    Opt::text("policy_default_rule", "The rule that decides where one does not exist.").default("default"),
    Opt::bool("enforce_new_defaults", "true", "The old default of a rule that was renamed no longer counts."),
    Opt::choice(
        "remote_content_type",
        &["application/x-www-form-urlencoded", "application/json"],
        "The form in which http and https checks are sent.",
    )
    .default("application/x-www-form-urlencoded"),
    Opt::bool(
        "remote_ssl_verify_server_crt",
        "false",
        "Check the certificate of the server that https checks ask.",
    ),
    Opt::text(
        "remote_ssl_ca_crt_file",
        "The authorities it is checked against, in PEM. Unset: the system's.",
    ),
    Opt::text("remote_ssl_client_crt_file", "Our certificate for https checks, in PEM."),
    Opt::text("remote_ssl_client_key_file", "Its key, in PEM."),
    Opt::text("remote_timeout", "How long such a check may take, in seconds.")
        .with_kind(Kind::Float(0.0))
        .default("60"),
    Opt::bool("enforce_scope", "true", "The scope of a token is always looked at.").no_effect(),
];
