"""A fleet: one job on two clients, whose schedulers know nothing of each other; and what the history says of it."""

import requests

from expectation import Surprise, eventually, expect
from process import Process
from scheduler import command, metadata, run, state, write_source

CLIENTS = ["fleet-a.example.org", "fleet-b.example.org"]


class Api:
    """What the command line has no command for, with its token."""

    def __init__(self, freezer):
        library = freezer.library()
        self.jobs = library.jobs
        self.root = self.jobs.endpoint.rstrip("/").removesuffix("/jobs")

    def __call__(self, method, path, status, **given):
        answer = requests.request(method, f"{self.root}/{path}", headers=self.jobs.headers, timeout=60, **given)
        if answer.status_code != status:
            raise Surprise(f"{method} {path}\n  wanted: {status}\n  got:    {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None

    def list(self, noun, **query):
        return self("GET", noun, 200, params=query)[noun.replace("-", "_")]


def play(freezer, scratch):
    print("two schedulers on one job", flush=True)
    source, store = scratch / "fleet-source", scratch / "fleet-store"
    write_source(source)
    action = {"action": "backup", "mode": "fs", "storage": "local", "engine_name": "tar", "container": str(store)}
    action |= {"path_to_backup": str(source), "backup_name": "fleet", "log_file": str(scratch / "fleet-agent.log")}
    api = Api(freezer)

    def scheduler(client):
        home = scratch / client  # the agent keeps what it is doing in its home
        home.mkdir()
        return Process(*command(home, client, f"client_id = {client}\n"))

    with scheduler(CLIENTS[0]) as one, scheduler(CLIENTS[1]) as two:
        eventually(
            "both register themselves",
            lambda: one.alive() and two.alive() and set(CLIENTS) <= set(freezer.column("Client ID", "client-list")),
            True,
        )
        document = {"description": "a fleet", "job_schedule": {"event": "stop"}}
        document["job_actions"] = [{"freezer_action": action, "max_retries": 0, "max_retries_interval": 1}]
        job = freezer.fields("job-create", "--client", CLIENTS[0], "--file", freezer.file(document))["Job ID"]
        wanted = {"job_id": job, "client_id": CLIENTS[1], "event": "stop"}
        other = api("POST", "job-attachments", 201, json=wanted)["id"]
        expect("the job is on both", [row["client_id"] for row in api.list("job-attachments", job_id=job)], CLIENTS)
        for client, document_id in zip(CLIENTS, (job, other)):
            expect(f"{client} has a document of its own", documents(freezer, client), [document_id])
            eventually("whose scheduler takes notice of it", lambda: state(freezer, document_id), ("stop", "", ""))

        freezer("job-start", other)
        eventually("the second one runs it", lambda: state(freezer, other), ("completed", "", "success"))
        expect("and the first one does not", state(freezer, job), ("stop", "", ""))
        [report] = api.list("action-reports", job_id=job)
        expect("that is one report", (report["client_id"], report["result"]), (CLIENTS[1], "success"))

        run(freezer, job, "the first one's run")
        reports = api.list("action-reports", job_id=job, sort="report_date")
        expect("that is another", [row["client_id"] for row in reports], CLIENTS[::-1])
        expect("of the other document", [row["job_attachment_id"] for row in reports], [other, job])
        [place] = api.list("action-attachments", job_id=job)
        expect("and of the same action", {row["action_id"] for row in reports}, {place["action_id"]})
        expect("each says how long it took", all(row["time_elapsed"] >= 0 for row in reports), True)
        expect("nothing failed", api.list("action-reports", result="neq:success"), [])

        backups = freezer.backups("--search", "fleet")
        expect("each made a backup", sorted(metadata(freezer, row)["job_id"] for row in backups), sorted([job, other]))
        states = {row["client"]["client_id"]: row["client"]["state"] for row in api.list("clients", limit=100)}
        expect("both schedulers are up", [states[client] for client in CLIENTS], ["up", "up"])

        freezer("job-delete", job)
        expect("the other one keeps the job", documents(freezer, CLIENTS[1]), [other])
        run(freezer, other, "and runs it again")
        reports = api.list("action-reports", job_id=job)
        expect("the history has all three runs", len(reports), 3)
        for process in (one, two):
            errors = [line for line in process.output().splitlines() if " ERROR " in line]
            expect("a scheduler logged no error", errors, [])


def documents(freezer, client):
    return freezer.column("Job ID", "job-list", "--client", client)
