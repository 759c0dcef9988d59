"""The panel of sessions, and the dialogs that put jobs into them."""

from steps import same

PANEL = "/project/freezer-sessions"
QUEUED = ["Success: Session queued correctly. It will appear soon."]
ATTACHED = ["Success: Job attached successfully."]


def play(steps, browser, service, jobs):
    def members(id):
        return sorted(service.ask("GET", f"sessions/{id}")["jobs"])

    def named(name):
        [session] = [each for each in service.all("sessions") if each["description"] == name]
        return session

    with steps("create a session with a job in it"):
        fields = {"description": "nightly", "interval_unit": "days", "interval_value": 1}
        same(browser.send(f"{PANEL}/create/", selected_jobs_role_member=jobs["once"], **fields), QUEUED)
        service.wrote("POST sessions 201", "PUT sessions/jobs 204")
        same(named("nightly")["schedule"]["schedule_interval"], "1 days")
        same(members(named("nightly")["session_id"]), [jobs["once"]])
    id = named("nightly")["session_id"]
    with steps("the list has it, and its own page the job"):
        same(browser.table("sessions"), [id])
        page = browser.page(f"{PANEL}/{id}")
        same((f"{jobs['once']}==={id}" in page, "nightly" in page), (True, True))
    with steps("attach a job from the panel of jobs"):
        same(browser.send(f"{PANEL}/attach_to_session/{jobs['weeks']}", session_id=id), ATTACHED)
        service.wrote("PUT sessions/jobs 204")
        same(members(id), sorted([jobs["once"], jobs["weeks"]]))
        same(service.ask("GET", f"jobs/{jobs['weeks']}")["session_id"], id)
    with steps("attach it once more: no harm is done"):
        same(browser.send(f"{PANEL}/attach_to_session/{jobs['weeks']}", session_id=id), ATTACHED)
        service.wrote("PUT sessions/jobs 204")
        same(members(id), sorted([jobs["once"], jobs["weeks"]]))
    with steps("attach a job from the session's page"):
        same(browser.send(f"{PANEL}/{id}/attach_job/", job_id=jobs["days"]), ATTACHED)
        service.wrote("PUT sessions/jobs 204")
        same(len(members(id)), 3)
    with steps("detach a job"):
        where = f"{PANEL}/{id}"
        browser.press("jobs", "delete_job_from_session", f"{jobs['weeks']}==={id}", path=where)
        service.wrote("DELETE sessions/jobs 204")
        same(members(id), sorted([jobs["once"], jobs["days"]]))
        same(service.ask("GET", f"jobs/{jobs['weeks']}")["session_id"], "")
    with steps("manage the jobs: one in, one out"):
        chosen = [jobs["once"], jobs["minutes"]]
        wanted = ["Success: Session jobs updated successfully."]
        same(browser.send(f"{PANEL}/{id}/manage_jobs/", selected_jobs_role_member=chosen), wanted)
        service.wrote("PUT sessions/jobs 204", "DELETE sessions/jobs 204")
        same(members(id), sorted(chosen))
    with steps("edit a session"):
        fields = {"description": "weekly", "interval_unit": "weeks", "interval_value": 2}
        same(browser.send(f"{PANEL}/edit/{id}", **fields), QUEUED)
        service.wrote("PATCH sessions 200")
        changed = named("weekly")
        same((changed["session_id"], changed["schedule"]["schedule_interval"]), (id, "2 weeks"))
        same(len(members(id)), 2)
    with steps("delete a session, whose jobs stay"):
        browser.send(f"{PANEL}/create/", description="once only")
        other = named("once only")["session_id"]
        service.mark()
        same(browser.press("sessions", "delete", other), ["Success: Deleted Session: once only"])
        service.wrote("DELETE sessions 204")
        same([each["session_id"] for each in service.all("sessions")], [id])
    return id
