use std::io::{BufReader, Read};

use serde_json::Value;

use super::Dump;
use super::input::Input;
use super::pieces::{End, Pieces};
use crate::import::Source;
use crate::import::elasticsearch::kinds::Kinds;
use crate::import::elasticsearch::total::Expected;
use crate::import::legacy::Row;

/// Gives the same text again and again, and the byte counts that it has given so far.
struct Endless {
    start: &'static [u8],
    element: Vec<u8>,
    end: &'static [u8],
    times: u64,
    rest: Vec<u8>,
    is_started: bool,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.rest.is_empty() {
            self.rest = if !self.is_started {
                self.is_started = true;
                self.start.to_vec()
            } else if self.times > 0 {
                self.times -= 1;
                self.element.clone()
            } else {
                std::mem::take(&mut self.end).to_vec()
            };
        }
        let length = self.rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&self.rest[..length]);
        self.rest.drain(..length);
        Ok(length)
    }
}

fn endless(start: &'static [u8], element: &str, end: &'static [u8], times: u64) -> Endless {
    Endless { start, element: element.as_bytes().to_vec(), end, times, rest: Vec::new(), is_started: false }
}

fn rows(text: &str) -> Vec<Row> {
    let input = Input::stream("a stream", std::io::Cursor::new(text.to_owned())).unwrap();
    let mut dump =
        Dump::from_inputs(vec![input], false, Kinds::parse(&[]).unwrap(), Expected::default()).unwrap();
    let mut rows = Vec::new();
    dump.read(&mut |row| {
        rows.push(row);
        Ok(())
    })
    .unwrap();
    rows
}

fn pieces(text: &str, max: usize) -> Vec<(u64, String, End)> {
    let input = std::io::Cursor::new(text.to_owned().into_bytes());
    // A small buffer, so that values lie across its end.
    let mut pieces = Pieces::new(Box::new(BufReader::with_capacity(7, input)), max).unwrap();
    let mut found = Vec::new();
    while let Some(piece) = pieces.next().unwrap() {
        found.push((piece.line, String::from_utf8(piece.bytes.to_vec()).unwrap(), piece.end));
    }
    found
}

#[test]
fn a_dump_is_never_in_memory_as_a_whole() {
    let padding = "x".repeat(10_000);
    let hit = format!(
        r#"{{"_index":"freezer","_type":"actions","_id":"a","_source":{{"action_id":"a","freezer_action":{{"x":"{padding}"}}}}}}"#
    );
    // More than the bound of one value altogether.
    let times = 14_000;
    for (start, element, end) in [
        (b"\n".as_slice(), format!("{hit}\n"), b"".as_slice()),
        (b"[", format!("{hit},"), b"{}]"),
        (b"[\n", format!("{hit}\n,\n"), b"]"),
    ] {
        let input = Input::stream("a stream", endless(start, &element, end, times)).unwrap();
        let mut dump =
            Dump::from_inputs(vec![input], false, Kinds::parse(&[]).unwrap(), Expected::default()).unwrap();
        let mut read = 0;
        dump.read(&mut |row| {
            read += u64::from(row.id == "a");
            Ok(())
        })
        .unwrap();
        assert_eq!(read, times);
    }
}

#[test]
fn a_line_without_end_is_one_bad_line() {
    let long = "y".repeat(300);
    let text = format!("{{\"a\":1}}\n{{\"b\":\"{long}\"}}\n{{\"c\":1}}\n");
    let found = pieces(&text, 200);
    assert_eq!(found.len(), 3);
    assert_eq!((found[1].0, found[1].2), (2, End::TooLong));
    assert_eq!((found[2].0, found[2].1.as_str(), found[2].2), (3, "{\"c\":1}", End::Last));
    let found = pieces(&format!("[{{\"b\":\"{long}\"}},\n{{\"c\":1}}]"), 200);
    assert_eq!(found[0].2, End::TooLong);
    assert_eq!((found[1].0, found[1].1.as_str(), found[1].2), (2, "{\"c\":1}", End::Whole));
}

#[test]
fn brackets_in_texts_are_text() {
    let element = r#"{"a":"]}\"[{","b":[{"c":"\\"}]}"#;
    let found = pieces(&format!("[{element} , 7,\"x\"\n,{element}]\n[{element}]"), 1000);
    let texts: Vec<&str> = found.iter().map(|piece| piece.1.as_str()).collect();
    assert_eq!(texts, [element, "7", "\"x\"", element, element]);
    assert!(found.iter().all(|piece| piece.2 == End::Whole), "{found:?}");
    assert_eq!(found.iter().map(|piece| piece.0).collect::<Vec<_>>(), [1, 1, 1, 2, 3]);
}

#[test]
fn a_torn_first_line_is_not_taken_for_a_value_over_many_lines() {
    let found = pieces("{\"a\":\n{\"b\":1}\n", 1000);
    assert_eq!(found.len(), 2);
    let found = pieces("{\n  \"a\": 1\n}\n{\n  \"b\": 1\n}", 1000);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].0, found[1].0), (1, 4));
}

#[test]
fn a_pair_whose_second_line_is_missing_is_a_bad_line() {
    let found = rows("{\"index\":{\"_id\":\"a\"}}\n{\"freezer_action\":{}}\n{\"create\":{\"_id\":\"b\"}}\n");
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].id, "a");
    assert!(found[1].problems[0].detail.contains("line 3 has no second line"), "{:?}", found[1].problems);
    assert_eq!(found[1].raw, serde_json::json!({"_id": "b"}));
    let found = rows("{\"delete\":{\"_id\":\"b\"}}\n");
    assert!(found[0].problems[0].detail.contains("brings no whole document"), "{:?}", found[0].problems);
}

#[test]
fn text_that_is_not_utf_8_is_a_bad_line() {
    let input = Input::stream("a stream", std::io::Cursor::new(b"{\"a\":\"\xFF\"}\n{}".to_vec())).unwrap();
    let mut dump =
        Dump::from_inputs(vec![input], false, Kinds::parse(&[]).unwrap(), Expected::default()).unwrap();
    let mut reasons = Vec::new();
    dump.read(&mut |row| {
        reasons.push(row.problems[0].reason.clone());
        assert!(matches!(row.raw, Value::String(_) | Value::Object(_)));
        Ok(())
    })
    .unwrap();
    assert_eq!(reasons, ["bad-line", "unknown-kind"]);
}
