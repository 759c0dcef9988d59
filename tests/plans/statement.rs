//! The statements that Diesel sends, as its instrumentation reports them.

use std::cell::RefCell;

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

thread_local! {
    static SEEN: RefCell<Option<Vec<Statement>>> = const { RefCell::new(None) };
}

/// A query.
#[derive(Debug, Clone)]
pub struct Statement {
    /// The text with placeholders, as it is sent.
    pub sql: String,
    /// The values of the placeholders, as literals.
    binds: Vec<String>,
}

/// Makes new connections report their statements.
pub fn listen() {
    fn listener() -> Option<Box<dyn Instrumentation>> {
        Some(Box::new(|event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event {
                SEEN.with_borrow_mut(|seen| {
                    if let Some(seen) = seen {
                        seen.extend(Statement::parse(&query.to_string()));
                    }
                });
            }
        }))
    }
    set_default_instrumentation(listener).unwrap();
}

/// Runs `action`, and returns the queries that this thread sent meanwhile.
pub fn during<T>(action: impl FnOnce() -> T) -> (T, Vec<Statement>) {
    SEEN.set(Some(Vec::new()));
    let outcome = action();
    (outcome, SEEN.take().unwrap_or_default())
}

impl Statement {
    /// Parses `SELECT ... -- binds: [...]`; other statements are skipped.
    fn parse(text: &str) -> Option<Self> {
        let (sql, binds) = text.rsplit_once(" -- binds: [")?;
        let sql = sql.trim().to_owned();
        sql.starts_with("SELECT").then(|| Self { sql, binds: literals(binds.strip_suffix(']').unwrap()) })
    }

    /// Whether it reads a page.
    pub fn is_page(&self) -> bool {
        self.sql.contains(" ORDER BY ") && self.sql.contains(" LIMIT ")
    }

    /// Whether it reads the central clients of other projects. These are as few as there are central schedulers, and part
    /// of every project's list.
    pub fn is_about_central_clients(&self) -> bool {
        self.sql.replace(['`', '"'], "").contains("clients.is_central = ")
    }

    /// Whether it is a look-up for a page, and neither the page nor the count itself.
    pub fn is_beside(&self) -> bool {
        !self.is_page() && !self.sql.contains("COUNT(*)")
    }

    /// The statement with its values written into it.
    pub fn with_values(&self) -> String {
        let mut text = String::new();
        let mut binds = self.binds.iter();
        let mut rest = self.sql.as_str();
        while let Some(at) = rest.find(['?', '$']) {
            text.push_str(&rest[..at]);
            text.push_str(binds.next().unwrap_or_else(|| panic!("more placeholders than values: {self:?}")));
            rest = rest[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit());
        }
        assert!(binds.next().is_none(), "more values than placeholders: {self:?}");
        text + rest
    }
}

/// Converts values in Rust's debug format to SQL literals.
fn literals(list: &str) -> Vec<String> {
    elements(list).into_iter().map(literal).collect()
}

/// The elements of a list.
fn elements(list: &str) -> Vec<&str> {
    let (mut elements, mut begin, mut in_quotes, mut depth) = (Vec::new(), 0, false, 0);
    for (at, c) in list.char_indices() {
        match c {
            '"' => in_quotes = !in_quotes,
            '[' => depth += 1,
            ']' => depth -= 1,
            ',' if !in_quotes && depth == 0 => {
                elements.push(list[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    let last = list[begin..].trim();
    elements.extend((!last.is_empty()).then_some(last));
    elements
}

fn literal(value: &str) -> String {
    if let Some(inner) = value.strip_prefix("Some(") {
        return literal(inner.strip_suffix(')').unwrap());
    }
    if let Some(time) = value.strip_prefix("Time(") {
        return format!("'{}'", time.strip_suffix(')').unwrap().replace('T', " "));
    }
    if let Some(list) = value.strip_prefix('[') {
        // PostgreSQL's array.
        let elements = literals(list.strip_suffix(']').unwrap()).join(",");
        return format!("'{{{}}}'", elements.replace('\'', "\""));
    }
    match value.strip_prefix('"') {
        Some(text) => format!("'{}'", text.strip_suffix('"').unwrap()),
        None if value == "None" => "NULL".to_owned(),
        None => value.to_owned(),
    }
}

#[test]
fn values_are_written_into_their_places() {
    let said = "SELECT a FROM t WHERE b = $1 AND c IN ($2, $3) AND d > $4 AND e = ANY($5) LIMIT $6 \
                -- binds: [\"x, y\", Some(\"z\"), None, Time(2026-01-02T03:04:05.000006), [\"v, w\", \"\"], 11]";
    let statement = Statement::parse(said).unwrap();
    assert_eq!(
        statement.with_values(),
        "SELECT a FROM t WHERE b = 'x, y' AND c IN ('z', NULL) AND d > '2026-01-02 03:04:05.000006' \
         AND e = ANY('{\"v, w\",\"\"}') LIMIT 11"
    );
}
