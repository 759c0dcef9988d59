use std::io::Write;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use freezer_api::import::elasticsearch::{Options, open};
use freezer_api::import::legacy::Body;
use serde_json::{Value, json};

use super::{content, counts, expected, fixture, from, read, reasons, refusal, text};

const DUMP: &str = "es-15.0.0-v1/elasticdump-2.4.6.data.ndjson";

fn write(directory: &tempfile::TempDir, name: &str, bytes: impl AsRef<[u8]>) -> String {
    let path = directory.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path.display().to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lines(name: &str) -> Vec<Value> {
    text(name).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_release_of_elasticdump_and_every_saved_scroll_gives_the_same_rows() {
    let dump = read(&from(&fixture(DUMP))).unwrap();
    assert_eq!(counts(&dump), expected("es-15.0.0-v1"));
    for other in [
        "elasticdump-7.17.0.data.ndjson",
        "elasticdump-8.15.0.data.ndjson",
        "elasticdump-2.4.6.sourceonly.ndjson",
        "scroll-2.4.6.ndjson",
        "scroll-7.17.0.ndjson",
        "scroll-8.15.0.ndjson",
    ] {
        let rows = read(&from(&fixture(&format!("es-15.0.0-v1/{other}")))).unwrap();
        assert_eq!(counts(&rows), expected("es-15.0.0-v1"), "{other}");
        assert_eq!(content(&rows), content(&dump), "{other}");
        let has_versions = rows.iter().all(|row| row.version.is_some());
        assert_eq!(has_versions, other.starts_with("scroll"), "{other}");
    }
}

#[test]
fn the_documents_of_the_oldest_release_are_read() {
    let rows = read(&from(&fixture("es-3.0.0/elasticdump.data.ndjson"))).unwrap();
    assert_eq!(counts(&rows), expected("es-3.0.0"));
}

#[test]
fn a_dump_may_be_compressed_or_an_array_or_pairs_or_have_the_line_ends_of_windows() {
    let directory = tempfile::tempdir().unwrap();
    let whole = text(DUMP);
    let dump = content(&read(&from(&fixture(DUMP))).unwrap());
    let half = whole[..whole.len() / 2].rfind('\n').unwrap() + 1;
    let members = [gzip(&whole.as_bytes()[..half]), gzip(&whole.as_bytes()[half..])].concat();
    let hits = lines(DUMP);
    let pairs: Vec<String> = hits
        .iter()
        .map(|hit| {
            let meta = json!({"index": {"_index": "freezer", "_type": hit["_type"], "_id": hit["_id"]}});
            format!("{meta}\n{}\n", hit["_source"])
        })
        .collect();
    let elements: Vec<String> = hits.iter().map(Value::to_string).collect();
    let page: Value =
        serde_json::from_str(text("es-15.0.0-v1/scroll-2.4.6.ndjson").lines().next().unwrap()).unwrap();
    let all = json!({"took": 1, "_shards": page["_shards"], "hits": {"total": 187, "hits": hits}});
    for (form, bytes) in [
        ("gzip", gzip(whole.as_bytes())),
        ("several members", members),
        ("mark and CRLF", format!("\u{feff}{}", whole.replace('\n', "\r\n\r\n")).into_bytes()),
        ("no last newline", whole.trim_end().as_bytes().to_vec()),
        ("array", format!("[{}]", elements.join(",")).into_bytes()),
        ("array over lines", format!(" \n[\n{}\n]\n", elements.join(",\n")).into_bytes()),
        ("pretty array", serde_json::to_vec_pretty(&hits).unwrap()),
        ("pretty values", hits.iter().map(|hit| format!("{hit:#}\n")).collect::<String>().into_bytes()),
        ("pretty page", serde_json::to_vec_pretty(&all).unwrap()),
        ("pairs", pairs.concat().into_bytes()),
    ] {
        let name = write(&directory, "dump.ndjson", bytes);
        assert_eq!(content(&read(&from(&name)).unwrap()), dump, "{form}");
    }
}

#[test]
fn a_dump_in_parts_is_found_by_its_first_and_read_once() {
    let directory = tempfile::tempdir().unwrap();
    let whole = text(DUMP);
    let dump = content(&read(&from(&fixture(DUMP))).unwrap());
    let all: Vec<&str> = whole.split_inclusive('\n').collect();
    let mut names = Vec::new();
    for (number, part) in all.chunks(17).enumerate() {
        // The eleventh comes after the second, and not before it.
        names.push(write(
            &directory,
            &format!("dump.split-{number}.ndjson.gz"),
            gzip(part.concat().as_bytes()),
        ));
    }
    assert_eq!(names.len(), 11);
    let in_order =
        |rows: &[freezer_api::import::legacy::Row]| rows.iter().map(|row| row.id.clone()).collect::<Vec<_>>();
    let rows = read(&from(&names[0])).unwrap();
    assert_eq!(content(&rows), dump);
    assert_eq!(in_order(&rows), in_order(&read(&from(&fixture(DUMP))).unwrap()));
    let one_by_one = Options { from: names.clone(), ..Options::default() };
    assert_eq!(content(&read(&one_by_one).unwrap()), dump);
    let by_name = directory.path().join("dump.ndjson").display().to_string();
    assert_eq!(content(&read(&from(&by_name)).unwrap()), dump);

    std::fs::remove_file(&names[4]).unwrap();
    assert!(refusal(&from(&names[0])).contains("the part dump.split-4.ndjson.gz is missing"));
}

#[test]
fn a_dump_of_several_files_is_one() {
    let directory = tempfile::tempdir().unwrap();
    let whole = text(DUMP);
    let half = whole[..whole.len() / 2].rfind('\n').unwrap() + 1;
    let first = write(&directory, "a.json", &whole[..half]);
    let second = write(&directory, "b.json", gzip(&whole.as_bytes()[half..]));
    let both = Options { from: vec![first, second], expect: Some(187), ..Options::default() };
    assert_eq!(counts(&read(&both).unwrap()), expected("es-15.0.0-v1"));
}

#[test]
fn what_is_no_dump_of_documents_is_refused_with_a_sentence() {
    let directory = tempfile::tempdir().unwrap();
    let mapping = fixture("es-15.0.0-v1/elasticdump-2.4.6.mapping.json");
    assert!(refusal(&from(&mapping)).contains("is the mapping (`--type=mapping`), and not the data"));
    for (json, sentence) in [
        (json!({"freezer": {"settings": {"index": {"number_of_shards": "5"}}}}), "is the settings"),
        (json!({"freezer": {"settings": {"index": {"analysis": {}}}}}), "is the analyzers"),
        (json!({"freezer": {"aliases": {}}}), "is the aliases"),
        (json!({"count": 187, "_shards": {"failed": 0}}), "can be given as `--count-file`"),
    ] {
        assert!(refusal(&from(&write(&directory, "x.json", json.to_string()))).contains(sentence), "{json}");
    }
    let page = json!({"_scroll_id": "x", "_shards": {"total": 5, "failed": 2}, "hits": {"hits": []}});
    let incomplete = write(&directory, "page.json", page.to_string());
    assert!(refusal(&from(&incomplete)).contains("2 of 5 shards failed"));
    let utf_16: Vec<u8> = "\u{feff}{}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(refusal(&from(&write(&directory, "utf16.json", utf_16))).contains("UTF-16"));
    let there_is_none = directory.path().join("none.json").display().to_string();
    assert!(refusal(&from(&there_is_none)).contains("There is no file"));
    assert!(refusal(&from(&directory.path().display().to_string())).contains("is a directory"));
}

#[test]
fn a_line_that_is_no_document_is_quarantined_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    let mut all: Vec<String> = text(DUMP).lines().map(str::to_owned).collect();
    all[3] = all[3][..100].to_owned();
    all[5] = "[1, 2]".to_owned();
    all[7] = r#"{"_index":"freezer","_type":"jobs","_id":"x","_score":1}"#.to_owned();
    let name = write(&directory, "bad.ndjson", all.join("\n"));
    let rows = read(&from(&name)).unwrap();
    assert_eq!(rows.len(), 187);
    let bad: Vec<_> = rows.iter().filter(|row| matches!(row.body, Body::Broken)).collect();
    assert_eq!(bad.len(), 3);
    for (row, line) in bad.iter().zip([4, 6, 8]) {
        assert_eq!(reasons(row), ["bad-line"]);
        assert!(row.problems[0].detail.contains(&format!("line {line} ")), "{:?}", row.problems);
        assert!(!row.problems[0].detail.contains("cut off"), "{:?}", row.problems);
    }
    assert_eq!(bad[0].raw, json!(all[3]), "the side file gets the line as it was");
}

#[test]
fn a_dump_that_is_cut_off_says_so() {
    let directory = tempfile::tempdir().unwrap();
    let whole = text(DUMP);
    let last = whole.trim_end().rfind('\n').unwrap() + 1;
    let array = format!("[{}", whole.trim_end().replace('\n', ",\n"));
    let compressed = gzip(whole.as_bytes());
    for (form, bytes, rest) in [
        ("in a line", whole.as_bytes()[..last + 40].to_vec(), Some(186)),
        ("in an array", array.as_bytes()[..array.len() - 3].to_vec(), Some(186)),
        ("after an element", array.into_bytes(), Some(187)),
        ("in a compressed file", compressed[..compressed.len() / 2].to_vec(), None),
        ("at the end of a compressed file", compressed[..compressed.len() - 4].to_vec(), Some(187)),
    ] {
        let rows = read(&from(&write(&directory, "cut.json", bytes))).unwrap();
        let bad: Vec<_> = rows.iter().filter(|row| matches!(row.body, Body::Broken)).collect();
        assert_eq!(bad.len(), 1, "{form}");
        assert_eq!(reasons(bad[0]), ["bad-line"], "{form}");
        assert!(bad[0].problems[0].detail.contains("cut off"), "{form}: {:?}", bad[0].problems);
        assert!(rest.is_none_or(|rest| rows.len() == rest + 1), "{form}: {}", rows.len());
    }
}

#[test]
fn another_number_of_documents_than_the_operator_expects_is_an_error() {
    let dump = fixture(DUMP);
    let with = |expect, count_file: Option<&Path>| Options {
        expect,
        count_file: count_file.map(Path::to_owned),
        ..from(&dump)
    };
    let count_file = fixture("es-15.0.0-v1/count-2.4.6.json");
    read(&with(Some(187), Some(Path::new(&count_file)))).unwrap();
    let error = read(&with(Some(188), None)).unwrap_err();
    assert_eq!(error.status, 4);
    assert!(error.why.contains("187 documents were read, and --expect says 188"), "{error}");

    let directory = tempfile::tempdir().unwrap();
    let wrong = write(&directory, "count.json", r#"{"count": 200, "_shards": {}}"#);
    let error = read(&with(None, Some(Path::new(&wrong)))).unwrap_err();
    assert_eq!(error.status, 4);
    assert!(error.why.contains("187 documents were read") && error.why.contains("says 200"), "{error}");
}

#[test]
fn a_description_names_the_files_and_their_form() {
    let options = Options {
        from: vec![fixture(DUMP), fixture("es-15.0.0-v1/scroll-2.4.6.ndjson")],
        ..Options::default()
    };
    let description = open(&options).unwrap().describe().unwrap();
    let lines = description.lines.join("\n");
    assert!(
        lines.contains("elasticdump-2.4.6.data.ndjson, 198000 bytes: hits, as elasticdump writes them"),
        "{lines}"
    );
    assert!(lines.contains("scroll-2.4.6.ndjson, 209557 bytes: saved answers of a search"), "{lines}");
}
