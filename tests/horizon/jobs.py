"""The panel of jobs: the wizard with each kind of schedule, then what else can be done to a job."""

import re

import actions as panel
from steps import same

CREATE = "/project/freezer-jobs/create/"
QUEUED = ["Success: Job queued correctly. It will appear soon."]
UPDATED = ["Success: Job updated correctly."]
ACTIONS_UPDATED = ["Success: Actions updated correctly."]
# A job that Horizon makes has the event "stop", so that it does not run before a user starts it.
CREATED = ("POST jobs 201", "POST jobs/event 202")


class Jobs:
    """The jobs of a project, as their owner sees them in Horizon and in the service."""

    def __init__(self, browser, service, clients):
        self.browser, self.service, self.clients = browser, service, clients

    def create(self, name, hosts, actions, **schedule):
        """Fill in the wizard: its scripts put the actions that were dragged into a hidden field."""
        members = [self.clients[host] for host in hosts]
        fields = {"description": name, "actions": "===".join(actions), "selected_clients_role_member": members}
        return self.browser.send(CREATE, **fields, **schedule)

    def named(self, name):
        return [job for job in self.service.all("jobs") if job["description"] == name]

    def one(self, name):
        [job] = self.named(name)
        return job

    def schedule(self, id):
        return self.service.ask("GET", f"jobs/{id}")["job_schedule"]

    def actions(self, id):
        return [action["action_id"] for action in self.service.ask("GET", f"jobs/{id}")["job_actions"]]


def play(steps, browser, service, clients, actions):
    """The ids of the jobs that are there then, by their names."""
    jobs = Jobs(browser, service, clients)
    create(steps, jobs, actions)
    refused(steps, jobs, actions)
    change(steps, jobs, actions)
    run(steps, jobs)
    delete(steps, jobs)
    return {job["description"]: job["job_id"] for job in service.all("jobs")}


def create(steps, jobs, actions):
    schedules = {
        "once": ({}, {}),
        "at-a-time": ({"schedule_start_date": "2030-01-01T10:00"}, {"schedule_start_date": "2030-01-01T10:00:00"}),
        "continuous": ({"interval_uint": "continuous"}, {"schedule_interval": "continuous"}),
    }
    for unit in ("weeks", "days", "hours", "minutes", "seconds"):
        fields = {"interval_uint": unit, "interval_value": 40}
        schedules[unit] = (fields, {"schedule_interval": f"40 {unit}"})
    # The hosts in turn: none is the first one of the list each time.
    hosts = [*jobs.clients] * len(schedules)
    for host, (name, (fields, wanted)) in zip(hosts, schedules.items(), strict=False):
        with steps(f"create a job for {host}: {name}"):
            same(jobs.create(name, [host], [actions["etc"]], **fields), QUEUED)
            jobs.service.wrote(*CREATED)
            job = jobs.one(name)
            same(job["client_id"], host, "the host that was picked")
            same(jobs.actions(job["job_id"]), [actions["etc"]])
            got = {key: job["job_schedule"].get(key) for key in wanted | {"event": ""}}
            same(got, wanted | {"event": "stop"})

    with steps("create a job with two actions, a beginning, an interval and an end"):
        schedule = {"schedule_start_date": "2030-01-01T10:00", "schedule_end_date": "2031-01-01T10:00"}
        chosen = [actions["mysql"], actions["etc"]]
        answer = jobs.create("both", ["db-1"], chosen, interval_uint="days", interval_value=1, **schedule)
        same(answer, QUEUED)
        job = jobs.one("both")
        same((job["client_id"], jobs.actions(job["job_id"])), ("db-1", chosen))
        wanted = {key: f"{value}:00" for key, value in schedule.items()} | {"schedule_interval": "1 days"}
        same({key: job["job_schedule"].get(key) for key in wanted}, wanted)
    with steps("create a job for two clients: one for each"):
        same(jobs.create("pair", ["web-1", "db-1"], [actions["etc"]]), QUEUED)
        jobs.service.wrote(*CREATED, *CREATED)
        same(sorted(job["client_id"] for job in jobs.named("pair")), ["db-1", "web-1"])
    with steps("create a job with markup in its name, and without actions"):
        name = '<b onclick="x">&amp; more</b>'
        same(jobs.create(name, ["vm"], []), QUEUED)
        same(jobs.one(name)["job_actions"], [])


