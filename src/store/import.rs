//! Rows as an import writes them: many at a time, as they are given, with ids, times and versions.

use diesel::prelude::*;

use super::action_attachments::ActionAttachment;
use super::actions::Action;
use super::backups::Backup;
use super::clients::Client;
use super::engine::dialect::{FailureKind, ROWS_AT_A_TIME, classify, in_list, on_each};
use super::job_attachments::JobAttachment;
use super::job_trusts::JobTrust;
use super::jobs::Job;
use super::listing::Weight;
use super::reports::ActionReport;
use super::schema::{
    action_attachments, action_reports, actions, backups, clients, job_attachments, job_trusts, jobs,
    sessions,
};
use super::sessions::Session;
use super::types::time::Time;
use super::{Failure, Outcome, Tx, expect_one_row};

/// How many values an IN list has at most; a power of two, because lists are padded to one.
const IDS_AT_A_TIME: usize = 512;

/// How many bytes of JSON and logs are inserted at a time: a server refuses statements of more than 16 MiB.
const BYTES_AT_A_TIME: usize = 1 << 20;

/// The version of a row that nothing has changed since it was made.
pub const FIRST_VERSION: i32 = 1;

/// A row that an import writes.
pub trait Imported: Sized {
    /// The primary key.
    fn id(&self) -> &str;

    /// About how many bytes it takes.
    fn bytes(&self) -> usize;

    /// The rows of these ids that are there, in no order, of whatever project.
    ///
    /// # Errors
    /// The database's.
    fn by_ids(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<Vec<Self>>;

    /// Writes new rows.
    ///
    /// # Errors
    /// The database's.
    fn insert(tx: &mut Tx<'_>, rows: &[&Self]) -> Outcome<()>;

    /// Makes the row of that id what is given, with [`FIRST_VERSION`]; nothing may have changed it since it was made.
    ///
    /// # Errors
    /// It was changed meanwhile; the database's.
    fn overwrite(&self, tx: &mut Tx<'_>) -> Outcome<()>;
}

/// A report with its log.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = action_reports, treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct LoggedReport {
    /// The row.
    #[diesel(embed)]
    pub report: ActionReport,
    /// What the agent printed.
    pub log: Option<Vec<u8>>,
}

macro_rules! imported {
    ($row:ident, $table:ident, $self:ident => $id:expr, $bytes:expr) => {
        impl Imported for $row {
            fn id(&$self) -> &str {
                &$id
            }

            fn bytes(&$self) -> usize {
                $bytes
            }

            fn by_ids(tx: &mut Tx<'_>, ids: Vec<String>) -> Outcome<Vec<Self>> {
                let mut rows = Vec::new();
                for some in ids.chunks(IDS_AT_A_TIME) {
                    let with_id = $table::table.filter(in_list($table::id, some.to_vec()));
                    rows.extend(with_id.select(Self::as_select()).load(tx.connection)?);
                }
                Ok(rows)
            }

            fn insert(tx: &mut Tx<'_>, rows: &[&Self]) -> Outcome<()> {
                for some in by_bytes(rows) {
                    let insert = diesel::insert_into($table::table).values(some.to_vec());
                    expect_all(on_each!(tx.connection, c => insert.execute(c))?, some.len())?;
                }
                Ok(())
            }

            fn overwrite(&$self, tx: &mut Tx<'_>) -> Outcome<()> {
                let as_made = $table::id.eq(&$id).and($table::version.eq(FIRST_VERSION));
                let row = diesel::update($table::table.filter(as_made)).set($self);
                expect_one_row(on_each!(tx.connection, c => row.execute(c))?)
            }
        }
    };
}

imported!(Client, clients, self => self.id, self.weight());
imported!(Action, actions, self => self.id, self.weight());
imported!(Session, sessions, self => self.id, self.metadata.text().len() + self.scheduling.text().len());
imported!(Job, jobs, self => self.id, self.scheduling.text().len() + self.description.as_ref().map_or(0, String::len));
imported!(JobAttachment, job_attachments, self => self.id, 0);
imported!(ActionAttachment, action_attachments, self => self.id, 0);
imported!(
    LoggedReport,
    action_reports,
    self => self.report.id,
    self.report.metadata.text().len() + self.log.as_ref().map_or(0, Vec::len)
);
imported!(Backup, backups, self => self.id, self.metadata.text().len());

/// Rows in groups that a statement can hold. A row that is larger by itself is a group of one.
fn by_bytes<'r, 'a, T: Imported>(rows: &'r [&'a T]) -> Vec<&'r [&'a T]> {
    let mut groups = Vec::new();
    let (mut first, mut bytes) = (0, 0);
    for (index, row) in rows.iter().enumerate() {
        if index - first == ROWS_AT_A_TIME || (first < index && bytes + row.bytes() > BYTES_AT_A_TIME) {
            groups.push(&rows[first..index]);
            (first, bytes) = (index, 0);
        }
        bytes += row.bytes();
    }
    if first < rows.len() {
        groups.push(&rows[first..]);
    }
    groups
}

