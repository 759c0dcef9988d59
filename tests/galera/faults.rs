//! Faults of the nodes under load.

use std::thread::sleep;
use std::time::Duration;

use crate::cluster::Cluster;
use crate::http::Caller;
use crate::load::Load;
use crate::process::wait_for;
use crate::report::Report;

/// Time for the cluster to drop the node (2 to 5 seconds) and for HAProxy to notice (2 to 6 seconds).
const FAILOVER: Duration = Duration::from_secs(15);
const CALM: Duration = Duration::from_secs(6);

/// No fault.
pub fn calm(report: &mut Report, cluster: &Cluster, load: &Load, time: Duration) {
    let conflicts = cluster.conflicts();
    load.ledger.take_counts();
    load.during(|| sleep(time));
    report.say(format!("without a fault: {} conflicts between nodes", cluster.conflicts() - conflicts));
    undisturbed(report, load, "without a fault");
    whole(report, cluster, load, "without a fault");
}

/// The node of the first API process is killed, and rejoins.
pub fn kill(report: &mut Report, cluster: &mut Cluster, load: &Load, direct: u16) {
    load.during(|| {
        sleep(Duration::from_secs(2));
        load.ledger.take_counts();
        cluster.nodes[0].process().kill();
        away(report, load, "node killed");
        let answer = Caller::of(&load.project).get(direct, "/jobs");
        report.check("an API on the dead node alone says 503", answer.status == 503, format!("{answer:?}"));
        let how = cluster.nodes[0].rejoin();
        report.say(format!("the killed node came back and got {how}"));
        let caller = Caller::of(&load.project);
        wait_for("an API finds its node again", Duration::from_secs(10), || {
            caller.get(direct, "/jobs").status == 200
        });
        disturbed(report, load, "node came back");
    });
    cluster.await_whole();
    whole(report, cluster, load, "node killed");
}

/// The node of the second API process is cut off from the other nodes, but not from its clients.
pub fn partition(report: &mut Report, cluster: &mut Cluster, load: &Load) {
    load.during(|| {
        sleep(Duration::from_secs(2));
        load.ledger.take_counts();
        cluster.nodes[1].isolate(true);
        away(report, load, "node cut off");
        cluster.nodes[1].isolate(false);
        cluster.await_whole();
        disturbed(report, load, "node taken in again");
    });
    whole(report, cluster, load, "node cut off");
}

/// The node of the first API process is suspended.
pub fn hang(report: &mut Report, cluster: &mut Cluster, load: &Load) {
    load.during(|| {
        sleep(Duration::from_secs(2));
        load.ledger.take_counts();
        cluster.nodes[0].process().signal("STOP");
        away(report, load, "node hung");
        cluster.nodes[0].process().signal("CONT");
        cluster.await_whole();
        disturbed(report, load, "node goes on");
    });
    whole(report, cluster, load, "node hung");
}

/// First a period of failover, then a period in which no request may fail.
fn away(report: &mut Report, load: &Load, what: &str) {
    sleep(FAILOVER);
    disturbed(report, load, what);
    sleep(CALM);
    undisturbed(report, load, &format!("{what}, failed over"));
}

/// No request got an error.
fn undisturbed(report: &mut Report, load: &Load, what: &str) {
    let counts = load.ledger.take_counts();
    let held = counts.len() == 1 && counts.contains_key("answered");
    report.check(what, held, format!("{counts:?}"));
}

/// Errors that an outage explains are allowed and reported: a 503, or no answer.
fn disturbed(report: &mut Report, load: &Load, what: &str) {
    let unexpected = load.ledger.counted("unexpected") + load.ledger.counted("5xx: 500");
    report.check(what, unexpected == 0, format!("{:?}", load.ledger.take_counts()));
}

/// No acknowledged write is lost, and all nodes have the same rows.
fn whole(report: &mut Report, cluster: &Cluster, load: &Load, what: &str) {
    let lost = load.ledger.lost(cluster, &load.counter, &load.session);
    report.check(
        &format!("{what}: acknowledged writes lost: {}", lost.len()),
        lost.is_empty(),
        lost.join("\n  "),
    );
    let surplus = load.ledger.surplus(cluster, &load.counter);
    report.say(format!("{what}: increments that went in unnoticed: {surplus}"));
    let orphans = cluster.orphans();
    report.check(&format!("{what}: no child without its parent"), orphans.is_empty(), orphans.join("\n  "));
    let differ = cluster.disagreements();
    report.check(&format!("{what}: all nodes have the same rows"), differ.is_empty(), differ.join(", "));
}
