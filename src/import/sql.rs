//! The database of the Python service, releases 7 to 19, in MySQL, MariaDB or SQLite.

use std::collections::BTreeMap;

use super::legacy::Row;
use super::{Description, Result, Source};
use crate::store::url::DatabaseUrl;

/// A connection to it, and one snapshot.
pub struct SqlSource {}

impl SqlSource {
    /// Opens the database for reading. With `force`, a version that no release has does not matter.
    ///
    /// # Errors
    /// A sentence: it is away, is not the Python service's, or is ours.
    pub fn open(_url: &DatabaseUrl, _force: bool) -> Result<Self> {
        todo!()
    }
}

impl Source for SqlSource {
    fn describe(&mut self) -> Result<Description> {
        todo!()
    }

    fn read(&mut self, _sink: &mut dyn FnMut(Row) -> Result<()>) -> Result<()> {
        todo!()
    }

    fn counts(&mut self) -> Result<BTreeMap<String, u64>> {
        todo!()
    }
}
