//! What each kind of token may do, and for how long.

use crate::callers::{self, Says};
use crate::keystone::Cloud;
use crate::service::{Etc, Service, action, sections};

#[test]
fn each_kind_of_token_may_do_what_it_should() {
    let cloud = Cloud::get();
    let etc = Etc::new(&sections(&cloud, "freezer"));
    let service = Service::ours(&etc);
    let challenge = format!("Keystone uri=\"{}\"", cloud.url);
    let alpha = cloud.project("alpha");

    for caller in callers::all(&cloud) {
        let jobs = service.send("GET", &format!("/v2/{alpha}/jobs"), &caller.headers(), None);
        let actions = format!("/v2/{alpha}/actions");
        let made = service.send("POST", &actions, &caller.headers(), Some(&action()));
        for (answer, good, wanted) in [(&jobs, 200, caller.read), (&made, 201, caller.write)] {
            let status = match wanted {
                Says::Welcome => good,
                Says::Unauthorized => 401,
                Says::No => 403,
            };
            assert_eq!(answer.status, status, "{}: {answer}", caller.kind);
            let challenge = (wanted == Says::Unauthorized).then_some(&*challenge);
            assert_eq!(answer.header("WWW-Authenticate"), challenge, "{}: {answer}", caller.kind);
        }
    }
}

/// Every operation needs a valid token, so a delayed decision (`delay_auth_decision`) is the same one, a little later.
#[test]
fn a_delayed_decision_is_the_same() {
    let cloud = Cloud::get();
    let mut sections = sections(&cloud, "freezer");
    sections.get_mut("keystone_authtoken").unwrap().push("delay_auth_decision = true".to_owned());
    let etc = Etc::new(&sections);
    let service = Service::ours(&etc);
    let jobs = format!("/v2/{}/jobs", cloud.project("alpha"));
    service.ask("GET", &jobs, &cloud.token("member", "alpha"), None).expect(200);
    for headers in [&[][..], &[("X-Auth-Token", "garbage")], &[("X-Roles", "admin")]] {
        let answer = service.send("GET", &jobs, headers, None);
        answer.expect(401);
        assert!(answer.header("WWW-Authenticate").unwrap().starts_with("Keystone uri="), "{answer}");
    }
}
