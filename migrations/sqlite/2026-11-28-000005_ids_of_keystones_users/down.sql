-- Fails where a user has an id that does not fit.

CREATE TABLE schema_changed (id TEXT CHECK (length(id) <= 64));
INSERT INTO schema_changed SELECT user_id FROM clients WHERE length(user_id) > 64;
INSERT INTO schema_changed SELECT user_id FROM actions WHERE length(user_id) > 64;
INSERT INTO schema_changed SELECT user_id FROM jobs WHERE length(user_id) > 64;
INSERT INTO schema_changed SELECT user_id FROM action_attachments WHERE length(user_id) > 64;
INSERT INTO schema_changed SELECT user_id FROM sessions WHERE length(user_id) > 64;
INSERT INTO schema_changed SELECT user_id FROM job_attachments WHERE length(user_id) > 64;
INSERT INTO schema_changed SELECT user_id FROM action_reports WHERE length(user_id) > 64;
INSERT INTO schema_changed SELECT user_id FROM backups WHERE length(user_id) > 64;
INSERT INTO schema_changed SELECT user_id FROM job_trusts WHERE length(user_id) > 64;
INSERT INTO schema_changed SELECT trustor_user_id FROM job_trusts WHERE length(trustor_user_id) > 64;

PRAGMA writable_schema = ON;
UPDATE sqlite_master SET sql = replace(sql, 'user_id) <= 255)', 'user_id) <= 64)')
WHERE type = 'table' AND name IN (
    'clients', 'actions', 'jobs', 'action_attachments', 'sessions',
    'job_attachments', 'action_reports', 'backups', 'job_trusts'
);
PRAGMA writable_schema = RESET;

DROP TABLE schema_changed;
