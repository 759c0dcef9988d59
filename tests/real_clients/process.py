"""A process in the background: its output in a file, its end awaited."""

import subprocess

from expectation import Surprise


class Process:
    """`ended` is the status of an end that was asked for."""

    def __init__(self, command, log, env, ended=0):
        self.ended = ended
        self.name = command[0].rsplit("/", 1)[-1]
        self.log = log
        with open(log, "wb") as output:
            self.child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, env=env
            )

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        """Ask it to end, and insist on it. What it wrote is shown when something failed."""
        status = self._end()
        if failure:
            print(f"--- the last of {self.name}'s output:\n{self.output()[-8000:]}\n---", flush=True)
        elif status != self.ended:
            raise Surprise(f"{self.name} did not end as asked: exit status {status}\n{self.output()[-8000:]}")

    def _end(self):
        self.child.terminate()
        try:
            return self.child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            return "none: it had to be killed"

    def output(self):
        return self.log.read_text(errors="replace")

    def alive(self):
        if self.child.poll() is not None:
            raise Surprise(f"{self.name} ended by itself: exit status {self.child.returncode}\n{self.output()[-8000:]}")
        return True
