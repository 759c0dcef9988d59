#!/usr/bin/env python3
"""A real Horizon with the panels of Freezer, at work against the service: its own forms, sent without a browser.

    run.py --binary target/debug/freezer-api --keystone cloud.json [--server mysql://user:password@host:port/any]

Its python must have what tests/horizon/requirements.txt names, prepared as scripts/horizon does it.
"""

import argparse
import contextlib
import pathlib
import shutil
import signal
import sys
import tempfile
import time
import traceback

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "real_clients"))

TIME_LIMIT = 15 * 60


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the freezer-api to start, on a database made for this run")
    parser.add_argument("--server", default="sqlite", help="where that database is made (default: a SQLite file)")
    parser.add_argument("--keystone", required=True, help="the cloud that it serves (see tests/cloud/keystone)")
    return parser.parse_args()


def give_up(*_):
    raise TimeoutError(f"not done after {TIME_LIMIT} seconds")


def run(given, scratch):
    # Imported here: --help is to work in any Python.
    import play
    from cloud import Cloud, daemon
    from dashboard import horizon
    from database import fresh_database
    from service import Service
    from steps import Steps

    with contextlib.ExitStack() as running:
        database = running.enter_context(fresh_database(given.server, scratch))
        cloud = Cloud(given.keystone)
        url = running.enter_context(daemon(given.binary, database, scratch, cloud))
        service = Service(cloud, url, scratch / "freezer-api.log")
        steps = Steps(service)
        with horizon(cloud.url, scratch) as dashboard:
            play.everything(steps, dashboard, service)
        # As for an operator with another address in the catalogue.
        cloud.move_endpoints("http://127.0.0.1:9")
        with horizon(cloud.url, scratch, url) as dashboard:
            play.without_the_catalogue(steps, dashboard, service)
        with steps("no answer of the service was a failure of its own"):
            play.same(service.failures(), [])
        answers = sum(1 for _ in service.answers())
    return steps, answers


def main():
    given = arguments()
    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(TIME_LIMIT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit, so that everything started is ended
    begun = time.monotonic()
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="freezer-horizon-"))
    try:
        steps, answers = run(given, scratch)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        return 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for what in steps.failed:
        print(f"FAILED: {what}")
    seconds = round(time.monotonic() - begun)
    print(f"{steps.passed} steps passed, {len(steps.failed)} failed; {answers} answers of the service, {seconds} s")
    return 1 if steps.failed else 0


if __name__ == "__main__":
    sys.exit(main())
