//! Clients.

use front::http::Method::{Delete, Patch, Post};

use super::Group;
use crate::document::clients::{CLIENT, CLIENT_CREATED, CLIENT_DOCUMENT, CLIENT_PATCH, COLLECTION};
use crate::openapi::operation::{Conditions, Operation};
use crate::openapi::parameters;

pub fn group() -> Group {
    const LIST: &str = "/clients";
    const ONE: &str = "/clients/{client_id}";
    Group {
        name: "Clients",
        description: "Registered freezer-schedulers. In every document and path, `client_id` is the client's name.",
        operations: vec![
            Operation::list("list_clients", &COLLECTION, &CLIENT_DOCUMENT).searches(),
            Operation::project(Post, LIST, "register_client")
                .about("A scheduler does this at every start: a client that is there already is brought up to date.")
                .takes(&CLIENT)
                .creates(&CLIENT_CREATED),
            Operation::show(ONE, "show_client", &CLIENT_DOCUMENT)
                .about("The `ETag` is not about `state` and `last_seen_at`, so that a poll does not change it.")
                .on(Conditions::PartlyRead),
            Operation::change(Patch, ONE, "update_client")
                .about("What is not in it stays. A central client is changed only in the project that registered it.")
                .takes(&CLIENT_PATCH)
                .answers(200, "The whole client.", &CLIENT_DOCUMENT)
                .tagged(),
            Operation::change(Delete, ONE, "delete_client")
                .about("Refused with a 409 while jobs are attached to it, unless `cascade` takes them along.")
                .with_query([parameters::flag("cascade", "Delete the project's jobs on this client too.")])
                .no_content("It is gone, or was not there."),
        ],
    }
}
