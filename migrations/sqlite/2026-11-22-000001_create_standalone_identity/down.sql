-- In the reverse order of up.sql: children before the parents they point at.
DROP TABLE identity_tokens;
DROP TABLE identity_assignments;
DROP TABLE identity_users;
DROP TABLE identity_projects;
