//! The tables of the staging file.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text};

use crate::import::legacy::Table;

diesel::table! {
    staged (number) {
        number -> BigInt,
        kind -> Integer,
        id -> Text,
        state -> Integer,
        project -> Nullable<Text>,
        hint -> Nullable<Text>,
        user -> Text,
        name -> Nullable<Text>,
        parent -> Nullable<Text>,
        position -> BigInt,
        is_central -> Bool,
        stamp -> Nullable<BigInt>,
        version -> Nullable<BigInt>,
        is_full -> Bool,
        sort -> Text,
        core -> BigInt,
        same -> BigInt,
        retries -> Integer,
        retry_interval -> Integer,
        mandatory -> Bool,
        size -> BigInt,
        target -> Nullable<Text>,
        into_number -> Nullable<BigInt>,
        fate -> Integer,
        reason -> Nullable<Text>,
        is_given -> Bool,
    }
}

diesel::table! {
    bodies (number) {
        number -> BigInt,
        row -> Text,
        raw -> Text,
    }
}

diesel::table! {
    members (number, job) {
        number -> BigInt,
        job -> Text,
        part -> Text,
    }
}

/// The tables while they are filled; the indexes are made afterwards, which is faster.
pub const CREATE: &str = "
CREATE TABLE staged (
    number INTEGER PRIMARY KEY, kind INTEGER NOT NULL, id TEXT NOT NULL, state INTEGER NOT NULL, project TEXT, hint TEXT,
    user TEXT NOT NULL, name TEXT, parent TEXT, position INTEGER NOT NULL, is_central INTEGER NOT NULL, stamp INTEGER,
    version INTEGER, is_full INTEGER NOT NULL, sort TEXT NOT NULL, core INTEGER NOT NULL, same INTEGER NOT NULL,
    retries INTEGER NOT NULL, retry_interval INTEGER NOT NULL, mandatory INTEGER NOT NULL, size INTEGER NOT NULL,
    target TEXT, into_number INTEGER, fate INTEGER NOT NULL, reason TEXT, is_given INTEGER NOT NULL);
CREATE TABLE bodies (number INTEGER PRIMARY KEY, row TEXT NOT NULL, raw TEXT NOT NULL);
CREATE TABLE members (number INTEGER NOT NULL, job TEXT NOT NULL, part TEXT NOT NULL);
CREATE TABLE restored (id TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE mapped (user TEXT PRIMARY KEY, project TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE wanted (project TEXT NOT NULL, name TEXT NOT NULL, user TEXT NOT NULL, stamp INTEGER);
";

/// The indexes that the look-ups need. The numbers are those of [`Table::ALL`]: 0 clients, 4 jobs, 5 places, 6 trusts.
pub const INDEX: &str = "
CREATE INDEX staged_id ON staged (kind, id, number);
CREATE INDEX staged_target ON staged (kind, target) WHERE target IS NOT NULL;
CREATE INDEX staged_name ON staged (name, project) WHERE kind = 0;
CREATE INDEX staged_session ON staged (parent) WHERE kind = 4 AND parent IS NOT NULL;
CREATE INDEX staged_place ON staged (parent, position, id, number) WHERE kind = 5;
CREATE INDEX staged_trust ON staged (parent) WHERE kind = 6;
CREATE INDEX staged_into ON staged (into_number) WHERE into_number IS NOT NULL;
CREATE INDEX members_number ON members (number);
CREATE INDEX members_job ON members (job);
";

/// The number of a table in the staging file.
pub fn kind(table: Table) -> i32 {
    Table::ALL.iter().position(|each| *each == table).and_then(|index| i32::try_from(index).ok()).unwrap_or(8)
}

/// The table of that number.
pub fn table(kind: i32) -> Table {
    usize::try_from(kind).ok().and_then(|index| Table::ALL.get(index)).copied().unwrap_or(Table::Unknown)
}

/// `staged.state`.
pub mod state {
    /// As [`crate::import::legacy::State`].
    pub const LIVE: i32 = 0;
    /// As there.
    pub const DELETED: i32 = 1;
    /// As there.
    pub const NULL: i32 = 2;
    /// A deleted client that comes back, because a job names it.
    pub const REVIVED: i32 = 3;
    /// A row without a body.
    pub const BROKEN: i32 = 4;
    /// A client without a row in the source.
    pub const MADE: i32 = 5;
}

/// `staged.fate`.
pub mod fate {
    /// The row has a target row, or will have one.
    pub const KEPT: i32 = 0;
    /// The row is merged into another row of the source.
    pub const MERGED: i32 = 1;
    /// The row is not imported.
    pub const QUARANTINED: i32 = 2;
}

/// A row to be staged.
#[derive(Insertable)]
#[diesel(table_name = staged, treat_none_as_default_value = false)]
pub struct NewRow<'r> {
    pub number: i64,
    pub kind: i32,
    pub id: &'r str,
    pub state: i32,
    pub project: Option<&'r str>,
    pub hint: Option<&'r str>,
    pub user: &'r str,
    /// The name of a client, of a job's client, or the action of a place.
    pub name: Option<&'r str>,
    /// The host of a client, the session of a job, the job of a place or a trust, the action of a report.
    pub parent: Option<&'r str>,
    pub position: i64,
    pub is_central: bool,
    /// When it was changed last, in microseconds.
    pub stamp: Option<i64>,
    pub version: Option<i64>,
    /// Whether it is a client that says what it can do.
    pub is_full: bool,
    /// Decides between equals.
    pub sort: &'r str,
    /// A digest of an action's definition, or of a schedule.
    pub core: i64,
    /// A digest of everything.
    pub same: i64,
    pub retries: i32,
    pub retry_interval: i32,
    pub mandatory: bool,
    pub size: i64,
    /// The target row's id, if it differs.
    pub target: Option<&'r str>,
    pub fate: i32,
    pub reason: Option<&'r str>,
    pub is_given: bool,
}

/// Its content.
#[derive(Insertable)]
#[diesel(table_name = bodies)]
pub struct NewBody<'r> {
    pub number: i64,
    pub row: &'r str,
    pub raw: &'r str,
}

