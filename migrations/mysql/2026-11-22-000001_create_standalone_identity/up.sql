-- The users, projects, roles and tokens of the built-in identity (`--auth-strategy standalone`).
-- With Keystone these tables stay empty.

-- A project of the built-in identity.
CREATE TABLE identity_projects (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    CONSTRAINT uq_identity_projects_name UNIQUE (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A user of the built-in identity. The password is kept only as an Argon2id hash in PHC form.
CREATE TABLE identity_users (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    name VARCHAR(255) NOT NULL,
    password_hash VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at DATETIME(6) NOT NULL,
    updated_at DATETIME(6) NOT NULL,
    CONSTRAINT uq_identity_users_name UNIQUE (name)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A role that a user has on a project.
CREATE TABLE identity_assignments (
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    project_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    role VARCHAR(64) NOT NULL,
    created_at DATETIME(6) NOT NULL,
    PRIMARY KEY (user_id, project_id, role),
    INDEX ix_identity_assignments_project (project_id),
    CONSTRAINT fk_identity_assignments_user FOREIGN KEY (user_id)
        REFERENCES identity_users (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_identity_assignments_project FOREIGN KEY (project_id)
        REFERENCES identity_projects (id) ON DELETE RESTRICT ON UPDATE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;

-- A token that was handed out. The id is the SHA-256 of the token, so the table gives no token away.
CREATE TABLE identity_tokens (
    id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL PRIMARY KEY,
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    project_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin,
    methods VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    audit_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    issued_at DATETIME(6) NOT NULL,
    expires_at DATETIME(6) NOT NULL,
    INDEX ix_identity_tokens_user (user_id),
    INDEX ix_identity_tokens_project (project_id),
    INDEX ix_identity_tokens_expires_at (expires_at),
    CONSTRAINT fk_identity_tokens_user FOREIGN KEY (user_id)
        REFERENCES identity_users (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_identity_tokens_project FOREIGN KEY (project_id)
        REFERENCES identity_projects (id) ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT ck_identity_tokens_expires_at CHECK (expires_at >= issued_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
