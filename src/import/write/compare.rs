//! Compares a planned row with the row in the target.

use serde_json::Value;

use crate::store::action_attachments::ActionAttachment;
use crate::store::actions::Action;
use crate::store::backups::Backup;
use crate::store::clients::Client;
use crate::store::import::{FIRST_VERSION, Imported, LoggedReport};
use crate::store::job_attachments::JobAttachment;
use crate::store::jobs::Job;
use crate::store::sessions::Session;
use crate::store::types::json::Json;
use crate::store::types::time::Time;

/// The state of a row in the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// The target does not have the row.
    Absent,
    /// The target has the row with the planned content.
    Same {
        /// Its version there.
        version: i32,
    },
    /// The target has the row with other content.
    Differs {
        /// The columns that differ.
        columns: Vec<&'static str>,
        /// Its version there.
        version: i32,
    },
    /// A row of another project has the id.
    Foreign {
        /// That project.
        project: String,
    },
}

impl Standing {
    /// Whether the row can be updated: it did not change since an import wrote it.
    pub(super) fn can_be_updated(&self) -> bool {
        match self {
            Self::Absent => true,
            Self::Same { version } | Self::Differs { version, .. } => *version == FIRST_VERSION,
            Self::Foreign { .. } => false,
        }
    }
}

/// A row that can be compared with one of the same id.
pub(super) trait Compared: Imported + Clone {
    /// Its project and version.
    fn belongs(&self) -> (&str, i32);

    /// The columns in which `there` differs, apart from times, and from what the service writes without a new version.
    fn differences(&self, there: &Self) -> Vec<&'static str>;

    /// `created_at`, `updated_at`.
    fn times(&self) -> (Time, Time);

    /// The row as it overwrites `there`: with what the service writes without a new version. A creation time that was
    /// made up stays what it was.
    fn over(&self, there: &Self, is_time_made_up: bool) -> Self;
}

/// Where a row stands, if `there` is the row of its id.
pub(super) fn standing<T: Compared>(row: &T, there: Option<&T>, is_time_made_up: bool) -> Standing {
    let Some(there) = there else { return Standing::Absent };
    let (project, version) = there.belongs();
    if project != row.belongs().0 {
        return Standing::Foreign { project: project.to_owned() };
    }
    let mut columns = row.differences(there);
    if !is_time_made_up {
        let ((created, updated), (created_there, updated_there)) = (row.times(), there.times());
        columns.extend((created != created_there).then_some("created_at"));
        columns.extend((updated != updated_there).then_some("updated_at"));
    }
    if columns.is_empty() { Standing::Same { version } } else { Standing::Differs { columns, version } }
}

/// Whether two columns are equal.
trait Alike {
    fn is_alike(&self, other: &Self) -> bool;
}

macro_rules! alike_if_equal {
    ($($kind:ty)*) => {
        $(impl Alike for $kind {
            fn is_alike(&self, other: &Self) -> bool {
                self == other
            }
        })*
    };
}
alike_if_equal!(String bool i32 i64 Time Option<String> Option<i32> Option<i64> Option<Vec<u8>>);

impl Alike for Json {
    fn is_alike(&self, other: &Self) -> bool {
        self == other || is_same(&self.value(), &other.value())
    }
}

/// Whether two documents say the same, in the way that the databases keep them: MySQL and PostgreSQL write numbers in
/// their own form.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Number(one), Value::Number(other)) => {
            let are_whole = (one.is_i64() || one.is_u64()) && (other.is_i64() || other.is_u64());
            one == other || (!are_whole && one.as_f64() == other.as_f64())
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let in_other = |(name, one)| other.get(name).is_some_and(|other| is_same(one, other));
            one.len() == other.len() && one.iter().all(in_other)
        }
        (one, other) => one == other,
    }
}

/// `[root]` is the part of the row that has the project, the times and the version, if that is not the row itself.
macro_rules! compared {
    ($row:ty $([$root:ident])?: $($column:ident)*; $($part:ident { $($inner:ident)* })* => $keep:expr) => {
        impl Compared for $row {
            fn belongs(&self) -> (&str, i32) {
                (&self$(.$root)?.project_id, self$(.$root)?.version)
            }

            fn differences(&self, there: &Self) -> Vec<&'static str> {
                let mut columns = Vec::new();
                $(if !self.$column.is_alike(&there.$column) {
                    columns.push(stringify!($column));
                })*
                $($(if !self.$part.$inner.is_alike(&there.$part.$inner) {
                    columns.push(stringify!($inner));
                })*)*
                columns
            }

            fn times(&self) -> (Time, Time) {
                (self$(.$root)?.created_at, self$(.$root)?.updated_at)
            }

            fn over(&self, there: &Self, is_time_made_up: bool) -> Self {
                let mut row = self.clone();
                if is_time_made_up {
                    row$(.$root)?.created_at = there$(.$root)?.created_at;
                }
                let keep: fn(&mut Self, &Self) = $keep;
                keep(&mut row, there);
                row
            }
        }
    };
}

compared!(
    Client: user_id client_id config_id description uuid hostname supported_actions supported_modes supported_storages
        supported_engines is_central;
    => |row, there| row.last_seen_at = there.last_seen_at
);
compared!(
    Action: user_id;
    spec { action mode src_file backup_name container restore_abs_path priority max_retries max_retries_interval mandatory
        timeout log_file metadata }
    => |_, _| ()
);
compared!(
    Session: user_id scheduling policy description hold_off session_tag status result time_start time_end time_started
        time_ended metadata;
    => |_, _| ()
);
compared!(
    Job: user_id scheduling description;
    => |row, there| row.has_trust |= there.has_trust
);
compared!(
    JobAttachment: user_id client_id job_id session_id event status current_pid result time_started time_ended session_tag
        session_status session_result session_time_started session_time_ended;
    => |row, there| row.event_delivered |= there.event_delivered && row.event == there.event
);
compared!(
    ActionAttachment: user_id action_id job_id priority retries retry_interval mandatory;
    => |_, _| ()
);
compared!(
    Backup: user_id status metadata;
    promoted { job_id backup_name container hostname action mode time_stamp curr_backup_level }
    => |_, _| ()
);
compared!(
    LoggedReport [report]: log;
    report { user_id action_id action_attachment_id job_attachment_id result time_elapsed metadata job_id client_id
        report_date }
    => |_, _| ()
);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn documents_are_compared_by_value() {
        for (one, other, is_alike) in [
            (json!({"a": 1, "b": [1.0, null]}), json!({"b": [1, null], "a": 1.0}), true),
            (json!({"a": 1e2}), json!({"a": 100}), true),
            (json!({"a": u64::MAX}), json!({"a": u64::MAX - 1}), false),
            (json!({"a": 1}), json!({"a": "1"}), false),
            (json!({"a": 1}), json!({"a": 1, "b": null}), false),
            (json!([1, 2]), json!([2, 1]), false),
        ] {
            assert_eq!(
                Json::from(one.clone()).is_alike(&Json::from(other.clone())),
                is_alike,
                "{one} {other}"
            );
        }
    }
}
