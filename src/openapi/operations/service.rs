//! The service's description of itself: versions, home documents, API reference and health.

use front::http::Method::{Get, Head};

use super::Group;
use crate::document::errors::TEXT;
use crate::document::service::{DESCRIPTION, HEALTH, HOME, HOME_V1, VERSIONS};
use crate::openapi::operation::{Content, JSON, Operation, PLAIN, Reply};

const HTML: &str = "text/html; charset=utf-8";

pub fn group(health_path: &str) -> Group {
    let html = || vec![(HTML, Content::One(&TEXT))];
    let versions = Operation::public(Get, "/", "list_versions")
        .titled("List the versions of the API.")
        .answers(300, "The versions.", &VERSIONS)
        .fails(&[406]);
    let home = Operation::public(Get, "/v2", "show_home_document")
        .titled("Show the home document of version 2.")
        .replies(Reply {
            status: 200,
            description: "The home document.",
            content: vec![("application/json-home", Content::One(&HOME))],
            headers: vec![],
        })
        .fails(&[406]);
    let description = Operation::public(Get, "/v2/openapi.json", "show_openapi_document")
        .titled("Show this description of the API.")
        .about("Its server is the one that the request came to, as a proxy in front says it.")
        .answers(200, "An OpenAPI 3.1 document.", &DESCRIPTION)
        .fails(&[406]);
    let docs = Operation::public(Get, "/docs", "show_reference_page")
        .titled("Show this description as a page to read.")
        .about("HTML, whatever is accepted; it loads nothing from elsewhere.")
        .replies(Reply { status: 200, description: "The page.", content: html(), headers: vec![] });
    Group {
        name: "Service",
        description: "What the service says of itself. None of it needs a token.",
        operations: vec![versions, home, description, docs, health(health_path), health_head(health_path)],
    }
}

/// The same for version 1.
pub fn group_v1() -> Group {
    let home = Operation::public(Get, "/v1", "show_home_document")
        .titled("Show the home document of version 1.")
        .replies(Reply {
            status: 200,
            description: "The home document.",
            content: vec![("application/json-home", Content::One(&HOME_V1))],
            headers: vec![],
        })
        .fails(&[406]);
    let description = Operation::public(Get, "/v1/openapi.json", "show_openapi_document")
        .titled("Show this description of the API.")
        .about("Its server is the one that the request came to, as a proxy in front says it.")
        .answers(200, "An OpenAPI 3.1 document.", &DESCRIPTION)
        .fails(&[406]);
    Group {
        name: "Service",
        description: "What the service says of itself. None of it needs a token.",
        operations: vec![home, description],
    }
}

fn health(path: &str) -> Operation {
    let forms =
        || vec![(PLAIN, Content::One(&TEXT)), (HTML, Content::One(&TEXT)), (JSON, Content::One(&HEALTH))];
    Operation::public(Get, path, "check_health")
        .titled("Check whether this node is in service.")
        .about("Any path below and any method are answered alike. The form is the one of the three that is accepted.")
        .replies(Reply { status: 200, description: "It is.", content: forms(), headers: vec![] })
        .replies(Reply { status: 503, description: "It is not.", content: forms(), headers: vec![] })
}

fn health_head(path: &str) -> Operation {
    Operation::public(Head, path, "probe_health")
        .titled("Check whether this node is in service, without a word.")
        .no_content("It is.")
        .replies(Reply { status: 503, description: "It is not.", content: vec![], headers: vec![] })
}
