-- Keystone's user ids are not all its own: a user of LDAP may have the id "Jörg Müller", or one of 255 characters.
--
-- Only a CHECK changes, which needs no rewriting of the tables: https://www.sqlite.org/lang_altertable.html, section 7, has
-- this way. Any other would copy each table, and the foreign keys that lead to it.

PRAGMA writable_schema = ON;
UPDATE sqlite_master SET sql = replace(sql, 'user_id) <= 64)', 'user_id) <= 255)')
WHERE type = 'table' AND name IN (
    'clients', 'actions', 'jobs', 'action_attachments', 'sessions',
    'job_attachments', 'action_reports', 'backups', 'job_trusts'
);
PRAGMA writable_schema = RESET;

-- Other connections read the schema again when they see a change of it by a statement.
CREATE TABLE schema_changed (id INTEGER);
DROP TABLE schema_changed;
