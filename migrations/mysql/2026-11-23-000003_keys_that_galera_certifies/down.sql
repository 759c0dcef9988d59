ALTER TABLE job_trusts
    DROP FOREIGN KEY fk_job_trusts_job_id;
ALTER TABLE action_reports
    DROP FOREIGN KEY fk_action_reports_action_id,
    DROP FOREIGN KEY fk_action_reports_action_attachment_id,
    DROP FOREIGN KEY fk_action_reports_job_attachment_id,
    DROP INDEX ix_action_reports_action_id,
    DROP INDEX ix_action_reports_action_attachment_id,
    DROP INDEX ix_action_reports_job_attachment_id;
ALTER TABLE job_attachments
    DROP FOREIGN KEY fk_job_attachments_job_id,
    DROP FOREIGN KEY fk_job_attachments_session_id,
    DROP INDEX ix_job_attachments_session_id;
ALTER TABLE action_attachments
    DROP FOREIGN KEY fk_action_attachments_action_id,
    DROP FOREIGN KEY fk_action_attachments_job_id,
    DROP INDEX ix_action_attachments_action_id;
