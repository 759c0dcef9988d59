ALTER TABLE clients
    DROP INDEX ix_clients_hostname,
    DROP INDEX ix_clients_last_seen_at;
ALTER TABLE actions
    DROP INDEX ix_actions_action,
    DROP INDEX ix_actions_mode;
ALTER TABLE action_attachments
    DROP INDEX ix_action_attachments_priority,
    DROP INDEX ix_action_attachments_action,
    ADD INDEX ix_action_attachments_action (project_id, action_id),
    DROP INDEX ix_action_attachments_job,
    ADD INDEX ix_action_attachments_job (project_id, job_id);
ALTER TABLE sessions
    DROP INDEX ix_sessions_status,
    DROP INDEX ix_sessions_result;
ALTER TABLE job_attachments
    DROP INDEX ix_job_attachments_client,
    DROP INDEX ix_job_attachments_event,
    DROP INDEX ix_job_attachments_result,
    DROP INDEX ix_job_attachments_job,
    ADD INDEX ix_job_attachments_job (project_id, job_id),
    DROP INDEX ix_job_attachments_session,
    ADD INDEX ix_job_attachments_session (project_id, session_id);
ALTER TABLE backups
    DROP INDEX ix_backups_status,
    DROP INDEX ix_backups_action,
    DROP INDEX ix_backups_mode,
    DROP INDEX ix_backups_curr_backup_level,
    DROP INDEX ix_backups_time_stamp,
    ADD INDEX ix_backups_time_stamp (project_id, time_stamp);
ALTER TABLE action_reports
    DROP INDEX ix_action_reports_job,
    DROP INDEX ix_action_reports_job_date,
    DROP INDEX ix_action_reports_client,
    DROP INDEX ix_action_reports_client_date,
    DROP INDEX ix_action_reports_job_attachment_list,
    DROP INDEX ix_action_reports_result,
    DROP INDEX ix_action_reports_time_elapsed,
    DROP INDEX ix_action_reports_date,
    ADD INDEX ix_action_reports_date (project_id, report_date, id),
    DROP INDEX ix_action_reports_action,
    ADD INDEX ix_action_reports_action (project_id, action_id),
    DROP INDEX ix_action_reports_action_attachment,
    ADD INDEX ix_action_reports_action_attachment (project_id, action_attachment_id),
    DROP INDEX ix_action_reports_job_attachment,
    ADD INDEX ix_action_reports_job_attachment (project_id, job_attachment_id, report_date),
    DROP COLUMN job_id,
    DROP COLUMN client_id;
