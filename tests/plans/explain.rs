//! What a database says of how it goes about a statement.

mod sqlite;

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;

use freezer_api::store::connection::AnyConnection;

use crate::seed;
use crate::statement::Statement;

/// The most rows that may be read for a page out of a thousand: its own, and those that a filter which a fifth of the rows
/// pass throws away.
const FEW: u64 = 100;

/// The most rows that may be sorted for a page.
const HANDFUL: u64 = 30;

/// How a statement is gone about.
#[derive(Debug, Default)]
struct Plan {
    /// Whether some table, or some index, is read from its beginning to its end.
    is_whole: bool,
    /// Whether rows are sorted on the way.
    sorts: bool,
    /// Whether the index is entered at more than the project's first row, if that is all that the database says.
    is_narrow: Option<bool>,
    /// How many rows are read, if the database can say.
    read: Option<u64>,
    /// As the database says it.
    text: String,
}

/// Looks at plans, and remembers what is wrong with them.
pub struct Explain {
    connection: AnyConnection,
    complaints: Vec<String>,
}

impl Explain {
    pub fn new(connection: AnyConnection) -> Self {
        Self { connection, complaints: Vec::new() }
    }

    /// Everything that was wrong so far.
    pub fn complaints(&self) -> &[String] {
        &self.complaints
    }

    /// Lets the database look at what is in the tables.
    pub fn analyze(&mut self) {
        seed::analyze(&mut self.connection);
    }

    /// Whether the database plans by the tables' contents only after an ANALYZE; the service never runs one.
    pub fn is_sqlite(&self) -> bool {
        matches!(self.connection, AnyConnection::Sqlite(_))
    }

    /// Each is read out of an index, and the page in the order of one, no more of it than is needed.
    pub fn in_order(&mut self, asked: &str, statements: &[Statement], is_narrow: bool) {
        assert!(statements.iter().any(Statement::is_page), "{asked}: {statements:?}");
        self.by_index(asked, statements);
        for statement in statements.iter().filter(|s| s.is_page() && !s.is_about_central_clients()) {
            let plan = self.plan(statement);
            // A handful may as well be sorted.
            let sorts = plan.sorts && plan.read.is_none_or(|read| read > HANDFUL);
            self.expect(!sorts, "sorts", asked, &plan);
            self.expect(plan.read.is_none_or(|read| read <= FEW), "reads too much", asked, &plan);
            self.expect(!is_narrow || plan.is_narrow != Some(false), "begins too early", asked, &plan);
        }
    }

    /// A client gets very many jobs that are completed; its name.
    pub fn archive(&mut self, project: usize) -> String {
        seed::archive(&mut self.connection, project)
    }

    /// Each is read out of an index, and hardly more of it than is shown.
    pub fn few(&mut self, asked: &str, statements: &[Statement]) {
        self.by_index(asked, statements);
        for statement in statements {
            let plan = self.plan(statement);
            self.expect(plan.read.is_none_or(|read| read <= FEW), "reads too much", asked, &plan);
        }
    }

    /// Each is read out of an index.
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
