DROP TABLE identity_known_addresses;
ALTER TABLE identity_tokens DROP COLUMN last_used_at;
