-- The catalogue: clients, actions, jobs, sessions, their attachments, the run history and the backups.
-- The same tables, keys and names as in the other two folders; docs/DATABASE.md says what each is for.
--
-- SQLite does not enforce the length or form of a value, so CHECKs do. Foreign keys count only on a connection
-- that has set `PRAGMA foreign_keys = ON`, as the service does.

-- A registered freezer-scheduler. Its name is unique in its project; a central client (which serves
-- every project) is unique by name and host over all projects.
CREATE TABLE clients (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    client_id TEXT NOT NULL CHECK (length(client_id) <= 255),
    config_id TEXT CHECK (length(config_id) <= 255),
    description TEXT CHECK (length(description) <= 255),
    uuid TEXT NOT NULL CHECK (length(uuid) <= 64),
    hostname TEXT CHECK (length(hostname) <= 255),
    supported_actions TEXT NOT NULL,
    supported_modes TEXT NOT NULL,
    supported_storages TEXT NOT NULL,
    supported_engines TEXT NOT NULL,
    is_central BOOLEAN NOT NULL CHECK (is_central IN (0, 1)),
    last_seen_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT ck_clients_supported_actions CHECK (json_valid(supported_actions) AND json_type(supported_actions) = 'array'),
    CONSTRAINT ck_clients_supported_modes CHECK (json_valid(supported_modes) AND json_type(supported_modes) = 'array'),
    CONSTRAINT ck_clients_supported_storages CHECK (json_valid(supported_storages) AND json_type(supported_storages) = 'array'),
    CONSTRAINT ck_clients_supported_engines CHECK (json_valid(supported_engines) AND json_type(supported_engines) = 'array'),
    CONSTRAINT ck_clients_version CHECK (version >= 0)
);
CREATE UNIQUE INDEX uq_clients_client_id ON clients (project_id, client_id);
CREATE UNIQUE INDEX uq_clients_central ON clients (client_id, coalesce(hostname, '')) WHERE is_central;
CREATE INDEX ix_clients_list ON clients (project_id, created_at, id);
CREATE INDEX ix_clients_central ON clients (is_central, created_at, id);
CREATE INDEX ix_clients_client_id ON clients (client_id);
CREATE INDEX ix_clients_uuid ON clients (uuid);

-- What a freezer-agent is to do. `metadata` holds every key of `freezer_action` that has no column.
CREATE TABLE actions (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    action TEXT NOT NULL CHECK (length(action) <= 64),
    mode TEXT CHECK (length(mode) <= 64),
    src_file TEXT,
    backup_name TEXT CHECK (length(backup_name) <= 255),
    container TEXT,
    restore_abs_path TEXT,
    priority INTEGER,
    max_retries INTEGER NOT NULL,
    max_retries_interval INTEGER NOT NULL,
    mandatory BOOLEAN NOT NULL CHECK (mandatory IN (0, 1)),
    timeout INTEGER,
    log_file TEXT,
    metadata TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT ck_actions_metadata CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
    CONSTRAINT ck_actions_version CHECK (version >= 0)
);
CREATE UNIQUE INDEX uq_actions_project ON actions (project_id, id);
CREATE INDEX ix_actions_list ON actions (project_id, created_at, id);
CREATE INDEX ix_actions_backup_name ON actions (project_id, backup_name, created_at, id);

-- The definition: what is done, and when.
CREATE TABLE jobs (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    scheduling TEXT NOT NULL,
    description TEXT,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT ck_jobs_scheduling CHECK (json_valid(scheduling) AND json_type(scheduling) = 'object'),
    CONSTRAINT ck_jobs_version CHECK (version >= 0)
);
CREATE UNIQUE INDEX uq_jobs_project ON jobs (project_id, id);
CREATE INDEX ix_jobs_list ON jobs (project_id, created_at, id);

