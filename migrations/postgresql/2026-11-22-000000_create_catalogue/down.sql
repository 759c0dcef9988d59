-- In the reverse order of up.sql: children before the parents they point at.
DROP TABLE job_trusts;
DROP TABLE backups;
DROP TABLE action_reports;
DROP TABLE job_attachments;
DROP TABLE sessions;
DROP TABLE action_attachments;
DROP TABLE jobs;
DROP TABLE actions;
DROP TABLE clients;