/// A session's entry about one of its jobs.
#[derive(Insertable)]
#[diesel(table_name = members)]
pub struct NewMember<'r> {
    pub number: i64,
    pub job: &'r str,
    pub part: &'r str,
}

/// The columns of a staged row.
#[derive(Debug, Clone, Default, QueryableByName)]
pub struct Head {
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Integer)]
    pub state: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub project: Option<String>,
    #[diesel(sql_type = Text)]
    pub user: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub name: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub parent: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub position: i64,
    #[diesel(sql_type = BigInt)]
    pub core: i64,
    #[diesel(sql_type = Integer)]
    pub retries: i32,
    #[diesel(sql_type = Integer)]
    pub retry_interval: i32,
    #[diesel(sql_type = Bool)]
    pub mandatory: bool,
    #[diesel(sql_type = BigInt)]
    pub size: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub target: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub into_id: Option<String>,
    #[diesel(sql_type = Integer)]
    pub fate: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = Bool)]
    pub is_given: bool,
}

impl Head {
    /// The columns, for a statement whose table is called `s`.
    pub const COLUMNS: &str = "s.number, s.id, s.state, s.project, s.user, s.name, s.parent, s.position, \
        s.core, s.retries, s.retry_interval, s.mandatory, s.size, s.target, \
        (SELECT COALESCE(w.target, w.id) FROM staged w WHERE w.number = s.into_number) AS into_id, \
        s.fate, s.reason, s.is_given";

    /// The id of the target row.
    pub fn target(&self) -> &str {
        self.target.as_deref().unwrap_or(&self.id)
    }

    /// Whether the old service showed the row, or it comes back.
    pub fn is_present(&self) -> bool {
        matches!(self.state, state::LIVE | state::REVIVED | state::MADE)
    }

    /// Whether another row may refer to it.
    pub fn is_usable(&self) -> bool {
        self.is_present() && self.fate == fate::KEPT
    }

    /// Why the row is not imported.
    pub fn reason(&self) -> &'static str {
        crate::import::plan::reasons::known(self.reason.as_deref().unwrap_or_default())
    }
}
