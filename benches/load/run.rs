//! The run: fill, start, measure, and so on for each size.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::Result;
use crate::daemon::Daemon;
use crate::database::Database;
use crate::fill::Filler;
use crate::fleet;
use crate::http::{Answer, Client, Request};
use crate::load::{Measured, Taken, closed_loop};
use crate::machine::Machine;
use crate::operations::{self, Operation};
use crate::options::Options;
use crate::progress;
use crate::python::{self, Python};
use crate::results::{Results, Row};
use crate::session;
use crate::statements;
use crate::verify;
use crate::world::BLOCK;

/// With how many jobs the fleet works; without that size, with the largest.
const FLEET_JOBS: usize = 200_000;

/// How often what is compared with each other takes turns, so that a machine that is slower for a while is so for all.
const TURNS: u64 = 4;
/// More than anything is done in one turn: no turn repeats what another has asked for.
const MANY: u64 = 1_000_000;

/// What one run has.
struct Run<'o> {
    options: &'o Options,
    database: Database,
    home: tempfile::TempDir,
    /// The constant answers that were measured: they do not depend on the number of jobs.
    constants: HashMap<&'static str, Measured>,
    python: Option<Python>,
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
        python: None,
        first_answer: Duration::ZERO,
        rows: Vec::new(),
    };
    progress::print(format_args!("{}", results.about()));
    let mut filler = Filler::new(database.url.clone());
    let home = tempfile::tempdir()?;
    let python = match &options.python {
        Some(_) if !options.sizes.contains(&python::JOBS) => {
            return Err(format!("The Python service is measured with {} jobs.", python::JOBS).into());
        }
        Some(interpreter) => Some(Python::start(interpreter, &options.database, options.connections)?),
        None => None,
    };
    let mut run = Run { options, database, home, constants: HashMap::new(), python, results };
    for jobs in &options.sizes {
        let begin = Instant::now();
        filler.fill(*jobs)?;
        progress::print(format_args!("\n{jobs} jobs, filled in {:.1} s", begin.elapsed().as_secs_f64()));
        run.measure(*jobs)?;
    }
    Ok(run.results)
}

