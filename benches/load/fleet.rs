//! A cloud's schedulers: so many polls and changes a second, whatever the service does. How long one took is counted
//! from when it was due, so that a service that falls behind cannot hide it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::Result;
use crate::daemon::Daemon;
use crate::http::{Client, Request};
use crate::load::{Measured, Taken};
use crate::operations::{patch, poll, random};
use crate::world::Scheduler;

/// A hundred thousand schedulers, each of which polls once a minute.
pub const POLLS: f64 = 1_667.0;
/// What they say of their runs meanwhile.
pub const PATCHES: f64 = 300.0;
/// How many connections there are for each; a connection that waits for an answer keeps what is due waiting.
const POLLING: usize = 24;
const PATCHING: usize = 8;

/// What is measured of it.
pub const NAMES: [&str; 2] = ["fleet, polls", "fleet, PATCHes"];
/// The same of a fleet that is as much smaller as the machine is slower.
pub const TO_SCALE: [&str; 2] = ["fleet to scale, polls", "fleet to scale, PATCHes"];

/// Lets the fleet work for that long, or that part of it; its polls and its changes.
pub fn measure(daemon: &Daemon, jobs: usize, time: Duration, part: f64) -> Result<[Measured; 2]> {
    let schedulers = Scheduler::count(jobs) as u64;
    // Each scheduler in turn, so that each is heard of once in a while and its sign of life has to be noted. A part of the
    // fleet has not polled with the whole of it.
    let first = if part < 1.0 { schedulers / 2 } else { 0 };
    let make_poll = |turn: u64| poll(Scheduler::Regular(((first + turn) % schedulers) as usize));
    let make_patch = |turn: u64| patch(random(99, first + turn), jobs);
    thread::scope(|scope| {
        let polls = scope.spawn(|| paced(daemon, POLLING, POLLS * part, time, make_poll));
        let patches = scope.spawn(|| paced(daemon, PATCHING, PATCHES * part, time, make_patch));
        let gave_up = |_| Err("a thread gave up".into());
        Ok([polls.join().unwrap_or_else(gave_up)?, patches.join().unwrap_or_else(gave_up)?])
    })
}

/// Sends requests at a rate, each by the next connection that is free.
fn paced(
    daemon: &Daemon,
    connections: usize,
    rate: f64,
    time: Duration,
    make: impl Fn(u64) -> Request + Sync,
) -> Result<Measured> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        let mut client = Client::connect(daemon.address)?;
        client.send(&Request::get("/"))?;
        clients.push(client);
    }
    let next = AtomicU64::new(0);
    let begin = Instant::now() + Duration::from_millis(50);
    let results: Vec<Result<(Vec<Duration>, Instant)>> = thread::scope(|scope| {
        let running: Vec<_> = clients
            .into_iter()
            .map(|mut client| {
                let (next, make) = (&next, &make);
                scope.spawn(move || {
                    let (mut latencies, mut last) = (Vec::new(), begin);
                    loop {
                        let turn = next.fetch_add(1, Ordering::Relaxed);
                        let due = Duration::from_secs_f64(turn as f64 / rate);
                        // A connection that is this far behind never catches up; the rate shows it.
                        if due >= time || begin.elapsed() >= time * 2 {
                            return Ok((latencies, last));
                        }
                        let request = make(turn);
                        thread::sleep((begin + due).saturating_duration_since(Instant::now()));
                        let answer = client.send(&request)?;
                        if !answer.is_success() {
                            return Err(answer.text().into());
                        }
                        last = Instant::now();
                        latencies.push(last - (begin + due));
                    }
                })
            })
            .collect();
        running.into_iter().map(|one| one.join().unwrap_or_else(|_| Err("a thread gave up".into()))).collect()
    });
    let (mut latencies, mut end) = (Vec::new(), begin);
    for result in results {
        let (some, last) = result?;
        latencies.extend(some);
        end = end.max(last);
    }
    // Behind its schedule, it took longer than it should have, and the rate is what was achieved.
    Ok(Taken { latencies, whole: (end - begin).max(time) }.measured())
}
