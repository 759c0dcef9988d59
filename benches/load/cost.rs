//! What an operation costs: the processor time of the service and of the database per request, beside that of another
//! binary of the service in the same run.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::Result;
use crate::daemon::Daemon;
use crate::database::Database;
use crate::delay;
use crate::documents::{self, path_of};
use crate::fill::Filler;
use crate::http::{Client, Request};
use crate::load::{Taken, closed_loop};
use crate::machine::Machine;
use crate::operations::{self, Operation};
use crate::options::Options as Common;
use crate::processor::{self, DatabaseProcesses};
use crate::progress;
use crate::session;
use crate::world::BLOCK;

/// The backups that are listed.
const BACKUPS: usize = 200;
/// More requests than one round sends, so that no round repeats the requests of another.
const MANY: u64 = 1_000_000;
/// The operations of the common table that are measured here. The session start comes last, and is not in that list.
const OPERATIONS: &[&str] =
    &["GET job", "list of 10", "list of 100", "poll", "PATCH job_schedule", "POST backup", "POST job"];
const BACKUP_LIST: &str = "list of 100 backups";

/// What is measured.
#[derive(Args)]
pub struct Options {
    /// Another binary of the service to measure in turns with this one
    #[arg(long, value_name = "PATH")]
    baseline: Option<PathBuf>,
    /// Measure with so many jobs
    #[arg(long, value_name = "JOBS", default_value_t = 20_000)]
    jobs: usize,
    /// How many rounds of each operation there are; the table has their median
    #[arg(long, value_name = "NUMBER", default_value_t = 7)]
    rounds: u64,
    /// How long a round of one binary takes
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0)]
    round_seconds: f64,
    /// Put a proxy before the database that delays each direction by half of this
    #[arg(long, value_name = "MILLISECONDS")]
    delay: Option<f64>,
}

/// What one round of one binary took.
#[derive(Clone, Copy)]
struct Round {
    /// Milliseconds of the service per request.
    service: f64,
    /// Milliseconds of the database per request.
    database: f64,
    /// Requests per second.
    rate: f64,
}

impl Round {
    fn both(&self) -> f64 {
        self.service + self.database
    }
}

/// Fills a database, starts the binaries on it, and prints the table.
pub fn run(common: &Common, options: &Options) -> Result<()> {
    if options.jobs == 0 || !options.jobs.is_multiple_of(BLOCK) {
        return Err(format!("The number of jobs must be a multiple of {BLOCK}.").into());
    }
    let (machine, database) = (Machine::this(), Database::create(&common.database)?);
    progress::print(format_args!(
        "{} at {}, {}, {} cores, load {} before\n{}, {} jobs, {} connections, database delayed by {} ms",
        machine.date,
        machine.commit,
        machine.processor,
        machine.cores,
        machine.load,
        database.version()?,
        options.jobs,
        common.connections,
        options.delay.unwrap_or_default(),
    ));
    Filler::new(database.url.clone()).fill(options.jobs)?;
    let address = match options.delay {
        Some(milliseconds) => delay::before(&database.text, Duration::from_secs_f64(milliseconds / 2e3))?,
        None => database.text.clone(),
    };
    let home = tempfile::tempdir()?;
    // Each runs in another directory than this.
    let baseline = options.baseline.as_ref().map(std::fs::canonicalize).transpose()?;
    let programs = [Some(Daemon::OURS.into()), baseline];
    let daemons: Vec<Daemon> = programs
        .into_iter()
        .flatten()
        .map(|program| Daemon::service_of(&program, &address, common.workers, home.path()))
        .collect::<Result<_>>()?;
    post_backups(&daemons[0])?;
    let table = Table { common, options, processes: DatabaseProcesses::of(&database)?, daemons: &daemons };
    table.head();
    let mut all = operations::all(&database, options.jobs)?;
    all.retain(|operation| OPERATIONS.contains(&operation.name));
    all.insert(4, backup_list());
    for operation in &all {
        if operation.name.contains(&common.only) {
            table.row(operation.name, |daemon, time, round| {
                operations::seen_now(&database, options.jobs)?;
                table.load(daemon, operation, time, round)
            })?;
        }
    }
    if session::NAME.contains(&common.only) {
        table.row(session::NAME, |daemon, time, _| session::measure(daemon, common.connections, time))?;
    }
    Ok(())
}

