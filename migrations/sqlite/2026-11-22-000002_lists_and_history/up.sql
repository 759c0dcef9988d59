-- Lists: every filter and every order that the API offers has its index. They all end in (created_at, id), the order of a
-- list that names none, so that an index serves both "only these" and "in the order of this".
-- The same names and columns as in the other two folders; docs/DATABASE.md says which list each is for.

-- What a report is about, kept when the job and the client are gone; no keys, like a backup's job_id. `job_id` is the
-- definition's, so that the history of a fleet is one question; `client_id` is the client's name.
ALTER TABLE action_reports ADD COLUMN job_id TEXT CHECK (length(job_id) <= 64);
ALTER TABLE action_reports ADD COLUMN client_id TEXT CHECK (length(client_id) <= 255);
UPDATE action_reports SET
    job_id = (SELECT a.job_id FROM job_attachments a WHERE a.id = action_reports.job_attachment_id),
    client_id = (SELECT c.client_id FROM job_attachments a JOIN clients c ON c.id = a.client_id
                 WHERE a.id = action_reports.job_attachment_id)
WHERE job_attachment_id IS NOT NULL;

CREATE INDEX ix_clients_hostname ON clients (project_id, hostname, created_at, id);
CREATE INDEX ix_clients_last_seen_at ON clients (project_id, last_seen_at, created_at, id);

CREATE INDEX ix_actions_action ON actions (project_id, action, created_at, id);
CREATE INDEX ix_actions_mode ON actions (project_id, mode, created_at, id);

CREATE INDEX ix_action_attachments_priority ON action_attachments (project_id, priority, created_at, id);
DROP INDEX ix_action_attachments_action;
CREATE INDEX ix_action_attachments_action ON action_attachments (project_id, action_id, created_at, id);
DROP INDEX ix_action_attachments_job;
CREATE INDEX ix_action_attachments_job ON action_attachments (project_id, job_id, created_at, id);

CREATE INDEX ix_sessions_status ON sessions (project_id, status, created_at, id);
CREATE INDEX ix_sessions_result ON sessions (project_id, result, created_at, id);

CREATE INDEX ix_job_attachments_client ON job_attachments (project_id, client_id, created_at, id);
CREATE INDEX ix_job_attachments_event ON job_attachments (project_id, event, created_at, id);
CREATE INDEX ix_job_attachments_result ON job_attachments (project_id, result, created_at, id);
DROP INDEX ix_job_attachments_job;
CREATE INDEX ix_job_attachments_job ON job_attachments (project_id, job_id, created_at, id);
DROP INDEX ix_job_attachments_session;
CREATE INDEX ix_job_attachments_session ON job_attachments (project_id, session_id, created_at, id);

CREATE INDEX ix_backups_status ON backups (project_id, status, created_at, id);
CREATE INDEX ix_backups_action ON backups (project_id, action, created_at, id);
CREATE INDEX ix_backups_mode ON backups (project_id, mode, created_at, id);
CREATE INDEX ix_backups_curr_backup_level ON backups (project_id, curr_backup_level, created_at, id);
DROP INDEX ix_backups_time_stamp;
CREATE INDEX ix_backups_time_stamp ON backups (project_id, time_stamp, created_at, id);

CREATE INDEX ix_action_reports_job ON action_reports (project_id, job_id, created_at, id);
CREATE INDEX ix_action_reports_job_date ON action_reports (project_id, job_id, report_date, created_at, id);
CREATE INDEX ix_action_reports_client ON action_reports (project_id, client_id, created_at, id);
CREATE INDEX ix_action_reports_client_date ON action_reports (project_id, client_id, report_date, created_at, id);
CREATE INDEX ix_action_reports_job_attachment_list ON action_reports (project_id, job_attachment_id, created_at, id);
CREATE INDEX ix_action_reports_result ON action_reports (project_id, result, created_at, id);
CREATE INDEX ix_action_reports_time_elapsed ON action_reports (project_id, time_elapsed, created_at, id);
DROP INDEX ix_action_reports_date;
CREATE INDEX ix_action_reports_date ON action_reports (project_id, report_date, created_at, id);
DROP INDEX ix_action_reports_action;
CREATE INDEX ix_action_reports_action ON action_reports (project_id, action_id, created_at, id);
DROP INDEX ix_action_reports_action_attachment;
CREATE INDEX ix_action_reports_action_attachment ON action_reports (project_id, action_attachment_id, created_at, id);
DROP INDEX ix_action_reports_job_attachment;
CREATE INDEX ix_action_reports_job_attachment ON action_reports (project_id, job_attachment_id, report_date, created_at, id);
