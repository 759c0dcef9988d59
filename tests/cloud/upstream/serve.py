#!/usr/bin/env python3
"""The Python service as it is published, served by waitress: serve.py CONFIG_FILE PORT [THREADS].

Its database is made first. It says where it listens.
"""

import multiprocessing
import sys

import waitress
from freezer_api.cmd import manage


def make_database(config):
    sys.argv[1:] = ["--config-file", config, "db", "sync"]
    manage.main()


def main():
    config, port, threads = (sys.argv[1:] + ["8"])[:3]
    # In a child, as a process reads its configuration once.
    child = multiprocessing.get_context("fork").Process(target=make_database, args=[config])
    child.start()
    child.join()
    # Imported, it reads the command line.
    sys.argv[1:] = ["--config-file", config]
    from freezer_api.wsgi import application

    server = waitress.create_server(application, host="127.0.0.1", port=int(port), threads=int(threads))
    print(f"listening on http://127.0.0.1:{server.effective_port}", flush=True)
    server.run()


if __name__ == "__main__":
    main()
