DROP INDEX clients_by_user;
DROP INDEX actions_by_user;
DROP INDEX job_attachments_by_user;
DROP INDEX sessions_by_user;
DROP INDEX backups_by_user;
