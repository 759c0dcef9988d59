//! The documents that schedulers and agents send, as they send them.

use serde_json::{Map, Value, json};

use crate::world::{self, PROJECT, Scheduler};

/// The `schedule_*` keys of a job.
pub fn unit(job: usize) -> Map<String, Value> {
    let unit = match job % 3 {
        0 => json!({"schedule_interval": "1 days", "schedule_start_date": "2026-09-01T02:00:00"}),
        1 => json!({"schedule_interval": "12 hours"}),
        _ => json!({"schedule_hour": "3", "schedule_minute": (job % 60).to_string()}),
    };
    match unit {
        Value::Object(unit) => unit,
        _ => Map::new(),
    }
}

/// The keys of `freezer_action` that have no column.
pub fn metadata() -> Value {
    json!({
        "compression": "gzip",
        "engine_name": "tar",
        "max_level": 6,
        "no_incremental": false,
        "remove_older_than": "365",
        "storage": "swift",
    })
}

/// The whole `freezer_action`.
pub fn freezer_action(job: usize) -> Value {
    let mut action = metadata();
    action["action"] = "backup".into();
    action["mode"] = "fs".into();
    action["path_to_backup"] = path(job).into();
    action["backup_name"] = backup_name(job).into();
    action["container"] = container(job).into();
    action["log_file"] = LOG_FILE.into();
    action
}

pub const LOG_FILE: &str = "/var/log/freezer/agent.log";

pub fn path(job: usize) -> String {
    format!("/srv/data/volume-{:02}", job % 40)
}

pub fn backup_name(job: usize) -> String {
    format!("daily-{job}")
}

pub fn container(job: usize) -> String {
    format!("freezer-{:03}", job % 500)
}

pub fn description(job: usize) -> String {
    format!("Daily backup {job}")
}

/// A new job as the command line posts it.
pub fn job(number: usize, client_id: &str) -> Value {
    json!({
        "client_id": client_id,
        "description": description(number),
        "job_schedule": unit(number),
        "job_actions": [{
            "freezer_action": freezer_action(number),
            "max_retries": 3,
            "max_retries_interval": 60,
            "mandatory": true,
        }],
    })
}

/// The search in a scheduler's poll.
pub fn poll(scheduler: Scheduler) -> Value {
    json!({"match_not": [{"status": "completed"}], "match": [{"client_id": scheduler.client_id()}]})
}

/// What a scheduler says of a run: the whole `job_schedule` as it has it.
pub fn progress(job: usize, is_running: bool, pid: u32) -> Value {
    let mut schedule = unit(job);
    let run = json!({
        "time_created": 1_795_338_075,
        "time_started": 1_795_338_079 + i64::from(pid),
        "time_ended": -1,
        "event": "",
        "status": if is_running { "running" } else { "scheduled" },
        "result": "",
        "current_pid": pid,
    });
    if let Value::Object(run) = run {
        schedule.extend(run);
    }
    json!({"job_schedule": schedule, "session_id": "", "session_tag": 0})
}

/// What a scheduler uploads after its agent has run.
pub fn backup(job: usize, time_stamp: u64) -> Value {
    let hostname = match world::scheduler_of(job) {
        Scheduler::Archive => Scheduler::Regular(0).hostname(),
        regular @ Scheduler::Regular(_) => regular.hostname(),
    };
    json!({
        "curr_backup_level": 0, "fs_real_path": path(job), "vol_snap_path": path(job), "client_os": "linux",
        "client_version": "19.0.0", "time_stamp": time_stamp, "action": "backup", "always_level": "",
        "backup_media": "fs", "backup_name": backup_name(job), "container": container(job),
        "container_segments": "", "dry_run": "", "hostname": hostname, "path_to_backup": path(job),
        "max_level": 6, "log_file": LOG_FILE, "storage": "swift", "mode": "fs", "proxy": "",
        "compression": "gzip", "ssh_key": "/root/.ssh/id_rsa", "ssh_username": "", "ssh_host": "",
        "ssh_port": 22, "consistency_checksum": "", "cindernative_backup_az": "",
        "cindernative_backup_container": "freezer_backups", "cindernative_vol_id": "", "nova_inst_id": "",
        "cinder_vol_id": "", "cinderbrick_vol_id": "", "glance_image_id": "", "engine_name": "tar",
        "job_id": world::id(world::Kind::Job, job),
    })
}

/// A session of jobs that start together.
pub fn session() -> Value {
    json!({
        "description": "Everything at once",
        "hold_off": 3600,
        "schedule": {"schedule_interval": "1 days", "schedule_start_date": "2026-09-01T02:00:00"},
    })
}

/// The path of something of the project's.
pub fn path_of(rest: &str) -> String {
    format!("/v2/{PROJECT}/{rest}")
}
