//! The columns in which the releases differ.

use super::super::super::legacy::Table;
use crate::store::foreign;

/// The versions that `alembic_version` has had, in order.
pub(in super::super) const HEADS: [&str; 9] = [
    "1333cef214d9",
    "e74c32f034c5",
    "23c8ad2655a6",
    "29a2fd19eb86",
    "30a3fd20ec97",
    "4f8c679a1d3b",
    "a1b2c3d4e5f6",
    "5c9d21e87f34",
    "7a3b9c1d2e4f",
];

/// Each is independent of the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in super::super) struct Columns {
    pub(super) mode: bool,
    pub(super) actionmode: bool,
    pub(super) src_file: bool,
    pub(super) path_to_backup: bool,
    pub(super) supported: bool,
    pub(super) is_central: bool,
    pub(super) user_name: bool,
    pub(super) status: bool,
    pub(super) inline_actions: bool,
    pub(super) job_actions: bool,
    pub(super) user_credentials: bool,
    /// Whether jobs and sessions have room for the user ids of LDAP.
    pub(super) long_users: bool,
}

impl Columns {
    pub(super) fn from_tables(tables: &[(Table, foreign::Table)]) -> Self {
        let table = |kind| tables.iter().find(|(found, _)| *found == kind).map(|(_, table)| table);
        let has = |kind, column| table(kind).is_some_and(|table| table.has(column));
        let is_long = |kind| {
            let columns = table(kind).map(|table| table.columns.as_slice()).unwrap_or_default();
            let user = columns.iter().find(|column| column.name.eq_ignore_ascii_case("user_id"));
            user.is_none_or(|user| user.length.is_none_or(|length| length >= 64))
        };
        Self {
            mode: has(Table::Actions, "mode"),
            actionmode: has(Table::Actions, "actionmode"),
            src_file: has(Table::Actions, "src_file"),
            path_to_backup: has(Table::Actions, "path_to_backup"),
            supported: has(Table::Clients, "supported_actions"),
            is_central: has(Table::Clients, "is_central"),
            user_name: has(Table::Backups, "user_name"),
            status: has(Table::Backups, "status"),
            inline_actions: has(Table::Jobs, "job_actions"),
            job_actions: table(Table::JobActions).is_some(),
            user_credentials: table(Table::UserCredentials).is_some(),
            long_users: is_long(Table::Jobs) && is_long(Table::Sessions),
        }
    }

