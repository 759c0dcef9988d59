"""What is there before the first request, so that ids can name something."""

import requests

# Those of the description's examples, so that these work.
CLIENT = "web1.example.com"
ACTION = "d3486ae9136e7856bc42212385ea7970"
JOB = "3c59dc048e8850243be8079a5c74d079"
SESSION = "45c48cce2e2d7fbdea1afc51c7c6ad26"


class Project:
    """The project of a user, as the user sees it."""

    def __init__(self, url, user):
        password = {"name": user["OS_USERNAME"], "domain": {"id": "default"}, "password": user["OS_PASSWORD"]}
        scope = {"project": {"name": user["OS_PROJECT_NAME"], "domain": {"id": "default"}}}
        identity = {"methods": ["password"], "password": {"user": password}}
        login = requests.post(f"{url}/identity/v3/auth/tokens", json={"auth": {"identity": identity, "scope": scope}})
        login.raise_for_status()
        self.token, self.id = login.headers["X-Subject-Token"], login.json()["token"]["project"]["id"]
        self.url = f"{url}/v2/{self.id}"

    def _send(self, method, path, document=None):
        answer = requests.request(method, f"{self.url}/{path}", json=document, headers={"X-Auth-Token": self.token})
        if not answer.ok:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json()

    def seed(self):
        """Makes some of everything. The value is the ids of each noun."""
        action = {"action": "backup", "mode": "fs", "storage": "local", "backup_name": "etc", "path_to_backup": "/etc"}
        schedule = {"schedule_interval": "1 days"}
        backup = {"backup_name": "etc", "container": "/srv/backups", "time_stamp": 1700000000}
        known = {"clients": [CLIENT, "web2"], "actions": [ACTION, "a2"], "jobs": [JOB, "j2"], "sessions": [SESSION, "s2"]}
        for client in known["clients"]:
            self._send("POST", "clients", {"client_id": client, "hostname": client})
        for action_id in known["actions"]:
            self._send("POST", "actions", {"action_id": action_id, "freezer_action": action})
        for job, session in zip(known["jobs"], known["sessions"]):
            self._send("POST", f"sessions/{session}", {"schedule": schedule, "session_tag": 0})
            document = {"job_id": job, "client_id": CLIENT, "session_id": session, "job_schedule": schedule}
            document["job_actions"] = [{"action_id": ACTION}, {"freezer_action": action}]
            self._send("POST", "jobs", document)
            # A run that ended, for the history.
            run = {"status": "completed", "result": "success", "time_started": 1700000000, "time_ended": 1700000060}
            self._send("PATCH", f"jobs/{job}", {"job_schedule": run})
        known["backups"] = [self._send("POST", "backups", backup | {"hostname": name})["backup_id"] for name in "ab"]
        for noun in ("action_attachments", "action_reports"):
            documents = self._send("GET", noun.replace("_", "-"))[noun]
            known[noun] = [document["id"] for document in documents]
        # And two conditions that always hold.
        return known | {"any": ["*"], "none": ['"none"']}
