//! A program that is measured while it runs.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::Result;

/// How often the system is asked.
const EVERY: Duration = Duration::from_millis(20);

/// What a process used.
#[derive(Clone, Copy, Default)]
pub struct Usage {
    /// In user and system mode.
    pub processor: Duration,
    /// The most megabytes that it had at once.
    pub memory: f64,
}

/// Runs a program to its end, and returns what it printed. Its errors and its progress are shown.
pub fn watch(mut command: Command) -> Result<(Vec<u8>, Usage)> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit()).spawn()?;
    let mut output = child.stdout.take().ok_or("no output")?;
    let reader = thread::spawn(move || {
        let mut text = Vec::new();
        output.read_to_end(&mut text).map(|_| text)
    });
    let mut usage = Usage::default();
    let status = loop {
        // Asked before the exit status: a process that has ended keeps its times until then.
        sample(child.id(), &mut usage);
        match child.try_wait()? {
            Some(status) => break status,
            None => thread::sleep(EVERY),
        }
    };
    let output = reader.join().map_err(|_| "the output was not read")??;
    if status.success() { Ok((output, usage)) } else { Err(format!("the import ended with {status}").into()) }
}

fn sample(id: u32, usage: &mut Usage) {
    let read = |name: &str| fs::read_to_string(format!("/proc/{id}/{name}")).unwrap_or_default();
    let status = read("status");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    if let Some(kib) = peak.and_then(|peak| peak.trim_end_matches(" kB").trim().parse::<f64>().ok()) {
        usage.memory = kib * 1024.0 / 1e6;
    }
    let ticks = 1_000 / rustix::param::clock_ticks_per_second().max(1);
    // After the name, which is in brackets, come the state and ten numbers, and then the times.
    let stat = read("stat");
    let times = stat.rsplit(") ").next().map(|rest| rest.split(' ').skip(11).take(2));
    let times: Vec<u64> = times.into_iter().flatten().filter_map(|time| time.parse().ok()).collect();
    if times.len() == 2 {
        usage.processor = Duration::from_millis(times.iter().sum::<u64>() * ticks);
    }
}
