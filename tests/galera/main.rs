//! Three nodes of MariaDB's Galera and two API processes behind HAProxy: races, a mixed load, nodes that die, are cut off
//! and hang. Every acknowledged write must be on every node. `scripts/galera` runs it; docs/SCALING.md has the
//! results.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod cluster;
mod faults;
mod http;
mod ledger;
mod load;
mod node;
mod process;
mod proxy;
mod reads;
mod report;
mod service;
mod suite;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use cluster::Cluster;
use load::Load;
use process::free_ports;
use proxy::Proxy;
use report::Report;
use service::Service;

fn main() {
    let scratch = PathBuf::from(std::env::var("FREEZER_GALERA_SCRATCH").unwrap_or_else(|_| {
        eprintln!("run scripts/galera");
        std::process::exit(1)
    }));
    let wanted = std::env::args().nth(1).unwrap_or_default();
    let part = |name: &str| name.contains(&wanted);
    let began = Instant::now();
    let mut report = Report::default();

    let mut cluster = Cluster::start(&scratch);
    report.say(format!("three nodes after {:?}", began.elapsed()));

    // Two processes migrate on two nodes at once.
    let ports = free_ports::<9>();
    let syncs: Vec<_> = (0..2)
        .map(|n| {
            let name = format!("sync{n}");
            let file = service::configuration(&scratch, &name, 0, cluster.nodes[n].port, 1);
            std::thread::spawn(move || service::sync(&file))
        })
        .collect();
    for sync in syncs {
        let said = sync.join().unwrap();
        report.check("db sync of two at once", said.is_ok(), format!("{said:?}"));
    }
    let without_key = cluster.tables_without_key();
    report.check("primary keys and InnoDB", without_key.is_empty(), without_key);

    // Each API process uses a node of its own, and another one while that is away.
    let [one, two, three] = cluster.nodes.each_ref().map(|node| node.port);
    let databases = [
        Proxy::to_database(&scratch, "database1", ports[0], &[one, two, three]),
        Proxy::to_database(&scratch, "database2", ports[1], &[two, three, one]),
    ];
    let apis = [0, 1]
        .map(|n| Service::start(&scratch, &format!("api{}", n + 1), ports[2 + n], databases[n].port, 1));
    let front = Proxy::to_apis(&scratch, ports[4], [apis[0].port, apis[1].port]);
    // These have Galera's default causality, wsrep_sync_wait = 0.
    let lax = [0, 1]
        .map(|n| Service::start(&scratch, &format!("lax{}", n + 1), ports[5 + n], databases[n].port, 0));
    // This API process knows one node only.
    let direct = Service::start(&scratch, "direct", ports[7], one, 1);

    if part("races") {
        suite::races(&mut report, &cluster, front.port);
    }
    let load = Load::prepare(front.port);
    if part("reads") {
        load.during(|| {
            let without = reads::after_writes(lax[0].port, lax[1].port, 200);
            report.say(format!("wsrep_sync_wait 0: {without:?}"));
            let with = reads::after_writes(apis[0].port, apis[1].port, 200);
            let held = with.reads + with.lists + with.writes == 0;
            report.check("reads after writes with wsrep_sync_wait 1", held, format!("{with:?}"));
        });
    }
    faults::calm(&mut report, &cluster, &load, Duration::from_secs(20));
    if part("kill") {
        faults::kill(&mut report, &mut cluster, &load, direct.port);
    }
    if part("partition") {
        faults::partition(&mut report, &mut cluster, &load);
    }
    if part("hang") {
        faults::hang(&mut report, &mut cluster, &load);
    }
    for api in &apis {
        let faults = api.faults();
        report.check("no fault of an API's own", faults.is_empty(), faults);
    }
    report.say(format!("acknowledged in all: {}", load.ledger.size()));
    report.end(began.elapsed());
}