struct Table<'r> {
    common: &'r Common,
    options: &'r Options,
    processes: DatabaseProcesses,
    /// This binary's, and the baseline's.
    daemons: &'r [Daemon],
}

impl Table<'_> {
    fn head(&self) {
        progress::print(format_args!(
            "\n| operation | service ms | database ms | both ms | per second | baseline ms | baseline per second | \
             ratio of both | ratio of rates |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
        ));
    }

    /// Measures an operation in rounds, and prints its row. The binary that begins alternates.
    fn row(&self, name: &str, load: impl Fn(&Daemon, Duration, u64) -> Result<Taken>) -> Result<()> {
        let mut rounds = vec![Vec::new(); self.daemons.len()];
        for round in 0..self.options.rounds {
            let mut order: Vec<usize> = (0..self.daemons.len()).collect();
            if round % 2 == 1 {
                order.reverse();
            }
            for which in order {
                let number = round * self.daemons.len() as u64 + which as u64;
                rounds[which].push(self.round(&self.daemons[which], number, &load)?);
            }
        }
        let of = |which: usize, value: fn(&Round) -> f64| median(rounds[which].iter().map(value));
        let mut line = format!(
            "| {name} | {:.3} | {:.3} | {:.3} | {:.0} |",
            of(0, |round| round.service),
            of(0, |round| round.database),
            of(0, Round::both),
            of(0, |round| round.rate),
        );
        if let [ours, baseline] = &*rounds {
            // The two of a round are compared with each other: they met the same machine.
            let ratio = |value: fn(&Round) -> f64| {
                median(ours.iter().zip(baseline).map(|(ours, baseline)| value(ours) / value(baseline)))
            };
            line += &format!(
                " {:.3} | {:.0} | {:.2} | {:.2} |",
                of(1, Round::both),
                of(1, |round| round.rate),
                ratio(Round::both),
                ratio(|round| round.rate),
            );
        } else {
            line += " – | – | – | – |";
        }
        progress::print(format_args!("{line}"));
        Ok(())
    }

    fn round(
        &self,
        daemon: &Daemon,
        number: u64,
        load: impl Fn(&Daemon, Duration, u64) -> Result<Taken>,
    ) -> Result<Round> {
        let times = || Ok::<_, crate::Failure>((processor::of(daemon.id())?, self.processes.time()?));
        let before = times()?;
        let taken = load(daemon, Duration::from_secs_f64(self.options.round_seconds), number)?;
        let after = times()?;
        let count = taken.latencies.len() as f64;
        let each =
            |before: Duration, after: Duration| after.saturating_sub(before).as_secs_f64() * 1e3 / count;
        Ok(Round {
            service: each(before.0, after.0),
            database: each(before.1, after.1),
            rate: count / taken.whole.as_secs_f64(),
        })
    }

    fn load(&self, daemon: &Daemon, operation: &Operation, time: Duration, round: u64) -> Result<Taken> {
        closed_loop(
            self.common.connections,
            time,
            round * MANY,
            |_| Client::connect(daemon.address),
            |client, thread, turn| {
                let answer = client.send(&(operation.request)(thread, turn))?;
                let is_success = answer.status == operation.status;
                if is_success { Ok(()) } else { Err(format!("{}: {}", operation.name, answer.text()).into()) }
            },
        )
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn post_backups(daemon: &Daemon) -> Result<()> {
    let mut client = Client::connect(daemon.address)?;
    for number in 0..BACKUPS {
        let body = documents::backup(number, 1_795_000_000 + number as u64).to_string();
        let answer = client.send(&Request::with_body("POST", &path_of("backups/"), &body))?;
        if !answer.is_success() {
            return Err(answer.text().into());
        }
    }
    Ok(())
}

fn backup_list() -> Operation {
    Operation {
        name: BACKUP_LIST,
        request: Box::new(|_, _| Request::get(&path_of("backups?limit=100"))),
        expect: Box::new(|answer| answer["backups"].as_array().is_some_and(|backups| backups.len() == 100)),
        status: 200,
        writes: false,
        samples: |_, _| Vec::new(),
    }
}
