-- The users, projects, roles and tokens of the built-in identity (`--auth-strategy standalone`).
-- With Keystone these tables stay empty.

-- A project of the built-in identity.
CREATE TABLE identity_projects (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    name TEXT NOT NULL CHECK (length(name) <= 255),
    enabled BOOLEAN NOT NULL CHECK (enabled IN (0, 1)),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX uq_identity_projects_name ON identity_projects (name);

-- A user of the built-in identity. The password is kept only as an Argon2id hash in PHC form.
CREATE TABLE identity_users (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    name TEXT NOT NULL CHECK (length(name) <= 255),
    password_hash TEXT NOT NULL CHECK (length(password_hash) <= 255),
    enabled BOOLEAN NOT NULL CHECK (enabled IN (0, 1)),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX uq_identity_users_name ON identity_users (name);

-- A role that a user has on a project.
CREATE TABLE identity_assignments (
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    project_id TEXT NOT NULL CHECK (length(project_id) <= 64),
    role TEXT NOT NULL CHECK (length(role) <= 64),
    created_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, project_id, role),
    CONSTRAINT fk_identity_assignments_user FOREIGN KEY (user_id)
        REFERENCES identity_users (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_identity_assignments_project FOREIGN KEY (project_id)
        REFERENCES identity_projects (id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
CREATE INDEX ix_identity_assignments_project ON identity_assignments (project_id);

-- A token that was handed out. The id is the SHA-256 of the token, so the table gives no token away.
CREATE TABLE identity_tokens (
    id TEXT NOT NULL PRIMARY KEY CHECK (length(id) <= 64),
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    project_id TEXT CHECK (length(project_id) <= 64),
    methods TEXT NOT NULL CHECK (length(methods) <= 255),
    audit_id TEXT NOT NULL CHECK (length(audit_id) <= 64),
    issued_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    CONSTRAINT fk_identity_tokens_user FOREIGN KEY (user_id)
        REFERENCES identity_users (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_identity_tokens_project FOREIGN KEY (project_id)
        REFERENCES identity_projects (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_identity_tokens_expires_at CHECK (expires_at >= issued_at)
);
CREATE INDEX ix_identity_tokens_user ON identity_tokens (user_id);
CREATE INDEX ix_identity_tokens_project ON identity_tokens (project_id);
CREATE INDEX ix_identity_tokens_expires_at ON identity_tokens (expires_at);
