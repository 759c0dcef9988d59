-- The users, projects, roles and tokens of the built-in identity (`--auth-strategy standalone`).
-- With Keystone these tables stay empty.

-- A project of the built-in identity.
CREATE TABLE identity_projects (
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    name VARCHAR(255) COLLATE "C" NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at TIMESTAMP(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL,
    CONSTRAINT uq_identity_projects_name UNIQUE (name)
);

-- A user of the built-in identity. The password is kept only as an Argon2id hash in PHC form.
CREATE TABLE identity_users (
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    name VARCHAR(255) COLLATE "C" NOT NULL,
    password_hash VARCHAR(255) COLLATE "C" NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at TIMESTAMP(6) NOT NULL,
    updated_at TIMESTAMP(6) NOT NULL,
    CONSTRAINT uq_identity_users_name UNIQUE (name)
);

-- A role that a user has on a project.
CREATE TABLE identity_assignments (
    user_id VARCHAR(64) COLLATE "C" NOT NULL,
    project_id VARCHAR(64) COLLATE "C" NOT NULL,
    role VARCHAR(64) COLLATE "C" NOT NULL,
    created_at TIMESTAMP(6) NOT NULL,
    PRIMARY KEY (user_id, project_id, role),
    CONSTRAINT fk_identity_assignments_user FOREIGN KEY (user_id)
        REFERENCES identity_users (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_identity_assignments_project FOREIGN KEY (project_id)
        REFERENCES identity_projects (id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE INDEX ix_identity_assignments_project ON identity_assignments (project_id);

-- A token that was handed out. The id is the SHA-256 of the token, so the table gives no token away.
CREATE TABLE identity_tokens (
    id VARCHAR(64) COLLATE "C" NOT NULL PRIMARY KEY,
    user_id VARCHAR(64) COLLATE "C" NOT NULL,
    project_id VARCHAR(64) COLLATE "C",
    methods VARCHAR(255) COLLATE "C" NOT NULL,
    audit_id VARCHAR(64) COLLATE "C" NOT NULL,
    issued_at TIMESTAMP(6) NOT NULL,
    expires_at TIMESTAMP(6) NOT NULL,
    CONSTRAINT fk_identity_tokens_user FOREIGN KEY (user_id)
        REFERENCES identity_users (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_identity_tokens_project FOREIGN KEY (project_id)
        REFERENCES identity_projects (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_identity_tokens_expires_at CHECK (expires_at >= issued_at)
);
CREATE INDEX ix_identity_tokens_user ON identity_tokens (user_id);
CREATE INDEX ix_identity_tokens_project ON identity_tokens (project_id);
CREATE INDEX ix_identity_tokens_expires_at ON identity_tokens (expires_at);
