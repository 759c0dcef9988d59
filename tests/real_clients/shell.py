"""The `freezer` command line: typed, and its answer read back.

The command's own entry point is called in this process instead of being started anew for each line. It is the
same code and it sends the same requests (a log-in each time included), but the start of Python and the import of
the client, the greater part of what a line costs, is paid once and not some seventy times for each backend.
"""

import ast
import contextlib
import io
import json
import logging

from freezerclient import shell

from expectation import Surprise, expect


class Freezer:
    """`freezer` as the user whom the OS_* variables of the environment name."""

    def __init__(self, scratch):
        self.scratch = scratch
        self.used = set()

    def __call__(self, command, *words):
        """A command that prints what it likes; it must succeed. Returns what it printed."""
        status, out, err = self._type(command, *words)
        if status != 0:
            raise Surprise(f"freezer {command} {' '.join(map(str, words))}\n  exit status {status}\n  {err.strip()}")
        return out

    def rows(self, command, *words):
        """A list command, as one dictionary for each row. (For an empty list it prints one row of empty cells.)"""
        rows = json.loads(self(command, *words, "-f", "json"))
        return [row for row in rows if any(cell != "" for cell in row.values())]

    def column(self, name, command, *words):
        return [row[name] for row in self.rows(command, *words)]

    def backups(self, *words):
        """`backup-list` without its column of times, for which the command has no JSON."""
        shown = ("Backup ID", "Hostname", "Path", "Status", "Level")
        return self.rows("backup-list", *words, *(word for name in shown for word in ("-c", name)))

    def fields(self, command, *words):
        """A command that shows one thing, as a dictionary."""
        return json.loads(self(command, *words, "-f", "json"))

    def job_document(self, job_id):
        """`job-get` prints the document as the server sent it, in Python's notation."""
        return ast.literal_eval(self("job-get", job_id))

    def refuses(self, what, command, *words, says):
        """The command must fail, and say why."""
        status, _, err = self._type(command, *words)
        expect(what, (status, says if says in err else err), (1, says))

    def library(self):
        """The library beneath the command line, logged in as the same user."""
        app = shell.FreezerShell()
        app.options = app.parser.parse_args([])
        return app.client

    def file(self, document):
        """The path of a file that holds the document: most commands want one."""
        path = self.scratch / "document.json"
        path.write_text(json.dumps(document))
        return str(path)

    def _type(self, command, *words):
        self.used.add(command)
        out, err = io.StringIO(), io.StringIO()
        before = list(logging.getLogger().handlers)
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = shell.main([command, *map(str, words)])
            except SystemExit as exit:  # argparse refuses the line itself
                status = exit.code
        # Each start of the command adds a log handler for its own standard error, and never removes it.
        logging.getLogger().handlers[:] = before
        return status, out.getvalue(), err.getvalue()
