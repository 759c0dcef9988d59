//! What the way back needs: everything that was created or changed here, and nothing else.

use chrono::{NaiveDate, TimeDelta};
use freezer_api::export::{Selection, export};
use freezer_api::store::types::time::Time;
use serde_json::Value;

use crate::imports::Import;

fn lines(import: &Import, selection: &Selection) -> Vec<Value> {
    let mut out = Vec::new();
    export(&import.store(), selection, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_export_lists_what_was_created_or_changed_since_and_nothing_else() {
    let import = Import::sqlite();
    let since = Some(Time(NaiveDate::from_ymd_opt(2999, 1, 1).unwrap().and_hms_opt(0, 0, 0).unwrap()));
    let selection = Selection { since, project: None, down_time: TimeDelta::seconds(180) };
    assert_eq!(lines(&import, &selection), [Value::Null; 0]);
    import.change(
        "UPDATE jobs SET updated_at = '2999-01-01 00:00:00.000000' WHERE id = (SELECT MIN(id) FROM jobs);
         UPDATE backups SET created_at = '2999-01-02 00:00:00.000000', updated_at = '2999-01-02 00:00:00.000000'
         WHERE id = (SELECT MIN(id) FROM backups)",
    );
    let found = lines(&import, &selection);
    let names: Vec<_> = found
        .iter()
        .map(|line| (line["kind"].as_str().unwrap(), line["changed"].as_str().unwrap()))
        .collect();
    assert_eq!(names, [("job", "updated"), ("backup", "created")]);
    assert_eq!(found[0]["project_id"], found[0]["document"]["project_id"]);
    assert!(found[0]["document"]["job_id"].is_string() && found[1]["document"]["backup_id"].is_string());
    let other = Selection { project: Some("other".to_owned()), ..selection };
    assert_eq!(lines(&import, &other), [Value::Null; 0]);
}

#[test]
fn an_export_without_a_time_lists_everything() {
    let import = Import::sqlite();
    let all = lines(&import, &Selection::default());
    for kind in ["client", "action", "session", "job", "backup"] {
        assert!(all.iter().any(|line| line["kind"] == kind && line["changed"] == "created"), "{kind}");
    }
}
