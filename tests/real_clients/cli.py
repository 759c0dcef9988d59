"""Every subcommand of the `freezer` command line, noun by noun, as a person would type them."""

import ast

from freezerclient.shell import FreezerCommandManager

from expectation import expect

ACTION = {
    "action": "backup",
    "mode": "fs",
    "storage": "local",
    "path_to_backup": "/srv/books",
    "backup_name": "books",
    "container": "/srv/store",
}


def play(freezer):
    print("the command line", flush=True)
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
    made = freezer.fields("client-register", "--file", freezer.file(desk))
    shown = (made["Client ID"], made["description"])
    expect("client-register shows the client", shown, ("desk.example.org", "under the desk"))

    moved = freezer.fields("client-register", "--file", freezer.file(desk | {"description": "on the desk"}))
    expect("registering again is welcome, and updates it", moved, made | {"description": "on the desk"})
    expect("client-show shows the same", freezer.fields("client-show", "desk.example.org"), moved)
    freezer.refuses("client-show of another", "client-show", "nobody", says="Client not found")

    freezer("client-register", "--file", freezer.file({"client_id": "porch", "hostname": "porch"}))
    both = freezer.column("Client ID", "client-list")
    expect("client-list has both, oldest first", both, ["desk.example.org", "porch"])
    page = freezer.column("Client ID", "client-list", "--limit", 1, "--offset", 1)
    expect("and pages", page, ["porch"])
    found = freezer.column("Client ID", "client-list", "--search", "ON THE")
    expect("and searches in any text", found, ["desk.example.org"])


def actions(freezer):
    expect("a new project has no actions", freezer.rows("action-list"), [])

    document = {"freezer_action": ACTION, "max_retries": 1, "max_retries_interval": 2}
    made = freezer.fields("action-create", "--file", freezer.file(document))
    shown = ("Name", "Action", "Mode", "Path to Backup or Restore", "Storage", "Container", "Max_retries")
    expect(
        "action-create shows the action",
        [made[name] for name in shown],
        ["books", "backup", "fs", "/srv/books", "local", "/srv/store", 1],
    )
    action = made["Action ID"]

    update = {"freezer_action": {"path_to_backup": "/srv/shelves"}, "max_retries": 3}
    updated = freezer.fields("action-update", action, freezer.file(update))
    wanted = made | {"Path to Backup or Restore": "/srv/shelves", "Max_retries": 3}
    expect("action-update changes what it names and nothing else", updated, wanted)
    expect("action-show shows the same", freezer.fields("action-show", action), updated)
    freezer.refuses("action-show of another", "action-show", "nothing", says="Action not found")

    rows = freezer.rows("action-list", "--search", "shelves")
    expect("action-list finds it", [(row["Action ID"], row["Storage"]) for row in rows], [(action, "local")])
    expect("or does not", freezer.rows("action-list", "--search", "attic"), [])
    return action


def jobs(freezer, action):
    expect("a new project has no jobs", freezer.rows("job-list"), [])

    document = {
        "description": "books, every night",
        "job_schedule": {"schedule_interval": "24 hours", "event": "stop"},
        "job_actions": [{"action_id": action}, {"freezer_action": ACTION | {"backup_name": "again"}}],
    }
    made = freezer.fields("job-create", "--client", "desk.example.org", "--file", freezer.file(document))
    shown = ("Client ID", "Description", "Interval", "Event", "Session ID")
    expect(
        "job-create shows the job",
        [made[name] for name in shown],
        ["desk.example.org", "books, every night", "24 hours", "stop", ""],
    )
    job = made["Job ID"]

    names = [entry["freezer_action"]["backup_name"] for entry in ast.literal_eval(made["Actions"])]
    expect("with the action it names and the one it brings, in order", names, ["books", "again"])
    line = ("job-create", "--client", "nobody", "--file", freezer.file(document))
    freezer.refuses("not for an unknown client", *line, says="Error 422: Client not found with ID nobody")
    line = ("job-create", "--client", "porch", "--file", freezer.file(document | {"description": 5}))
    freezer.refuses("nor with a number for a text", *line, says="Error 400: ")

    rows = freezer.rows("job-list")
    expect("job-list shows it", [(row["Job ID"], row["# Actions"], row["Event"]) for row in rows], [(job, 2, "stop")])
    for words, wanted in [
        (["--client", "desk.example.org"], [job]),
        (["--client", "porch"], []),
        (["--search", "every night"], [job]),
        (["--search", "every day"], []),
        (["--search", "night", "--client", "desk.example.org"], [job]),
        (["--search", "night", "--client", "porch"], []),
        (["--all-projects"], [job]),
        (["--limit", "1", "--offset", "1"], []),
    ]:
        expect(f"job-list {' '.join(words)}", freezer.column("Job ID", "job-list", *words), wanted)

    updated = freezer.fields("job-update", job, freezer.file({"description": "books, at night"}))
    expect("job-update changes what it names and nothing else", updated, made | {"Description": "books, at night"})
    expect("job-show shows the same", freezer.fields("job-show", job), updated)
    freezer.refuses("job-show of another", "job-show", "nothing", says="Job not found")
    got = freezer.job_document(job)
    expect("job-get prints the document", (got["job_id"], len(got["job_actions"])), (job, 2))
    expect("or does so in one line", ast.literal_eval(freezer("job-get", job, "--no-format")), got)

    for event in ("start", "start", "stop", "abort"):
        freezer(f"job-{event}", job)
        expect(f"job-{event} leaves a message for the scheduler", freezer.fields("job-show", job)["Event"], event)
    freezer.refuses("job-start of another", "job-start", "nothing", says="Error 404: ")
    return job


