//! The intended differences between the two services, and their reasons.

use super::{Ask, Decision};
use crate::callers::Caller;

/// An intended difference.
pub struct Difference {
    /// Why ours decides as it does.
    pub why: &'static str,
    /// The callers and the operation that it is about.
    about: fn(&Caller, &Ask) -> bool,
    /// Our decision, which differs from theirs.
    ours: Decision,
}

/// All differences. The first that matches a request counts.
pub const ALL: &[Difference] = &[
    Difference {
        why: "What does not exist is a 404 for everybody. A 401 makes clients that look for an identity service there ask \
              themselves for a token.",
        about: |_, ask| ["/v1", "/nowhere"].contains(&ask.path.as_str()),
        ours: Decision::LetIn,
    },
    Difference {
        why: "Clients read the version documents before they have a token.",
        about: |_, ask| ask.path.trim_end_matches('/') == "/v2",
        ours: Decision::LetIn,
    },
    Difference {
        why: "The rules are for tokens of projects. The Python service means that too, but its check of the scope \
              is handed credentials that do not name it, and takes a token without one for a project's.",
        about: |caller, ask| {
            !ask.rule.is_empty()
                && ["a domain's admin's", "the system's admin's", "an unscoped one"].contains(&caller.kind)
        },
        ours: Decision::Refused,
    },
    Difference {
        why: "What a rule may say of a caller has oslo.context's name here, user_id; the Python service only has an \
              older one, user, and a rule about user_id refuses everybody.",
        about: |_, ask| ask.rule == "jobs:update",
        ours: Decision::LetIn,
    },
    Difference {
        why: "A service may register a central client without being a member of anything: the Python service wants \
              clients:create as well, and so keeps out those whom clients:create_central is for.",
        about: |caller, ask| ask.rule == "clients:create_central" && caller.kind == "a service's",
        ours: Decision::LetIn,
    },
    Difference {
        why: "Who asks for the jobs of all projects and may not have them is told so. The Python service takes no \
              notice of the question.",
        about: |caller, ask| {
            ask.rule == "jobs:get_all_projects" && !["an admin's", "a service's"].contains(&caller.kind)
        },
        ours: Decision::Refused,
    },
    Difference {
        why: "HEAD is a GET without a body, for those who may GET. The Python service has no HEAD (405).",
        about: |_, ask| ask.method == "HEAD",
        ours: Decision::Refused,
    },
];

/// Whether a rule is about what only ours has, so that there is nothing to compare: a client's PATCH, attachments, reports.
pub fn is_ours_alone(rule: &str) -> bool {
    rule == "clients:update"
        || ["action_attachments:", "job_attachments:", "action_reports:"]
            .iter()
            .any(|noun| rule.starts_with(noun))
}

/// Where upstream has no example, ours decides as it does elsewhere: by method and rule.
pub const ALIKE: &[[(&str, &str); 2]] = &[
    // policy.yaml asks for user_id in the one, and for user in the other.
    [("PATCH", "jobs:update"), ("POST", "actions:create")],
    [("HEAD", "clients:get_all"), ("GET", "clients:get_all")],
];

/// The difference that explains our decision.
pub fn find(caller: &Caller, ask: &Ask, ours: &Decision) -> Option<usize> {
    let about = ALL.iter().position(|difference| (difference.about)(caller, ask))?;
    (ALL[about].ours == *ours).then_some(about)
}
