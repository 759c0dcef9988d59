//! Backups by query parameters.

use serde_json::{Value, json};

use super::{filter, walk, walk_every_way};
use crate::api::{Api, Caller};
use crate::documents::backup;

on_every_backend! {
    backups_are_walked_in_every_order,
    backups_are_filtered_by_words_and_ids,
    backups_are_filtered_by_numbers,
    filters_ignore_values_that_do_not_fit_their_column,
    a_filter_and_a_search_of_backups_must_both_hold,
    an_invalid_query_of_backups_is_refused,
}

const ORDERS: [(&str, &str); 6] = [
    ("", "/_"),
    ("created_at", "/_"),
    ("status", "/status"),
    ("backup_name", "/backup_metadata/backup_name"),
    ("hostname", "/backup_metadata/hostname"),
    ("time_stamp", "/backup_metadata/time_stamp"),
];

fn seed_backups<'a>(api: &'a Api) -> (Caller<'a>, Vec<Value>) {
    let alice = api.project();
    for more in [
        json!({"hostname": "web1", "time_stamp": 5, "curr_backup_level": 0, "job_id": "j1"}),
        json!({"hostname": "web2", "time_stamp": 4_102_444_800_i64, "curr_backup_level": 1, "status": "error"}),
        json!({"hostname": null, "time_stamp": null, "curr_backup_level": null, "status": "creating"}),
        json!({"hostname": "web1", "time_stamp": -7, "curr_backup_level": 2, "mode": "nova", "backup_name": "a"}),
        json!({"hostname": "Web1", "time_stamp": 5, "job_id": "j2", "container": "", "mode": "cinder"}),
        json!({"hostname": "", "time_stamp": null, "status": "error", "action": "admin"}),
        json!({"hostname": "zw\u{f6}lf", "time_stamp": 6, "job_id": "j1", "backup_name": "etc, var"}),
        json!({"hostname": "web2", "time_stamp": 5, "curr_backup_level": 1, "backup_name": "ETC"}),
    ] {
        let mut body = backup("etc");
        body.as_object_mut().unwrap().remove("curr_backup_level");
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        alice.create("backups", body);
    }
    let all = alice.list("backups");
    api.project().create("backups", backup("etc"));
    (alice, all)
}

fn backups_are_walked_in_every_order(api: &Api) {
    let (alice, all) = seed_backups(api);
    walk_every_way(&alice, "backups", &all, &ORDERS);
    // The same within a filter.
    for (sort, pointer) in ORDERS.iter().skip(1) {
        for is_descending in [false, true] {
            let direction = if is_descending { "desc" } else { "asc" };
            let failed: Vec<Value> = all.iter().filter(|item| item["status"] == "error").cloned().collect();
            let walked =
                walk(&alice, "backups", &format!("/backups?limit=1&status=error&sort={sort}:{direction}"));
            assert_eq!(walked, super::sorted(&failed, pointer, is_descending), "{sort}:{direction}");
        }
    }
}

fn backups_are_filtered_by_words_and_ids(api: &Api) {
    let (alice, all) = seed_backups(api);
    let id = |place: usize| all[place]["backup_id"].as_str().unwrap();
    for (query, places) in [
        ("status=error", vec![1, 5]),
        ("status=in:error,creating", vec![1, 2, 5]),
        ("status=neq:available", vec![1, 2, 5]),
        ("job_id=j1", vec![0, 6]),
        ("job_id=in:j1,j2", vec![0, 4, 6]),
        ("job_id=nin:j1", vec![1, 2, 3, 4, 5, 7]),
        ("job_id=", vec![1, 2, 3, 5, 7]),
        ("job_id=neq:", vec![0, 4, 6]),
        ("backup_name=etc", vec![0, 1, 2, 4, 5]),
        ("backup_name=ETC", vec![7]),
        ("backup_name=in:%22etc,%20var%22,a", vec![3, 6]),
        ("container=/var/backups", vec![0, 1, 2, 3, 5, 6, 7]),
        ("container=neq:/var/backups", vec![4]),
        ("hostname=web1", vec![0, 3]),
        ("hostname=zw%C3%B6lf", vec![6]),
        // An empty name counts as none.
        ("hostname=", vec![2, 5]),
        ("hostname=nin:web1,web2,", vec![4, 6]),
        ("hostname=neq:web1", vec![1, 2, 4, 5, 6, 7]),
        ("action=admin", vec![5]),
        ("mode=nin:fs,nova", vec![4]),
        ("mode=fs&hostname=web2&status=available", vec![7]),
        (&format!("backup_id=in:{},{}", id(0), id(7)), vec![0, 7]),
        (&format!("backup_id=nin:{},{}", id(0), id(7)), vec![1, 2, 3, 4, 5, 6]),
        ("created_at=gt:2020-01-01", (0..8).collect()),
        ("created_at=lte:2020-01-01", vec![]),
    ] {
        filter(&alice, "backups", &all, query, &places);
    }
}

