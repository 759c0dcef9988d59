#!/usr/bin/env python3
"""The published description of the API, held against the service by schemathesis.

    run.py --binary target/debug/freezer-api --server sqlite
    run.py --binary target/debug/freezer-api --server mysql://user:password@127.0.0.1:3306/any

Its python must have what tests/requirements.txt names; scripts/test makes such an environment. What is sent depends on

    FREEZER_TEST_FUZZ_SEED       any number (default: always the same)
    FREEZER_TEST_FUZZ_EXAMPLES   how many requests of each kind are made up for each operation (default: a few)
"""

import argparse
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "real_clients"))  # for the daemon and its database

SEED = 20261122
EXAMPLES = 10
TIME_LIMIT = 900  # seconds, for that many examples; on a machine with nothing else to do it takes a tenth of that


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the freezer-api to start, on a database made for this run")
    parser.add_argument("--server", default="sqlite", help="where that database is made (default: a SQLite file)")
    parser.add_argument("--keep", help="a directory for what hypothesis prepares once (default: it does so every time)")
    parser.add_argument("--document", help="a description to hold it against, instead of the one that it publishes")
    parser.add_argument("further", nargs="*", metavar="-- OPTION", help="further options of `schemathesis run`")
    return parser.parse_args()


def run(given, scratch):
    # Imported here: --help is to work in any Python.
    from daemon import sourced, standalone
    from database import fresh_database
    from seed import Project

    with fresh_database(given.server, scratch) as database, standalone(given.binary, database, scratch) as openrc:
        user = sourced(openrc)
        url = user["OS_AUTH_URL"].removesuffix("/identity/v3")
        schemathesis(given, scratch, url, Project(url, user))


def schemathesis(given, scratch, url, project):
    settings = scratch / "schemathesis.toml"
    dictionaries = (f"{noun} = {{ values = {json.dumps(ids)} }}\n" for noun, ids in project.seed().items())
    settings.write_text((HERE / settings.name).read_text() + "\n[dictionaries]\n" + "".join(dictionaries))
    seed = os.environ.get("FREEZER_TEST_FUZZ_SEED", SEED)
    examples = int(os.environ.get("FREEZER_TEST_FUZZ_EXAMPLES", EXAMPLES))
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    command += ["--config-file", str(settings), "run", "--url", url]
    command += ["--seed", str(seed), "--max-examples", str(examples), *given.further]
    command += [given.document or f"{url}/v2/openapi.json"]
    environment = os.environ | {
        "FREEZER_FUZZ_PROJECT": project.id,
        "FREEZER_FUZZ_TOKEN": project.token,
        "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"),
        "HYPOTHESIS_STORAGE_DIRECTORY": given.keep or str(scratch / "hypothesis"),
        "COLUMNS": "120",
    }
    # In the scratch directory, because it leaves things in the current one.
    with subprocess.Popen(command, cwd=scratch, env=environment) as child:
        try:
            status = ended(child, TIME_LIMIT * max(1, examples / EXAMPLES))
        finally:
            child.kill()
    if status != 0:
        raise RuntimeError(f"schemathesis, with the seed {seed} and {examples} examples: {status}")


def ended(child, limit):
    """The exit status. After the limit it is asked to stop, so that it says what it has found, and then made to."""
    try:
        return child.wait(timeout=limit)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=30)
    return f"not done after {limit} seconds"


def main():
    given = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # an exit, so that everything started is ended
    scratch = pathlib.Path(tempfile.mkdtemp(prefix="freezer-fuzz-"))
    try:
        run(given, scratch)
    except Exception:
        traceback.print_exc(file=sys.stdout)
        return 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    print("every answer was as described")
    return 0


if __name__ == "__main__":
    sys.exit(main())
