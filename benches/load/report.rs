//! The results as a summary for the terminal, as JSON and as Markdown.

use serde_json::{Value, json};

use crate::load::Measured;
use crate::python;
use crate::results::{Results, Row};
use crate::targets::{Check, Verdict};

/// Which targets were met.
pub fn summary(results: &Results, checks: &[Check]) -> String {
    let count = |verdict| checks.iter().filter(|check| check.verdict == verdict).count();
    let (met, to_scale) = (count(Verdict::Met), count(Verdict::MetToScale));
    let mut text = format!("\n{met} of {} targets met (they are for MariaDB)", checks.len());
    if !results.speeds().is_empty() {
        let speeds = speeds(results);
        text.push_str(&format!(", {to_scale} more for a machine of this speed, which was {speeds}"));
    }
    text.push('\n');
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Met => "met     ",
            Verdict::MetToScale => "to scale",
            Verdict::Missed => "MISSED  ",
        };
        text.push_str(&format!("{verdict} {}: {}, {}\n", check.what, check.measured, check.target));
    }
    if results.connections != 8 {
        text.push_str("The targets are for 8 connections.\n");
    }
    text
}

/// Everything.
pub fn json(results: &Results, checks: &[Check]) -> String {
    let measured = |one: Measured| json!({"per_second": one.rate, "p50_ms": one.p50, "p99_ms": one.p99, "max_ms": one.max, "count": one.count});
    let rows = results.rows.iter().map(|row| {
        let mut value = measured(row.measured);
        value["jobs"] = row.jobs.into();
        value["operation"] = row.operation.into();
        value["constant"] = row.constant.map_or(Value::Null, measured);
        value["python"] = row.python.map_or(Value::Null, measured);
        value["statements"] = row.statements.map_or(Value::Null, measured);
        value["resident_mb"] = row.memory.resident.into();
        value["peak_mb"] = row.memory.peak.into();
        value
    });
    let checks = checks.iter().map(|check| {
        let is_met = check.verdict == Verdict::Met;
        json!({"what": check.what, "target": check.target, "measured": check.measured, "met": is_met})
    });
    let machine = &results.machine;
    let settings: serde_json::Map<String, Value> =
        results.settings.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
    let whole = json!({
        "date": machine.date,
        "commit": machine.commit,
        "processor": machine.processor,
        "cores": machine.cores,
        "memory": machine.memory,
        "kernel": machine.kernel,
        "load_before": machine.load,
        "database": results.backend,
        "settings": settings,
        "connections": results.connections,
        "speed": results.speeds(),
        "python_mb": results.python.map_or(Value::Null, |(before, most)| json!([before, most])),
        "first_answer_ms": results.first_answer.as_secs_f64() * 1e3,
        "results": rows.collect::<Vec<_>>(),
        "targets": checks.collect::<Vec<_>>(),
    });
    format!("{whole:#}\n")
}

/// A page with the tables in their place, between `<!-- measured: mariadb -->` and `<!-- end -->`; nothing but the tables
/// where the page has no such place.
pub fn placed(page: &str, results: &Results, checks: &[Check]) -> String {
    let tables = markdown(results, checks);
    let backend = ["PostgreSQL", "SQLite"].into_iter().find(|name| results.backend.starts_with(name));
    let mark = format!("<!-- measured: {} -->\n", backend.unwrap_or("MariaDB").to_lowercase());
    let around =
        page.split_once(&mark).and_then(|(before, rest)| Some((before, rest.split_once("<!-- end -->")?.1)));
    match around {
        Some((before, after)) => format!("{before}{mark}{tables}<!-- end -->{after}"),
        None => tables,
    }
}

fn markdown(results: &Results, checks: &[Check]) -> String {
    let rate = |one: Option<Measured>| one.map_or_else(|| "–".to_owned(), |one| format!("{:.0}", one.rate));
    let mut text = format!("{}\n\n", results.about().replace('\n', "; "));
    text.push_str(
        "| jobs | operation | per second | p50 ms | p99 ms | max ms | rouille, constant /s | Diesel, same statements /s | MB |\n\
         | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    );
    for row in &results.rows {
        let Measured { rate: own, p50, p99, max, .. } = row.measured;
        text.push_str(&format!(
            "| {} | {} | {own:.0} | {p50:.2} | {p99:.2} | {max:.1} | {} | {} | {:.1} |\n",
            row.jobs,
            row.operation,
            rate(row.constant),
            rate(row.statements),
            row.memory.resident,
        ));
    }
    text.push_str(&beside_python(results));
    let first = results.first_answer.as_secs_f64() * 1e3;
    text.push_str(&format!(
        "\nThe service had {:.1} MB at most, and gave its first answer after {first:.0} ms.\n\n\
         | target | | for this machine | measured | |\n| --- | --- | ---: | ---: | --- |\n",
        results.peak()
    ));
    for check in checks {
        let verdict = match check.verdict {
            Verdict::Met => "met",
            Verdict::MetToScale => "met to scale",
            Verdict::Missed => "**missed**",
        };
        let Check { what, target, to_scale, measured, .. } = check;
        text.push_str(&format!("| {what} | {target} | {to_scale} | {measured} | {verdict} |\n"));
    }
    text
}

/// What the Python service did in the same minutes.
fn beside_python(results: &Results) -> String {
    let Some((before, most)) = results.python else { return String::new() };
    let mut text = format!(
        "\nThe Python service, which has {} jobs all the time:\n\n\
         | our jobs | operation | the Python service, per second | p50 ms | p99 ms | ours, times as many |\n\
         | ---: | --- | ---: | ---: | ---: | ---: |\n",
        python::JOBS
    );
    for row in &results.rows {
        let Some(Measured { rate, p50, p99, .. }) = row.python else { continue };
        let (Row { jobs, operation, measured, .. }, times) = (row, row.measured.rate / rate);
        let ours = format!("{times:.1} ({:.0})", measured.rate);
        text.push_str(&format!("| {jobs} | {operation} | {rate:.1} | {p50:.1} | {p99:.1} | {ours} |\n"));
    }
    let speeds = speeds(results);
    text.push_str(&format!(
        "\nIts two processes had {before:.0} MB together before that, and {most:.0} MB at most. By it the speed of this \
         machine, as a part of the targets', was {speeds}.\n"
    ));
    text
}

/// How fast the machine was.
fn speeds(results: &Results) -> String {
    let speeds = results.speeds().into_iter().map(|(jobs, speed)| format!("{speed:.2} with {jobs} jobs"));
    speeds.collect::<Vec<_>>().join(", ")
}
