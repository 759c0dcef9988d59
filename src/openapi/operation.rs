//! One operation: a method of a path, and what is to be said about it.

use serde_json::Value;

use crate::document::shape::Shape;
use crate::document::{errors, search};
use crate::http::Method;

/// An operation. Everything but its route is said with the methods below.
pub struct Operation {
    /// Its method; with the path it is the key to the table of routes.
    pub method: Method,
    /// Its path, as the table of routes has it.
    pub path: String,
    /// Its name in generated clients, which stays as it is.
    pub id: &'static str,
    /// What it does, in a few words; without them, what its policy rule says.
    pub summary: Option<&'static str>,
    /// More about it.
    pub description: &'static str,
    /// The parameters of its query.
    pub query: Vec<Parameter>,
    /// What it takes.
    pub body: Option<Body>,
    /// What it answers when all is well, and what it answers in a form of its own.
    pub replies: Vec<Reply>,
    /// The statuses of its errors in the common form.
    pub errors: Vec<u16>,
    /// The conditions that it heeds.
    pub conditions: Conditions,
}

/// A parameter of the query.
pub struct Parameter {
    /// Its name.
    pub name: &'static str,
    /// What it does.
    pub description: String,
    /// What it may be.
    pub schema: Value,
}

/// The body of a request.
pub struct Body {
    /// Its content type, and its shape.
    pub content: (&'static str, &'static Shape),
    /// Whether it must be there.
    pub required: bool,
    /// What is to be said about it.
    pub description: &'static str,
}

/// An answer.
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// What it means.
    pub description: &'static str,
    /// Its content types, each with its shape; none for an answer without a body.
    pub content: Vec<(&'static str, &'static Shape)>,
    /// The headers that are always there, beside the request's id.
    pub headers: Vec<&'static str>,
}

/// The conditions of a request (`If-Match`, `If-None-Match`) that an operation heeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conditions {
    /// None.
    None,
    /// Those of a read: 304 and `ETag`.
    Read,
    /// Those of a change: 412.
    Write,
}

/// JSON, as nearly everything here is.
pub const JSON: &str = "application/json";

impl Operation {
    fn new(method: Method, path: &str, id: &'static str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            id,
            summary: None,
            description: "",
            query: Vec::new(),
            body: None,
            replies: Vec::new(),
            // Any request can be none, and any can have too large a body.
            errors: vec![400, 413],
            conditions: Conditions::None,
        }
    }

    /// An operation of a path that needs no token.
    pub fn public(method: Method, path: &str, id: &'static str) -> Self {
        Self::new(method, path, id)
    }

    /// An operation of a path below the project.
    pub fn project(method: Method, path: &str, id: &'static str) -> Self {
        Self::new(method, &format!("/v2/{{project_id}}{path}"), id).fails(&[401, 403, 404, 406, 503])
    }

    /// A list: with the search body, and the parameters of a list.
    pub fn list(path: &str, id: &'static str, answer: &'static Shape) -> Self {
        let list = Self::project(Method::Get, path, id).answers(200, "A page of the list.", answer);
        let description = "The older way to filter; parameters do the same, and pass every proxy and cache.";
        let body = Body { content: (JSON, &search::SEARCH), required: false, description };
        Self { body: Some(body), ..list }
    }

    /// A resource's own GET.
    pub fn show(path: &str, id: &'static str, answer: &'static Shape) -> Self {
        let show = Self::project(Method::Get, path, id).answers(200, "The resource.", answer);
        Self { conditions: Conditions::Read, ..show }
    }

    /// A change of one resource.
    pub fn change(method: Method, path: &str, id: &'static str) -> Self {
        Self { conditions: Conditions::Write, ..Self::project(method, path, id) }
    }

    /// With a summary of its own.
    pub fn titled(self, summary: &'static str) -> Self {
        Self { summary: Some(summary), ..self }
    }

    /// With a description.
    pub fn about(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// With some parameters more.
    pub fn asks(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.query.extend(parameters);
        self
    }

    /// With a body of JSON, which must be there.
    pub fn takes(self, shape: &'static Shape) -> Self {
        Self { body: Some(Body { content: (JSON, shape), required: true, description: "" }), ..self }
    }

    /// With an answer of JSON.
    pub fn answers(self, status: u16, description: &'static str, shape: &'static Shape) -> Self {
        self.replies(Reply { status, description, content: vec![(JSON, shape)], headers: vec![] })
    }

    /// With the answer to a create or a replace.
    pub fn creates(self, shape: &'static Shape) -> Self {
        let description = "It is there now, at the `Location`.";
        let content = vec![(JSON, shape)];
        self.replies(Reply { status: 201, description, content, headers: vec!["Location"] })
    }

    /// With the answer that there is nothing to say.
    pub fn does(self, description: &'static str) -> Self {
        self.replies(Reply { status: 204, description, content: vec![], headers: vec![] })
    }

    /// With an answer.
    pub fn replies(mut self, reply: Reply) -> Self {
        self.replies.push(reply);
        self
    }

    /// With errors in the common form.
    pub fn fails(mut self, statuses: &[u16]) -> Self {
        self.errors.extend(statuses);
        self
    }

    /// Every shape of it.
    pub fn shapes(&self) -> impl Iterator<Item = &'static Shape> {
        let body = self.body.iter().map(|body| body.content.1);
        let replies = self.replies.iter().flat_map(|reply| reply.content.iter().map(|(_, shape)| *shape));
        body.chain(replies).chain([&errors::ERROR, &errors::UNAUTHORIZED, &errors::TEXT])
    }
}
