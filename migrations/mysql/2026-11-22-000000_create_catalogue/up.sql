-- The catalogue: clients, actions, jobs, sessions, their attachments, the run history and the backups.
-- The same tables, keys and names as in the other two folders; docs/DATABASE.md says what each is for.
--
-- Written for MySQL 8.0.16 and MariaDB 10.6 or later. Engine, character set and collation are stated for every
-- table, because inherited ones differ between servers and then break foreign keys. Ids are ASCII: a quarter of
-- the index size that utf8mb4 reserves. DATETIME(6) holds UTC and, unlike TIMESTAMP, has no end in 2038.

-- A registered freezer-scheduler. Its name is unique in its project; a central client (which serves
-- every project) is unique by name and host over all projects.
CREATE TABLE clients (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    client_id VARCHAR(255) NOT NULL,
    config_id VARCHAR(255),
    description VARCHAR(255),
    uuid VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    hostname VARCHAR(255),
    supported_actions JSON NOT NULL,
    supported_modes JSON NOT NULL,
    supported_storages JSON NOT NULL,
    supported_engines JSON NOT NULL,
    is_central BOOLEAN NOT NULL,
    last_seen_at DATETIME(6),
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    version INT NOT NULL,
    -- The host of a central client, else null: MySQL has no partial unique index.
    central_key VARCHAR(255) GENERATED ALWAYS AS (CASE WHEN is_central THEN COALESCE(hostname, '') END) STORED,
    CONSTRAINT uq_clients_client_id UNIQUE (project_id, client_id),
    CONSTRAINT uq_clients_central UNIQUE (client_id, central_key),
    INDEX ix_clients_list (project_id, created_at, id),
    INDEX ix_clients_central (is_central, created_at, id),
    INDEX ix_clients_uuid (uuid),
    CONSTRAINT ck_clients_supported_actions CHECK (JSON_TYPE(supported_actions) = 'ARRAY'),
    CONSTRAINT ck_clients_supported_modes CHECK (JSON_TYPE(supported_modes) = 'ARRAY'),
    CONSTRAINT ck_clients_supported_storages CHECK (JSON_TYPE(supported_storages) = 'ARRAY'),
    CONSTRAINT ck_clients_supported_engines CHECK (JSON_TYPE(supported_engines) = 'ARRAY'),
    CONSTRAINT ck_clients_version CHECK (version >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What a freezer-agent is to do. `metadata` holds every key of `freezer_action` that has no column.
CREATE TABLE actions (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    action VARCHAR(64) NOT NULL,
    mode VARCHAR(64),
    src_file TEXT,
    backup_name VARCHAR(255),
    container TEXT,
    restore_abs_path TEXT,
    priority INT,
    max_retries INT NOT NULL,
    max_retries_interval INT NOT NULL,
    mandatory BOOLEAN NOT NULL,
    timeout INT,
    log_file TEXT,
    metadata JSON NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    version INT NOT NULL,
    CONSTRAINT uq_actions_project UNIQUE (project_id, id),
    INDEX ix_actions_list (project_id, created_at, id),
    INDEX ix_actions_backup_name (project_id, backup_name, created_at, id),
    CONSTRAINT ck_actions_metadata CHECK (JSON_TYPE(metadata) = 'OBJECT'),
    CONSTRAINT ck_actions_version CHECK (version >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The definition: what is done, and when.
CREATE TABLE jobs (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    scheduling JSON NOT NULL,
    description TEXT,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    version INT NOT NULL,
    CONSTRAINT uq_jobs_project UNIQUE (project_id, id),
    INDEX ix_jobs_list (project_id, created_at, id),
    CONSTRAINT ck_jobs_scheduling CHECK (JSON_TYPE(scheduling) = 'OBJECT'),
    CONSTRAINT ck_jobs_version CHECK (version >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- An action's place in a job; `priority` is its order there, from 0.
CREATE TABLE action_attachments (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    action_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    job_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    priority INT NOT NULL,
    retries INT NOT NULL,
    retry_interval INT NOT NULL,
    mandatory BOOLEAN NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    version INT NOT NULL,
    CONSTRAINT uq_action_attachments_project UNIQUE (project_id, id),
    CONSTRAINT uq_action_attachments_priority UNIQUE (job_id, priority),
    INDEX ix_action_attachments_list (project_id, created_at, id),
    INDEX ix_action_attachments_action (project_id, action_id),
    INDEX ix_action_attachments_job (project_id, job_id),
    CONSTRAINT fk_action_attachments_action FOREIGN KEY (project_id, action_id)
        REFERENCES actions (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_action_attachments_job FOREIGN KEY (project_id, job_id)
        REFERENCES jobs (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_action_attachments_priority CHECK (priority >= 0),
    CONSTRAINT ck_action_attachments_version CHECK (version >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- Jobs that run together over several clients.
CREATE TABLE sessions (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    scheduling JSON NOT NULL,
    policy VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    description TEXT,
    hold_off INT NOT NULL,
    session_tag INT NOT NULL,
    status VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    result VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    time_start BIGINT,
    time_end BIGINT,
    time_started BIGINT,
    time_ended BIGINT,
    metadata JSON NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    version INT NOT NULL,
    CONSTRAINT uq_sessions_project UNIQUE (project_id, id),
    INDEX ix_sessions_list (project_id, created_at, id),
    CONSTRAINT ck_sessions_policy CHECK (policy IN ('all', 'any')),
    CONSTRAINT ck_sessions_scheduling CHECK (JSON_TYPE(scheduling) = 'OBJECT'),
    CONSTRAINT ck_sessions_metadata CHECK (JSON_TYPE(metadata) = 'OBJECT'),
    CONSTRAINT ck_sessions_version CHECK (version >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A job on a client, alone or in a session: the row behind every job document. The client is referenced by
-- its id alone, because a central client serves the jobs of every project.
CREATE TABLE job_attachments (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    client_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    job_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    session_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    event VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    current_pid INT,
    result VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    time_started BIGINT,
    time_ended BIGINT,
    session_tag INT NOT NULL,
    session_status VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    session_result VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    session_time_started BIGINT,
    session_time_ended BIGINT,
    event_delivered BOOLEAN NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    version INT NOT NULL,
    CONSTRAINT uq_job_attachments_project UNIQUE (project_id, id),
    CONSTRAINT uq_job_attachments_client UNIQUE (job_id, client_id),
    INDEX ix_job_attachments_list (project_id, created_at, id),
    INDEX ix_job_attachments_all (created_at, id),
    INDEX ix_job_attachments_poll (client_id, status, created_at, id),
    INDEX ix_job_attachments_status (project_id, status, created_at, id),
    INDEX ix_job_attachments_job (project_id, job_id),
    INDEX ix_job_attachments_session (project_id, session_id),
    CONSTRAINT fk_job_attachments_client FOREIGN KEY (client_id)
        REFERENCES clients (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_job_attachments_job FOREIGN KEY (project_id, job_id)
        REFERENCES jobs (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_job_attachments_session FOREIGN KEY (project_id, session_id)
        REFERENCES sessions (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_job_attachments_version CHECK (version >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The history: one row per action and run. It outlives what it describes: before a delete, the service sets
-- the reference to null. The log is kept only for a run that did not succeed.
CREATE TABLE action_reports (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    action_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    action_attachment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    job_attachment_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    result VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    time_elapsed BIGINT NOT NULL,
    metadata JSON NOT NULL,
    report_date DATETIME(6) NOT NULL,
    log LONGBLOB,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    version INT NOT NULL,
    INDEX ix_action_reports_list (project_id, created_at, id),
    INDEX ix_action_reports_date (project_id, report_date, id),
    INDEX ix_action_reports_action (project_id, action_id),
    INDEX ix_action_reports_action_attachment (project_id, action_attachment_id),
    INDEX ix_action_reports_job_attachment (project_id, job_attachment_id, report_date),
    CONSTRAINT fk_action_reports_action FOREIGN KEY (project_id, action_id)
        REFERENCES actions (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_action_reports_action_attachment FOREIGN KEY (project_id, action_attachment_id)
        REFERENCES action_attachments (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_action_reports_job_attachment FOREIGN KEY (project_id, job_attachment_id)
        REFERENCES job_attachments (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_action_reports_log CHECK (log IS NULL OR result <> 'success'),
    CONSTRAINT ck_action_reports_metadata CHECK (JSON_TYPE(metadata) = 'OBJECT'),
    CONSTRAINT ck_action_reports_version CHECK (version >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- What exists in storage. `job_id` is no foreign key: a backup outlives its job.
CREATE TABLE backups (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    status VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    job_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    backup_name VARCHAR(255),
    container VARCHAR(512),
    hostname VARCHAR(255),
    action VARCHAR(64),
    mode VARCHAR(64),
    time_stamp BIGINT,
    curr_backup_level INT,
    metadata JSON NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    version INT NOT NULL,
    INDEX ix_backups_list (project_id, created_at, id),
    INDEX ix_backups_backup_name (project_id, backup_name, created_at, id),
    INDEX ix_backups_hostname (project_id, hostname, created_at, id),
    INDEX ix_backups_container (project_id, container, created_at, id),
    INDEX ix_backups_job (project_id, job_id, created_at, id),
    INDEX ix_backups_time_stamp (project_id, time_stamp),
    CONSTRAINT ck_backups_metadata CHECK (JSON_TYPE(metadata) = 'OBJECT'),
    CONSTRAINT ck_backups_version CHECK (version >= 0)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- The Keystone trust under which a central scheduler runs a job.
CREATE TABLE job_trusts (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    project_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    job_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    trust_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    trustor_user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    INDEX ix_job_trusts_project_job (project_id, job_id),
    INDEX ix_job_trusts_job (job_id),
    INDEX ix_job_trusts_trust (trust_id),
    CONSTRAINT fk_job_trusts_job FOREIGN KEY (project_id, job_id)
        REFERENCES jobs (project_id, id) ON DELETE RESTRICT ON UPDATE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