fn backups_are_filtered_by_numbers(api: &Api) {
    let (alice, all) = seed_backups(api);
    for (query, places) in [
        ("time_stamp=5", vec![0, 4, 7]),
        ("time_stamp=in:5,6", vec![0, 4, 6, 7]),
        ("time_stamp=gt:5", vec![1, 2, 5, 6]),
        ("time_stamp=gte:5", vec![0, 1, 2, 4, 5, 6, 7]),
        ("time_stamp=lt:5", vec![3]),
        ("time_stamp=lte:5", vec![0, 3, 4, 7]),
        ("time_stamp=gte:0&time_stamp=lt:6", vec![0, 4, 7]),
        ("time_stamp=neq:5", vec![1, 2, 3, 5, 6]),
        ("time_stamp=nin:5,-7", vec![1, 2, 5, 6]),
        ("time_stamp=9223372036854775807", vec![]),
        ("time_stamp=gte:-9223372036854775808", vec![0, 1, 2, 3, 4, 5, 6, 7]),
        ("curr_backup_level=0", vec![0]),
        ("curr_backup_level=gte:1", vec![1, 3, 7]),
        ("curr_backup_level=lt:2", vec![0, 1, 7]),
        ("curr_backup_level=nin:0,1", vec![2, 3, 4, 5, 6]),
        ("curr_backup_level=2147483647", vec![]),
    ] {
        filter(&alice, "backups", &all, query, &places);
    }
}

/// Text that is too long for its column, or ends in blanks (which MySQL ignores), is in the metadata only.
fn filters_ignore_values_that_do_not_fit_their_column(api: &Api) {
    let alice = api.project();
    for (mode, level) in [
        ("m".repeat(65), json!(0)),
        ("fs ".to_owned(), json!(3_000_000_000_u32)),
        ("fs".to_owned(), json!(1)),
    ] {
        let mut body = backup("etc");
        body["mode"] = mode.into();
        body["curr_backup_level"] = level;
        alice.create("backups", body);
    }
    let all = alice.list("backups");
    let long = format!("mode={}", "m".repeat(65));
    for (query, places) in [
        (&*long, vec![]),
        ("mode=fs%20", vec![]),
        ("mode=fs", vec![2]),
        ("mode=neq:fs", vec![0, 1]),
        ("mode=", vec![0, 1]),
        ("curr_backup_level=neq:1", vec![0, 1]),
        ("curr_backup_level=gt:0", vec![2]),
    ] {
        filter(&alice, "backups", &all, query, &places);
    }
    // A search in the body scans the documents.
    assert_eq!(alice.find_documents("backups", json!({"match": [{"mode": "fs "}]})), [all[1].clone()]);
}

fn a_filter_and_a_search_of_backups_must_both_hold(api: &Api) {
    let (alice, all) = seed_backups(api);
    let search = |query: &str, body: Value| -> Vec<Value> {
        let page = alice.search(&format!("/backups?{query}"), body).expect(200);
        page["backups"].as_array().unwrap().clone()
    };
    let chosen = |places: &[usize]| places.iter().map(|place| all[*place].clone()).collect::<Vec<_>>();
    let times = json!({"time_after": 5, "time_before": 6});
    assert_eq!(search("job_id=j1", times.clone()), chosen(&[0, 6]));
    assert_eq!(search("sort=time_stamp:desc", times), chosen(&[6, 7, 4, 0]));
    let etc = json!({"match": [{"path_to_backup": "/etc"}], "match_not": [{"hostname": "web1"}]});
    assert_eq!(search("time_stamp=5", etc.clone()), chosen(&[4, 7]));
    assert_eq!(search("sort=hostname:desc&limit=3", etc.clone()), chosen(&[6, 7, 1]));
    let marker = all[1]["backup_id"].as_str().unwrap();
    assert_eq!(search(&format!("sort=hostname:desc&marker={marker}"), etc), chosen(&[4, 5, 2]));
}

fn an_invalid_query_of_backups_is_refused(api: &Api) {
    let alice = api.project();
    for query in [
        "status=lost",
        "time_stamp=%20",
        "time_stamp=now",
        "time_stamp=5.0",
        "time_stamp=9223372036854775808",
        "curr_backup_level=2147483648",
        "hostname=gt:a",
        "job_id=gte:a",
        "job_id=a%20b",
        "sort=container",
        "fields=status,colour",
        "sort=time_stamp:down",
        "sort=hostname&offset=2",
    ] {
        let answer = alice.get(&format!("/backups?{query}")).expect(400);
        assert_eq!(answer["title"], "Invalid parameter", "{query}");
    }
}
