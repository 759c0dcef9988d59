//! Many concurrent writers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::http::Line;
use crate::writer::{Told, Writer};

/// The number of concurrent writers.
pub const WRITERS: usize = 10;

/// The writers of one project.
pub struct Load {
    port: u16,
    project: String,
    writers: Vec<Writer>,
}

impl Load {
    pub fn new(port: u16) -> Self {
        let project = uuid::Uuid::new_v4().simple().to_string();
        let writers = (0..WRITERS).map(|n| Writer::new(port, &project, n)).collect();
        Self { port, project, writers }
    }

    /// Another connection to the same.
    pub fn line(&self) -> Line {
        Line::new(self.port, &self.project)
    }

    /// Runs all writers while `happens` runs.
    pub fn during<T>(&mut self, happens: impl FnOnce() -> T) -> T {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for writer in &mut self.writers {
                scope.spawn(|| writer.write(&stop));
            }
            // Also after a panic, because the scope waits for the writers.
            let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(happens));
            stop.store(true, Ordering::SeqCst);
            ended.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    /// Checks that every acknowledged write is stored.
    pub fn verify(&mut self) {
        std::thread::scope(|scope| {
            for writer in &mut self.writers {
                scope.spawn(|| writer.verify());
            }
        });
    }

    /// The longest request since the last call.
    pub fn longest(&mut self) -> Duration {
        self.writers.iter_mut().map(|writer| std::mem::take(&mut writer.told.longest)).max().unwrap()
    }

    /// The numbers of answers of all writers so far.
    pub fn told(&self) -> Told {
        let mut all = Told::default();
        for told in self.writers.iter().map(|writer| &writer.told) {
            all.acknowledged += told.acknowledged;
            all.unanswered += told.unanswered;
            all.unavailable += told.unavailable;
            all.wrong.extend(told.wrong.iter().cloned());
            all.lost.extend(told.lost.iter().cloned());
        }
        all
    }
}
