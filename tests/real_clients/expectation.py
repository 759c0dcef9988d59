"""How a transcript states what it expects: once, or within a time."""

import time


class Surprise(Exception):
    """Something was not as the transcript says it is."""


def expect(what, got, wanted):
    if got != wanted:
        raise Surprise(f"{what}\n  wanted: {wanted!r}\n  got:    {got!r}")
    print(f"  ok  {what}", flush=True)


def eventually(what, look, wanted, within=60):
    """Look again and again until the answer is the wanted one, at most `within` seconds."""
    deadline = time.monotonic() + within
    got = look()
    while got != wanted and time.monotonic() < deadline:
        time.sleep(0.5)
        got = look()
    expect(what, got, wanted)
