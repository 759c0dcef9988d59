-- The tables of freezer-api 19.0.0 on MariaDB.
CREATE TABLE alembic_version (
  version_num varchar(32) NOT NULL,
  PRIMARY KEY (version_num)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE clients (
  id varchar(255) NOT NULL,
  project_id varchar(36) DEFAULT NULL,
  user_id varchar(64) NOT NULL,
  client_id varchar(255) NOT NULL,
  hostname varchar(128) DEFAULT NULL,
  description varchar(255) DEFAULT NULL,
  uuid varchar(36) NOT NULL,
  deleted_at datetime DEFAULT NULL,
  deleted tinyint(1) DEFAULT NULL,
  created_at datetime DEFAULT NULL,
  updated_at datetime DEFAULT NULL,
  supported_actions varchar(255) DEFAULT NULL,
  supported_modes varchar(255) DEFAULT NULL,
  supported_storages varchar(255) DEFAULT NULL,
  supported_engines varchar(255) DEFAULT NULL,
  is_central tinyint(1) NOT NULL DEFAULT 0,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE actions (
  id varchar(36) NOT NULL,
  action varchar(255) NOT NULL,
  project_id varchar(36) DEFAULT NULL,
  user_id varchar(64) NOT NULL,
  actionmode varchar(255) DEFAULT NULL,
  path_to_backup varchar(255) DEFAULT NULL,
  backup_name varchar(255) DEFAULT NULL,
  container varchar(255) DEFAULT NULL,
  timeout int(11) DEFAULT NULL,
  priority int(11) DEFAULT NULL,
  max_retries_interval int(11) DEFAULT NULL,
  max_retries int(11) DEFAULT NULL,
  mandatory tinyint(1) DEFAULT NULL,
  log_file varchar(255) DEFAULT NULL,
  backup_metadata text DEFAULT NULL,
  deleted_at datetime DEFAULT NULL,
  deleted tinyint(1) DEFAULT NULL,
  created_at datetime DEFAULT NULL,
  updated_at datetime DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE action_reports (
  id varchar(36) NOT NULL,
  project_id varchar(36) DEFAULT NULL,
  user_id varchar(64) NOT NULL,
  result varchar(255) DEFAULT NULL,
  time_elapsed varchar(255) DEFAULT NULL,
  report_date timestamp NULL DEFAULT NULL,
  log blob DEFAULT NULL,
  deleted_at datetime DEFAULT NULL,
  deleted tinyint(1) DEFAULT NULL,
  created_at datetime DEFAULT NULL,
  updated_at datetime DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE jobs (
  id varchar(36) NOT NULL,
  project_id varchar(36) DEFAULT NULL,
  user_id varchar(64) NOT NULL,
  schedule text DEFAULT NULL,
  client_id varchar(255) NOT NULL,
  session_id varchar(36) DEFAULT NULL,
  session_tag int(11) DEFAULT NULL,
  description varchar(255) DEFAULT NULL,
  deleted_at datetime DEFAULT NULL,
  deleted tinyint(1) DEFAULT NULL,
  created_at datetime DEFAULT NULL,
  updated_at datetime DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE job_actions (
  id varchar(36) NOT NULL,
  job_id varchar(36) NOT NULL,
  action_id varchar(36) NOT NULL,
  position int(11) DEFAULT NULL,
  deleted_at datetime DEFAULT NULL,
  deleted tinyint(1) DEFAULT NULL,
  created_at datetime DEFAULT NULL,
  updated_at datetime DEFAULT NULL,
  PRIMARY KEY (id),
  KEY ix_job_actions_job_id (job_id),
  KEY ix_job_actions_action_id (action_id),
  CONSTRAINT job_actions_ibfk_1 FOREIGN KEY (job_id) REFERENCES jobs (id),
  CONSTRAINT job_actions_ibfk_2 FOREIGN KEY (action_id) REFERENCES actions (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE sessions (
  id varchar(36) NOT NULL,
  session_tag int(11) DEFAULT NULL,
  description varchar(255) DEFAULT NULL,
  hold_off int(11) DEFAULT NULL,
  schedule text DEFAULT NULL,
  job text DEFAULT NULL,
  project_id varchar(36) DEFAULT NULL,
  user_id varchar(64) NOT NULL,
  time_start int(11) DEFAULT NULL,
  time_end int(11) DEFAULT NULL,
  time_started int(11) DEFAULT NULL,
  time_ended int(11) DEFAULT NULL,
  status varchar(255) DEFAULT NULL,
  result varchar(255) DEFAULT NULL,
  deleted_at datetime DEFAULT NULL,
  deleted tinyint(1) DEFAULT NULL,
  created_at datetime DEFAULT NULL,
  updated_at datetime DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE backups (
  id varchar(36) NOT NULL,
  job_id varchar(36) DEFAULT NULL,
  project_id varchar(36) DEFAULT NULL,
  user_id varchar(64) NOT NULL,
  backup_metadata text DEFAULT NULL,
  deleted_at datetime DEFAULT NULL,
  deleted tinyint(1) DEFAULT NULL,
  created_at datetime DEFAULT NULL,
  updated_at datetime DEFAULT NULL,
  status varchar(64) NOT NULL DEFAULT 'available',
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
CREATE TABLE user_credentials (
  id varchar(36) NOT NULL,
  trust_id varchar(255) NOT NULL,
  trustor_user_id varchar(64) NOT NULL,
  job_id varchar(36) NOT NULL,
  created_at datetime DEFAULT NULL,
  updated_at datetime DEFAULT NULL,
  deleted_at datetime DEFAULT NULL,
  deleted tinyint(1) DEFAULT NULL,
  PRIMARY KEY (id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci;
INSERT INTO alembic_version VALUES ('7a3b9c1d2e4f');