impl Run<'_> {
    fn measure(&mut self, jobs: usize) -> Result<()> {
        let daemon = Daemon::service(&self.database.text, self.options.workers, self.home.path())?;
        self.results.first_answer = self.results.first_answer.max(daemon.first_answer);
        verify::filled(&mut Client::connect(daemon.address)?, jobs)?;
        if let Some(python) = &self.python {
            let memory = python.memory()?;
            self.results.python.get_or_insert((memory, memory));
        }
        progress::print(format_args!("{}", Row::HEADER));
        for operation in operations::all(&self.database, jobs)? {
            if self.wants(operation.name) {
                self.operation(&daemon, &operation, jobs)?;
            }
        }
        if self.wants(session::NAME) {
            self.session(&daemon, jobs)?;
        }
        let sizes = &self.options.sizes;
        let last = if sizes.contains(&FLEET_JOBS) { Some(&FLEET_JOBS) } else { sizes.last() };
        if last == Some(&jobs) && self.options.fleet_seconds > 0.0 && self.wants(fleet::NAMES[0]) {
            let time = Duration::from_secs_f64(self.options.fleet_seconds);
            let whole = (fleet::NAMES, 1.0);
            let to_scale = self.results.speed(jobs).map(|speed| (fleet::TO_SCALE, speed.min(1.0)));
            for (names, part) in [whole].into_iter().chain(to_scale) {
                let measured = fleet::measure(&daemon, jobs, time, part)?;
                for (name, measured) in names.into_iter().zip(measured) {
                    self.add(Row::new(jobs, name, measured, daemon.memory()?));
                }
            }
        }
        Ok(())
    }

    fn operation(&mut self, daemon: &Daemon, operation: &Operation, jobs: usize) -> Result<()> {
        let constant = self.constant(operation.name, operation.status, &operation.request)?;
        let connections = self.options.connections;
        let sets = (operation.samples)(operation, jobs);
        // Of the jobs that the Python service has.
        let its = operations::all(&self.database, python::JOBS)?;
        let the_same = its.into_iter().find(|its| its.name == operation.name);
        let [mut own, mut python, mut statements] = [const { Taken::EMPTY }; 3];
        for turn in 0..TURNS {
            operations::seen_now(&self.database, jobs)?;
            let first = turn * MANY;
            own = own.and(load(daemon, operation, connections, self.options.time() / TURNS as u32, first)?);
            if let Some(the_same) = &the_same
                && python::is_measured(operation.name, jobs, turn)
            {
                let load = |python: &Python, time| python.load(the_same, connections, time, first);
                python = python.and(self.python(load)?);
            }
            statements = statements.and(self.statements(&sets, operation.writes, connections)?);
        }
        let row = Row::new(jobs, operation.name, own.measured(), daemon.memory()?);
        self.add(Row { constant, python: python.some(), statements: statements.some(), ..row });
        Ok(())
    }

    fn session(&mut self, daemon: &Daemon, jobs: usize) -> Result<()> {
        let constant = self.constant(session::NAME, session::STATUS, |_, _| session::asked("hot", "job"))?;
        let connections = self.options.connections;
        let joining = [vec![session::joining(&mut Client::connect(daemon.address)?)?]];
        let [mut own, mut python, mut statements] = [const { Taken::EMPTY }; 3];
        for _ in 0..TURNS {
            own = own.and(session::measure(daemon, connections, self.options.time() / TURNS as u32)?);
            python = python.and(self.python(|python, time| python.session(connections, time))?);
            // One after the other: sent at the same time, only one of them would find the version that it asks for.
            statements = statements.and(self.statements(&joining, true, 1)?);
        }
        let row = Row::new(jobs, session::NAME, own.measured(), daemon.memory()?);
        self.add(Row { constant, python: python.some(), statements: statements.some(), ..row });
        Ok(())
    }

    /// What the Python service does, where it is measured.
    fn python(&mut self, load: impl FnOnce(&Python, Duration) -> Result<Taken>) -> Result<Taken> {
        let Some(python) = &self.python else { return Ok(Taken::EMPTY) };
        let taken = load(python, self.options.time() / TURNS as u32)?;
        let memory = python.memory()?;
        if let Some((_, most)) = &mut self.results.python {
            *most = memory.max(*most);
        }
        Ok(taken)
    }

    fn wants(&self, name: &str) -> bool {
        name.contains(&self.options.only)
    }

    fn add(&mut self, row: Row) {
        progress::print(format_args!("{}", row.line()));
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
            0,
            |_| Client::connect(server.address),
            |client, thread, turn| succeeded(name, status, &client.send(&request(thread, turn))?),
        )?
        .measured();
        self.constants.insert(name, measured);
        Ok(Some(measured))
    }

    /// What Diesel does with the statements of the same requests, which are sets of such as follow each other.
    fn statements(&self, sets: &[Vec<Request>], writes: bool, threads: usize) -> Result<Taken> {
        if self.options.ceiling_seconds == 0.0 {
            return Ok(Taken::EMPTY);
        }
        let service = statements::Service::on(self.database.url.clone())?;
        let recorded = service.statements(sets)?;
        drop(service);
        let time = self.options.ceiling_time() / TURNS as u32;
        statements::measure(&self.database.url, &recorded, writes, threads, time)
    }
}

/// Measures an operation, after a look at whether it does what it should.
fn load(daemon: &Daemon, operation: &Operation, threads: usize, time: Duration, first: u64) -> Result<Taken> {
    let mut client = Client::connect(daemon.address)?;
    let answer = client.send(&(operation.request)(threads, 0))?;
    succeeded(operation.name, operation.status, &answer)?;
    if !(operation.expect)(&answer.json()?) {
        return Err(format!("{}: {}", operation.name, answer.text()).into());
    }
    closed_loop(
        threads,
        time,
        first,
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
