//! `EXPLAIN`, and the counters of the storage engine's row reads.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Nullable, Text};
use diesel::{MysqlConnection, QueryableByName, RunQueryDsl, sql_query};

use super::{FEW, Plan};
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

#[derive(QueryableByName)]
struct Value {
    #[diesel(sql_type = Text)]
    value: String,
}

pub fn plan(connection: &mut MysqlConnection, statement: &Statement) -> Plan {
    let sql = statement.with_values();
    let version: Value = sql_query("SELECT VERSION() AS value").get_result(connection).unwrap();
    if version.value.contains("MariaDB") {
        return run(connection, &sql, of_mariadb);
    }
    let plan = run(connection, &sql, of_mysql);
    if plan.sorts || plan.read > Some(FEW) {
        // Of a few hundred rows, it would rather sort all than read some in order: with many thousands it does not. What is
        // expected then is that there is an index to read them by.
        return by_any_index(connection, &sql).unwrap_or(plan);
    }
    plan
}

/// The first plan with one of the table's indexes that neither sorts nor reads too much.
fn by_any_index(connection: &mut MysqlConnection, sql: &str) -> Option<Plan> {
    let (select, rest) = sql.split_once(" FROM `")?;
    let (table, rest) = rest.split_once('`')?;
    let indexes: Vec<Value> = sql_query(format!(
        "SELECT DISTINCT index_name AS value FROM information_schema.statistics \
         WHERE table_schema = DATABASE() AND table_name = '{table}'"
    ))
    .load(connection)
    .unwrap();
    indexes.into_iter().find_map(|index| {
        let sql = format!("{select} FROM `{table}` FORCE INDEX (`{}`){rest}", index.value);
        let plan = run(connection, &sql, of_mysql);
        (!plan.sorts && !plan.is_whole && plan.read <= Some(FEW)).then_some(plan)
    })
}

/// What the server says of a statement, and how much it reads for it.
fn run(
    connection: &mut MysqlConnection,
    sql: &str,
    explain: fn(&mut MysqlConnection, &str, &mut Plan),
) -> Plan {
    let mut plan = Plan::default();
    explain(connection, sql, &mut plan);
    let before = read(connection);
    connection.batch_execute(sql).unwrap();
    let read = read(connection) - before;
    plan.text.push_str(&format!("{read} rows read"));
    plan.read = Some(read);
    plan
}

fn of_mariadb(connection: &mut MysqlConnection, sql: &str, plan: &mut Plan) {
    let rows: Vec<Row> = sql_query(format!("EXPLAIN {sql}")).load(connection).unwrap();
    for row in rows {
        let [table, how, key, extra] =
            [row.table, row.how, row.key, row.extra].map(Option::unwrap_or_default);
        plan.is_whole |= how == "ALL" || how == "index";
        plan.sorts |= extra.contains("filesort") || extra.contains("temporary");
        plan.text.push_str(&format!("{table}: {how} {key} ({extra})\n"));
    }
}

/// MySQL does not answer EXPLAIN as a prepared statement, which Diesel's are.
fn of_mysql(connection: &mut MysqlConnection, sql: &str, plan: &mut Plan) {
    let explain =
        format!("SET SESSION explain_json_format_version = 1; EXPLAIN FORMAT=JSON INTO @plan {sql}");
    connection.batch_execute(&explain).unwrap();
    let json: Value = sql_query("SELECT @plan AS value").get_result(connection).unwrap();
    look(&serde_json::from_str(&json.value).unwrap(), plan);
}

/// What a plan of MySQL's in JSON says of its tables and of sorting.
fn look(node: &serde_json::Value, plan: &mut Plan) {
    if let Some(how) = node["access_type"].as_str() {
        plan.is_whole |= how == "ALL" || how == "index";
        plan.text.push_str(&format!("{}: {how} {}\n", node["table_name"], node["key"]));
    }
    for word in ["using_filesort", "using_temporary_table"] {
        if node[word] == true {
            plan.sorts = true;
            plan.text.push_str(&format!("{word}\n"));
        }
    }
    match node {
        serde_json::Value::Object(members) => members.values().for_each(|member| look(member, plan)),
        serde_json::Value::Array(members) => members.iter().for_each(|member| look(member, plan)),
        _ => {}
    }
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
