"""The service behind Horizon: what it has, asked without Horizon, and what it answered, read in its log."""

import re
import time

from expectation import Surprise

LINE = re.compile(r'"([A-Z]+) (\S+)" status: (\d+) ')
PREFIX = re.compile(r"^/v2/[^/]+/")


class Service:
    def __init__(self, cloud, url, log):
        self.cloud, self.url, self.log = cloud, url, log
        self.begun = 0
        self.sessions = {}

    def ask(self, method, path, body=None, user="member", project="alpha"):
        """The API as a user of it has it: the document of an answer that is none of a failure."""
        who = (user, project)
        if who not in self.sessions:
            self.sessions[who] = self.cloud.session(*who)
        id = self.cloud.described["projects"][project]
        answer = self.sessions[who].request(f"{self.url}/v2/{id}/{path}", method, json=body)
        return answer.json() if answer.content else None

    def all(self, noun, **who):
        return self.ask("GET", f"{noun}?limit=500", **who)[noun]

    def answers(self, begun=0):
        """Method, path within a project without ids, and status of all that was answered."""
        for method, path, status in LINE.findall(self.log.read_text(errors="replace")[begun:]):
            # Nouns and ids take turns.
            segments = PREFIX.sub("", path.split("?")[0]).strip("/").split("/")
            yield method, "/".join(segments[::2]), int(status)

    def mark(self):
        self.begun = len(self.log.read_text(errors="replace"))

    def wrote(self, *wanted):
        """What Horizon wrote since the mark, in order, such as `POST actions 201`."""
        deadline = time.monotonic() + 5  # A line is written after the answer.
        while True:
            got = [f"{method} {path} {status}" for method, path, status in self.answers(self.begun) if method != "GET"]
            if got == list(wanted):
                return
            if time.monotonic() > deadline:
                raise Surprise(f"the service answered\n  wanted: {list(wanted)}\n  got:    {got}")
            time.sleep(0.05)

    def failures(self):
        return [answer for answer in self.answers() if answer[2] >= 500]
