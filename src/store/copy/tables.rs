//! The tables, in the order of their keys: a row comes after those that it refers to.
//!
//! The lengths and character sets are those of `migrations/mysql`; the other backends have the same lengths.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::BigInt;

use super::Form::{Ascii, Bytes, Document, Key as KeyPart, Plain, Text, Varchar};
use super::{Column, Copied, Key, Value, Verbatim, Visitor};
use crate::store::engine::connection::AnyConnection;
use crate::store::engine::dialect::{in_list, octets, on_each};
use crate::store::schema::{
    action_attachments, action_reports, actions, backups, clients, identity_assignments,
    identity_known_addresses, identity_projects, identity_tokens, identity_users, job_attachments,
    job_trusts, jobs, sessions,
};
use crate::store::types::time::Time;

/// A field of a row as a [`Value`].
trait Field {
    fn value(&self) -> Value<'_>;
}

macro_rules! fields {
    ($($type:ty: |$this:ident| $value:expr),*) => {
        $(impl Field for $type {
            fn value(&self) -> Value<'_> {
                let $this = self;
                $value
            }
        })*
    };
}
fields! {
    String: |text| Value::Text(text),
    Verbatim: |json| Value::Json(&json.0),
    Vec<u8>: |bytes| Value::Bytes(bytes),
    bool: |value| Value::Bool(*value),
    i32: |number| Value::Integer((*number).into()),
    i64: |number| Value::Integer(*number),
    Time: |time| Value::Time(*time)
}

impl<T: Field> Field for Option<T> {
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(Value::Null, Field::value)
    }
}

/// That a row's key is after another one.
macro_rules! after {
    ($table:ident, $key:ident, $a:ident) => {
        $table::$a.gt($key[0].clone())
    };
    ($table:ident, $key:ident, $a:ident, $b:ident) => {
        $table::$a.gt($key[0].clone()).or($table::$a.eq($key[0].clone()).and($table::$b.gt($key[1].clone())))
    };
    ($table:ident, $key:ident, $a:ident, $b:ident, $c:ident) => {
        $table::$a.gt($key[0].clone()).or($table::$a.eq($key[0].clone()).and(
            $table::$b
                .gt($key[1].clone())
                .or($table::$b.eq($key[1].clone()).and($table::$c.gt($key[2].clone()))),
        ))
    };
}

macro_rules! string {
    ($column:ident) => {
        String
    };
}

/// `TABLE ROW (COLUMNS OF THE PRIMARY KEY) named COLUMN |row| { OTHER UNIQUE KEYS } { COLUMN: TYPE = FORM, ... }`
macro_rules! tables {
    ($($table:ident $row:ident ($first:ident $(, $rest:ident)*)
        $(named $name:ident |$this:ident| $unique:block)?
        { $($column:ident: $type:ty = $form:expr),* $(,)? }
    )*) => {
        $(
            #[derive(Clone, Queryable, Selectable, Insertable)]
            #[diesel(table_name = $table, treat_none_as_default_value = false)]
            struct $row {
                $($column: $type),*
            }

            impl Copied for $row {
                const TABLE: &'static str = stringify!($table);
                const COLUMNS: &'static [Column] =
                    &[$(Column { name: stringify!($column), form: $form }),*];

                fn values(&self) -> Vec<Value<'_>> {
                    vec![$(self.$column.value()),*]
                }

                fn key(&self) -> Key {
                    vec![self.$first.clone() $(, self.$rest.clone())*]
                }

                fn select(connection: &mut AnyConnection, after: Option<&Key>, limit: i64) -> QueryResult<Vec<Self>> {
                    let order = ($table::$first.asc(), $($table::$rest.asc(),)*);
                    let rows = $table::table.order(order).limit(limit);
                    match after {
                        Some(key) => rows
                            .filter(after!($table, key, $first $(, $rest)*))
                            .select(Self::as_select())
                            .load(connection),
                        None => rows.select(Self::as_select()).load(connection),
                    }
                }

                fn keys(connection: &mut AnyConnection, after: Option<&Key>, limit: i64) -> QueryResult<Vec<Key>> {
                    let order = ($table::$first.asc(), $($table::$rest.asc(),)*);
                    let columns = ($table::$first, $($table::$rest,)*);
                    let rows = $table::table.order(order).limit(limit).select(columns);
                    let keys: Vec<(String, $(string!($rest),)*)> = match after {
                        Some(key) => rows.filter(after!($table, key, $first $(, $rest)*)).load(connection)?,
                        None => rows.load(connection)?,
                    };
                    Ok(keys.into_iter().map(|($first, $($rest,)*)| vec![$first $(, $rest)*]).collect())
                }

                fn sizes(connection: &mut AnyConnection, after: Option<&Key>, limit: i64) -> QueryResult<Vec<i64>> {
                    let large = Self::COLUMNS.iter().filter(|column| column.form.is_large());
                    let large: Vec<&str> = large.map(|column| column.name).collect();
                    let size = sql::<BigInt>(&octets(connection, &large));
                    let order = ($table::$first.asc(), $($table::$rest.asc(),)*);
                    let rows = $table::table.order(order).limit(limit).select(size);
                    match after {
                        Some(key) => rows.filter(after!($table, key, $first $(, $rest)*)).load(connection),
                        None => rows.load(connection),
                    }
                }

                fn with_first(connection: &mut AnyConnection, firsts: Vec<String>) -> QueryResult<Vec<Self>> {
                    let rows = $table::table.filter(in_list($table::$first, firsts));
                    rows.select(Self::as_select()).load(connection)
                }

                fn insert(connection: &mut AnyConnection, rows: &[Self]) -> QueryResult<()> {
                    on_each!(connection, c => diesel::insert_into($table::table).values(rows).execute(c))?;
                    Ok(())
                }

                fn count(connection: &mut AnyConnection) -> QueryResult<i64> {
                    $table::table.count().get_result(connection)
                }

                $(
                    fn unique(&self) -> Vec<(&'static str, Key)> {
                        let $this = self;
                        $unique
                    }

                    fn name(&self) -> Option<&str> {
                        Some(&self.$name)
                    }

                    fn with_name(connection: &mut AnyConnection, names: Vec<String>) -> QueryResult<Vec<Self>> {
                        let rows = $table::table.filter(in_list($table::$name, names));
                        rows.select(Self::as_select()).load(connection)
                    }
                )?
            }
        )*

        /// Visits every table, in the order of their keys.
        ///
        /// # Errors
        /// The visitor's.
        pub fn each_table<V: Visitor>(visitor: &mut V) -> Result<(), V::Error> {
            $(visitor.visit::<$row>()?;)*
            Ok(())
        }
    };
}

