//! The requests of freezer-tempest-plugin, unchanged (clients-in-the-field, §4).

use serde_json::{Value, json};

use crate::api::Api;

on_every_backend! {
    the_actions_of_the_plugin_are_accepted,
    the_backups_of_the_plugin_are_accepted,
    the_clients_of_the_plugin_are_accepted,
    the_jobs_of_the_plugin_are_accepted,
    the_sessions_of_the_plugin_are_accepted,
    lists_of_a_fresh_project_are_empty,
}

fn the_actions_of_the_plugin_are_accepted(api: &Api) {
    let alice = api.project();
    let freezer_action = json!({
        "action": "backup", "mode": "fs", "path_to_backup": "/tmp/backup", "backup_name": "test freezer backups",
        "container": "/tmp/backups", "hostname": false, "max_level": "", "always_level": "", "restart_always_level": 5,
        "no_incremental": "false", "encrypt_pass_file": false, "remove_older_than": 365, "remove_from_date": false,
        "snapshot": false, "storage": "local", "log_file": "/tmp/freezer.log",
    });
    let body = json!({
        "freezer_action": freezer_action, "exit_status": "success", "max_retries": 3, "max_retries_interval": 60,
        "mandatory": false, "user_id": "u", "project_id": "p", "action_id": null,
    });
    let answer = alice.send_with(
        "POST",
        "/actions",
        &[("Accept", "application/json")],
        Some(body.to_string().as_bytes()),
    );
    let id = answer.expect(201)["action_id"].as_str().unwrap().to_owned();
    let document = alice.show("actions", &id);
    for (key, value) in freezer_action.as_object().unwrap() {
        assert_eq!(&document["freezer_action"][key], value, "{key}");
    }
    let path = format!("/actions/{id}");
    assert_eq!(alice.post(&path, body.clone()).expect(201)["action_id"], json!(id));
    assert_eq!(alice.patch(&path, body).expect(200)["action_id"], json!(id));
    alice.delete(&path).expect(204);
    alice.delete(&path).expect(204);
}

fn the_backups_of_the_plugin_are_accepted(api: &Api) {
    let (alice, bob) = (api.project(), api.project());
    let metadata = json!({
        "curr_backup_level": 0, "container": "freezer_container", "hostname": "alpha", "backup_name": "important_data_backup",
        "time_stamp": 8_475_903_425_i64, "level": 0, "max_level": 5, "mode": "fs", "fs_real_path": "/blabla",
        "vol_snap_path": "/blablasnap", "total_broken_links": 0, "total_fs_files": 11, "total_directories": 2,
        "backup_size_uncompressed": 4567, "backup_size_compressed": 1212, "compression_alg": "None",
        "client_os": "linux", "client_version": "1.2.2", "path_to_backup": "/blabla", "backup_media": "fs",
    });
    let id = alice.create("backups", metadata.clone());
    assert_eq!(
        alice.list("backups"),
        [json!({
            "backup_id": id, "project_id": alice.project, "user_id": alice.user, "status": "available",
            "backup_metadata": metadata,
        })]
    );
    let mut without = metadata.clone();
    without.as_object_mut().unwrap().remove("container");
    alice.post("/backups", without).expect(400);
    bob.delete(&format!("/backups/{id}")).expect(404);
    alice.show("backups", &id);
    alice.delete(&format!("/backups/{id}")).expect(204);
    alice.delete(&format!("/backups/{id}")).expect(404);
}

fn the_clients_of_the_plugin_are_accepted(api: &Api) {
    let alice = api.project();
    let name = format!("{}_test-tenant.example.com", alice.project);
    let body = json!({
        "client_id": name, "hostname": "test-tenant.example.com", "description": "a test client",
        "uuid": uuid::Uuid::new_v4().simple().to_string(), "project_id": alice.project,
    });
    assert_eq!(alice.create("clients", body.clone()), name);
    let document = alice.show("clients", &name);
    for key in ["client_id", "hostname", "description", "uuid"] {
        assert_eq!(document["client"][key], body[key]);
    }
    alice.delete(&format!("/clients/{name}")).expect(204);
    alice.get(&format!("/clients/{name}")).expect(404);
}

