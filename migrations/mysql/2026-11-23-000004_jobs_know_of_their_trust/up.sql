-- Whether there may be a row of job_trusts for a job: it is asked with every job that is read, and few have one.
ALTER TABLE jobs ADD COLUMN has_trust BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE jobs SET has_trust = TRUE WHERE id IN (SELECT job_id FROM job_trusts);
