"""A real scheduler with its real agent: backs up a directory, again, in a session, until it is stopped; restores it."""

import ast
import os
import pathlib
import socket
import sys
import time

from expectation import eventually, expect
from process import Process

POLL = 1  # seconds; the default of 60 is for people
SESSION_INTERVAL = 12  # seconds; a run of the agent takes about three


def play(freezer, scratch, max_level=3, **configured):
    print("a scheduler", flush=True)
    source, store, restored = (scratch / name for name in ("source", "store", "restored"))
    write_source(source)
    action = {"mode": "fs", "storage": "local", "engine_name": "tar", "container": str(store)}
    action["log_file"] = str(scratch / "agent.log")
    backup = action | {"action": "backup", "path_to_backup": str(source), "incremental": "True"}
    if max_level:
        backup["max_level"] = max_level

    with Process(*command(scratch, **configured)) as scheduler:
        name = f"{freezer.library().project_id}_{socket.gethostname()}"
        eventually(
            "it registers itself",
            lambda: scheduler.alive() and freezer.column("Client ID", "client-list"),
            [name],
        )

        job = create(freezer, name, "books", backup | {"backup_name": "books"})
        run(freezer, job, "a backup")
        [listed] = freezer.backups("--search", "books")
        expect("its metadata is in the list", (listed["Path"], listed["Level"]), (str(source), 0))
        expect("and names the job", metadata(freezer, listed)["job_id"], job)

        change_source(source)
        run(freezer, job, "the same job again")
        expect("this time as an increment", levels(store), ["0", "1"])
        expect("whose metadata is in the list too", len(freezer.backups("--search", "books")), 2)

        stopped = in_a_session(freezer, name, backup | {"backup_name": "session"})

        action |= {"action": "restore", "restore_abs_path": str(restored), "backup_name": "books"}
        action["hostname"] = socket.gethostname()
        run(freezer, create(freezer, name, "back to yesterday", action), "a restore")
        expect("what it restored equals the source", differences(source, restored), [])

        stays_stopped(freezer, *stopped)
        errors = [line for line in scheduler.output().splitlines() if " ERROR " in line]
        expect("the scheduler logged no error", errors, [])


def create(freezer, client, description, action):
    """A job that waits for its first start."""
    document = {"description": description, "job_schedule": {"event": "stop"}}
    document["job_actions"] = [{"freezer_action": action, "max_retries": 0, "max_retries_interval": 1}]
    # The command line of version 1 does not print the id.
    job = freezer.library().jobs.create(document | {"client_id": client})
    eventually(f"{description}: the scheduler takes notice of the job", lambda: state(freezer, job), ("stop", "", ""))
    return job


def run(freezer, job, what):
    freezer("job-start", job)
    eventually(f"{what} is completed with success", lambda: state(freezer, job), ("completed", "", "success"))


def in_a_session(freezer, client, action):
    """A recurring job in a session: one run of it at least, then a stop. Returns the job, and what it had done."""
    job = create(freezer, client, "in a session", action)
    # A start in the past makes the scheduler begin at once; without one it waits for the first interval to pass.
    schedule = {"schedule_interval": f"{SESSION_INTERVAL} seconds", "schedule_start_date": "2020-01-01T00:00:00"}
    document = {"description": "the weekend", "hold_off": 2, "schedule": schedule}
    session = freezer.library().sessions.create(document)
    freezer("session-add-job", "--session-id", session, "--job-id", job)
    freezer("job-start", job)

    def shown():
        fields = freezer.fields("session-show", session)
        return fields["Status"], fields["Result"], ast.literal_eval(fields["Jobs"])[job]["result"]

    eventually("a session's run is completed with success", shown, ("completed", "success", "success"))

    freezer("job-stop", job)
    # One that is told to stop in the middle of a run ends that run first, and then calls itself completed.
    eventually("the job obeys a stop", lambda: state(freezer, job)[:2] in [("stop", ""), ("completed", "")], True)
    return job, freezer.job_document(job)["job_schedule"]["time_started"], time.monotonic()


def stays_stopped(freezer, job, time_started, since):
    time.sleep(max(0, since + SESSION_INTERVAL + POLL + 1 - time.monotonic()))
    expect("the stopped job has not run again", freezer.job_document(job)["job_schedule"]["time_started"], time_started)


def state(freezer, job):
    shown = freezer.fields("job-show", job)
    return shown["Status"], shown["Event"], shown["Result"]


def levels(store):
    """The levels of the backups that are in the storage. (The agent of 19.0.0 reports each of them as level 0.)"""
    return sorted(path.name.split("_")[0] for path in store.glob("metadata/tar/*/*/*"))


def metadata(freezer, listed):
    return ast.literal_eval(freezer.fields("backup-show", listed["Backup ID"])["Metadata"])


def command(scratch, name="scheduler", options="", variables=None, section="scheduler"):
    """The scheduler's command line, log and environment: in the foreground, with nothing outside of `scratch`."""
    bin = pathlib.Path(sys.executable).parent
    config = scratch / f"{name}.conf"
    config.write_text(f"[{section}]\nno_daemon = true\ninterval = {POLL}\njobs_dir = {scratch}/{name}-jobs\n{options}")
    env = os.environ | {"PATH": f"{bin}:{os.environ['PATH']}", "HOME": str(scratch)} | (variables or {})
    return [str(bin / "freezer-scheduler"), "--config-file", str(config), "start"], scratch / f"{name}.log", env


def write_source(source):
    (source / "shelf" / "empty shelf").mkdir(parents=True)
    (source / "plain.txt").write_text("one line\n")
    (source / "empty").write_bytes(b"")
    (source / "shelf" / "every byte").write_bytes(bytes(range(256)) * 4096)
    (source / "shelf" / "größe.txt").write_text("a name and a text beyond ASCII: 量\n")


def change_source(source):
    """A file more, a file changed, a file less: an increment has to bring back all three."""
    time.sleep(1)  # The agent names its backups by the second.
    (source / "new.txt").write_text("not in level 0\n")
    (source / "plain.txt").write_text("another line, and a longer one\n")
    (source / "empty").unlink()


def differences(one, other):
    """What is not the same, byte for byte, in two directories."""
    return sorted(set(_contents(one).items()) ^ set(_contents(other).items()))


def _contents(directory):
    paths = sorted(directory.rglob("*")) if directory.is_dir() else []
    return {str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None for path in paths}
