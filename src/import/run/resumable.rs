//! Whether the target may be written: it is empty, or has only what an earlier run of the same import wrote.

use super::batch::sentence;
use crate::import::Result;
use crate::import::legacy::Table;
use crate::import::staging::Staging;
use crate::store::Store;
use crate::store::import::{Catalogue, ids_after};

/// How many ids are looked at in one transaction.
const AT_A_TIME: i64 = 1000;

/// Refuses a target with rows that are neither the source's nor made by an import.
pub(super) fn check(target: &Store, staging: &mut Staging) -> Result<()> {
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
            let made = ids.into_iter().filter(|id| !is_made(id)).collect();
            if let Some(id) = staging.unknown(table, made)?.first() {
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

/// Whether an id is a name-based UUID (version 5), as the import makes them.
fn is_made(id: &str) -> bool {
    id.len() == 32 && uuid::Uuid::try_parse(id).is_ok_and(|id| id.get_version_num() == 5)
}
