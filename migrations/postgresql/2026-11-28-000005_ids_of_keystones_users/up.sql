-- Keystone's user ids are not all its own: a user of LDAP may have the id "Jörg Müller", or one of 255 characters.

ALTER TABLE clients
    ALTER COLUMN user_id TYPE VARCHAR(255) COLLATE "C";
ALTER TABLE actions
    ALTER COLUMN user_id TYPE VARCHAR(255) COLLATE "C";
ALTER TABLE jobs
    ALTER COLUMN user_id TYPE VARCHAR(255) COLLATE "C";
ALTER TABLE action_attachments
    ALTER COLUMN user_id TYPE VARCHAR(255) COLLATE "C";
ALTER TABLE sessions
    ALTER COLUMN user_id TYPE VARCHAR(255) COLLATE "C";
ALTER TABLE job_attachments
    ALTER COLUMN user_id TYPE VARCHAR(255) COLLATE "C";
ALTER TABLE action_reports
    ALTER COLUMN user_id TYPE VARCHAR(255) COLLATE "C";
ALTER TABLE backups
    ALTER COLUMN user_id TYPE VARCHAR(255) COLLATE "C";
ALTER TABLE job_trusts
    ALTER COLUMN user_id TYPE VARCHAR(255) COLLATE "C",
    ALTER COLUMN trustor_user_id TYPE VARCHAR(255) COLLATE "C";
