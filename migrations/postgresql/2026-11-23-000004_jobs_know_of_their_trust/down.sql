ALTER TABLE jobs DROP COLUMN has_trust;
