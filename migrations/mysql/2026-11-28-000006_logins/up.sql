-- When a token was last used, to the minute: of too many tokens of one user the least recently used ones go.
ALTER TABLE identity_tokens ADD COLUMN last_used_at DATETIME(6) NULL;

-- An address from which a user has logged in: failed logins of others do not keep its owner out.
CREATE TABLE identity_known_addresses (
    user_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    address VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    last_login_at DATETIME(6) NOT NULL,
    PRIMARY KEY (user_id, address),
    CONSTRAINT fk_identity_known_addresses_user FOREIGN KEY (user_id)
        REFERENCES identity_users (id) ON DELETE RESTRICT ON UPDATE RESTRICT
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;
