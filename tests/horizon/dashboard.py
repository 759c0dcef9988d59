"""Horizon, and a user at a browser: log in, open a dialog, send it, press a button of a row."""

import contextlib
import os
import signal
import socket
import sys

import requests

from expectation import Surprise, eventually
from forms import Fields, rows, says
from process import Process

PANELS = ("clients", "backups", "actions", "jobs", "sessions")
WAIT = 60  # seconds for an answer


@contextlib.contextmanager
def horizon(keystone, scratch, service=None):
    """With this Keystone, and the service where the catalogue says or `service` is; the value is its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = "127.0.0.1:{}".format(free.getsockname()[1])
    env = os.environ | {
        "DJANGO_SETTINGS_MODULE": "openstack_dashboard.settings",
        "HORIZON_TEST_KEYSTONE_URL": keystone,
        "PYTHONWARNINGS": "ignore",
    }
    if service:
        env["HORIZON_TEST_FREEZER_API_URL"] = service
    command = [sys.executable, "-m", "django", "runserver", "--noreload", "--insecure", address]
    with Process(command, scratch / f"horizon-{address[10:]}.log", env, ended=-signal.SIGTERM) as process:

        def answers():
            process.alive()
            with contextlib.suppress(requests.ConnectionError):
                return requests.get(f"http://{address}/auth/login/", timeout=WAIT).status_code
            return None

        eventually("Horizon shows its log-in", answers, 200)
        yield f"http://{address}"


class Browser:
    def __init__(self, url, user):
        self.url, self.http = url, requests.Session()
        form = dict(Fields(self.get("/auth/login/").text).pairs)
        form |= {"username": user, "password": f"{user}-password"}
        answer = self.http.post(f"{url}/auth/login/", data=form, timeout=WAIT)
        if "/settings/" not in answer.url:
            raise Surprise(f"{user} is not logged in, but at {answer.url}: {says(answer.text)}")

    def use(self, project):
        """Choose a project at the top of the page."""
        self.get(f"/auth/switch/{project}/?next=/settings/")
        return self

    def get(self, path, **headers):
        return self.http.get(self.url + path, headers=headers, timeout=WAIT)

    def page(self, path):
        """The text of a page that is there, and not another one to which it leads."""
        answer = self.get(path)
        if answer.status_code != 200 or answer.history:
            raise Surprise(f"{path}: {answer.status_code} at {answer.url}: {says(answer.text)}")
        return answer.text

    def table(self, panel, search=None):
        """The ids in the list of a panel, with this in its filter box."""
        if search is None:
            return rows(self.page(f"/project/freezer-{panel}/"))
        name = {"actions": "actions_table"}.get(panel, panel)
        form = {f"{name}__filter__q": search, f"{name}__filter__q_field": "exact"}
        return rows(self.post(f"/project/freezer-{panel}/", form | {"action": f"{name}__filter__q"}, ajax=False).text)

    def post(self, path, form, ajax=True):
        """As Horizon's own scripts send a dialog; a button is sent by the browser."""
        token = {"csrfmiddlewaretoken": self.http.cookies["csrftoken"]}
        headers = {"X-CSRFToken": self.http.cookies["csrftoken"], "Referer": self.url + path}
        if ajax:
            headers["X-Requested-With"] = "XMLHttpRequest"
        pairs = [*(dict(form) | token).items()] if isinstance(form, dict) else [*form, *token.items()]
        return self.http.post(self.url + path, data=pairs, headers=headers, timeout=WAIT)

    def send(self, path, /, beside=(), **filled):
        """Open a dialog, fill these fields, send it: what Horizon says then. `beside` are fields that it lacks.

        A value may be a list, for a field that is chosen several times; a box is left empty with None.
        """
        dialog = self.get(path, **{"X-Requested-With": "XMLHttpRequest"})
        if dialog.status_code != 200:
            return dialog.status_code
        fields = Fields(dialog.text)
        if unknown := set(filled) - fields.names - set(beside):
            raise Surprise(f"{path} has no field {unknown}, but {sorted(fields.names)}")
        pairs = [(name, value) for name, value in fields.pairs if name not in {*filled, "csrfmiddlewaretoken"}]
        for name, value in filled.items():
            values = value if isinstance(value, list) else [value]
            pairs += [(name, str(each)) for each in values if each is not None]
        return self.outcome(self.post(path, pairs))

    def press(self, panel, button, *ids, several=None, offered=True, path=None):
        """A button of a row, or with `several` the one above the table for the rows that are ticked."""
        path = path or f"/project/freezer-{panel}/"
        table = {"actions": "actions_table"}.get(panel, panel)
        action = f"{table}__{button}" if several else f"{table}__{button}__{ids[0]}"
        if offered and f'value="{action}"' not in self.page(path):
            raise Surprise(f"{path} has no button {action}")
        ticked = [("object_ids", id) for id in ids] if several else []
        return self.outcome(self.post(path, [("action", action), *ticked]))

    def outcome(self, answer):
        """The messages that the next page shows; what a dialog says that stays open; or the status of a failure."""
        if answer.status_code != 200:
            return answer.status_code
        if location := answer.headers.get("X-Horizon-Location"):
            answer = self.http.get(requests.compat.urljoin(self.url, location), timeout=WAIT)
        return says(answer.text)
