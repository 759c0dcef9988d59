//! To come.
use super::{Outcome, Tx};
#[allow(missing_docs)]
pub fn delete_attachment(_: &mut Tx<'_>, _: &str) -> Outcome<()> {
    Ok(())
}