tables! {
    identity_projects IdentityProject (id)
    named name |row| { vec![("uq_identity_projects_name", vec![row.name.clone()])] } {
        id: String = KeyPart(64),
        name: String = Varchar(255),
        enabled: bool = Plain,
        created_at: Time = Plain,
        updated_at: Time = Plain,
    }

    identity_users IdentityUser (id)
    named name |row| { vec![("uq_identity_users_name", vec![row.name.clone()])] } {
        id: String = KeyPart(64),
        name: String = Varchar(255),
        password_hash: String = Ascii(255),
        enabled: bool = Plain,
        created_at: Time = Plain,
        updated_at: Time = Plain,
    }

    identity_assignments IdentityAssignment (user_id, project_id, role) {
        user_id: String = KeyPart(64),
        project_id: String = KeyPart(64),
        role: String = Varchar(64),
        created_at: Time = Plain,
    }

    identity_known_addresses IdentityKnownAddress (user_id, address) {
        user_id: String = KeyPart(64),
        address: String = KeyPart(64),
        last_login_at: Time = Plain,
    }

    identity_tokens IdentityToken (id) {
        id: String = KeyPart(64),
        user_id: String = KeyPart(64),
        project_id: Option<String> = KeyPart(64),
        methods: String = Ascii(255),
        audit_id: String = Ascii(64),
        issued_at: Time = Plain,
        expires_at: Time = Plain,
        last_used_at: Option<Time> = Plain,
    }

    clients Client (id)
    named client_id |row| {
        let mut keys = vec![("uq_clients_client_id", vec![row.project_id.clone(), row.client_id.clone()])];
        if row.is_central {
            let host = row.hostname.clone().unwrap_or_default();
            keys.push(("uq_clients_central", vec![row.client_id.clone(), host]));
        }
        keys
    } {
        id: String = KeyPart(64),
        project_id: String = KeyPart(64),
        user_id: String = Varchar(255),
        client_id: String = Varchar(255),
        config_id: Option<String> = Varchar(255),
        description: Option<String> = Varchar(255),
        uuid: String = Ascii(64),
        hostname: Option<String> = Varchar(255),
        supported_actions: Verbatim = Document,
        supported_modes: Verbatim = Document,
        supported_storages: Verbatim = Document,
        supported_engines: Verbatim = Document,
        is_central: bool = Plain,
        last_seen_at: Option<Time> = Plain,
        created_at: Time = Plain,
        updated_at: Time = Plain,
        version: i32 = Plain,
    }

    actions Action (id) {
        id: String = KeyPart(64),
        project_id: String = KeyPart(64),
        user_id: String = Varchar(255),
        action: String = Varchar(64),
        mode: Option<String> = Varchar(64),
        src_file: Option<String> = Text,
        backup_name: Option<String> = Varchar(255),
        container: Option<String> = Text,
        restore_abs_path: Option<String> = Text,
        priority: Option<i32> = Plain,
        max_retries: i32 = Plain,
        max_retries_interval: i32 = Plain,
        mandatory: bool = Plain,
        timeout: Option<i32> = Plain,
        log_file: Option<String> = Text,
        metadata: Verbatim = Document,
        created_at: Time = Plain,
        updated_at: Time = Plain,
        version: i32 = Plain,
    }

    jobs Job (id) {
        id: String = KeyPart(64),
        project_id: String = KeyPart(64),
        user_id: String = Varchar(255),
        scheduling: Verbatim = Document,
        description: Option<String> = Text,
        created_at: Time = Plain,
        updated_at: Time = Plain,
        version: i32 = Plain,
        has_trust: bool = Plain,
    }

    sessions Session (id) {
        id: String = KeyPart(64),
        project_id: String = KeyPart(64),
        user_id: String = Varchar(255),
        scheduling: Verbatim = Document,
        policy: String = Ascii(32),
        description: Option<String> = Text,
        hold_off: i32 = Plain,
        session_tag: i32 = Plain,
        status: String = Ascii(32),
        result: String = Ascii(32),
        time_start: Option<i64> = Plain,
        time_end: Option<i64> = Plain,
        time_started: Option<i64> = Plain,
        time_ended: Option<i64> = Plain,
        metadata: Verbatim = Document,
        created_at: Time = Plain,
        updated_at: Time = Plain,
        version: i32 = Plain,
    }

    action_attachments ActionAttachment (id)
    named job_id |row| {
        vec![("uq_action_attachments_priority", vec![row.job_id.clone(), row.priority.to_string()])]
    } {
        id: String = KeyPart(64),
        project_id: String = KeyPart(64),
        user_id: String = Varchar(255),
        action_id: String = KeyPart(64),
        job_id: String = KeyPart(64),
        priority: i32 = Plain,
        retries: i32 = Plain,
        retry_interval: i32 = Plain,
        mandatory: bool = Plain,
        created_at: Time = Plain,
        updated_at: Time = Plain,
        version: i32 = Plain,
    }

    job_attachments JobAttachment (id)
    named job_id |row| {
        vec![("uq_job_attachments_client", vec![row.job_id.clone(), row.client_id.clone()])]
    } {
        id: String = KeyPart(64),
        project_id: String = KeyPart(64),
        user_id: String = Varchar(255),
        client_id: String = KeyPart(64),
        job_id: String = KeyPart(64),
        session_id: Option<String> = KeyPart(64),
        event: String = Ascii(32),
        status: String = Ascii(32),
        current_pid: Option<i32> = Plain,
        result: String = Ascii(32),
        time_started: Option<i64> = Plain,
        time_ended: Option<i64> = Plain,
        session_tag: i32 = Plain,
        session_status: String = Ascii(32),
        session_result: String = Ascii(32),
        session_time_started: Option<i64> = Plain,
        session_time_ended: Option<i64> = Plain,
        event_delivered: bool = Plain,
        created_at: Time = Plain,
        updated_at: Time = Plain,
        version: i32 = Plain,
    }

    action_reports ActionReport (id) {
        id: String = KeyPart(64),
        project_id: String = KeyPart(64),
        user_id: String = Varchar(255),
        action_id: Option<String> = KeyPart(64),
        action_attachment_id: Option<String> = KeyPart(64),
        job_attachment_id: Option<String> = KeyPart(64),
        result: String = Ascii(32),
        time_elapsed: i64 = Plain,
        metadata: Verbatim = Document,
        job_id: Option<String> = Ascii(64),
        client_id: Option<String> = Varchar(255),
        report_date: Time = Plain,
        log: Option<Vec<u8>> = Bytes,
        created_at: Time = Plain,
        updated_at: Time = Plain,
        version: i32 = Plain,
    }

    job_trusts JobTrust (id) {
        id: String = KeyPart(64),
        project_id: String = KeyPart(64),
        user_id: String = Varchar(255),
        job_id: String = KeyPart(64),
        trust_id: String = Ascii(64),
        trustor_user_id: String = Varchar(255),
        created_at: Time = Plain,
        updated_at: Time = Plain,
    }

    backups Backup (id) {
        id: String = KeyPart(64),
        project_id: String = KeyPart(64),
        user_id: String = Varchar(255),
        status: String = Ascii(32),
        job_id: Option<String> = Ascii(64),
        backup_name: Option<String> = Varchar(255),
        container: Option<String> = Varchar(512),
        hostname: Option<String> = Varchar(255),
        action: Option<String> = Varchar(64),
        mode: Option<String> = Varchar(64),
        time_stamp: Option<i64> = Plain,
        curr_backup_level: Option<i32> = Plain,
        metadata: Verbatim = Document,
        created_at: Time = Plain,
        updated_at: Time = Plain,
        version: i32 = Plain,
    }
}
