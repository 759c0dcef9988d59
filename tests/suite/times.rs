//! Times after 2038-01-19 03:14:07 UTC, where 32 bits of seconds and MariaDB's TIMESTAMP end.

use diesel::prelude::*;
use freezer_api::store::schema::{backups, clients, job_attachments};
use freezer_api::store::types::time::Time;
use serde_json::{Value, json};

use crate::api::Api;
use crate::documents::{backup, job};

on_every_backend! {
    resources_made_after_2038_are_shown_and_sorted,
    a_client_is_up_after_2038,
    backups_are_found_by_times_after_2038,
}

/// The last second before that limit, the first after it, one in 2100, and the last that a document can name.
const SECONDS: [i64; 4] = [2_147_483_647, 2_147_483_648, 4_102_444_800, 253_402_300_799];

fn at(seconds: i64) -> Time {
    Time(chrono::DateTime::from_timestamp(seconds, 999_999_000).unwrap().naive_utc())
}

fn resources_made_after_2038_are_shown_and_sorted(api: &Api) {
    let alice = api.project();
    alice.register("a");
    let mut connection = api.database();
    for seconds in SECONDS.iter().rev() {
        let id = alice.create("jobs", job("a"));
        diesel::update(job_attachments::table.find(&id))
            .set((job_attachments::created_at.eq(at(*seconds)), job_attachments::updated_at.eq(at(*seconds))))
            .execute(&mut connection)
            .unwrap();
        // A time equals itself as it is written, and no other time.
        for other in SECONDS {
            let found: Vec<Time> = job_attachments::table
                .filter(job_attachments::id.eq(&id))
                .filter(job_attachments::created_at.eq(at(other)))
                .select(job_attachments::created_at)
                .load(&mut connection)
                .unwrap();
            assert_eq!(found, if other == *seconds { vec![at(other)] } else { vec![] });
        }
    }
    let jobs = alice.list("jobs");
    let shown: Vec<&Value> = jobs.iter().map(|job| &job["job_schedule"]["time_created"]).collect();
    assert_eq!(shown, SECONDS);
}

fn a_client_is_up_after_2038(api: &Api) {
    let alice = api.project();
    let mut connection = api.database();
    alice.register("a");
    let its = || clients::table.filter(clients::project_id.eq(&alice.project));
    diesel::update(its())
        .set(clients::last_seen_at.eq(Some(at(SECONDS[2]))))
        .execute(&mut connection)
        .unwrap();
    let seen: Option<Time> = its().select(clients::last_seen_at).first(&mut connection).unwrap();
    assert_eq!(seen, Some(at(SECONDS[2])));
}

fn backups_are_found_by_times_after_2038(api: &Api) {
    let alice = api.project();
    let mut connection = api.database();
    for seconds in SECONDS {
        let mut made = backup("etc");
        made["time_stamp"] = json!(seconds);
        let id = alice.create("backups", made);
        diesel::update(backups::table.find(&id))
            .set(backups::created_at.eq(at(seconds)))
            .execute(&mut connection)
            .unwrap();
    }
    let found = |search: Value| -> Vec<i64> {
        let found = alice.find_documents("backups", search);
        found.iter().map(|backup| backup["backup_metadata"]["time_stamp"].as_i64().unwrap()).collect()
    };
    assert_eq!(found(json!({"time_after": SECONDS[1]})), SECONDS[1..]);
    assert_eq!(found(json!({"time_before": SECONDS[2]})), SECONDS[..3]);
    assert_eq!(found(json!({"time_after": SECONDS[3], "time_before": SECONDS[3]})), SECONDS[3..]);
}
