//! The options of oslo.log.

use oslo_config::option::Opt;

const CONTEXT_FORMAT: &str = "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [%(request_ids)s \
                              %(user_identity)s] %(instance)s%(message)s";
const DEFAULT_FORMAT: &str =
    "%(asctime)s.%(msecs)03d %(process)d %(levelname)s %(name)s [-] %(instance)s%(message)s";

const ROTATION: &str = "The service does not rotate its log file; logrotate does.";

/// oslo.log's part of `[DEFAULT]`.
pub const OPTIONS: &[Opt] = &[
    Opt::bool("debug", "false", "Log at level DEBUG instead of INFO.").mutable(),
    Opt::list(
        "default_log_levels",
        "Levels for some loggers, as freezer_api.keystone=DEBUG; a logger is the part of the service that a line \
         names, and what is below it. The Python service's list names Python libraries, which are not here.",
    )
    .default("")
    .mutable(),
    Opt::text("log_file", "Log to this file.").old_names(&[("DEFAULT", "logfile")]).mutable(),
    Opt::text("log_dir", "The directory of a log_file without one; without a log_file it is freezer-api.log there.")
        .old_names(&[("DEFAULT", "logdir")]).mutable(),
    Opt::bool("watch_log_file", "false", "A log file that has been moved away is noticed in any case.").no_effect(),
    Opt::bool("use_stderr", "false", "Log to standard error too. Where nothing else is set, it is used anyway.").mutable(),
    Opt::bool("use_journal", "false", "Log to systemd's journal.").mutable(),
    Opt::bool("use_syslog", "false", "Log to syslog.").mutable(),
    Opt::text("syslog_log_facility", "The facility of syslog.").default("LOG_USER").mutable(),
    Opt::bool("use_json", "false", "Log in JSON.").mutable(),
    Opt::text("log_date_format", "How %(asctime)s is written.").default("%Y-%m-%d %H:%M:%S").mutable(),
    Opt::text("logging_context_format_string", "The form of a line on behalf of a request.")
        .default(CONTEXT_FORMAT).mutable(),
    Opt::text("logging_default_format_string", "The form of any other line.").default(DEFAULT_FORMAT).mutable(),
    Opt::text("logging_user_identity_format", "What %(user_identity)s is.")
        .default("%(user)s %(project)s %(domain)s %(system_scope)s %(user_domain)s %(project_domain)s")
        .mutable(),
    Opt::text("logging_debug_format_suffix", "What is appended to a line of level DEBUG.")
        .shown_default("nothing, for the Python service's names the Python function")
        .mutable(),
    Opt::text("logging_exception_prefix", "What each line of a backtrace begins with.")
        .default("%(asctime)s.%(msecs)03d %(process)d ERROR %(name)s %(instance)s")
        .mutable(),
    Opt::bool("log_color", "false", "On standard error, %(color)s is a colour.").mutable(),
    Opt::int("rate_limit_interval", "Count lines over this many seconds, and leave out what is too much; 0 for never.")
        .default("0")
        .mutable(),
    Opt::int("rate_limit_burst", "How many lines are not too much; 0 for any number.").default("0").mutable(),
    Opt::choice(
        "rate_limit_except_level",
        &["CRITICAL", "ERROR", "INFO", "WARNING", "DEBUG", ""],
        "Lines as grave as this are never left out.",
    )
    .default("CRITICAL")
    .mutable(),
    Opt::text("log_config_append", "A configuration file of Python's logging, for which there is no use here.")
        .old_names(&[("DEFAULT", "log-config"), ("DEFAULT", "log_config")])
        .no_effect(),
    Opt::text("instance_format", "The form of %(instance)s, which is Nova's.")
        .default("[instance: %(uuid)s] ")
        .no_effect(),
    Opt::text("instance_uuid_format", "The form of %(instance)s, which is Nova's.")
        .default("[instance: %(uuid)s] ")
        .no_effect(),
    Opt::choice("log_rotation_type", &["interval", "size", "none"], ROTATION).default("none").no_effect(),
    Opt::int("log_rotate_interval", ROTATION).default("1").no_effect(),
    Opt::choice(
        "log_rotate_interval_type",
        &["Seconds", "Minutes", "Hours", "Days", "Weekday", "Midnight"],
        ROTATION,
    )
    .default("days")
    .no_effect(),
    Opt::int("max_logfile_count", ROTATION).default("30").no_effect(),
    Opt::int("max_logfile_size_mb", ROTATION).default("200").no_effect(),
    Opt::bool("publish_errors", "false", "There is no message bus here.").no_effect(),
    Opt::bool("fatal_deprecations", "false", "Old names are never more than a warning here.").no_effect(),
];
