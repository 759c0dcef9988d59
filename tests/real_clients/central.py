"""A central scheduler: one for all projects, which works for their users with the trusts they give it."""

from expectation import eventually, expect
from scheduler import command, differences, metadata, run, state, write_source
from process import Process

CLIENT = "central.example.org"


def play(freezer, scratch, cloud):
    """`freezer` is a member of a project; the scheduler has no role in it, and no way in but the trust."""
    print("a central scheduler", flush=True)
    source, store, restored = (scratch / name for name in ("central-source", "central-store", "central-restored"))
    write_source(source)
    action = {"mode": "fs", "storage": "local", "engine_name": "tar", "container": str(store)}
    action |= {"action": "backup", "path_to_backup": str(source), "backup_name": "central"}
    action["log_file"] = str(scratch / "central-agent.log")

    options = f"centralized_scheduler = true\nclient_id = {CLIENT}\n"
    own = cloud.variables("scheduler", "service")

    def given():
        return cloud.trusts("member", "alpha", "scheduler")

    with Process(*command(scratch, "central", options, own)) as scheduler:
        eventually(
            "it registers itself, for every project to see",
            lambda: scheduler.alive() and freezer.column("Client ID", "client-list"),
            [CLIENT],
        )
        expect("no user has given a trust yet", given(), [])
        job = create(freezer, action)
        [trust] = given()
        expect("a job for it comes with a trust", trust_of(freezer, job), trust["id"])
        expect(
            "for the project, to act in it as itself, and not to pass it on",
            (trust["project_id"], trust["impersonation"], trust["redelegation_count"]),
            (cloud.described["projects"]["alpha"], False, 0),
        )
        expect("with the role that is for that", trust["roles"], ["member"])

        eventually("the scheduler takes notice of the job", lambda: state(freezer, job), ("stop", "", ""))
        run(freezer, job, "a backup")
        [listed] = freezer.backups("--search", "central")
        expect("its metadata is in the project's list", metadata(freezer, listed)["job_id"], job)

        action |= {"action": "restore", "restore_abs_path": str(restored)}
        action["hostname"] = metadata(freezer, listed)["hostname"]
        other = create(freezer, action)
        expect("another job has the same trust", trust_of(freezer, other), trust["id"])
        expect("there is still one", len(given()), 1)
        eventually("the scheduler takes notice of it", lambda: state(freezer, other), ("stop", "", ""))
        run(freezer, other, "a restore")
        expect("what it restored equals the source", differences(source, restored), [])

        freezer("job-delete", job)
        expect("the trust is there as long as a job needs it", len(given()), 1)
        freezer("job-delete", other)
        expect("and goes with the last one", given(), [])
        errors = [line for line in scheduler.output().splitlines() if " ERROR " in line]
        expect("the scheduler logged no error", errors, [])


def create(freezer, action):
    document = {"description": "by the central scheduler", "job_schedule": {"event": "stop"}}
    document["job_actions"] = [{"freezer_action": action, "max_retries": 0, "max_retries_interval": 1}]
    return freezer.fields("job-create", "--client", CLIENT, "--file", freezer.file(document))["Job ID"]


def trust_of(freezer, job):
    return freezer.job_document(job)["user_credentials"]["trust_id"]
