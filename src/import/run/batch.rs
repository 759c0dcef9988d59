//! A batch: one transaction, which commits if every row of it is accounted for.

use front::error::{Error, Kind};

use crate::import::unit::{Outcome, Unit, Verdict};
use crate::import::write::{self, LivePlaces, Mode};
use crate::import::{ACCOUNT_IS_WRONG, Result};
use crate::store::import::is_refusal;
use crate::store::{Failure, Store, Tx};

/// After this many attempts, a duplicate key is not due to a concurrent write.
const ATTEMPTS: u32 = 3;

/// The result of writing a unit.
#[derive(Debug, Clone)]
pub(super) struct Written {
    /// The target's verdict; `None` if nothing was to be written.
    pub(super) verdict: Option<Verdict>,
    /// Whether the database itself refused the row.
    pub(super) is_refused: bool,
}

impl Written {
    fn new(verdict: Option<Verdict>) -> Self {
        Self { verdict, is_refused: false }
    }

    /// The result in an empty target.
    pub(super) fn without_target(unit: &Unit) -> Self {
        Self::new((!unit.rows.is_empty()).then_some(Verdict::Written))
    }
}

/// Writes a batch. A row that the database refuses, such as one with text that its columns cannot hold, is isolated by
/// bisection, so that the other rows are written.
pub(super) fn write(
    store: &Store,
    units: &[Unit],
    mode: Mode,
    live_places: &mut LivePlaces<'_>,
) -> Result<Vec<Written>> {
    let written = bisect(store, units, mode, live_places)?;
    // If everything is refused, no row is the cause, but a missing right or a wrong schema.
    let mut asked = written.iter().filter(|written| written.verdict.is_some()).peekable();
    let is_one = units.len() == 1;
    if !is_one && asked.peek().is_some() && asked.all(|written| written.is_refused) {
        let details = written.iter().find_map(|written| match &written.verdict {
            Some(Verdict::Exists { detail, .. }) => Some(detail.as_str()),
            _ => None,
        });
        let why = details.unwrap_or_default();
        return Err(format!("The target takes no row of a whole batch: {why}").into());
    }
    Ok(written)
}

fn bisect(
    store: &Store,
    units: &[Unit],
    mode: Mode,
    live_places: &mut LivePlaces<'_>,
) -> Result<Vec<Written>> {
    let refused = match write_in_transaction(store, units, mode, live_places) {
        Ok(verdicts) => return checked(units, verdicts),
        Err(error) if matches!(error.kind, Kind::Internal | Kind::Conflict) => error,
        Err(error) => {
            let why = sentence(error).why;
            return Err(format!(
                "{why} What was written before this batch stays; running it again continues."
            )
            .into());
        }
    };
    match units {
        [] => Ok(Vec::new()),
        [_] => {
            let detail =
                format!("the target's database refuses it: {}", refused.log.unwrap_or(refused.description));
            let verdict = Some(Verdict::Exists { detail, is_usable: false });
            Ok(vec![Written { verdict, is_refused: true }])
        }
        units => {
            let (first, second) = units.split_at(units.len() / 2);
            let mut written = bisect(store, first, mode, live_places)?;
            written.extend(bisect(store, second, mode, live_places)?);
            Ok(written)
        }
    }
}

/// One transaction.
fn write_in_transaction(
    store: &Store,
    units: &[Unit],
    mode: Mode,
    live_places: &mut LivePlaces<'_>,
) -> front::error::Result<Vec<Option<Verdict>>> {
    if mode.is_dry {
        return store.read(|tx| write::write(tx, units, mode, live_places));
    }
    let mut attempt = 0;
    store.write(|tx: &mut Tx<'_>| {
        attempt += 1;
        let verdicts = write::write(tx, units, mode, live_places).map_err(|failure| match &failure {
            Failure::Database(why) if attempt >= ATTEMPTS && is_refusal(&failure) => {
                Failure::from(Error::storage(why.to_string()))
            }
            _ => failure,
        })?;
        if !adds_up(units, &verdicts) {
            // No row is the cause, so bisection must not look for one.
            let why = "a batch has a row without an outcome";
            return Err(Error::unavailable("The account of a batch is wrong.", why).into());
        }
        Ok(verdicts)
    })
}

/// Whether each unit has one outcome, and those that were to be written have a verdict.
fn adds_up(units: &[Unit], verdicts: &[Option<Verdict>]) -> bool {
    let is_settled = |(unit, verdict): (&Unit, &Option<Verdict>)| match (unit.outcome, unit.rows.is_empty()) {
        (Outcome::Imported, false) => !matches!(verdict, None | Some(Verdict::Deleted)),
        (_, false) => false,
        (_, true) => verdict.is_none() || unit.deleted_id.is_some(),
    };
    units.len() == verdicts.len() && units.iter().zip(verdicts).all(is_settled)
}

fn checked(units: &[Unit], verdicts: Vec<Option<Verdict>>) -> Result<Vec<Written>> {
    if adds_up(units, &verdicts) {
        return Ok(verdicts.into_iter().map(Written::new).collect());
    }
    let ids = [units.first(), units.last()].map(|unit| unit.map_or("", |unit| unit.id.as_str()));
    let table = units.first().map_or("", |unit| unit.table.name());
    Err(crate::import::Error {
        why: format!("The account of the batch of {table} from {} to {} does not add up.", ids[0], ids[1]),
        status: ACCOUNT_IS_WRONG,
    })
}

/// An error with all details, for the operator.
pub(super) fn sentence(error: Error) -> crate::import::Error {
    let why = match error.log {
        Some(log) => format!("{} ({log})", error.description),
        None => error.description,
    };
    why.into()
}
