-- When a token was last used, to the minute: of too many tokens of one user the least recently used ones go.
ALTER TABLE identity_tokens ADD COLUMN last_used_at TIMESTAMP;

-- An address from which a user has logged in: failed logins of others do not keep its owner out.
CREATE TABLE identity_known_addresses (
    user_id TEXT NOT NULL CHECK (length(user_id) <= 64),
    address TEXT NOT NULL CHECK (length(address) <= 64),
    last_login_at TIMESTAMP NOT NULL,
    PRIMARY KEY (user_id, address),
    CONSTRAINT fk_identity_known_addresses_user FOREIGN KEY (user_id)
        REFERENCES identity_users (id) ON DELETE RESTRICT ON UPDATE RESTRICT
);
