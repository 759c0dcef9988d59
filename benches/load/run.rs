//! The run: fill, start, measure, and so on for each size.

use std::collections::HashMap;
use std::io::Write;
use std::time::{Duration, Instant};

use crate::Result;
use crate::daemon::Daemon;
use crate::database::Database;
use crate::fill::Filler;
use crate::fleet;
use crate::http::{Answer, Client, Request};
use crate::load::{Measured, closed_loop};
use crate::machine::Machine;
use crate::operations::{self, Operation};
use crate::options::Options;
use crate::results::{Results, Row};
use crate::session;
use crate::statements;
use crate::verify;
use crate::world::BLOCK;

/// With how many jobs the fleet works; without that size, with the largest.
const FLEET_JOBS: usize = 200_000;

/// What one run has.
struct Run<'o> {
    options: &'o Options,
    database: Database,
    home: tempfile::TempDir,
    /// The constant answers that were measured: they do not depend on the number of jobs.
    constants: HashMap<&'static str, Measured>,
    results: Results,
}

/// Measures everything that is asked for.
pub fn run(options: &Options) -> Result<Results> {
    if options.sizes.iter().any(|size| *size == 0 || !size.is_multiple_of(BLOCK))
        || !options.sizes.is_sorted()
    {
        return Err(format!("The sizes must be rising multiples of {BLOCK}.").into());
    }
    let machine = Machine::this();
    let database = Database::create(&options.database)?;
    let results = Results {
        machine,
        backend: database.version()?,
        settings: database.settings()?,
        connections: options.connections,
        first_answer: Duration::MAX,
        rows: Vec::new(),
    };
    say(format_args!("{}", results.about()));
    let mut filler = Filler::new(database.url.clone());
    let home = tempfile::tempdir()?;
    let mut run = Run { options, database, home, constants: HashMap::new(), results };
    for jobs in &options.sizes {
        let begin = Instant::now();
        filler.fill(*jobs)?;
        say(format_args!("\n{jobs} jobs, filled in {:.1} s", begin.elapsed().as_secs_f64()));
        run.measure(*jobs)?;
    }
    Ok(run.results)
}

impl Run<'_> {
    fn measure(&mut self, jobs: usize) -> Result<()> {
        let daemon = Daemon::service(&self.database.text, self.options.workers, self.home.path())?;
        self.results.first_answer = self.results.first_answer.min(daemon.first_answer);
        verify::filled(&mut Client::connect(daemon.address)?, jobs)?;
        say(format_args!("{}", Row::HEADER));
        for operation in operations::all(&self.database, jobs)? {
            if self.wants(operation.name) {
                operations::seen_now(&self.database, jobs)?;
                let measured = load(&daemon, &operation, self.options.connections, self.options.time())?;
                let memory = daemon.memory()?;
                let constant = self.constant(operation.name, operation.status, &operation.request)?;
                let sets = (operation.samples)(&operation, jobs);
                let statements = self.statements(&sets, operation.writes, self.options.connections)?;
                self.add(Row { constant, statements, ..Row::new(jobs, operation.name, measured, memory) });
            }
        }
        if self.wants(session::NAME) {
            self.session(&daemon, jobs)?;
        }
        let sizes = &self.options.sizes;
        let last = if sizes.contains(&FLEET_JOBS) { Some(&FLEET_JOBS) } else { sizes.last() };
        if last == Some(&jobs) && self.options.fleet_seconds > 0.0 && self.wants(fleet::NAMES[0]) {
            let time = Duration::from_secs_f64(self.options.fleet_seconds);
            let measured = fleet::measure(&daemon, jobs, time)?;
            for (name, measured) in fleet::NAMES.into_iter().zip(measured) {
                self.add(Row::new(jobs, name, measured, daemon.memory()?));
            }
        }
        Ok(())
    }

    fn session(&mut self, daemon: &Daemon, jobs: usize) -> Result<()> {
        let measured = session::measure(daemon, self.options.connections, self.options.time())?;
        let memory = daemon.memory()?;
        let constant = self.constant(session::NAME, session::STATUS, |_, _| session::asked("hot", "job"))?;
        let joining = session::joining(&mut Client::connect(daemon.address)?)?;
        // One after the other: sent at the same time, only one of them would find the version that it asks for.
        let statements = self.statements(&[vec![joining]], true, 1)?;
        self.add(Row { constant, statements, ..Row::new(jobs, session::NAME, measured, memory) });
        Ok(())
    }

    fn wants(&self, name: &str) -> bool {
        name.contains(&self.options.only)
    }

    fn add(&mut self, row: Row) {
        say(format_args!("{}", row.line()));
        self.results.rows.push(row);
    }

    /// What rouille does when it answers the same requests with a constant.
    fn constant(
        &mut self,
        name: &'static str,
        status: u16,
        request: impl Fn(usize, u64) -> Request + Sync,
    ) -> Result<Option<Measured>> {
        if self.options.ceiling_seconds == 0.0 {
            return Ok(None);
        }
        if let Some(known) = self.constants.get(name) {
            return Ok(Some(*known));
        }
        let server = Daemon::constant(status)?;
        let measured = closed_loop(
            self.options.connections,
            self.options.ceiling_time(),
            |_| Client::connect(server.address),
            |client, thread, turn| succeeded(name, status, &client.send(&request(thread, turn))?),
        )?;
        self.constants.insert(name, measured);
        Ok(Some(measured))
    }

    /// What Diesel does with the statements of the same requests, which are sets of such as follow each other.
    fn statements(&self, sets: &[Vec<Request>], writes: bool, threads: usize) -> Result<Option<Measured>> {
        if self.options.ceiling_seconds == 0.0 {
            return Ok(None);
        }
        let service = statements::Service::on(self.database.url.clone())?;
        let recorded = service.statements(sets)?;
        drop(service);
        let time = self.options.ceiling_time();
        statements::measure(&self.database.url, &recorded, writes, threads, time).map(Some)
    }
}

/// Measures an operation, after a look at whether it does what it should.
fn load(daemon: &Daemon, operation: &Operation, threads: usize, time: Duration) -> Result<Measured> {
    let mut client = Client::connect(daemon.address)?;
    let answer = client.send(&(operation.request)(threads, 0))?;
    succeeded(operation.name, operation.status, &answer)?;
    if !(operation.expect)(&answer.json()?) {
        return Err(format!("{}: {}", operation.name, answer.text()).into());
    }
    closed_loop(
        threads,
        time,
        |_| Client::connect(daemon.address),
        |client, thread, turn| {
            succeeded(operation.name, operation.status, &client.send(&(operation.request)(thread, turn))?)
        },
    )
}

/// # Errors
/// Any other answer than the one for a success.
fn succeeded(name: &str, status: u16, answer: &Answer<'_>) -> Result<()> {
    if answer.status == status { Ok(()) } else { Err(format!("{name}: {}", answer.text()).into()) }
}

/// Writes a line to standard output, at once.
pub fn say(line: std::fmt::Arguments<'_>) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}
