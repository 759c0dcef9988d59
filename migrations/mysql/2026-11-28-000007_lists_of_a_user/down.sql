DROP INDEX clients_by_user ON clients;
DROP INDEX actions_by_user ON actions;
DROP INDEX job_attachments_by_user ON job_attachments;
DROP INDEX sessions_by_user ON sessions;
DROP INDEX backups_by_user ON backups;
