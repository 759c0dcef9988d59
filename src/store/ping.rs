//! Whether the database answers.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use super::{Store, discard};

impl Store {
    /// Has the database answer the least it can, on a connection of the pool. For a connection `patience` is waited;
    /// a server that hangs keeps us for longer.
    ///
    /// # Errors
    /// What the driver says, for the log.
    pub fn ping(&self, patience: Duration) -> Result<(), String> {
        let until = Instant::now() + patience;
        let mut rejected = 0;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.file.as_ref().map_or(Ok(()), |file| file.check()).map_err(|changed| changed.to_string())?;
            let mut connection = self.pool.get_within(left)?;
            let Err(error) = connection.batch_execute("SELECT 1") else { return Ok(()) };
            // The server may have dropped idle connections in the meantime, at most all of them.
            discard(&mut connection);
            rejected += 1;
            if rejected > self.pool.max_size() {
                return Err(error.to_string());
            }
        }
    }
}
