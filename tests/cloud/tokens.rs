//! What each kind of token opens, and for how long.

use crate::callers::{self, Says};
use crate::keystone::Cloud;
use crate::service::{Etc, Service, action, sections};

#[test]
fn each_kind_of_token_opens_what_it_should() {
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
                Says::WhoAreYou => 401,
                Says::No => 403,
            };
            assert_eq!(answer.status, status, "{}: {answer}", caller.kind);
            let challenge = (wanted == Says::WhoAreYou).then_some(&*challenge);
            assert_eq!(answer.header("WWW-Authenticate"), challenge, "{}: {answer}", caller.kind);
        }
    }
}
