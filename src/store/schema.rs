//! The tables, as Diesel sees them. Keep in step with `migrations/*/`; `docs/DATABASE.md` says why each
//! table, key and index is there. The blueprint's columns keep the blueprint's names.
//!
//! Written by hand: what `diesel print-schema` makes differs per backend and knows neither `Document` nor `Moment`.

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::json::Document;
    use crate::store::types::time::Moment;

    /// A registered freezer-scheduler.
    clients (id) {
        id -> Text,
        project_id -> Text,
        user_id -> Text,
        client_id -> Text,
        config_id -> Nullable<Text>,
        description -> Nullable<Text>,
        uuid -> Text,
        hostname -> Nullable<Text>,
        supported_actions -> Document,
        supported_modes -> Document,
        supported_storages -> Document,
        supported_engines -> Document,
        is_central -> Bool,
        last_seen_at -> Nullable<Moment>,
        created_at -> Moment,
        updated_at -> Moment,
        version -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::json::Document;
    use crate::store::types::time::Moment;

    /// What a freezer-agent is to do.
    actions (id) {
        id -> Text,
        project_id -> Text,
        user_id -> Text,
        action -> Text,
        mode -> Nullable<Text>,
        src_file -> Nullable<Text>,
        backup_name -> Nullable<Text>,
        container -> Nullable<Text>,
        restore_abs_path -> Nullable<Text>,
        priority -> Nullable<Integer>,
        max_retries -> Integer,
        max_retries_interval -> Integer,
        mandatory -> Bool,
        timeout -> Nullable<Integer>,
        log_file -> Nullable<Text>,
        metadata -> Document,
        created_at -> Moment,
        updated_at -> Moment,
        version -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::json::Document;
    use crate::store::types::time::Moment;

    /// The definition: what is done, and when.
    jobs (id) {
        id -> Text,
        project_id -> Text,
        user_id -> Text,
        scheduling -> Document,
        description -> Nullable<Text>,
        created_at -> Moment,
        updated_at -> Moment,
        version -> Integer,
        has_trust -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::time::Moment;

    /// An action's place in a job.
    action_attachments (id) {
        id -> Text,
        project_id -> Text,
        user_id -> Text,
        action_id -> Text,
        job_id -> Text,
        priority -> Integer,
        retries -> Integer,
        retry_interval -> Integer,
        mandatory -> Bool,
        created_at -> Moment,
        updated_at -> Moment,
        version -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::json::Document;
    use crate::store::types::time::Moment;

    /// Jobs that run together over several clients.
    sessions (id) {
        id -> Text,
        project_id -> Text,
        user_id -> Text,
        scheduling -> Document,
        policy -> Text,
        description -> Nullable<Text>,
        hold_off -> Integer,
        session_tag -> Integer,
        status -> Text,
        result -> Text,
        time_start -> Nullable<BigInt>,
        time_end -> Nullable<BigInt>,
        time_started -> Nullable<BigInt>,
        time_ended -> Nullable<BigInt>,
        metadata -> Document,
        created_at -> Moment,
        updated_at -> Moment,
        version -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::time::Moment;

    /// A job on a client, alone or in a session.
    job_attachments (id) {
        id -> Text,
        project_id -> Text,
        user_id -> Text,
        client_id -> Text,
        job_id -> Text,
        session_id -> Nullable<Text>,
        event -> Text,
        status -> Text,
        current_pid -> Nullable<Integer>,
        result -> Text,
        time_started -> Nullable<BigInt>,
        time_ended -> Nullable<BigInt>,
        session_tag -> Integer,
        session_status -> Text,
        session_result -> Text,
        session_time_started -> Nullable<BigInt>,
        session_time_ended -> Nullable<BigInt>,
        event_delivered -> Bool,
        created_at -> Moment,
        updated_at -> Moment,
        version -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::json::Document;
    use crate::store::types::time::Moment;

    /// The history: one row per action and run.
    action_reports (id) {
        id -> Text,
        project_id -> Text,
        user_id -> Text,
        action_id -> Nullable<Text>,
        action_attachment_id -> Nullable<Text>,
        job_attachment_id -> Nullable<Text>,
        result -> Text,
        time_elapsed -> BigInt,
        metadata -> Document,
        job_id -> Nullable<Text>,
        client_id -> Nullable<Text>,
        report_date -> Moment,
        log -> Nullable<Binary>,
        created_at -> Moment,
        updated_at -> Moment,
        version -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::json::Document;
    use crate::store::types::time::Moment;

    /// What exists in storage.
    backups (id) {
        id -> Text,
        project_id -> Text,
        user_id -> Text,
        status -> Text,
        job_id -> Nullable<Text>,
        backup_name -> Nullable<Text>,
        container -> Nullable<Text>,
        hostname -> Nullable<Text>,
        action -> Nullable<Text>,
        mode -> Nullable<Text>,
        time_stamp -> Nullable<BigInt>,
        curr_backup_level -> Nullable<Integer>,
        metadata -> Document,
        created_at -> Moment,
        updated_at -> Moment,
        version -> Integer,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::time::Moment;

    /// The Keystone trust under which a central scheduler runs a job.
    job_trusts (id) {
        id -> Text,
        project_id -> Text,
        user_id -> Text,
        job_id -> Text,
        trust_id -> Text,
        trustor_user_id -> Text,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::time::Moment;

    /// A project of the built-in (standalone) identity.
    identity_projects (id) {
        id -> Text,
        name -> Text,
        enabled -> Bool,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::time::Moment;

    /// A user of the built-in identity; the password only as an Argon2id hash in PHC form.
    identity_users (id) {
        id -> Text,
        name -> Text,
        password_hash -> Text,
        enabled -> Bool,
        created_at -> Moment,
        updated_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::time::Moment;

    /// A role that a user has on a project.
    identity_assignments (user_id, project_id, role) {
        user_id -> Text,
        project_id -> Text,
        role -> Text,
        created_at -> Moment,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::time::Moment;

    /// A token that was handed out; the id is the SHA-256 of the token, in hex.
    identity_tokens (id) {
        id -> Text,
        user_id -> Text,
        project_id -> Nullable<Text>,
        methods -> Text,
        audit_id -> Text,
        issued_at -> Moment,
        expires_at -> Moment,
        last_used_at -> Nullable<Moment>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::store::types::time::Moment;

    /// An IPv4 address, or the /64 of an IPv6 address, from which a user has logged in.
    identity_known_addresses (user_id, address) {
        user_id -> Text,
        address -> Text,
        last_login_at -> Moment,
    }
}

diesel::joinable!(action_attachments -> actions (action_id));
diesel::joinable!(action_attachments -> jobs (job_id));
diesel::joinable!(job_attachments -> clients (client_id));
diesel::joinable!(job_attachments -> jobs (job_id));
diesel::joinable!(job_attachments -> sessions (session_id));
diesel::joinable!(job_trusts -> jobs (job_id));
diesel::joinable!(identity_assignments -> identity_users (user_id));
diesel::joinable!(identity_assignments -> identity_projects (project_id));
diesel::joinable!(identity_tokens -> identity_users (user_id));
diesel::joinable!(identity_known_addresses -> identity_users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    clients,
    actions,
    jobs,
    action_attachments,
    sessions,
    job_attachments,
    action_reports,
    backups,
    job_trusts,
);
diesel::allow_tables_to_appear_in_same_query!(
    identity_projects,
    identity_users,
    identity_assignments,
    identity_tokens,
    identity_known_addresses,
);
