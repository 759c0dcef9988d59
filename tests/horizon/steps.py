"""The steps of a run: each is tried, whatever the one before came to, and counted."""

import contextlib
import sys
import time
import traceback

from expectation import Surprise


class Steps:
    def __init__(self, service):
        self.service = service
        self.passed, self.failed = 0, []

    @contextlib.contextmanager
    def __call__(self, what):
        """One step. What it looks for in the service's log begins here."""
        self.service.mark()
        begun = time.monotonic()
        try:
            yield
        except Exception:
            self.failed.append(what)
            print(f"  FAILED  {what}", flush=True)
            traceback.print_exc(file=sys.stdout)
        else:
            self.passed += 1
            print(f"  ok  {what} ({time.monotonic() - begun:.1f} s)", flush=True)


def same(got, wanted, what=""):
    if got != wanted:
        raise Surprise(f"{what}\n  wanted: {wanted!r}\n  got:    {got!r}")
