//! Coalesces reads of jobs that several requests make at the same time.

use super::JobView;
use super::list::PolledClient;
use crate::store::engine::coalescer::Coalescer;

/// Clients per shared statement. More of them save little, and every thread's memory grows to the size of the largest
/// answer. From 200 ranges on (one per client and status) MySQL estimates the number of rows without reading the index.
const MAX_CLIENTS: usize = 4;

/// The coalescers of concurrent reads of jobs.
pub struct Readers {
    /// Complete jobs, by their ids.
    pub(super) views: Coalescer<String, Option<JobView>>,
    /// The clients of a name that a project sees, by project and name.
    pub(super) names: Coalescer<(String, String), Vec<PolledClient>>,
    /// The jobs on a client that are not completed, by the client's row.
    pub(super) jobs: Coalescer<String, Option<Vec<JobView>>>,
    /// Records that clients have polled, by their rows.
    pub(super) stamps: Coalescer<String, ()>,
}

impl Default for Readers {
    /// Half as many statements of a kind run at once as there are processors. More of them would only compete for the
    /// processors.
    fn default() -> Self {
        let in_flight = std::thread::available_parallelism().map_or(1, |processors| processors.get() / 2);
        Self {
            views: Coalescer::new(in_flight),
            names: Coalescer::new(in_flight),
            jobs: Coalescer::with_max_keys(MAX_CLIENTS, in_flight),
            stamps: Coalescer::new(in_flight),
        }
    }
}
