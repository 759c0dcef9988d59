-- A second foreign key, of one column, beside every one of two.
--
-- Galera finds that a child was made on one node while its parent was deleted on another by the keys that both
-- transactions bring along. For a foreign key of several columns the child's transaction brings one that matches nothing
-- (MariaDB 10.11.19 with Galera 26.4.23): both are committed, the child cannot be applied, and nodes leave the cluster.
-- For a key of one column it is found. The other two databases need nothing of the kind.
--
-- Where no index of the child begins with the column, one is added, as every foreign key needs.

ALTER TABLE action_attachments
    ADD INDEX ix_action_attachments_action_id (action_id),
    ADD CONSTRAINT fk_action_attachments_action_id FOREIGN KEY (action_id)
        REFERENCES actions (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    ADD CONSTRAINT fk_action_attachments_job_id FOREIGN KEY (job_id)
        REFERENCES jobs (id) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE job_attachments
    ADD INDEX ix_job_attachments_session_id (session_id),
    ADD CONSTRAINT fk_job_attachments_job_id FOREIGN KEY (job_id)
        REFERENCES jobs (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    ADD CONSTRAINT fk_job_attachments_session_id FOREIGN KEY (session_id)
        REFERENCES sessions (id) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE action_reports
    ADD INDEX ix_action_reports_action_id (action_id),
    ADD INDEX ix_action_reports_action_attachment_id (action_attachment_id),
    ADD INDEX ix_action_reports_job_attachment_id (job_attachment_id),
    ADD CONSTRAINT fk_action_reports_action_id FOREIGN KEY (action_id)
        REFERENCES actions (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    ADD CONSTRAINT fk_action_reports_action_attachment_id FOREIGN KEY (action_attachment_id)
        REFERENCES action_attachments (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    ADD CONSTRAINT fk_action_reports_job_attachment_id FOREIGN KEY (job_attachment_id)
        REFERENCES job_attachments (id) ON DELETE RESTRICT ON UPDATE RESTRICT;

ALTER TABLE job_trusts
    ADD CONSTRAINT fk_job_trusts_job_id FOREIGN KEY (job_id)
        REFERENCES jobs (id) ON DELETE RESTRICT ON UPDATE RESTRICT;
