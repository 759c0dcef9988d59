//! The real program is told to stop, or is restarted, while clients write.

use std::io::BufReader;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::client::{Answer, Client, Ending};
use crate::daemon::{CALLER, Daemon, connect};
use crate::haproxy::Haproxy;

fn post(id: &str, rest: &str) -> String {
    let body = format!("{{\"client_id\": \"{id}\", \"hostname\": \"h\"}}");
    let length = body.len();
    format!("POST /v2/p/clients HTTP/1.1\r\n{CALLER}{rest}Content-Length: {length}\r\n\r\n{body}")
}

fn get(client: &mut Client, id: &str) -> Answer {
    client.ask(format!("GET /v2/p/clients/{id} HTTP/1.1\r\n{CALLER}\r\n"))
}

/// Registers one client after the other until the port is closed, and returns the acknowledged ids. Every request on an
/// established connection must get an answer.
fn register_until_refused(address: SocketAddr, name: &str, rest: &str) -> Vec<String> {
    let mut acknowledged = Vec::new();
    while let Ok(stream) = TcpStream::connect(address) {
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut client = Client(BufReader::new(stream));
        loop {
            let id = format!("{name}-{}", acknowledged.len());
            let answer = client.ask(post(&id, rest));
            assert_eq!(answer.code(), 201, "{}", String::from_utf8_lossy(&answer.body));
            acknowledged.push(id);
            if answer.header("Connection") == Some("close") {
                assert!(client.at_end());
                break;
            }
        }
    }
    acknowledged
}

#[test]
fn requests_sent_before_the_stop_are_answered_and_stored() {
    let mut daemon = Daemon::start();
    let address = daemon.address;
    // Half of them keep their connections, half make a new one for each request.
    let clients: Vec<_> = (0..24)
        .map(|nth| {
            let rest = if nth % 2 == 0 { "" } else { "Connection: close\r\n" };
            thread::spawn(move || register_until_refused(address, &format!("c{nth}"), rest))
        })
        .collect();
    thread::sleep(Duration::from_secs(1));
    daemon.terminate();
    let status = daemon.end();
    assert!(status.success(), "{status} {}", daemon.log());
    let acknowledged: Vec<_> = clients.into_iter().flat_map(|client| client.join().unwrap()).collect();
    println!("{} acknowledged", acknowledged.len());
    assert!(acknowledged.len() >= 24);
    let daemon = daemon.start_again();
    let mut client = daemon.connect();
    for id in &acknowledged {
        assert_eq!(get(&mut client, id).code(), 200, "{id}");
    }
}

#[test]
fn connections_that_wait_to_be_accepted_are_answered() {
    let mut daemon = Daemon::start();
    // From here on the server accepts nothing, but the kernel still makes connections.
    let pid = Pid::from_child(&daemon.child);
    kill_process(pid, Signal::STOP).unwrap();
    let mut clients: Vec<_> = (0..300).map(|_| daemon.connect()).collect();
    for client in &mut clients {
        client.send(format!("GET /v2/p/clients HTTP/1.1\r\n{CALLER}\r\n"));
    }
    daemon.terminate();
    kill_process(pid, Signal::CONT).unwrap();
    for client in &mut clients {
        assert_eq!(client.answer().code(), 200);
        assert!(client.at_end());
    }
    assert!(daemon.end().success());
}

/// Registers and asks until told to stop, through a proxy that always has an answer.
fn register_until_told(address: SocketAddr, name: &str, stop: &AtomicBool) -> Vec<String> {
    let mut acknowledged = Vec::new();
    let mut client = connect(address);
    while !stop.load(Ordering::SeqCst) {
        let id = format!("{name}-{}", acknowledged.len());
        let answer = client.ask(post(&id, ""));
        assert_eq!(answer.code(), 201, "{answer:?}");
        acknowledged.push(id);
        let answer = client.ask(format!("GET /v2/p/clients?limit=1 HTTP/1.1\r\n{CALLER}\r\n"));
        assert_eq!(answer.code(), 200, "{answer:?}");
        thread::sleep(Duration::from_millis(5));
    }
    acknowledged
}

#[test]
fn behind_haproxy_a_restart_of_a_node_fails_no_request() {
    let mut nodes = vec![Daemon::start(), Daemon::start()];
    let haproxy = Haproxy::start([nodes[0].address, nodes[1].address]);
    let stop = AtomicBool::new(false);
    let acknowledged: Vec<String> = thread::scope(|scope| {
        let ending = Ending(&stop);
        let clients: Vec<_> = (0..8)
            .map(|nth| {
                let (stop, address) = (&stop, haproxy.address);
                scope.spawn(move || register_until_told(address, &format!("c{nth}"), stop))
            })
            .collect();
        for _ in 0..2 {
            thread::sleep(Duration::from_secs(1));
            let mut node = nodes.remove(0);
            node.terminate();
            assert!(node.end().success());
            // Now the other node serves alone.
            thread::sleep(Duration::from_secs(1));
            nodes.push(node.start_again());
            // Wait until HAProxy has noticed that the node is back.
            thread::sleep(Duration::from_secs(5));
        }
        drop(ending);
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    println!("{} acknowledged", acknowledged.len());
    let mut direct: Vec<_> = nodes.iter().map(Daemon::connect).collect();
    for id in &acknowledged {
        // Each node has a database of its own here: a write that was sent to both would be in both.
        let found = direct.iter_mut().filter_map(|client| (get(client, id).code() == 200).then_some(()));
        assert_eq!(found.count(), 1, "{id}");
    }
}