    /// Fails if what an action or a job consists of is nowhere.
    pub(super) fn check(&self) -> Result<(), &'static str> {
        if !self.mode && !self.actionmode {
            Err("its table actions has neither a column actionmode nor a column mode")
        } else if !self.path_to_backup && !self.src_file {
            Err("its table actions has neither a column path_to_backup nor a column src_file")
        } else if !self.inline_actions && !self.job_actions {
            Err("it has neither a column jobs.job_actions nor a table job_actions")
        } else {
            Ok(())
        }
    }

    /// The columns and tables that came after 18.0, and whether each is there; with them a column that went.
    fn later_steps(&self) -> [bool; 6] {
        let Self { is_central, status, job_actions, user_credentials, .. } = *self;
        [is_central, status, job_actions, user_credentials, !self.user_name, !self.inline_actions]
    }

    /// The releases that made these columns.
    pub(in super::super) fn era(&self) -> &'static str {
        let steps = self.later_steps();
        if steps.iter().all(|is_done| *is_done) {
            return match self.long_users {
                true => "19.0 (A3)",
                false => "a state of git between 18.0 and 19.0 (A2)",
            };
        }
        if steps.iter().any(|is_done| *is_done) {
            return "a state of git between 18.0 and 19.0 (A2), in part";
        }
        match (self.supported, self.path_to_backup, self.actionmode) {
            (true, ..) => "16.0 to 18.0 (A1)",
            (false, true, _) => "8.0 to 15.0 (M3)",
            (false, false, true) => "7.1 and 7.2 (M2)",
            // On SQLite the step from 7.0 to 7.1 does nothing.
            (false, false, false) => "7.0 (M1), or 7.1 and 7.2 on SQLite",
        }
    }

    /// Whether the columns are those of a version row.
    pub(in super::super) fn fit_alembic(&self, head: &str) -> bool {
        let steps = self.later_steps();
        let none_later = !steps.iter().any(|is_done| *is_done);
        match head {
            "1333cef214d9" => self.src_file && !self.supported && none_later,
            "e74c32f034c5" => self.path_to_backup && !self.supported && none_later,
            "23c8ad2655a6" => self.path_to_backup && self.supported && none_later,
            "7a3b9c1d2e4f" => self.supported && self.long_users && steps.iter().all(|is_done| *is_done),
            // Which step made which column is not known of those between.
            _ => {
                self.path_to_backup
                    && self.supported
                    && !none_later
                    && self.inline_actions != self.job_actions
            }
        }
    }

    /// The same of the version that releases up to 15 keep.
    pub(in super::super) fn fit_migrate(&self, version: &str) -> bool {
        let none_later = !self.supported && !self.later_steps().iter().any(|is_done| *is_done);
        none_later
            && match version {
                "1" | "2" => self.src_file && !self.path_to_backup,
                "3" => self.path_to_backup && !self.src_file,
                _ => false,
            }
    }

    /// What was found, in words.
    pub(in super::super) fn list(&self) -> String {
        let all = [
            ("actions.mode", self.mode),
            ("actions.actionmode", self.actionmode),
            ("actions.src_file", self.src_file),
            ("actions.path_to_backup", self.path_to_backup),
            ("clients.supported_actions", self.supported),
            ("clients.is_central", self.is_central),
            ("backups.user_name", self.user_name),
            ("backups.status", self.status),
            ("jobs.job_actions", self.inline_actions),
            ("table job_actions", self.job_actions),
            ("table user_credentials", self.user_credentials),
        ];
        let (there, missing): (Vec<_>, Vec<_>) = all.into_iter().partition(|(_, is_there)| *is_there);
        let names = |list: Vec<(&'static str, bool)>| {
            list.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ")
        };
        format!("there are {}; there are not {}", names(there), names(missing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const M1: Columns = Columns {
        mode: true,
        actionmode: false,
        src_file: true,
        path_to_backup: false,
        supported: false,
        is_central: false,
        user_name: true,
        status: false,
        inline_actions: true,
        job_actions: false,
        user_credentials: false,
        long_users: false,
    };
    const M2: Columns = Columns { mode: false, actionmode: true, ..M1 };
    const M3: Columns = Columns { src_file: false, path_to_backup: true, ..M2 };
    const A1: Columns = Columns { supported: true, ..M3 };
    const A2: Columns = Columns {
        is_central: true,
        user_name: false,
        status: true,
        inline_actions: false,
        job_actions: true,
        user_credentials: true,
        ..A1
    };
    const A3: Columns = Columns { long_users: true, ..A2 };

    #[test]
    fn each_era_is_known_by_its_columns() {
        let eras = [(M1, "M1"), (M2, "M2"), (M3, "M3"), (A1, "A1"), (A2, "(A2)"), (A3, "A3")];
        for (columns, name) in eras {
            assert!(columns.era().contains(name), "{} {name}", columns.era());
            assert_eq!(columns.check(), Ok(()));
        }
        assert!(Columns { user_credentials: true, ..A1 }.era().ends_with("in part"));
    }

    #[test]
    fn version_rows_fit_the_columns_of_their_release_and_no_others() {
        assert!(M1.fit_migrate("1") && M2.fit_migrate("2") && M3.fit_migrate("3"));
        assert!(!M3.fit_migrate("2") && !A1.fit_migrate("3") && !M3.fit_migrate("4"));
        assert!(M2.fit_alembic("1333cef214d9") && !M3.fit_alembic("1333cef214d9"));
        assert!(A1.fit_alembic("23c8ad2655a6") && !A2.fit_alembic("23c8ad2655a6"));
        assert!(A2.fit_alembic("5c9d21e87f34") && !A2.fit_alembic("7a3b9c1d2e4f"));
        assert!(A3.fit_alembic("7a3b9c1d2e4f"));
        assert!(!Columns { inline_actions: true, ..A2 }.fit_alembic("a1b2c3d4e5f6"));
    }

    #[test]
    fn a_table_of_actions_without_mode_or_path_is_another_programs() {
        for columns in [
            Columns { mode: false, ..M1 },
            Columns { src_file: false, ..M1 },
            Columns { inline_actions: false, ..M1 },
        ] {
            assert!(columns.check().is_err(), "{columns:?}");
        }
    }
}
