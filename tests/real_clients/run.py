#!/usr/bin/env python3
"""The unmodified Freezer clients at work: every command of the command line, and a scheduler that backs up for real.

    run.py --binary target/debug/freezer-api --server sqlite
    run.py --binary target/debug/freezer-api --server mysql://user:password@127.0.0.1:3306/any
    run.py --binary target/debug/freezer-api --keystone cloud.json      in a cloud (see tests/cloud/keystone)
    run.py --endpoint-env openrc            against a service that is already there

Its python must have what tests/requirements.txt names; scripts/test makes such an environment.
"""

import argparse
import contextlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import traceback

TIME_LIMIT = 15 * 60  # The clients wait for an answer for ever; this run does not.


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", help="the freezer-api to start, on a database made for this run")
    parser.add_argument("--server", default="sqlite", help="where that database is made (default: a SQLite file)")
    parser.add_argument("--keystone", help="the cloud that it serves, instead of having an identity of its own")
    parser.add_argument("--endpoint-env", help="an openrc file of a service that is already there")
    parser.add_argument("--v1", action="store_true", help="with version 1 of the API, for clients that speak it")
    parser.add_argument("--only", choices=("cli", "scheduler"), help="just this part")
    given = parser.parse_args()
    if bool(given.binary) == bool(given.endpoint_env):
        parser.error("name either a --binary to start or an --endpoint-env to use")
    if given.keystone and not given.binary:
        parser.error("--keystone is for a --binary to start")
    return given


def give_up(*_):
    raise TimeoutError(f"not done after {TIME_LIMIT} seconds")


def run(given, scratch):
    # Imported here: --help is to work in any Python.
    from daemon import sourced, standalone
    from database import fresh_database

    with contextlib.ExitStack() as running:
        openrc = given.endpoint_env
        if given.binary:
            database = running.enter_context(fresh_database(given.server, scratch))
        if given.keystone:
            return run_in_cloud(given, scratch, database)
        if given.binary:
            openrc = running.enter_context(standalone(given.binary, database, scratch, given.v1))

        if given.v1:
            return run_on_v1(given, scratch, sourced(openrc))
        import cli
        import fleet
        import scheduler
        from shell import Freezer

        become(sourced(openrc), scratch)
        freezer = Freezer(scratch)
        if given.only != "scheduler":
            cli.play(freezer)
        if given.only != "cli":
            scheduler.play(freezer, scratch)
            fleet.play(freezer, scratch)


def run_on_v1(given, scratch, variables):
    # The client reads the variable when it is imported.
    become(variables | {"OS_BACKUP_API_VERSION": "1"}, scratch)
    # An agent that writes to its standard error, be it a warning, has none of its metadata uploaded.
    os.environ["PYTHONWARNINGS"] = "ignore"
    import cli_v1
    import scheduler
    from shell import Freezer

    if given.only != "scheduler":
        cli_v1.play(Freezer(scratch))
    if given.only != "cli":
        # Up to release 18 the options of the scheduler are in this section, and the agent compares a level that it is
        # given as text.
        scheduler.play(Freezer(scratch), scratch, max_level=None, section="DEFAULT", options="enable_v1_api = true\n")


def run_in_cloud(given, scratch, database):
    import central
    import cli
    from cloud import Cloud, daemon
    from shell import Freezer

    cloud = Cloud(given.keystone)
    with daemon(given.binary, database, scratch, cloud):
        if given.only != "scheduler":
            become(cloud.variables("root", "alpha"), scratch)
            cli.play(Freezer(scratch))
        if given.only != "cli":
            become(cloud.variables("member", "alpha"), scratch)
            central.play(Freezer(scratch), scratch, cloud)


def become(variables, scratch):
    """The clients are told nothing else: no endpoint, no token, no project id."""
    for name in [name for name in os.environ if name.startswith("OS_")]:
        del os.environ[name]
    os.environ.update(variables)
    os.environ["HOME"] = str(scratch)


def main():
    given = arguments()
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(TIME_LIMIT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit, so that everything started is ended
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="freezer-real-clients-"))
    try:
        run(given, scratch)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        return 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print("every expectation was met")
    return 0


if __name__ == "__main__":
    sys.exit(main())
