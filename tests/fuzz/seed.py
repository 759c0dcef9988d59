"""What is there before the first request, so that ids can name something."""

import pathlib
import tomllib

import requests

from daemon import sourced

SETTINGS = pathlib.Path(__file__).with_name("schemathesis.toml")


def seeded(url, openrc):
    """Some of everything in the project of the first user. The value is what the settings take from the environment."""
    user = sourced(openrc)
    password = {"name": user["OS_USERNAME"], "domain": {"id": "default"}, "password": user["OS_PASSWORD"]}
    scope = {"project": {"name": user["OS_PROJECT_NAME"], "domain": {"id": "default"}}}
    identity = {"methods": ["password"], "password": {"user": password}}
    login = requests.post(f"{url}/identity/v3/auth/tokens", json={"auth": {"identity": identity, "scope": scope}})
    login.raise_for_status()
    token, project = login.headers["X-Subject-Token"], login.json()["token"]["project"]["id"]

    def post(noun, document):
        made = requests.post(f"{url}/v2/{project}/{noun}", json=document, headers={"X-Auth-Token": token})
        if made.status_code != 201:
            raise RuntimeError(f"POST {noun}: {made.status_code} {made.text}")
        return made.json()

    known = {name: entry["values"] for name, entry in tomllib.loads(SETTINGS.read_text())["dictionaries"].items()}
    action = {"action": "backup", "mode": "fs", "storage": "local", "backup_name": "etc", "path_to_backup": "/etc"}
    schedule = {"schedule_interval": "1 days"}
    for client in known["clients"]:
        post("clients", {"client_id": client, "hostname": client})
        post("backups", {"backup_name": "etc", "hostname": client, "container": "/srv", "time_stamp": 1700000000})
    for action_id in known["actions"]:
        post("actions", {"action_id": action_id, "freezer_action": action})
    for session_id in known["sessions"]:
        post(f"sessions/{session_id}", {"schedule": schedule, "session_tag": 0})
    for job_id, session_id in zip(known["jobs"], known["sessions"]):
        entries = [{"action_id": known["actions"][0]}, {"freezer_action": action}]
        job = {"job_id": job_id, "client_id": known["clients"][0], "session_id": session_id}
        post("jobs", job | {"job_schedule": schedule, "job_actions": entries})
    return {"FREEZER_FUZZ_TOKEN": token, "FREEZER_FUZZ_PROJECT": project}
