//! Query plans.

mod sqlite;

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;

use freezer_api::store::engine::connection::AnyConnection;

use crate::seed;
use crate::statement::Statement;

/// The most rows that a page out of a thousand may read: its own rows, and those that a filter with a selectivity of one
/// fifth drops.
const FEW: u64 = 100;

/// The most rows that a page may sort.
const HANDFUL: u64 = 30;

/// A query plan.
#[derive(Debug, Default)]
struct Plan {
    /// Whether it scans a whole table or index.
    is_whole: bool,
    /// Whether it sorts rows.
    sorts: bool,
    /// Whether the index range is narrower than the project, for a database that tells no more than that.
    is_narrow: Option<bool>,
    /// The number of rows read, if the database tells.
    read: Option<u64>,
    /// The plan as the database prints it.
    text: String,
}

/// Checks plans, and collects their faults.
pub struct Explain {
    connection: AnyConnection,
    complaints: Vec<String>,
}

impl Explain {
    pub fn new(connection: AnyConnection) -> Self {
        Self { connection, complaints: Vec::new() }
    }

    /// The faults so far.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// Runs ANALYZE.
    pub fn analyze(&mut self) {
        seed::analyze(&mut self.connection);
    }

    /// Whether the database plans by the tables' contents only after an ANALYZE; the service never runs one.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.connection, AnyConnection::Sqlite(_))
    }

    /// Checks that each statement reads an index, and that the page reads it in order and stops early.
    pub fn in_order(&mut self, asked: &str, statements: &[Statement], is_narrow: bool) {
        assert!(statements.iter().any(Statement::is_page), "{asked}: {statements:?}");
        self.by_index(asked, statements);
        for statement in statements.iter().filter(|s| s.is_page() && !s.is_about_central_clients()) {
            let plan = self.plan(statement);
            // Sorting a handful of rows is fine.
            let sorts = plan.sorts && plan.read.is_none_or(|read| read > HANDFUL);
            self.expect(!sorts, "sorts", asked, &plan);
            self.expect(plan.read.is_none_or(|read| read <= FEW), "reads too much", asked, &plan);
            self.expect(!is_narrow || plan.is_narrow != Some(false), "begins too early", asked, &plan);
        }
    }

    /// Gives a client very many completed jobs, and returns its name.
    pub fn archive(&mut self, project: usize) -> String {
        seed::archive(&mut self.connection, project)
    }

    /// Checks that each statement reads an index, and hardly more rows than the page shows.
    pub fn few(&mut self, asked: &str, statements: &[Statement]) {
        self.by_index(asked, statements);
        for statement in statements {
            let plan = self.plan(statement);
            self.expect(plan.read.is_none_or(|read| read <= FEW), "reads too much", asked, &plan);
        }
    }

    /// Checks that each statement reads an index.
    pub fn by_index(&mut self, asked: &str, statements: &[Statement]) {
        for statement in statements {
            let plan = self.plan(statement);
            self.expect(!plan.is_whole, "reads everything", asked, &plan);
        }
    }

    fn expect(&mut self, is_so: bool, complaint: &str, asked: &str, plan: &Plan) {
        if !is_so {
            self.complaints.push(format!("{asked} {complaint}:\n{}", plan.text));
        }
    }

    fn plan(&mut self, statement: &Statement) -> Plan {
        let mut plan = match &mut self.connection {
            #[cfg(feature = "mysql")]
            AnyConnection::Mysql(connection) => mysql::plan(connection, statement),
            #[cfg(feature = "postgres")]
            AnyConnection::Postgres(connection) => postgres::plan(connection, statement),
            AnyConnection::Sqlite(connection) => sqlite::plan(connection, statement),
        };
        assert!(!plan.text.is_empty(), "{statement:?}");
        plan.text = format!("  {}\n  {}", statement.with_values(), plan.text.replace('\n', "\n  "));
        plan
    }
}
