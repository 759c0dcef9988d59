//! The suite's races, sent to all nodes.

use std::process::{Command, Stdio};

use crate::cluster::Cluster;
use crate::report::Report;

/// Runs them as `scripts/test` would, with the address of HAProxy in place of a server of their own.
pub fn races(report: &mut Report, cluster: &Cluster, api: u16) {
    // The tests' own queries, beside HTTP, go to the third node, which gets no other writes.
    let looks = &cluster.nodes[2];
    looks.sql("SET GLOBAL wsrep_sync_wait = 7");
    let conflicts = cluster.conflicts();
    // Not through cargo: the variables that it has set for this program would make it rebuild much.
    let output = Command::new(std::env::var("FREEZER_GALERA_SUITE").unwrap())
        .args(["races", "--test-threads=4"])
        .args(["--skip", "::sqlite", "--skip", "::postgres"])
        .env("FREEZER_TEST_API_URL", format!("http://127.0.0.1:{api}"))
        .env("FREEZER_TEST_MYSQL_URL", format!("mysql://freezer:freezer@127.0.0.1:{}/freezer", looks.port))
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let result = text.lines().rev().find(|line| line.starts_with("test result")).unwrap_or("no result");
    if !output.status.success() {
        println!("{text}");
    }
    report.check("races", output.status.success(), result.to_owned());
    report.say(format!("races: {} conflicts between nodes", cluster.conflicts() - conflicts));
    looks.sql("SET GLOBAL wsrep_sync_wait = 0");
}
