//! Writing units into the target.

use super::unit::{Unit, Verdict};
use crate::store::{Outcome, Tx};

/// What may be done to rows that are there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Mode {
    /// `--update`: rows that an import wrote and nothing has changed since are brought to what the source says.
    pub update: bool,
    /// Nothing is written; verdicts are what they would be.
    pub is_dry: bool,
}

/// Writes the units of one batch, and says of each that has rows what became of them.
///
/// # Errors
/// The database's.
pub fn write(_tx: &mut Tx<'_>, _units: &[Unit], _mode: Mode) -> Outcome<Vec<Option<Verdict>>> {
    todo!()
}
