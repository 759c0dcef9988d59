//! Whether the target may be written: it is empty, or has only what an earlier run of the same import wrote.

use super::batch::sentence;
use crate::import::Result;
use crate::import::legacy::Table;
use crate::import::plan::Planner;
use crate::store::Store;
use crate::store::import::{Catalogue, ids_after};

/// How many ids are checked in one transaction.
const AT_A_TIME: i64 = 1000;

/// Refuses a target with rows that are neither the source's nor made by an import.
pub(super) fn check(target: &Store, planner: &mut Planner) -> Result<()> {
    for catalogue in Catalogue::ALL {
        let table = match catalogue {
            Catalogue::Clients => Table::Clients,
            Catalogue::Actions => Table::Actions,
            Catalogue::Sessions => Table::Sessions,
            Catalogue::Jobs => Table::Jobs,
            Catalogue::Backups => Table::Backups,
        };
        let mut after = String::new();
        loop {
            let ids = target.read(|tx| ids_after(tx, catalogue, &after, AT_A_TIME)).map_err(sentence)?;
            let Some(last) = ids.last() else { break };
            after.clone_from(last);
            let known = planner.knows(table, &ids)?;
            if let Some(id) = ids.iter().find(|id| !known.contains(*id)) {
                return Err(format!(
                    "The target is not empty: it has {} {id}, which the source does not have. --into-existing imports \
                     into a catalogue that is in use.",
                    table.name()
                )
                .into());
            }
        }
    }
    Ok(())
}