def sessions(freezer, job):
    expect("a new project has no sessions", freezer.rows("session-list"), [])

    document = {"description": "the weekend", "hold_off": 600, "schedule": {"schedule_interval": "7 days"}}
    made = freezer.fields("session-create", "--file", freezer.file(document))
    shown = ("Session tag", "Description", "Status", "Jobs", "Hold off", "Schedule")
    expect(
        "session-create shows the session",
        [made[name] for name in shown],
        [0, "the weekend", "active", "{}", 600, "{'schedule_interval': '7 days'}"],
    )
    session = made["Session ID"]

    updated = freezer.fields("session-update", session, freezer.file({"description": "every weekend"}))
    expect("session-update changes what it names and nothing else", updated, made | {"Description": "every weekend"})
    expect("session-show shows the same", freezer.fields("session-show", session), updated)
    freezer.refuses("session-show of another", "session-show", "nothing", says="Session not found")

    freezer("session-add-job", "--session-id", session, "--job-id", job)
    rows = freezer.rows("session-list", "--search", "weekend")
    expect("session-add-job adds a job", [(row["Session ID"], row["# Jobs"]) for row in rows], [(session, 1)])
    member = freezer.fields("job-show", job)
    expect("which now has the session's schedule", (member["Session ID"], member["Interval"]), (session, "7 days"))

    start = ("session-start", "--session-id", session, "--job-id", job, "--job-tag")
    freezer(*start, 0)
    expect("session-start starts the first run", run_of(freezer, session, job), (1, "running", "running"))
    freezer(*start, 0)
    expect("which a latecomer joins", run_of(freezer, session, job), (1, "running", "running"))
    freezer.refuses("a tag that never was", *start, 9, says="Error 400: ")

    # No subcommand ends a session's run: schedulers do, with the same library.
    freezer.library().sessions.end_session(session, job, 1, "success")
    expect("the run ends when its only job does", run_of(freezer, session, job), (1, "completed", "completed"))

    for again in ("", ", and once more does no harm"):
        freezer("session-remove-job", "--session-id", session, "--job-id", job)
        expect(f"session-remove-job empties it{again}", freezer.fields("session-show", session)["Jobs"], "{}")
    left = freezer.fields("job-show", job)
    expect(
        "and the job is to stop, on its own schedule again",
        (left["Session ID"], left["Event"], left["Interval"]),
        ("", "stop", "24 hours"),
    )

    freezer("session-delete", session)
    expect("session-delete deletes it", freezer.rows("session-list"), [])


def run_of(freezer, session, job):
    """A session's run: its tag, its status, and that of the job in it."""
    shown = freezer.fields("session-show", session)
    return shown["Session tag"], shown["Status"], ast.literal_eval(shown["Jobs"])[job]["status"]


def backups(freezer):
    expect("a new project has no backups", freezer.backups(), [])

    metadata = {
        "backup_name": "books",
        "container": "/srv/store",
        "hostname": "desk.example.org",
        "path_to_backup": "/srv/books",
        "time_stamp": 1700000000,
        "curr_backup_level": 0,
    }
    made = freezer.fields("backup-create", "--file", freezer.file(metadata))
    shown = (made["Status"], ast.literal_eval(made["Metadata"]))
    expect("backup-create shows the backup", shown, ("available", metadata))
    line = ("backup-create", "--file", freezer.file({"hostname": "desk.example.org"}))
    freezer.refuses("not one without a name", *line, says="Error 400: ")

    expect("backup-list shows it", "desk.example.org" in freezer("backup-list"), True)
    rows = freezer.backups("--search", "books")
    shown = [(row["Hostname"], row["Path"], row["Status"], row["Level"]) for row in rows]
    expect("and finds it", shown, [("desk.example.org", "/srv/books", "available", 0)])
    expect("or does not", freezer.backups("--search", "attic"), [])
    backup = rows[0]["Backup ID"]
    # (The id is not in what backup-show prints: the client looks for it under an older name.)
    expect("backup-show shows the same", freezer.fields("backup-show", backup), made)
    freezer.refuses("backup-show of another", "backup-show", "nothing", says="Backup not found")

    # No subcommand updates a backup: agents do, with the same library.
    freezer.library().backups.update(backup, {"status": "error", "backup_metadata": {"curr_backup_level": 1}})
    updated = freezer.fields("backup-show", backup)
    expect(
        "a backup's status and metadata can be updated",
        (updated["Status"], ast.literal_eval(updated["Metadata"])),
        ("error", metadata | {"curr_backup_level": 1}),
    )

    freezer("backup-delete", backup)
    expect("backup-delete deletes it", freezer.backups(), [])
    freezer.refuses("once", "backup-delete", backup, says="Error 404: ")


def deletes(freezer, action, job):
    freezer.refuses("client-delete while a job is there for it", "client-delete", "desk.example.org", says=job)
    for again in ("", ", and once more does no harm"):
        freezer("job-delete", job)
        expect(f"job-delete deletes it{again}", freezer.rows("job-list"), [])

    expect("the job's actions stay", len(freezer.rows("action-list")), 2)
    freezer("action-delete", action)
    left = freezer.column("Action ID", "action-list")
    expect("action-delete deletes its own", (len(left), action in left), (1, False))
    freezer("action-delete", left[0])

    for name in ("desk.example.org", "porch", "porch"):
        freezer("client-delete", name)
    expect("client-delete deletes the clients", freezer.rows("client-list"), [])
