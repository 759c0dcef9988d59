//! `EXPLAIN QUERY PLAN`.

use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

use super::Plan;
use crate::statement::Statement;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// Asks for the plan of the statement with its placeholders, since the plan does not depend on the values.
pub fn plan(connection: &mut SqliteConnection, statement: &Statement) -> Plan {
    let rows: Vec<Row> = sql_query(format!("EXPLAIN QUERY PLAN {}", statement.sql)).load(connection).unwrap();
    let mut plan = Plan { is_narrow: Some(true), ..Plan::default() };
    for Row { detail } in rows {
        // SEARCH backups USING INDEX ix_backups_list (project_id=? AND created_at>?)
        plan.is_whole |= detail.starts_with("SCAN");
        if detail.starts_with("SEARCH") && detail.ends_with("(project_id=?)") {
            plan.is_narrow = Some(false);
        }
        plan.sorts |= detail.contains("USE TEMP B-TREE");
        plan.text.push_str(&detail);
        plan.text.push('\n');
    }
    plan
}
