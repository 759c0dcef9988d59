-- The catalogue: clients, actions, jobs, sessions, their attachments, the run history and the backups.
-- The same tables, keys and names as in the other two folders; docs/DATABASE.md says what each is for.
--
-- Text compares and sorts by its bytes (COLLATE "C"), as it does on the other two backends, whatever the locale
-- of the database. TIMESTAMP(6) has no time zone: the service writes UTC.

-- A registered freezer-scheduler. Its name is unique in its project; a central client (which serves
-- every project) is unique by name and host over all projects.
CREATE TABLE clients (
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) COLLATE "C" NOT NULL,
    user_id VARCHAR(64) COLLATE "C" NOT NULL,
    client_id VARCHAR(255) COLLATE "C" NOT NULL,
    config_id VARCHAR(255) COLLATE "C",
    description VARCHAR(255) COLLATE "C",
    uuid VARCHAR(64) COLLATE "C" NOT NULL,
    hostname VARCHAR(255) COLLATE "C",
    supported_actions JSONB NOT NULL,
    supported_modes JSONB NOT NULL,
    supported_storages JSONB NOT NULL,
    supported_engines JSONB NOT NULL,
    is_central BOOLEAN NOT NULL,
    last_seen_at TIMESTAMP(6),
    created_at TIMESTAMP(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT uq_clients_client_id UNIQUE (project_id, client_id),
    CONSTRAINT ck_clients_supported_actions CHECK (jsonb_typeof(supported_actions) = 'array'),
    CONSTRAINT ck_clients_supported_modes CHECK (jsonb_typeof(supported_modes) = 'array'),
    CONSTRAINT ck_clients_supported_storages CHECK (jsonb_typeof(supported_storages) = 'array'),
    CONSTRAINT ck_clients_supported_engines CHECK (jsonb_typeof(supported_engines) = 'array'),
    CONSTRAINT ck_clients_version CHECK (version >= 0)
);
CREATE UNIQUE INDEX uq_clients_central ON clients (client_id, coalesce(hostname, '')) WHERE is_central;
CREATE INDEX ix_clients_list ON clients (project_id, created_at, id);
CREATE INDEX ix_clients_central ON clients (is_central, created_at, id);
CREATE INDEX ix_clients_client_id ON clients (client_id);
CREATE INDEX ix_clients_uuid ON clients (uuid);

-- What a freezer-agent is to do. `metadata` holds every key of `freezer_action` that has no column.
CREATE TABLE actions (
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) COLLATE "C" NOT NULL,
    user_id VARCHAR(64) COLLATE "C" NOT NULL,
    action VARCHAR(64) COLLATE "C" NOT NULL,
    mode VARCHAR(64) COLLATE "C",
    src_file TEXT COLLATE "C",
    backup_name VARCHAR(255) COLLATE "C",
    container TEXT COLLATE "C",
    restore_abs_path TEXT COLLATE "C",
    priority INTEGER,
    max_retries INTEGER NOT NULL,
    max_retries_interval INTEGER NOT NULL,
    mandatory BOOLEAN NOT NULL,
    timeout INTEGER,
    log_file TEXT COLLATE "C",
    metadata JSONB NOT NULL,
    created_at TIMESTAMP(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT uq_actions_project UNIQUE (project_id, id),
    CONSTRAINT ck_actions_metadata CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT ck_actions_version CHECK (version >= 0)
);
CREATE INDEX ix_actions_list ON actions (project_id, created_at, id);
CREATE INDEX ix_actions_backup_name ON actions (project_id, backup_name, created_at, id);

-- The definition: what is done, and when.
CREATE TABLE jobs (
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) COLLATE "C" NOT NULL,
    user_id VARCHAR(64) COLLATE "C" NOT NULL,
    scheduling JSONB NOT NULL,
    description TEXT COLLATE "C",
    created_at TIMESTAMP(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT uq_jobs_project UNIQUE (project_id, id),
    CONSTRAINT ck_jobs_scheduling CHECK (jsonb_typeof(scheduling) = 'object'),
    CONSTRAINT ck_jobs_version CHECK (version >= 0)
);
CREATE INDEX ix_jobs_list ON jobs (project_id, created_at, id);

