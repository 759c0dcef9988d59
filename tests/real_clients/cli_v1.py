"""Every subcommand of the `freezer` command line of release 6.3.0, which speaks version 1 of the API."""

import ast

from freezerclient.shell import FreezerCommandManager

from cli import ACTION
from expectation import expect


def play(freezer):
    print("the command line on version 1", flush=True)
    clients(freezer)
    action = actions(freezer)
    job = jobs(freezer, action)
    sessions(freezer, job)
    backups(freezer)
    deletes(freezer, action, job)
    left_out = set(FreezerCommandManager.SHELL_COMMANDS) - freezer.used
    expect("every subcommand that the client has was used", left_out, set())


def clients(freezer):
    expect("a new project has no clients", freezer.rows("client-list"), [])
    desk = {"client_id": "desk.example.org", "hostname": "desk.example.org", "description": "under the desk"}
    freezer("client-register", "--file", freezer.file(desk))
    # The command line ends on the 409 of a client that is registered already, as it did with the Python service.
    line = ("client-register", "--file", freezer.file(desk | {"description": "on the desk"}))
    freezer.refuses("a second registration is refused", *line, says="has no attribute 'message'")
    shown = freezer.fields("client-show", "desk.example.org")
    expect("and keeps what changed", (shown["Client ID"], shown["description"]), ("desk.example.org", "on the desk"))
    freezer.refuses("client-show of another", "client-show", "nothing", says="Client not found")
    freezer("client-register", "--file", freezer.file({"client_id": "porch", "hostname": "porch"}))
    both = freezer.column("Client ID", "client-list")
    expect("client-list has both, oldest first", both, ["desk.example.org", "porch"])
    page = freezer.column("Client ID", "client-list", "--limit", 1, "--offset", 1)
    expect("and pages", page, ["porch"])


def actions(freezer):
    document = {"freezer_action": ACTION, "max_retries": 1, "max_retries_interval": 2}
    freezer("action-create", "--file", freezer.file(document))
    [row] = freezer.rows("action-list")
    action = row["Action ID"]
    update = {"freezer_action": {"path_to_backup": "/srv/shelves"}, "max_retries": 3}
    freezer("action-update", action, freezer.file(update))
    shown = freezer.fields("action-show", action)
    names = ("Action ID", "Name", "Path to Backup or Restore", "Max retries")
    expect(
        "action-update changes what it names and nothing else",
        [shown[name] for name in names],
        [action, "books", "/srv/shelves", 3],
    )
    freezer.refuses("action-show of another", "action-show", "nothing", says="Action not found")
    return action


def jobs(freezer, action):
    document = {
        "description": "books, every night",
        "job_schedule": {"schedule_interval": "24 hours", "event": "stop"},
        "job_actions": [{"action_id": action}, {"freezer_action": ACTION | {"backup_name": "again"}}],
    }
    freezer("job-create", "--client", "desk.example.org", "--file", freezer.file(document))
    [row] = freezer.rows("job-list")
    job = row["Job ID"]
    expect("job-list shows it", (row["# Actions"], row["Event"]), (2, "stop"))
    line = ("job-create", "--client", "nothing", "--file", freezer.file(document))
    freezer.refuses("not for an unknown client", *line, says="Client not found with ID nothing")
    for words, wanted in [(["--client", "desk.example.org"], [job]), (["--client", "porch"], [])]:
        expect(f"job-list {' '.join(words)}", freezer.column("Job ID", "job-list", *words), wanted)
    freezer("job-update", job, freezer.file({"description": "books, at night"}))
    shown = freezer.fields("job-show", job)
    expect(
        "job-update changes what it names and nothing else",
        (shown["Description"], shown["Interval"]),
        ("books, at night", "24 hours"),
    )
    got = freezer.job_document(job)
    expect("job-get prints the document", (got["job_id"], len(got["job_actions"])), (job, 2))
    for event in ("start", "stop", "abort"):
        freezer(f"job-{event}", job)
        expect(f"job-{event} leaves a message for the scheduler", freezer.fields("job-show", job)["Event"], event)
    return job


def sessions(freezer, job):
    document = {"description": "the weekend", "hold_off": 5, "schedule": {"schedule_interval": "7 days"}}
    freezer("session-create", "--file", freezer.file(document))
    [row] = freezer.rows("session-list")
    session = row["Session ID"]
    freezer("session-update", session, freezer.file({"description": "every weekend"}))
    freezer("session-add-job", "--session-id", session, "--job-id", job)
    shown = freezer.fields("session-show", session)
    expect("session-update changes the description", shown["Description"], "every weekend")
    expect("session-add-job adds the job", list(ast.literal_eval(shown["Jobs"])), [job])
    freezer("session-start", "--session-id", session, "--job-id", job, "--job-tag", 0)
    expect("session-start begins a run", freezer.fields("session-show", session)["Session tag"], 1)
    freezer("session-remove-job", "--session-id", session, "--job-id", job)
    expect("session-remove-job takes it out", ast.literal_eval(freezer.fields("session-show", session)["Jobs"]), {})
    freezer("session-delete", session)
    expect("session-delete deletes it", freezer.rows("session-list"), [])


def backups(freezer):
    metadata = {"backup_name": "books", "hostname": "desk", "container": "/srv/store", "mode": "fs"}
    metadata |= {"time_stamp": 1700000000, "curr_backup_level": 0}
    freezer("backup-create", "--file", freezer.file(metadata))
    [listed] = freezer.backups()
    backup = listed["Backup ID"]
    shown = ast.literal_eval(freezer.fields("backup-show", backup)["Metadata"])
    expect("backup-show shows the metadata", {key: shown[key] for key in metadata}, metadata)
    freezer("backup-delete", backup)
    expect("backup-delete deletes it", freezer.backups(), [])
    freezer.refuses("once", "backup-delete", backup, says="404")


def deletes(freezer, action, job):
    freezer("job-delete", job)
    expect("job-delete deletes it", freezer.rows("job-list"), [])
    freezer.refuses("once", "job-delete", job, says="404")
    freezer("action-delete", action)
    for name in ("desk.example.org", "porch"):
        freezer("client-delete", name)
    expect("client-delete deletes the clients", freezer.rows("client-list"), [])
