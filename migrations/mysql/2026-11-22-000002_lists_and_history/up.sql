-- Lists: every filter and every order that the API offers has its index. They all end in (created_at, id), the order of a
-- list that names none, so that an index serves both "only these" and "in the order of this".
-- The same names and columns as in the other two folders; docs/DATABASE.md says which list each is for.
--
-- One ALTER per table: an index that a foreign key needs is replaced, and never missing in between.

-- What a report is about, kept when the job and the client are gone; no keys, like a backup's job_id. `job_id` is the
-- definition's, so that the history of a fleet is one question; `client_id` is the client's name.
ALTER TABLE action_reports
    ADD COLUMN job_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    ADD COLUMN client_id VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
UPDATE action_reports SET
    job_id = (SELECT a.job_id FROM job_attachments a WHERE a.id = action_reports.job_attachment_id),
    client_id = (SELECT c.client_id FROM job_attachments a JOIN clients c ON c.id = a.client_id
                 WHERE a.id = action_reports.job_attachment_id)
WHERE job_attachment_id IS NOT NULL;

ALTER TABLE clients
    ADD INDEX ix_clients_hostname (project_id, hostname, created_at, id),
    ADD INDEX ix_clients_last_seen_at (project_id, last_seen_at, created_at, id);

ALTER TABLE actions
    ADD INDEX ix_actions_action (project_id, action, created_at, id),
    ADD INDEX ix_actions_mode (project_id, mode, created_at, id);

ALTER TABLE action_attachments
    ADD INDEX ix_action_attachments_priority (project_id, priority, created_at, id),
    DROP INDEX ix_action_attachments_action,
    ADD INDEX ix_action_attachments_action (project_id, action_id, created_at, id),
    DROP INDEX ix_action_attachments_job,
    ADD INDEX ix_action_attachments_job (project_id, job_id, created_at, id);

ALTER TABLE sessions
    ADD INDEX ix_sessions_status (project_id, status, created_at, id),
    ADD INDEX ix_sessions_result (project_id, result, created_at, id);

ALTER TABLE job_attachments
    ADD INDEX ix_job_attachments_client (project_id, client_id, created_at, id),
    ADD INDEX ix_job_attachments_event (project_id, event, created_at, id),
    ADD INDEX ix_job_attachments_result (project_id, result, created_at, id),
    DROP INDEX ix_job_attachments_job,
    ADD INDEX ix_job_attachments_job (project_id, job_id, created_at, id),
    DROP INDEX ix_job_attachments_session,
    ADD INDEX ix_job_attachments_session (project_id, session_id, created_at, id);

ALTER TABLE backups
    ADD INDEX ix_backups_status (project_id, status, created_at, id),
    ADD INDEX ix_backups_action (project_id, action, created_at, id),
    ADD INDEX ix_backups_mode (project_id, mode, created_at, id),
    ADD INDEX ix_backups_curr_backup_level (project_id, curr_backup_level, created_at, id),
    DROP INDEX ix_backups_time_stamp,
    ADD INDEX ix_backups_time_stamp (project_id, time_stamp, created_at, id);

ALTER TABLE action_reports
    ADD INDEX ix_action_reports_job (project_id, job_id, created_at, id),
    ADD INDEX ix_action_reports_job_date (project_id, job_id, report_date, created_at, id),
    ADD INDEX ix_action_reports_client (project_id, client_id, created_at, id),
    ADD INDEX ix_action_reports_client_date (project_id, client_id, report_date, created_at, id),
    ADD INDEX ix_action_reports_job_attachment_list (project_id, job_attachment_id, created_at, id),
    ADD INDEX ix_action_reports_result (project_id, result, created_at, id),
    ADD INDEX ix_action_reports_time_elapsed (project_id, time_elapsed, created_at, id),
    DROP INDEX ix_action_reports_date,
    ADD INDEX ix_action_reports_date (project_id, report_date, created_at, id),
    DROP INDEX ix_action_reports_action,
    ADD INDEX ix_action_reports_action (project_id, action_id, created_at, id),
    DROP INDEX ix_action_reports_action_attachment,
    ADD INDEX ix_action_reports_action_attachment (project_id, action_attachment_id, created_at, id),
    DROP INDEX ix_action_reports_job_attachment,
    ADD INDEX ix_action_reports_job_attachment (project_id, job_attachment_id, report_date, created_at, id);
