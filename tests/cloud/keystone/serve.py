#!/usr/bin/env python3
"""A real Keystone for the tests: fernet tokens, a SQLite file, and what seed.py puts into it, served by waitress.

    serve.py DIRECTORY --port 5000                       makes what is not there yet, then serves it
    serve.py DIRECTORY --port 5001 --expiration 3        another one: the same users, keys and tokens

Everything is in DIRECTORY. cloud.json is written there when the first one listens: it says what there is, and how
another one is started. Each is the identity service of its own catalogue, so that a client of one asks no
other.
"""

import argparse
import contextlib
import json
import multiprocessing
import pathlib
import sqlite3
import sys

import keystone.conf
import keystone.server
import waitress
from keystone.cmd.bootstrap import Bootstrapper
from keystone.common import fernet_utils
from keystone.common.sql import upgrades
from keystone.server.wsgi import initialize_public_application

import seed

CONF = keystone.conf.CONF
THREADS = 8

CONFIG = """\
[DEFAULT]
public_endpoint = http://127.0.0.1:{port}
# One line a log-in, as no password here is nearly as long as bcrypt can take.
default_log_levels = keystone.common.password_hashing=ERROR
[database]
connection = sqlite:///{directory}/keystone.sqlite?timeout=30
sqlite_synchronous = false
[fernet_tokens]
key_repository = {directory}/keys
[fernet_receipts]
key_repository = {directory}/keys
[credential]
key_repository = {directory}/credential-keys
[identity]
password_hash_rounds = 4
[token]
expiration = {expiration}
# Without it a validation costs a hundred milliseconds, and with it five. It is this process's own: what one takes
# away, another one on the same database may still believe in.
[cache]
enabled = true
backend = dogpile.cache.memory
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--port", type=int, required=True, help="of 127.0.0.1")
    parser.add_argument("--expiration", type=int, default=3600, help="of its tokens, in seconds (default: %(default)s)")
    return parser.parse_args()


def configure(given):
    config = given.directory / f"keystone-{given.port}.conf"
    config.write_text(CONFIG.format(**vars(given)))
    # Keystone reads the command line too: this one is not for it.
    sys.argv[1:] = ["--config-file", str(config)]


def make(directory):
    """What keystone-manage does with db_sync, fernet_setup, credential_setup and bootstrap."""
    keystone.server.configure()
    # Several threads, and other processes, read and write: they are to wait for each other, and not to fail.
    with contextlib.closing(sqlite3.connect(directory / "keystone.sqlite")) as database:
        database.execute("PRAGMA journal_mode = WAL")
    upgrades.offline_sync_database_to_version()
    for group in ("fernet_tokens", "credential"):
        keys = fernet_utils.FernetUtils(CONF[group].key_repository, 3, group)
        keys.create_key_directory()
        keys.initialize_key_repository()
    first = Bootstrapper()
    first.admin_username, first.admin_password, first.admin_role_name = "admin", seed.password("admin"), "admin"
    first.project_name, first.service_name, first.region_id = "admin", "keystone", "RegionOne"
    first.public_url = first.internal_url = "$(public_endpoint)s/v3"
    first.bootstrap()


def in_a_child(work, *arguments):
    """As a process configures its Keystone once, but need not import it twice."""
    child = multiprocessing.get_context("fork").Process(target=work, args=arguments)
    child.start()
    child.join()
    if child.exitcode != 0:
        sys.exit(child.exitcode)


def main():
    given = arguments()
    given.directory = given.directory.absolute()
    configure(given)
    made = given.directory / "cloud.json"
    new = not made.exists()
    if new:
        in_a_child(make, given.directory)
    application = initialize_public_application()
    # Horizon leaves a connection open for each page, and beyond the limit new ones are refused.
    limits = {"threads": THREADS, "connection_limit": 1000, "asyncore_use_poll": True}
    server = waitress.create_server(application, host="127.0.0.1", port=given.port, **limits)
    if new:
        cloud = {"url": f"http://127.0.0.1:{given.port}", "start": [sys.executable, __file__, str(given.directory)]}
        cloud |= seed.sow(application)
        draft = made.with_suffix(".draft")
        draft.write_text(json.dumps(cloud, indent=2))
        draft.rename(made)  # What has this name is whole.
    server.run()


if __name__ == "__main__":
    sys.exit(main())
