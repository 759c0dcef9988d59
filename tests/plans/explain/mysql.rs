//! `EXPLAIN`, and the counters of the storage engine's row reads.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Nullable, Text};
use diesel::{MysqlConnection, QueryableByName, RunQueryDsl, sql_query};

use super::Plan;
use crate::statement::Statement;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    table: Option<String>,
    #[diesel(sql_type = Nullable<Text>, column_name = "type")]
    how: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    key: Option<String>,
    #[diesel(sql_type = Nullable<Text>, column_name = "Extra")]
    extra: Option<String>,
}

pub fn plan(connection: &mut MysqlConnection, statement: &Statement) -> Plan {
    let sql = statement.with_values();
    let rows: Vec<Row> = sql_query(format!("EXPLAIN {sql}")).load(connection).unwrap();
    let mut plan = Plan::default();
    for row in rows {
        let [table, how, key, extra] =
            [row.table, row.how, row.key, row.extra].map(Option::unwrap_or_default);
        plan.is_whole |= how == "ALL" || how == "index";
        plan.sorts |= extra.contains("filesort") || extra.contains("temporary");
        plan.text.push_str(&format!("{table}: {how} {key} ({extra})\n"));
    }
    let before = read(connection);
    connection.batch_execute(&sql).unwrap();
    let read = read(connection) - before;
    plan.text.push_str(&format!("{read} rows read"));
    plan.read = Some(read);
    plan
}

/// The number of rows that this session has read so far, without temporary tables, which this query itself uses.
fn read(connection: &mut MysqlConnection) -> u64 {
    #[derive(QueryableByName)]
    struct Counter {
        #[diesel(sql_type = Text, column_name = "Value")]
        value: String,
    }
    let counters = "SHOW SESSION STATUS WHERE Variable_name IN ('Handler_read_first', 'Handler_read_key', \
                    'Handler_read_last', 'Handler_read_next', 'Handler_read_prev')";
    let counters: Vec<Counter> = sql_query(counters).load(connection).unwrap();
    counters.iter().map(|counter| counter.value.parse::<u64>().unwrap()).sum()
}
