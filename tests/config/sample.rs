//! `config sample`, and the sample in the repository.

use std::fs;

use crate::program::Place;

#[test]
fn the_sample_in_the_repository_is_the_programs() {
    let file = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/etc/freezer-api.conf")).unwrap();
    let sample = Place::new().run("config sample");
    assert!(file == sample, "make it anew: freezer-api config sample > etc/freezer-api.conf");
}

#[test]
fn a_sample_changes_nothing_and_can_be_had_with_a_broken_file() {
    let place = Place::new();
    place.write("bad.conf", "nonsense");
    let sample = place.run("config sample --config-file bad.conf");
    let values = |text: String| text.split_once("\n\n").unwrap().1.to_owned();
    let before = values(place.run("config show"));
    place.write("freezer-api.conf", &sample);
    assert_eq!(values(place.run("config show")), before);
}

/// Removing the `#` of a line that shows a default sets that default.
#[test]
fn every_default_can_be_read() {
    let place = Place::new();
    let sample = place.run("config sample");
    let before = place.run("config show");
    let uncommented = |line: &str| match line.strip_prefix('#') {
        Some(rest) if !rest.is_empty() && !rest.starts_with(' ') && !rest.ends_with("<None>") => {
            rest.to_owned()
        }
        _ => line.to_owned(),
    };
    place.write("freezer-api.conf", &sample.lines().map(uncommented).collect::<Vec<_>>().join("\n"));
    let values = |text: &str| {
        text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(values(&place.run("config show")), values(&before));
}
