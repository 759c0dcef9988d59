//! The options of oslo.db.

use oslo_config::option::Opt;

const ANY: i64 = i32::MAX as i64;

/// `[database]`
pub const OPTIONS: &[Opt] = &[
    Opt::text(
        "connection",
        "The database, as SQLAlchemy writes it: mysql+pymysql://user:password@host/freezer?charset=utf8, \
         postgresql+psycopg2://..., sqlite:////absolute/path; or as Diesel does.",
    )
    .default("sqlite:///freezer.sqlite")
    .secret()
    .old_names(&[("DEFAULT", "sql_connection"), ("database", "sql_connection"), ("sql", "connection")]),
    Opt::text("connection_parameters", "More parameters for the URL, as name=value&name=value.")
        .default("")
        .secret(),
    Opt::text(
        "slave_connection",
        "A replica of the database. Lists and reports are read from it, and may be as old as it is behind; while it is \
         away, or has an old schema, they are read from the database itself.",
    )
    .secret(),
    Opt::bool("synchronous_reader", "true", "Nothing waits for the replica: what may not lag is not read from it.").no_effect(),
    Opt::int(
        "max_pool_size",
        "How many connections are kept open when they are idle; 0 for any number, and all are kept, too, where this is \
         not set: to open one takes as long as many requests. There are never more than [DEFAULT] workers.",
    )
    .within(0, ANY)
    .default("5")
    .old_names(&[("DEFAULT", "sql_max_pool_size"), ("database", "sql_max_pool_size")]),
    Opt::int("max_overflow", "How many more may be open for a while; -1 for any number.")
        .within(-1, ANY)
        .default("50")
        .old_names(&[("DEFAULT", "sql_max_overflow"), ("database", "sqlalchemy_max_overflow")]),
    Opt::int(
        "pool_timeout",
        "How long a request waits for a connection, in seconds. oslo.db waits for 30, which no client does.",
    )
    .within(0, ANY)
    .shown_default("5")
    .old_names(&[("database", "sqlalchemy_pool_timeout")]),
    Opt::int(
        "connection_recycle_time",
        "An idle connection older than this many seconds is replaced; -1 for never.",
    )
    .within(-1, ANY)
    .default("3600")
    .old_names(&[
        ("database", "idle_timeout"),
        ("DEFAULT", "sql_idle_timeout"),
        ("database", "sql_idle_timeout"),
        ("sql", "idle_timeout"),
    ]),
    Opt::int("max_retries", "How often connecting is tried again at the start; -1 for ever.")
        .within(-1, ANY)
        .default("10")
        .old_names(&[("DEFAULT", "sql_max_retries"), ("database", "sql_max_retries")]),
    Opt::int("retry_interval", "The time between those, in seconds.")
        .within(0, ANY)
        .default("10")
        .old_names(&[("DEFAULT", "sql_retry_interval"), ("database", "reconnect_interval")]),
    Opt::text("mysql_sql_mode", "The SQL mode of each connection to MySQL; empty for the server's own.")
        .default("TRADITIONAL"),
    Opt::int(
        "mysql_wsrep_sync_wait",
        "What Galera makes a session wait for before it reads; unset for the server's own.",
    )
    .within(0, 15),
    Opt::int(
        "db_max_retries",
        "How often a transaction is run again after a deadlock; -1 for as often as time allows.",
    )
    .within(-1, ANY)
    .default("20"),
    Opt::bool("sqlite_synchronous", "true", "Wait for the disk at each commit to SQLite.")
        .old_names(&[("DEFAULT", "sqlite_synchronous")]),
    Opt::int("db_retry_interval", "The pauses between are short and random here.").default("1").no_effect(),
    Opt::bool("db_inc_retry_interval", "true", "The pauses between are short and random here.").no_effect(),
    Opt::int("db_max_retry_interval", "The pauses between are short and random here.")
        .default("10")
        .no_effect(),
    Opt::bool("use_db_reconnect", "false", "A connection that was lost is always replaced here.").no_effect(),
    Opt::text("backend", "There is one storage here.")
        .default("sqlalchemy")
        .old_names(&[("DEFAULT", "db_backend")])
        .no_effect(),
    Opt::text("asyncio_connection", "A connection for asynchronous Python.").secret().no_effect(),
    Opt::text("asyncio_slave_connection", "A replica for asynchronous Python.").secret().no_effect(),
    Opt::int("connection_debug", "How much Python logs of SQL.")
        .within(0, 100)
        .default("0")
        .old_names(&[("DEFAULT", "sql_connection_debug")])
        .no_effect(),
    Opt::bool("connection_trace", "false", "Python's tracebacks as comments in SQL.")
        .old_names(&[("DEFAULT", "sql_connection_trace")])
        .no_effect(),
    Opt::int("min_pool_size", "Connections are opened by demand here.")
        .default("1")
        .old_names(&[("DEFAULT", "sql_min_pool_size"), ("database", "sql_min_pool_size")])
        .no_effect(),
    Opt::bool("mysql_enable_ndb", "false", "MySQL Cluster is not supported.").no_effect(),
];
