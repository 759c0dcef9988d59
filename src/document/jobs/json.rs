//! The JSON of a job document, serialized straight from the rows. Most requests are for job documents, and building a
//! [`serde_json::Value`] first would cost more than the rest of such a request.
//!
//! Members are in alphabetical order, as in a `Value`: the `ETag` is a digest of these bytes.

use std::collections::{HashMap, HashSet, hash_map};
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::document::actions::FreezerAction;
use crate::document::schedule::{EVENTS, RESULTS, STATUSES, is_of_unit};
use crate::document::{LONGEST_TIME, epoch, longest, size};
use crate::store::jobs::{JobView, Place, PlacedAction};

/// The JSON of a job.
pub struct JobJson<'v> {
    /// The rows.
    pub view: &'v JobView,
    /// Whether the caller may see the agent's process id. Only callers that may have to kill the agent do.
    pub with_pid: bool,
}

impl Serialize for JobJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let head = &self.view.head;
        let attachment = &head.attachment;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("_version", &head.version())?;
        map.serialize_entry("client_id", &head.client_name)?;
        map.serialize_entry("description", head.job.description.as_deref().unwrap_or_default())?;
        map.serialize_entry("job_actions", &Actions(&self.view.actions))?;
        map.serialize_entry("job_id", &attachment.id)?;
        map.serialize_entry("job_schedule", &Schedule(self))?;
        map.serialize_entry("project_id", &attachment.project_id)?;
        map.serialize_entry("session_id", attachment.session_id.as_deref().unwrap_or_default())?;
        map.serialize_entry("session_tag", &attachment.session_tag)?;
        if let Some(trust) = &head.trust {
            map.serialize_entry("user_credentials", &Credentials(&trust.trust_id, &trust.trustor_user_id))?;
        }
        map.serialize_entry("user_id", &attachment.user_id)?;
        map.end()
    }
}

struct Schedule<'s>(&'s JobJson<'s>);

impl Serialize for Schedule<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let JobJson { view, with_pid } = self.0;
        let attachment = &view.head.attachment;
        let mut map = serializer.serialize_map(None)?;
        if let Some(pid) = attachment.current_pid.filter(|_| *with_pid) {
            map.serialize_entry("current_pid", &pid)?;
        }
        // The scheduler reads `event`, `result` and `status` without checking that they exist.
        map.serialize_entry("event", &attachment.event)?;
        map.serialize_entry("result", &attachment.result)?;
        for (key, value) in view.head.scheduling().members().iter().filter(|(key, _)| is_of_unit(key)) {
            map.serialize_entry(key, value)?;
        }
        map.serialize_entry("status", &attachment.status)?;
        map.serialize_entry("time_created", &epoch(attachment.created_at))?;
        map.serialize_entry("time_ended", &attachment.time_ended.unwrap_or(-1))?;
        map.serialize_entry("time_started", &attachment.time_started.unwrap_or(-1))?;
        map.end()
    }
}

struct Actions<'v>(&'v [(Place, Arc<PlacedAction>)]);

impl Serialize for Actions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut texts: HashMap<*const PlacedAction, Option<Box<RawValue>>> = HashMap::new();
        let mut entries = serializer.serialize_seq(Some(self.0.len()))?;
        for (place, action) in self.0 {
            // The text of an action is cached from its second occurrence: most actions occur once.
            let text = match texts.entry(Arc::as_ptr(action)) {
                hash_map::Entry::Vacant(entry) => {
                    entry.insert(None);
                    None
                }
                hash_map::Entry::Occupied(entry) => {
                    let text = entry.into_mut();
                    if text.is_none() {
                        *text = to_raw_value(&FreezerAction(&action.spec)).ok();
                    }
                    text.as_deref()
                }
            };
            entries.serialize_element(&Entry { place, action, text })?;
        }
        entries.end()
    }
}

struct Entry<'v> {
    place: &'v Place,
    action: &'v PlacedAction,
    /// The `freezer_action`, if it is cached.
    text: Option<&'v RawValue>,
}

impl Serialize for Entry<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { place, action, text } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("action_id", &action.id)?;
        match text {
            Some(text) => map.serialize_entry("freezer_action", text)?,
            None => map.serialize_entry("freezer_action", &FreezerAction(&action.spec))?,
        }
        map.serialize_entry("mandatory", &place.mandatory)?;
        map.serialize_entry("max_retries", &place.retries)?;
        map.serialize_entry("max_retries_interval", &place.retry_interval)?;
        map.serialize_entry("project_id", &action.project_id)?;
        map.serialize_entry("user_id", &action.user_id)?;
        map.end()
    }
}

