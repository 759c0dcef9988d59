//! The account as a table for a terminal.

use crate::import::Account;

/// A line for each table, followed by the count of each reason.
pub fn table(account: &Account) -> String {
    let mut text = format!(
        "{:<18} {:>9} {:>9} {:>9} {:>9} {:>11}\n",
        "", "read", "imported", "merged", "skipped", "quarantined"
    );
    for (name, figures) in &account.tables {
        text += &format!(
            "{name:<18} {:>9} {:>9} {:>9} {:>9} {:>11}\n",
            figures.read, figures.imported, figures.merged, figures.skipped, figures.quarantined
        );
        for (reason, count) in &figures.reasons {
            text += &format!("  {reason}: {count}\n");
        }
    }
    text
}
