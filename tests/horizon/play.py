"""What a user of Horizon does, panel by panel; then what others see of it, and what they may not do."""

import contextlib

import actions
import jobs
import sessions
from dashboard import PANELS, Browser
from expectation import Surprise
from steps import same

ALL = ["fs", "mongo", "mysql", "sqlserver", "cinder", "glance", "cindernative", "nova"]
# What an agent says of its host when it registers: the modes that it can do.
HOSTS = {"web-1": ["fs"], "db-1": ["fs", "mysql"], "vm": ALL}
BACKUP = {
    "backup_name": "etc",
    "container": "/srv/store",
    "hostname": "vm",
    "path_to_backup": "/etc",
    "storage": "local",
    "time_stamp": 1700000000,
    "curr_backup_level": 0,
}


def everything(steps, url, service):
    for host, modes in HOSTS.items():
        service.ask("POST", "clients", {"client_id": host, "hostname": host, "supported_modes": modes})
    with steps("log in, and choose a project"):
        browser = Browser(url, "member").use(service.cloud.described["projects"]["alpha"])
    for panel in PANELS:
        with steps(f"the panel of {panel} of a new project"):
            same(browser.table(panel), [*HOSTS] if panel == "clients" else [])
    clients(steps, browser)
    made = actions.play(steps, browser, service)
    ids = {each["client"]["client_id"]: each["client"]["uuid"] for each in service.all("clients")}
    made_jobs = jobs.play(steps, browser, service, ids, made)
    session = sessions.play(steps, browser, service, made_jobs)
    backup = backups(steps, browser, service)

    known = {"actions": f"action/{made['etc']}", "jobs": made_jobs["once"], "sessions": session, "backups": backup}
    known["clients"] = "vm"
    strangers(steps, url, service, known)
    readers(steps, url, service, known)


def clients(steps, browser):
    with steps("the filter of the clients finds those with a word anywhere"):
        same(browser.table("clients", "web"), ["web-1"])
        same(browser.table("clients", "nowhere"), [])
        same(browser.table("clients", "mysql"), ["db-1", "vm"])
        same(browser.table("clients", ""), [*HOSTS])
    with steps("a client's own page says what it can do"):
        page = browser.page("/project/freezer-clients/vm")
        same([mode for mode in ALL if mode not in page], [])


def backups(steps, browser, service):
    id = service.ask("POST", "backups", BACKUP)["backup_id"]
    other = service.ask("POST", "backups", BACKUP | {"backup_name": "home"})["backup_id"]
    with steps("the list of backups, and its filter"):
        same(browser.table("backups"), [id, other])
        same(browser.table("backups", "home"), [other])
        same(browser.table("backups", ""), [id, other])
    with steps("a backup's own page"):
        page = browser.page(f"/project/freezer-backups/{id}")
        same([text for text in ("/srv/store", "/etc", "vm") if text not in page], [])
    with steps("restore a backup: an action, and a job that is started"):
        # The dialog never offers a client: its template reads another name than its form writes.
        wanted = ["Success: Restore job successfully queued. It will get executed soon."]
        path = f"/project/freezer-backups/restore/{id}"
        same(browser.send(path, beside=["client"], client="db-1", path="/back"), wanted)
        service.wrote("POST actions 201", "POST jobs 201", "POST jobs/event 202")
        [job] = [each for each in service.all("jobs") if each["description"] == "Restore etc for db-1"]
        same((job["client_id"], job["job_schedule"]["event"]), ("db-1", "start"))
        restore = job["job_actions"][0]["freezer_action"]
        wanted = {"action": "restore", "restore_abs_path": "/back", "restore_from_host": "vm", "storage": "local"}
        same({key: restore[key] for key in wanted}, wanted)
    with steps("delete a backup"):
        same(browser.press("backups", "delete", other), ["Success: Deleted Backup: home"])
        service.wrote("DELETE backups 204")
        same([each["backup_id"] for each in service.all("backups")], [id])
    return id


def strangers(steps, url, service, known):
    """Another project, of another user."""
    beta = {"user": "stranger", "project": "beta"}
    with steps("another project's user logs in"):
        browser = Browser(url, "stranger").use(service.cloud.described["projects"]["beta"])
    with steps("another project sees what it has, and nothing else"):
        same({panel: browser.table(panel) for panel in PANELS}, {panel: [] for panel in PANELS})
        fields = actions.KINDS["fs-local"]
        same(browser.send(actions.CREATE, backup_name="theirs", **fields), actions.QUEUED)
        [own] = service.all("actions", **beta)
        same(browser.table("actions"), [own["action_id"]])
        same([each for each in service.all("actions") if each["action_id"] == own["action_id"]], [])
    for panel, id in known.items():
        with steps(f"another project does not get to the page of one of the {panel}"):
            shown = None
            with contextlib.suppress(Surprise):
                shown = browser.page(f"/project/freezer-{panel}/{id}")
            same(shown, None)
    with steps("another project can neither start nor delete a job"):
        before = service.ask("GET", f"jobs/{known['jobs']}")
        browser.press("jobs", "start_job", known["jobs"], offered=False)
        service.wrote("POST jobs/event 404")
        browser.press("jobs", "delete", known["jobs"], offered=False)
        same(service.ask("GET", f"jobs/{known['jobs']}"), before)


def readers(steps, url, service, known):
    """A user with the role reader on the same project."""
    with steps("a reader logs in, and sees all lists"):
        browser = Browser(url, "reader").use(service.cloud.described["projects"]["alpha"])
        for panel, noun, id in (
            ("jobs", "jobs", "job_id"),
            ("actions", "actions", "action_id"),
            ("sessions", "sessions", "session_id"),
            ("backups", "backups", "backup_id"),
        ):
            same(browser.table(panel), [each[id] for each in service.all(noun)], panel)
        same(browser.table("clients"), [*HOSTS])
    for panel, id in known.items():
        with steps(f"a reader gets to the page of one of the {panel}"):
            browser.page(f"/project/freezer-{panel}/{id}")
    job = known["jobs"]
    with steps("a reader starts nothing"):
        before = service.ask("GET", f"jobs/{job}")
        browser.press("jobs", "start_job", job)
        service.wrote("POST jobs/event 403")
        same(service.ask("GET", f"jobs/{job}"), before)
    with steps("a reader makes nothing"):
        before = len(service.all("actions"))
        browser.send(actions.CREATE, backup_name="no", **actions.KINDS["fs-local"])
        service.wrote("POST actions 403")
        same(len(service.all("actions")), before)


def without_the_catalogue(steps, url, service):
    with steps("with FREEZER_API_URL, Horizon asks no catalogue for the service"):
        browser = Browser(url, "member").use(service.cloud.described["projects"]["alpha"])
        same(browser.table("clients"), [*HOSTS])
        same(browser.send(actions.CREATE, backup_name="last", **actions.KINDS["fs-local"]), actions.QUEUED)
        service.wrote("POST actions 201")
