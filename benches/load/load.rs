//! So many threads that do something again and again, and how long it took each time.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;

/// What was measured of something.
#[derive(Debug, Clone, Copy, Default)]
pub struct Measured {
    /// Times a second.
    pub rate: f64,
    /// Milliseconds that half of them took at most.
    pub p50: f64,
    /// Milliseconds that 99 of 100 took at most.
    pub p99: f64,
    /// Milliseconds that the longest took.
    pub max: f64,
    /// How many there were.
    pub count: usize,
}

/// How long each of them took, and all together.
pub struct Taken {
    pub latencies: Vec<Duration>,
    pub whole: Duration,
}

impl Taken {
    /// Nothing yet.
    pub const EMPTY: Self = Self { latencies: Vec::new(), whole: Duration::ZERO };

    /// These and some more, which came later.
    pub fn and(mut self, more: Self) -> Self {
        self.latencies.extend(more.latencies);
        Self { whole: self.whole + more.whole, ..self }
    }

    /// Sums it up, if there is anything.
    pub fn some(self) -> Option<Measured> {
        (!self.latencies.is_empty()).then(|| self.measured())
    }

    /// Sums it up.
    pub fn measured(mut self) -> Measured {
        self.latencies.sort_unstable();
        let (latencies, whole) = (&self.latencies, self.whole);
        let at = |part: f64| {
            let index = (latencies.len() as f64 * part) as usize;
            latencies.get(index.min(latencies.len().saturating_sub(1))).map_or(0.0, |d| d.as_secs_f64() * 1e3)
        };
        Measured {
            rate: latencies.len() as f64 / whole.as_secs_f64(),
            p50: at(0.5),
            p99: at(0.99),
            max: at(1.0),
            count: latencies.len(),
        }
    }
}

/// Each thread makes its own worker with `make`, which is given the thread's number, and has it work for that long.
/// A worker is given a number for each time, from `first` on. The first failure ends all.
pub fn closed_loop<W: Send>(
    threads: usize,
    time: Duration,
    first: u64,
    make: impl Fn(usize) -> Result<W> + Sync,
    work: impl Fn(&mut W, usize, u64) -> Result<()> + Sync,
) -> Result<Taken> {
    let begin = Barrier::new(threads);
    // One after the other, each with something done: no server is to be judged by a burst of new connections.
    let mut workers = Vec::new();
    for thread in 0..threads {
        let mut worker = make(thread)?;
        work(&mut worker, thread, first)?;
        workers.push(worker);
    }
    let results: Vec<Result<(Vec<Duration>, Duration)>> = thread::scope(|scope| {
        let running: Vec<_> = workers
            .into_iter()
            .enumerate()
            .map(|(thread, mut worker)| {
                let (begin, work) = (&begin, &work);
                scope.spawn(move || {
                    let mut latencies = Vec::with_capacity(1 << 16);
                    begin.wait();
                    let start = Instant::now();
                    let mut now = start;
                    for turn in first + 1.. {
                        work(&mut worker, thread, turn)?;
                        let done = Instant::now();
                        latencies.push(done - now);
                        now = done;
                        if now - start >= time {
                            break;
                        }
                    }
                    Ok((latencies, now - start))
                })
            })
            .collect();
        running.into_iter().map(|one| one.join().unwrap_or_else(|_| Err("a thread gave up".into()))).collect()
    });
    let (mut latencies, mut whole) = (Vec::new(), Duration::ZERO);
    for result in results {
        let (some, took) = result?;
        latencies.extend(some);
        whole = whole.max(took);
    }
    Ok(Taken { latencies, whole })
}