/// Checks how many rows the database says that it has written.
fn expect_all(inserted: usize, rows: usize) -> Outcome<()> {
    if inserted == rows {
        return Ok(());
    }
    let why = format!("{rows} rows were to be written, and the database wrote {inserted}");
    Err(Failure::Database(diesel::result::Error::QueryBuilderError(why.into())))
}

/// The clients of these names, of every project.
pub fn clients_named(tx: &mut Tx<'_>, names: Vec<String>) -> Outcome<Vec<Client>> {
    let mut rows = Vec::new();
    for some in names.chunks(IDS_AT_A_TIME) {
        let named = clients::table.filter(in_list(clients::client_id, some.to_vec()));
        rows.extend(named.select(Client::as_select()).load(tx.connection)?);
    }
    Ok(rows)
}

/// The places of the actions of these jobs.
pub fn places_in(tx: &mut Tx<'_>, job_ids: Vec<String>) -> Outcome<Vec<ActionAttachment>> {
    let mut rows = Vec::new();
    for some in job_ids.chunks(IDS_AT_A_TIME) {
        let its = action_attachments::table.filter(in_list(action_attachments::job_id, some.to_vec()));
        rows.extend(its.select(ActionAttachment::as_select()).load(tx.connection)?);
    }
    Ok(rows)
}

/// How far [`make_way`] moves a place.
const OUT_OF_THE_WAY: i32 = 1 << 30;

/// Moves places of a job behind all others, so that each of them can then take the place that another of them had.
pub fn make_way(tx: &mut Tx<'_>, place_ids: Vec<String>) -> Outcome<()> {
    diesel::update(action_attachments::table.filter(action_attachments::id.eq_any(place_ids)))
        .set(action_attachments::priority.eq(action_attachments::priority + OUT_OF_THE_WAY))
        .execute(tx.connection)?;
    Ok(())
}

/// The trusts of these jobs.
pub fn trusts_of(tx: &mut Tx<'_>, job_ids: Vec<String>) -> Outcome<Vec<JobTrust>> {
    let mut rows = Vec::new();
    for some in job_ids.chunks(IDS_AT_A_TIME) {
        let its = job_trusts::table.filter(in_list(job_trusts::job_id, some.to_vec()));
        rows.extend(its.select(JobTrust::as_select()).load(tx.connection)?);
    }
    Ok(rows)
}

/// A table whose ids are the API's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)] // the tables
pub enum Catalogue {
    Clients,
    Actions,
    Sessions,
    Jobs,
    Backups,
}

impl Catalogue {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Clients, Self::Actions, Self::Sessions, Self::Jobs, Self::Backups];
}

/// Up to so many ids of a table that are behind another one, in their order.
pub fn ids_after(tx: &mut Tx<'_>, table: Catalogue, after: &str, limit: i64) -> Outcome<Vec<String>> {
    macro_rules! ids {
        ($table:ident) => {
            $table::table
                .filter($table::id.gt(after.to_owned()))
                .order($table::id)
                .select($table::id)
                .limit(limit)
                .load(tx.connection)?
        };
    }
    Ok(match table {
        Catalogue::Clients => ids!(clients),
        Catalogue::Actions => ids!(actions),
        Catalogue::Sessions => ids!(sessions),
        Catalogue::Jobs => ids!(jobs),
        Catalogue::Backups => ids!(backups),
    })
}

/// The time of the newest change of any row that the API shows; none in an empty catalogue.
pub fn last_change(tx: &mut Tx<'_>) -> Outcome<Option<Time>> {
    macro_rules! newest {
        ($($table:ident)*) => {{
            let mut newest: Option<Time> = None;
            $(newest = newest.max($table::table.select(diesel::dsl::max($table::updated_at)).first(tx.connection)?);)*
            newest
        }};
    }
    Ok(newest!(clients actions sessions jobs job_attachments backups))
}

/// Whether the database refused a row because of a key, and not because of its state: the same row is refused again.
pub fn is_refusal(failure: &Failure) -> bool {
    let Failure::Database(error) = failure else { return false };
    matches!(classify(error), FailureKind::Duplicate | FailureKind::Reference)
}