-- An action's place in a job; `priority` is its order there, from 0.
CREATE TABLE action_attachments (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    action_id TEXT NOT NULL CHECK (length(action_id) <= 64),
    job_id TEXT NOT NULL CHECK (length(job_id) <= 64),
    priority INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    retry_interval INTEGER NOT NULL,
    mandatory BOOLEAN NOT NULL CHECK (mandatory IN (0, 1)),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT fk_action_attachments_action FOREIGN KEY (project_id, action_id)
        REFERENCES actions (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_action_attachments_job FOREIGN KEY (project_id, job_id)
        REFERENCES jobs (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_action_attachments_priority CHECK (priority >= 0),
    CONSTRAINT ck_action_attachments_version CHECK (version >= 0)
);
CREATE UNIQUE INDEX uq_action_attachments_project ON action_attachments (project_id, id);
CREATE UNIQUE INDEX uq_action_attachments_priority ON action_attachments (job_id, priority);
CREATE INDEX ix_action_attachments_list ON action_attachments (project_id, created_at, id);
CREATE INDEX ix_action_attachments_action ON action_attachments (project_id, action_id);
CREATE INDEX ix_action_attachments_job ON action_attachments (project_id, job_id);

-- Jobs that run together over several clients.
CREATE TABLE sessions (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    scheduling TEXT NOT NULL,
    policy TEXT NOT NULL CHECK (length(policy) <= 32),
    description TEXT,
    hold_off INTEGER NOT NULL,
    session_tag INTEGER NOT NULL,
    status TEXT NOT NULL CHECK (length(status) <= 32),
    result TEXT NOT NULL CHECK (length(result) <= 32),
    time_start BIGINT,
    time_end BIGINT,
    time_started BIGINT,
    time_ended BIGINT,
    metadata TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT ck_sessions_policy CHECK (policy IN ('all', 'any')),
    CONSTRAINT ck_sessions_scheduling CHECK (json_valid(scheduling) AND json_type(scheduling) = 'object'),
    CONSTRAINT ck_sessions_metadata CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
    CONSTRAINT ck_sessions_version CHECK (version >= 0)
);
CREATE UNIQUE INDEX uq_sessions_project ON sessions (project_id, id);
CREATE INDEX ix_sessions_list ON sessions (project_id, created_at, id);

-- A job on a client, alone or in a session: the row behind every job document. The client is referenced by
-- its id alone, because a central client serves the jobs of every project.
CREATE TABLE job_attachments (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    client_id TEXT NOT NULL CHECK (length(client_id) <= 64),
    job_id TEXT NOT NULL CHECK (length(job_id) <= 64),
    session_id TEXT CHECK (length(session_id) <= 64),
    event TEXT NOT NULL CHECK (length(event) <= 32),
    status TEXT NOT NULL CHECK (length(status) <= 32),
    current_pid INTEGER,
    result TEXT NOT NULL CHECK (length(result) <= 32),
    time_started BIGINT,
    time_ended BIGINT,
    session_tag INTEGER NOT NULL,
    session_status TEXT NOT NULL CHECK (length(session_status) <= 32),
    session_result TEXT NOT NULL CHECK (length(session_result) <= 32),
    session_time_started BIGINT,
    session_time_ended BIGINT,
    event_delivered BOOLEAN NOT NULL CHECK (event_delivered IN (0, 1)),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT fk_job_attachments_client FOREIGN KEY (client_id)
        REFERENCES clients (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_job_attachments_job FOREIGN KEY (project_id, job_id)
        REFERENCES jobs (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_job_attachments_session FOREIGN KEY (project_id, session_id)
        REFERENCES sessions (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_job_attachments_version CHECK (version >= 0)
);
CREATE UNIQUE INDEX uq_job_attachments_project ON job_attachments (project_id, id);
CREATE UNIQUE INDEX uq_job_attachments_client ON job_attachments (job_id, client_id);
CREATE INDEX ix_job_attachments_list ON job_attachments (project_id, created_at, id);
CREATE INDEX ix_job_attachments_all ON job_attachments (created_at, id);
CREATE INDEX ix_job_attachments_poll ON job_attachments (client_id, status, created_at, id);
CREATE INDEX ix_job_attachments_status ON job_attachments (project_id, status, created_at, id);
CREATE INDEX ix_job_attachments_job ON job_attachments (project_id, job_id);
CREATE INDEX ix_job_attachments_session ON job_attachments (project_id, session_id);

-- The history: one row per action and run. It outlives what it describes: before a delete, the service sets
-- the reference to null. The log is kept only for a run that did not succeed.
CREATE TABLE action_reports (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    action_id TEXT CHECK (length(action_id) <= 64),
    action_attachment_id TEXT CHECK (length(action_attachment_id) <= 64),
    job_attachment_id TEXT CHECK (length(job_attachment_id) <= 64),
    result TEXT NOT NULL CHECK (length(result) <= 32),
    time_elapsed BIGINT NOT NULL,
    metadata TEXT NOT NULL,
    report_date TIMESTAMP NOT NULL,
    log BLOB,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT fk_action_reports_action FOREIGN KEY (project_id, action_id)
        REFERENCES actions (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_action_reports_action_attachment FOREIGN KEY (project_id, action_attachment_id)
        REFERENCES action_attachments (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_action_reports_job_attachment FOREIGN KEY (project_id, job_attachment_id)
        REFERENCES job_attachments (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_action_reports_log CHECK (log IS NULL OR result <> 'success'),
    CONSTRAINT ck_action_reports_metadata CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
    CONSTRAINT ck_action_reports_version CHECK (version >= 0)
);
CREATE INDEX ix_action_reports_list ON action_reports (project_id, created_at, id);
CREATE INDEX ix_action_reports_date ON action_reports (project_id, report_date, id);
CREATE INDEX ix_action_reports_action ON action_reports (project_id, action_id);
CREATE INDEX ix_action_reports_action_attachment ON action_reports (project_id, action_attachment_id);
CREATE INDEX ix_action_reports_job_attachment ON action_reports (project_id, job_attachment_id, report_date);

-- What exists in storage. `job_id` is no foreign key: a backup outlives its job.
CREATE TABLE backups (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    status TEXT NOT NULL CHECK (length(status) <= 32),
    job_id TEXT CHECK (length(job_id) <= 64),
    backup_name TEXT CHECK (length(backup_name) <= 255),
    container TEXT CHECK (length(container) <= 512),
    hostname TEXT CHECK (length(hostname) <= 255),
    action TEXT CHECK (length(action) <= 64),
    mode TEXT CHECK (length(mode) <= 64),
    time_stamp BIGINT,
    curr_backup_level INTEGER,
    metadata TEXT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT ck_backups_metadata CHECK (json_valid(metadata) AND json_type(metadata) = 'object'),
    CONSTRAINT ck_backups_version CHECK (version >= 0)
);
CREATE INDEX ix_backups_list ON backups (project_id, created_at, id);
CREATE INDEX ix_backups_backup_name ON backups (project_id, backup_name, created_at, id);
CREATE INDEX ix_backups_hostname ON backups (project_id, hostname, created_at, id);
CREATE INDEX ix_backups_container ON backups (project_id, container, created_at, id);
CREATE INDEX ix_backups_job ON backups (project_id, job_id, created_at, id);
CREATE INDEX ix_backups_time_stamp ON backups (project_id, time_stamp);

-- The Keystone trust under which a central scheduler runs a job.
CREATE TABLE job_trusts (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    job_id TEXT NOT NULL CHECK (length(job_id) <= 64),
    trust_id TEXT NOT NULL CHECK (length(trust_id) <= 64),
    trustor_user_id TEXT NOT NULL CHECK (length(trustor_user_id) <= 64),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL,
    CONSTRAINT fk_job_trusts_job FOREIGN KEY (project_id, job_id)
        REFERENCES jobs (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE INDEX ix_job_trusts_project_job ON job_trusts (project_id, job_id);
CREATE INDEX ix_job_trusts_job ON job_trusts (job_id);
CREATE INDEX ix_job_trusts_trust ON job_trusts (trust_id);