def refused(steps, jobs, actions):
    with steps("a beginning and an end need an interval"):
        times = {"schedule_start_date": "2030-01-01T10:00", "schedule_end_date": "2031-01-01T10:00"}
        same(jobs.create("none", ["vm"], [], **times), ["Please provide this value."])
        jobs.service.wrote()
    with steps("a job needs a client"):
        jobs.create("none", [], [])
        jobs.service.wrote()
        same(jobs.named("none"), [])
    with steps("a job that its client cannot do is refused, which Horizon calls an error of the server"):
        same(jobs.create("none", ["web-1"], [actions["mysql"]]), 500)
        jobs.service.wrote("POST jobs 422")
    with steps("so is one with an action of Horizon's mode mssql"):
        same(jobs.create("none", ["vm"], [actions["mssql"]]), 500)
        jobs.service.wrote("POST jobs 422")
        same(jobs.named("none"), [])
    with steps("which is there to be edited and deleted nevertheless"):
        id = actions["mssql"]
        same(jobs.browser.send(f"{panel.CREATE}{id}", path_to_backup="d:\\data"), panel.QUEUED)
        same(jobs.browser.press("actions", "delete", id), ["Success: Deleted Action: mssql"])
        jobs.service.wrote("PATCH actions 200", "DELETE actions 204")


def change(steps, jobs, actions):
    browser, service = jobs.browser, jobs.service
    all_jobs = {job["job_id"]: job for job in service.all("jobs")}
    with steps("the list has all jobs, oldest first, and their hosts"):
        same(browser.table("jobs"), [*all_jobs])
        hosts = re.findall(f">\\s*({'|'.join(jobs.clients)})\\s*</td>", browser.page("/project/freezer-jobs/"))
        same(hosts, [job["client_id"] for job in all_jobs.values()])
    id = jobs.one("hours")["job_id"]
    with steps("a job's own page"):
        page = browser.page(f"/project/freezer-jobs/{id}")
        same([text for text in ("hours", "40 hours", "/etc/ssl") if text not in page], [])
    edit = f"/project/freezer-jobs/edit/{id}"
    with steps("edit a job's name, interval and beginning"):
        fields = {"description": "every hour", "schedule_interval": "1 hours"}
        same(browser.send(edit, **fields, schedule_start_date="2030-05-05T05:05:05"), UPDATED)
        service.wrote("PATCH jobs 200")
        job = service.ask("GET", f"jobs/{id}")
        same(job["description"], "every hour")
        got = (job["job_schedule"]["schedule_interval"], job["job_schedule"]["schedule_start_date"])
        same(got, ("1 hours", "2030-05-05T05:05:05"))
    with steps("an interval and a date that no scheduler understands are refused"):
        same(browser.send(edit, schedule_interval="now and then"), 500)
        same(browser.send(edit, schedule_start_date="tomorrow"), 500)
        service.wrote("PATCH jobs 400", "PATCH jobs 400")
        same(jobs.schedule(id)["schedule_interval"], "1 hours")

    edit = f"/project/freezer-jobs/edit_actions/{id}"
    for what, chosen in {
        "add an action to a job": [actions["etc"], actions["fs-swift"]],
        "put its actions into another order": [actions["fs-swift"], actions["etc"]],
        "take all actions out of it": [],
    }.items():
        with steps(what):
            same(browser.send(edit, actions="===".join(chosen)), ACTIONS_UPDATED)
            service.wrote("PATCH jobs 200")
            same(jobs.actions(id), chosen)
    with steps("clone a job"):
        browser.press("jobs", "clone", jobs.one("both")["job_id"])
        service.wrote(*CREATED)
        job = jobs.one("both_clone")
        same((job["client_id"], jobs.actions(job["job_id"])), ("db-1", [actions["mysql"], actions["etc"]]))


def run(steps, jobs):
    browser, service = jobs.browser, jobs.service
    id = jobs.one("once")["job_id"]
    with steps("start a job"):
        same(browser.press("jobs", "start_job", id), ["Success: Job has started"])
        service.wrote("POST jobs/event 202")
        same(jobs.schedule(id)["event"], "start")
    with steps("stop a job that its scheduler runs"):
        # What a scheduler sends that has taken the event.
        service.ask("PATCH", f"jobs/{id}", {"job_schedule": {"event": "", "status": "running"}})
        service.mark()
        same(browser.press("jobs", "stop_job", id), ["Success: Job has stopped"])
        service.wrote("POST jobs/event 202")
        same(jobs.schedule(id)["event"], "stop")


def delete(steps, jobs):
    browser, service = jobs.browser, jobs.service
    with steps("delete a job"):
        id = jobs.one("both_clone")["job_id"]
        same(browser.press("jobs", "delete", id), ["Success: Deleted Job File: both_clone"])
        service.wrote("DELETE jobs 204")
        same(jobs.named("both_clone"), [])
    with steps("delete several jobs"):
        ids = [job["job_id"] for job in jobs.named("pair")]
        browser.press("jobs", "delete_multiple_jobs", *ids, several=True)
        service.wrote("DELETE jobs 204", "DELETE jobs 204")
        same(jobs.named("pair"), [])