fn the_jobs_of_the_plugin_are_accepted(api: &Api) {
    let alice = api.project();
    let name = format!("{}_test-node.example.com", alice.project);
    alice.register(&name);
    let body = |client: &str| -> Value {
        json!({
            "job_actions": [{
                "freezer_action": {
                    "action": "backup", "mode": "fs", "src_file": "/home/tylerdurden/project_mayhem",
                    "backup_name": "project_mayhem_backup", "container": "my_backup_container",
                },
                "exit_status": "success", "max_retries": 1, "max_retries_interval": 1, "mandatory": true,
            }],
            "job_schedule": {
                "time_created": 1_234, "time_started": 1_234, "time_ended": 0, "status": "stop",
                "schedule_date": "2015-06-02T16:20:00", "schedule_month": "1-6, 9-12", "schedule_day": "mon, wed, fri",
                "schedule_hour": "03", "schedule_minute": "25",
            },
            "job_id": "", "client_id": client, "user_id": "blabla", "description": "scheduled one shot",
        })
    };
    let id = alice.create("jobs", body(&name));
    let document = alice.show("jobs", &id);
    assert_eq!(document["description"], "scheduled one shot");
    assert_eq!(document["user_id"], json!(alice.user));
    assert_eq!(document["job_schedule"]["schedule_month"], "1-6, 9-12");
    assert_eq!(document["job_schedule"]["status"], "stop");
    assert_eq!(document["job_actions"][0]["freezer_action"]["src_file"], "/home/tylerdurden/project_mayhem");
    for bad in ["bad%project$id_host.domain.com", "a/b", "host name"] {
        alice.post("/jobs", body(bad)).expect(400);
    }
    alice.register("test-node.example.com");
    alice.create("jobs", body("test-node.example.com"));
    alice.delete(&format!("/jobs/{id}")).expect(204);
    alice.delete(&format!("/jobs/{id}")).expect(204);
}

fn the_sessions_of_the_plugin_are_accepted(api: &Api) {
    let alice = api.project();
    let body = json!({
        "session_id": "a-session-id", "session_tag": 1, "description": "tests", "hold_off": 5,
        "schedule": {
            "time_created": 1_234, "time_started": 1_234, "time_ended": 0, "status": "stop",
            "schedule_date": "2015-06-02T16:20:00", "schedule_month": "1-6, 9-12",
        },
        "jobs": [{"job_id_1": {"client_id": "c", "status": "running", "result": "success", "time_started": 1, "time_ended": 2}}],
        "time_start": 1_234, "time_end": 1_234, "time_started": 1_234, "time_ended": 0,
        "status": "completed", "result": "success", "user_id": "user", "project_id": "project",
    });
    let id = alice.create("sessions", body);
    assert_ne!(id, "a-session-id");
    let document = alice.show("sessions", &id);
    assert_eq!((&document["description"], &document["project_id"]), (&json!("tests"), &json!(alice.project)));
    assert_eq!(document["jobs"], json!({}));
    alice.delete(&format!("/sessions/{id}")).expect(204);
    alice.get(&format!("/sessions/{id}")).expect(404);
}

fn lists_of_a_fresh_project_are_empty(api: &Api) {
    let alice = api.project();
    for noun in ["actions", "jobs", "sessions", "backups"] {
        for path in [format!("/{noun}"), format!("/{noun}/?limit=5&offset=5")] {
            assert_eq!(alice.get(&path).expect(200), json!({noun: []}));
        }
    }
    let clients = alice.get("/clients?limit=500").expect(200)["clients"].as_array().unwrap().clone();
    assert!(clients.iter().all(|client| client["client"]["is_central"] == true));
}
