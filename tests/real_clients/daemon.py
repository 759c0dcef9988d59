"""The daemon under test: on an empty database, from nothing to a service that clients find."""

import contextlib
import os
import re
import stat
import subprocess

from expectation import Surprise, eventually, expect
from process import Process


@contextlib.contextmanager
def standalone(binary, database, scratch, v1=False):
    """With its own identity; the value is the path of the openrc file that it made for its first user."""
    openrc = scratch / "openrc"
    options = ["--auth-strategy", "standalone", "--openrc", str(openrc)]
    if v1:
        config = scratch / "freezer-api.conf"
        config.write_text("[DEFAULT]\nenable_v1_api = true\n")
        options += ["--config-file", str(config)]
    with running(binary, database, scratch, options):
        eventually("and writes an openrc file", openrc.exists, True)
        expect("which other users cannot read", oct(stat.S_IMODE(openrc.stat().st_mode)), "0o600")
        yield openrc


@contextlib.contextmanager
def running(binary, database, scratch, options):
    """With these options, on a port of its own; the value is its URL."""
    # Its own settings come in variables whose names begin with OS_ too: none may leak in from outside.
    env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}

    sync = subprocess.run([binary, "db", "sync", "--database-connection", database], env=env, capture_output=True)
    if sync.returncode != 0:
        raise Surprise(f"freezer-api db sync: exit status {sync.returncode}\n{(sync.stdout + sync.stderr).decode()}")

    command = [binary, "serve", "--bind-host", "127.0.0.1", "--bind-port", "0", "--database-connection", database]
    with Process(command + options, scratch / "freezer-api.log", env) as process:
        listening = re.compile(r"listening on (http://127\.0\.0\.1:[1-9]\d*)")
        eventually(
            "freezer-api says where it listens",
            lambda: process.alive() and bool(listening.search(process.output())),
            True,
        )
        yield listening.search(process.output())[1]
        process.alive()
        expect("freezer-api never panicked", "panicked at" in process.output(), False)


def sourced(openrc):
    """The OS_* variables a user has after sourcing the file in a shell that had none."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("OS_")}
    shell = subprocess.run(["sh", "-ec", '. "$1"; env -0', "sh", str(openrc)], env=env, capture_output=True, check=True)
    variables = dict(line.split("=", 1) for line in shell.stdout.decode().split("\0") if line)
    return {name: value for name, value in variables.items() if name.startswith("OS_")}