struct Credentials<'v>(&'v str, &'v str);

impl Serialize for Credentials<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("trust_id", self.0)?;
        map.serialize_entry("trustor_user_id", self.1)?;
        map.end()
    }
}

/// A job document as a value, for searches and preconditions.
pub fn render(view: &JobView, with_pid: bool) -> Value {
    // Never fails: a job holds only values that JSON can represent.
    serde_json::to_value(JobJson { view, with_pid }).unwrap_or_default()
}

/// A job document for a search, with only one of several equal entries of `job_actions`: the others match the same.
pub fn render_for_search(view: &JobView, with_pid: bool) -> Value {
    let mut view = view.clone();
    let mut seen = HashSet::new();
    view.actions.retain(|(place, action)| {
        seen.insert((Arc::as_ptr(action), place.retries, place.retry_interval, place.mandatory))
    });
    render(&view, with_pid)
}

/// The largest size, in bytes, that a job's document can reach by its runs and its session. A run is never refused for
/// its size, so the room for it is counted in advance.
pub fn max_size(view: &JobView) -> usize {
    let mut head = view.head.clone();
    let attachment = &mut head.attachment;
    longest(STATUSES).clone_into(&mut attachment.status);
    longest(EVENTS).clone_into(&mut attachment.event);
    longest(RESULTS).clone_into(&mut attachment.result);
    attachment.current_pid = Some(i32::MAX);
    (attachment.time_started, attachment.time_ended) = (Some(LONGEST_TIME), Some(LONGEST_TIME));
    attachment.session_tag = i32::MAX;
    attachment.version = i32::MAX - head.job.version;
    // A job in a session shows the session's schedule, and shows its own again when it leaves.
    if head
        .session_scheduling
        .as_ref()
        .is_some_and(|session| session.text().len() < head.job.scheduling.text().len())
    {
        head.session_scheduling = None;
    }
    size(&JobJson { view: &JobView { head, actions: view.actions.clone() }, with_pid: true })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::document::actions::spec;
    use crate::store::job_attachments::JobAttachment;
    use crate::store::job_trusts::JobTrust;
    use crate::store::jobs::{Job, JobHead};
    use crate::store::{Owner, now};

    #[test]
    fn the_json_equals_the_json_of_the_value() {
        let now = now();
        let entry = json!({"freezer_action": {
            "action": "backup", "a": 1, "zz": [1, {"b": null}], "mode": "fs", "modes": "x", "container": "c",
            "timeout": 7, "storage": "swift", "priority": "high",
        }});
        let spec = spec(entry.as_object().unwrap().clone());
        let action =
            PlacedAction { id: "a".to_owned(), project_id: "p".to_owned(), user_id: "u".to_owned(), spec };
        let place = Place { priority: 0, retries: 5, retry_interval: 6, mandatory: false };
        let job = Job {
            id: "j".to_owned(),
            project_id: "p".to_owned(),
            user_id: "u".to_owned(),
            scheduling: json!({"schedule_a": 1, "schedule_interval": "1 days", "other": 2})
                .as_object()
                .unwrap()
                .clone()
                .into(),
            description: None,
            created_at: now,
            updated_at: now,
            version: 1,
            has_trust: true,
        };
        let attachment = JobAttachment {
            session_id: Some("s".to_owned()),
            event: "start".to_owned(),
            status: "running".to_owned(),
            current_pid: Some(7),
            time_started: Some(1),
            session_tag: 3,
            ..JobAttachment::new("j", Owner::new("p", "u"), "j", "c", now)
        };
        let trust =
            JobTrust { job_id: "j".to_owned(), trust_id: "t".to_owned(), trustor_user_id: "u".to_owned() };
        let head = JobHead {
            attachment,
            job,
            client_name: "host".to_owned(),
            client_project: "p".to_owned(),
            session_scheduling: None,
            trust: Some(trust),
        };
        let view = JobView { head, actions: vec![(place, Arc::new(action))] };
        let value = render(&view, true);
        assert_eq!(
            String::from_utf8(serde_json::to_vec(&JobJson { view: &view, with_pid: true }).unwrap()).unwrap(),
            serde_json::to_string(&value).unwrap()
        );
        assert_eq!(value["job_schedule"]["schedule_a"], 1);
        assert_eq!(value["job_schedule"].get("other"), None);
        assert_eq!(
            value["job_actions"][0]["freezer_action"],
            json!({
                "a": 1, "action": "backup", "backup_name": null, "container": "c", "log_file": null, "mode": "fs",
                "modes": "x", "path_to_backup": null, "priority": "high", "storage": "swift", "timeout": 7,
                "zz": [1, {"b": null}],
            })
        );
    }
}
