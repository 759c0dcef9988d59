//! Whether the database answers.

use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;

use super::{Store, discard};

impl Store {
    /// Runs `SELECT 1` on a pooled connection. Waits for at most `patience` for the connection; a server that hangs can
    /// delay the statement for longer.
    ///
    /// # Errors
    /// The driver's message, for the log.
    pub fn ping(&self, patience: Duration) -> Result<(), String> {
        let until = Instant::now() + patience;
        let mut rejected = 0;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.file.as_ref().map_or(Ok(()), |file| file.check()).map_err(|changed| changed.to_string())?;
            let mut connection = self.pool.get_within(left)?;
            let Err(error) = connection.batch_execute("SELECT 1") else { return Ok(()) };
            // The server may have closed idle connections, at most all of them.
            discard(&mut connection);
            rejected += 1;
            if rejected > self.pool.max_size() {
                return Err(error.to_string());
            }
        }
    }
}
