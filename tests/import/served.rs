//! An import does not disturb a service that runs on the target.

use std::time::Duration;

use serde_json::json;

use crate::daemon::Daemon;
use crate::databases::Database;
use crate::http::Line;
use crate::on_every_backend;
use crate::program::{Directory, Source};

on_every_backend! {
    a_service_on_the_target_answers_and_writes_during_an_import
}

fn a_service_on_the_target_answers_and_writes_during_an_import(new: fn() -> Database) {
    let (directory, target) = (Directory::new(), new());
    let daemon = Daemon::start(&target.url);
    let source = Source::sqlite();
    let mut import = directory.command(&target, &source.words, &["-q", "--into-existing"]).spawn().unwrap();
    let mut line = Line::new(daemon.port, "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
    let mut requests = 0;
    while import.try_wait().unwrap().is_none() {
        let body = json!({"client_id": format!("during-{requests}"), "hostname": "h"});
        let made = line.send("POST", "/clients", Some(&body));
        assert_eq!(made.status, Some(201), "{made:?}");
        let listed = line.send("GET", "/clients", None);
        assert_eq!(listed.status, Some(200), "{listed:?}");
        assert!(made.took + listed.took < Duration::from_secs(6), "{made:?} {listed:?}");
        requests += 1;
    }
    assert_eq!(import.wait().unwrap().code(), Some(3));
    let listed = line.send("GET", "/clients?limit=1000", None).expect(200);
    // Central clients of other projects are listed, too.
    let names = listed["clients"].as_array().unwrap().iter().map(|document| &document["client"]["client_id"]);
    assert_eq!(names.filter(|name| name.as_str().unwrap().starts_with("during-")).count(), requests);
}
