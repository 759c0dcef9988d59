"""What the real oslo.config makes of configuration files: cases on standard input, answers on standard output, both JSON.

A case is a list of texts of files, the strongest last. An answer is null where oslo.config refuses the files, else the
values of the options below, as a list of group, name and value.
"""

import json
import logging
import pathlib
import sys
import tempfile

from oslo_config import cfg

logging.disable(logging.CRITICAL)


def renamed(*names):
    return [cfg.DeprecatedOpt(name, group=group) for group, name in names]


OPTIONS = {
    "DEFAULT": [
        cfg.BoolOpt("debug", default=False),
        cfg.PortOpt("bind_port", default=9090),
        cfg.StrOpt("log_file", deprecated_opts=renamed(("DEFAULT", "logfile"))),
        cfg.StrOpt("log_dir", deprecated_opts=renamed(("DEFAULT", "logdir"))),
        cfg.ListOpt("default_log_levels", default=[]),
    ],
    "database": [
        cfg.StrOpt("connection", default="sqlite:///freezer.sqlite",
                   deprecated_opts=renamed(("DEFAULT", "sql_connection"), ("DATABASE", "sql_connection"),
                                           ("sql", "connection"))),
        cfg.StrOpt("mysql_sql_mode", default="TRADITIONAL"),
        cfg.IntOpt("max_retries", default=10, min=-1),
        cfg.BoolOpt("sqlite_synchronous", default=True,
                    deprecated_opts=renamed(("DEFAULT", "sqlite_synchronous"))),
    ],
    "keystone_authtoken": [
        cfg.StrOpt("username", deprecated_opts=renamed((None, "user-name"), (None, "user_name"))),
        cfg.StrOpt("password", secret=True),
        cfg.ListOpt("service_token_roles", default=["service"]),
    ],
    "oslo_policy": [
        cfg.MultiStrOpt("policy_dirs", default=["policy.d"]),
        cfg.FloatOpt("remote_timeout", default=60, min=0),
        cfg.StrOpt("policy_file", default="policy.yaml"),
    ],
}


def answer(texts, directory):
    conf = cfg.ConfigOpts()
    for group, options in OPTIONS.items():
        conf.register_opts(options, group=None if group == "DEFAULT" else group)
    arguments = []
    for number, text in enumerate(texts):
        path = directory / f"{number}.conf"
        path.write_bytes(text.encode())
        arguments += ["--config-file", str(path)]
    try:
        conf(arguments, project="none", prog="none", default_config_files=[], default_config_dirs=[], use_env=False)
        return [
            [group, option.dest, conf[option.dest] if group == "DEFAULT" else conf[group][option.dest]]
            for group, options in OPTIONS.items()
            for option in options
        ]
    except (cfg.Error, RecursionError, ValueError):
        return None


with tempfile.TemporaryDirectory() as directory:
    cases = json.load(sys.stdin)
    json.dump([answer(texts, pathlib.Path(directory)) for texts in cases], sys.stdout)
