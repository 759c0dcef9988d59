//! The account of a copy as a table for the terminal.

use super::compare::TableChecksums;
use crate::import::Account;

/// The hex digits of a checksum that are shown.
const SHOWN: usize = 16;

/// A line for each table, with the counts of its rows, and the checksums if both sides were compared.
pub fn table(account: &Account, compared: &[TableChecksums]) -> String {
    let mut text =
        format!("{:26} {:>10} {:>10} {:>10} {:>10}", "TABLE", "READ", "COPIED", "UNCHANGED", "LEFT OUT");
    text += if compared.is_empty() { "\n" } else { "  CHECKSUM (SOURCE)  CHECKSUM (TARGET)\n" };
    for (name, figures) in &account.tables {
        text += &format!(
            "{name:26} {:>10} {:>10} {:>10} {:>10}",
            figures.read, figures.imported, figures.merged, figures.skipped
        );
        if let Some(table) = compared.iter().find(|table| table.table == name) {
            let (source, target) = (table.source.hex(), table.target.hex());
            let verdict = if table.is_equal() { "equal" } else { "DIFFERENT" };
            text += &format!("  {:17}  {:17}  {verdict}", &source[..SHOWN], &target[..SHOWN]);
        }
        text.push('\n');
    }
    text
}
