//! `EXPLAIN ANALYZE`.

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::Plan;
use crate::statement::Statement;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    line: String,
}

pub fn plan(connection: &mut PgConnection, statement: &Statement) -> Plan {
    let sql = statement.with_values();
    let explain = |connection: &mut PgConnection, how: &str| -> Vec<Row> {
        sql_query(format!("EXPLAIN ({how}) {sql}")).load(connection).unwrap()
    };
    let (mut plan, mut read, mut is_bitmap) = (Plan::default(), 0, false);
    for Row { line } in explain(connection, "ANALYZE, TIMING OFF, SUMMARY OFF") {
        // ->  Index Scan using ix_backups_list on backups  (cost=...) (actual rows=11 loops=1)
        let node = line.trim().trim_start_matches("->").trim_start();
        if node.split("  (").next().is_some_and(|node| node.contains("Scan")) {
            // Its rows are those of the index below.
            is_bitmap = node.starts_with("Bitmap Heap Scan");
            if !is_bitmap {
                read += number(node, "(actual rows=") * number(node, " loops=");
            }
        }
        if !is_bitmap {
            read += number(node, "Rows Removed by Filter: ");
        }
        plan.sorts |= node.starts_with("Sort Key");
        plan.is_whole |= node.starts_with("Seq Scan");
        plan.text.push_str(&line);
        plan.text.push('\n');
    }
    plan.read = Some(read);
    if statement.is_beside() {
        // The planner may prefer to scan a small table when it completes a page; this checks that an index is possible.
        connection.batch_execute("SET enable_seqscan = off").unwrap();
        let lines = explain(connection, "COSTS OFF");
        connection.batch_execute("RESET enable_seqscan").unwrap();
        plan.is_whole = lines.iter().any(|Row { line }| line.contains("Seq Scan"));
    }
    plan
}

/// The integer after `text`; 0 if the text is missing.
fn number(line: &str, before: &str) -> u64 {
    let Some((_, rest)) = line.split_once(before) else { return 0 };
    rest.split(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}
