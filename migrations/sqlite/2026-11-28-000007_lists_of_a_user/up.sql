-- Lists of version 1 with [api_v1] scope = user, which have the rows of every project.
CREATE INDEX clients_by_user ON clients (user_id, created_at, id);
CREATE INDEX actions_by_user ON actions (user_id, created_at, id);
CREATE INDEX job_attachments_by_user ON job_attachments (user_id, created_at, id);
CREATE INDEX sessions_by_user ON sessions (user_id, created_at, id);
CREATE INDEX backups_by_user ON backups (user_id, created_at, id);