-- An action's place in a job; `priority` is its order there, from 0.
CREATE TABLE action_attachments (
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) COLLATE "C" NOT NULL,
    user_id VARCHAR(64) COLLATE "C" NOT NULL,
    action_id VARCHAR(64) COLLATE "C" NOT NULL,
    job_id VARCHAR(64) COLLATE "C" NOT NULL,
    priority INTEGER NOT NULL,
    retries INTEGER NOT NULL,
    retry_interval INTEGER NOT NULL,
    mandatory BOOLEAN NOT NULL,
    created_at TIMESTAMP(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT uq_action_attachments_project UNIQUE (project_id, id),
    CONSTRAINT uq_action_attachments_priority UNIQUE (job_id, priority),
    CONSTRAINT fk_action_attachments_action FOREIGN KEY (project_id, action_id)
        REFERENCES actions (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_action_attachments_job FOREIGN KEY (project_id, job_id)
        REFERENCES jobs (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_action_attachments_priority CHECK (priority >= 0),
    CONSTRAINT ck_action_attachments_version CHECK (version >= 0)
);
CREATE INDEX ix_action_attachments_list ON action_attachments (project_id, created_at, id);
CREATE INDEX ix_action_attachments_action ON action_attachments (project_id, action_id);
CREATE INDEX ix_action_attachments_job ON action_attachments (project_id, job_id);

-- Jobs that run together over several clients.
CREATE TABLE sessions (
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) COLLATE "C" NOT NULL,
    user_id VARCHAR(64) COLLATE "C" NOT NULL,
    scheduling JSONB NOT NULL,
    policy VARCHAR(32) COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    hold_off INTEGER NOT NULL,
    session_tag INTEGER NOT NULL,
    status VARCHAR(32) COLLATE "C" NOT NULL,
    result VARCHAR(32) COLLATE "C" NOT NULL,
    time_start BIGINT,
    time_end BIGINT,
    time_started BIGINT,
    time_ended BIGINT,
    metadata JSONB NOT NULL,
    created_at TIMESTAMP(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT uq_sessions_project UNIQUE (project_id, id),
    CONSTRAINT ck_sessions_policy CHECK (policy IN ('all', 'any')),
    CONSTRAINT ck_sessions_scheduling CHECK (jsonb_typeof(scheduling) = 'object'),
    CONSTRAINT ck_sessions_metadata CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT ck_sessions_version CHECK (version >= 0)
);
CREATE INDEX ix_sessions_list ON sessions (project_id, created_at, id);

-- A job on a client, alone or in a session: the row behind every job document. The client is referenced by
-- its id alone, because a central client serves the jobs of every project.
CREATE TABLE job_attachments (
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) COLLATE "C" NOT NULL,
    user_id VARCHAR(64) COLLATE "C" NOT NULL,
    client_id VARCHAR(64) COLLATE "C" NOT NULL,
    job_id VARCHAR(64) COLLATE "C" NOT NULL,
    session_id VARCHAR(64) COLLATE "C",
    event VARCHAR(32) COLLATE "C" NOT NULL,
    status VARCHAR(32) COLLATE "C" NOT NULL,
    current_pid INTEGER,
    result VARCHAR(32) COLLATE "C" NOT NULL,
    time_started BIGINT,
    time_ended BIGINT,
    session_tag INTEGER NOT NULL,
    session_status VARCHAR(32) COLLATE "C" NOT NULL,
    session_result VARCHAR(32) COLLATE "C" NOT NULL,
    session_time_started BIGINT,
    session_time_ended BIGINT,
    event_delivered BOOLEAN NOT NULL,
    created_at TIMESTAMP(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT uq_job_attachments_project UNIQUE (project_id, id),
    CONSTRAINT uq_job_attachments_client UNIQUE (job_id, client_id),
    CONSTRAINT fk_job_attachments_client FOREIGN KEY (client_id)
        REFERENCES clients (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_job_attachments_job FOREIGN KEY (project_id, job_id)
        REFERENCES jobs (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_job_attachments_session FOREIGN KEY (project_id, session_id)
        REFERENCES sessions (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_job_attachments_version CHECK (version >= 0)
);
CREATE INDEX ix_job_attachments_list ON job_attachments (project_id, created_at, id);
CREATE INDEX ix_job_attachments_all ON job_attachments (created_at, id);
CREATE INDEX ix_job_attachments_poll ON job_attachments (client_id, status, created_at, id);
CREATE INDEX ix_job_attachments_status ON job_attachments (project_id, status, created_at, id);
CREATE INDEX ix_job_attachments_job ON job_attachments (project_id, job_id);
CREATE INDEX ix_job_attachments_session ON job_attachments (project_id, session_id);

-- The history: one row per action and run. It outlives what it describes: before a delete, the service sets
-- the reference to null. The log is kept only for a run that did not succeed.
CREATE TABLE action_reports (
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) COLLATE "C" NOT NULL,
    user_id VARCHAR(64) COLLATE "C" NOT NULL,
    action_id VARCHAR(64) COLLATE "C",
    action_attachment_id VARCHAR(64) COLLATE "C",
    job_attachment_id VARCHAR(64) COLLATE "C",
    result VARCHAR(32) COLLATE "C" NOT NULL,
    time_elapsed BIGINT NOT NULL,
    metadata JSONB NOT NULL,
    report_date TIMESTAMP(6) NOT NULL,
    log BYTEA,
    created_at TIMESTAMP(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT fk_action_reports_action FOREIGN KEY (project_id, action_id)
        REFERENCES actions (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_action_reports_action_attachment FOREIGN KEY (project_id, action_attachment_id)
        REFERENCES action_attachments (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_action_reports_job_attachment FOREIGN KEY (project_id, job_attachment_id)
        REFERENCES job_attachments (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_action_reports_log CHECK (log IS NULL OR result <> 'success'),
    CONSTRAINT ck_action_reports_metadata CHECK (jsonb_typeof(metadata) = 'object'),
    CONSTRAINT ck_action_reports_version CHECK (version >= 0)
);
CREATE INDEX ix_action_reports_list ON action_reports (project_id, created_at, id);
CREATE INDEX ix_action_reports_date ON action_reports (project_id, report_date, id);
CREATE INDEX ix_action_reports_action ON action_reports (project_id, action_id);
CREATE INDEX ix_action_reports_action_attachment ON action_reports (project_id, action_attachment_id);
CREATE INDEX ix_action_reports_job_attachment ON action_reports (project_id, job_attachment_id, report_date);

-- What exists in storage. `job_id` is no foreign key: a backup outlives its job.
CREATE TABLE backups (
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) COLLATE "C" NOT NULL,
    user_id VARCHAR(64) COLLATE "C" NOT NULL,
    status VARCHAR(32) COLLATE "C" NOT NULL,
    job_id VARCHAR(64) COLLATE "C",
    backup_name VARCHAR(255) COLLATE "C",
    container VARCHAR(512) COLLATE "C",
    hostname VARCHAR(255) COLLATE "C",
    action VARCHAR(64) COLLATE "C",
    mode VARCHAR(64) COLLATE "C",
    time_stamp BIGINT,
    curr_backup_level INTEGER,
    metadata JSONB NOT NULL,
    created_at TIMESTAMP(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL,
    version INTEGER NOT NULL,
    CONSTRAINT ck_backups_metadata CHECK (jsonb_typeof(metadata) = 'object'),
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
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) COLLATE "C" NOT NULL,
    user_id VARCHAR(64) COLLATE "C" NOT NULL,
    job_id VARCHAR(64) COLLATE "C" NOT NULL,
    trust_id VARCHAR(64) COLLATE "C" NOT NULL,
    trustor_user_id VARCHAR(64) COLLATE "C" NOT NULL,
    created_at TIMESTAMP(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL,
    CONSTRAINT fk_job_trusts_job FOREIGN KEY (project_id, job_id)
        REFERENCES jobs (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE INDEX ix_job_trusts_project_job ON job_trusts (project_id, job_id);
CREATE INDEX ix_job_trusts_job ON job_trusts (job_id);
CREATE INDEX ix_job_trusts_trust ON job_trusts (trust_id);
