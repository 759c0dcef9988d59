//! Actions.

use front::http::Method::{Delete, Patch, Post};

use super::Group;
use crate::document::actions::{
    ACTION, ACTION_CHANGED, ACTION_CREATED, ACTION_DOCUMENT, ACTION_PATCH, COLLECTION,
};
use crate::openapi::operation::Operation;

pub fn group() -> Group {
    const LIST: &str = "/actions";
    const ONE: &str = "/actions/{action_id}";
    Group {
        name: "Actions",
        description: "What a freezer-agent is to do. Jobs are made of actions.",
        operations: vec![
            Operation::list("list_actions", &COLLECTION, &ACTION_DOCUMENT).searches(),
            Operation::project(Post, LIST, "create_action").takes(&ACTION).creates(&ACTION_CREATED),
            Operation::show(ONE, "show_action", &ACTION_DOCUMENT),
            Operation::change(Patch, ONE, "update_action")
                .about("Merged into what there is, deeply; keys that are not in it stay.")
                .takes(&ACTION_PATCH)
                .answers(200, "It is changed.", &ACTION_CHANGED),
            Operation::change(Post, ONE, "replace_action")
                .about("What it does not say is reset. 409: the id is another project's.")
                .takes(&ACTION)
                .creates(&ACTION_CHANGED),
            Operation::change(Delete, ONE, "delete_action")
                .about("It also leaves every job that used it.")
                .no_content("It is gone, or was not there."),
        ],
    }
}
