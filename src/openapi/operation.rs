//! One operation: a method of a path with its description.

use front::http::Method;
use serde_json::{Value, json};

use crate::document::collection::Collection;
use crate::document::search;
use crate::document::shape::Shape;

/// An operation, built with the methods below.
pub struct Operation {
    /// The method; with the path it identifies the route.
    pub method: Method,
    /// The path in the route table.
    pub path: String,
    /// The name in generated clients, which must never change.
    pub id: &'static str,
    /// A short summary; `None` takes the description of its policy rule.
    pub summary: Option<&'static str>,
    /// Further description.
    pub description: &'static str,
    /// The list that it returns, whose parameters it has.
    pub list: Option<List>,
    /// Further query parameters.
    pub query: Vec<Parameter>,
    /// The request body.
    pub body: Option<Body>,
    /// The successful responses, and errors that do not have the common form.
    pub replies: Vec<Reply>,
    /// The statuses of errors in the common form.
    pub errors: Vec<u16>,
    /// The conditional headers that it supports.
    pub conditions: Conditions,
}

/// A query parameter.
pub struct Parameter {
    /// The name.
    pub name: &'static str,
    /// The description.
    pub description: String,
    /// The schema of its value.
    pub schema: Value,
}

/// The body of a request.
pub struct Body {
    /// The content types that are accepted.
    pub content: Vec<&'static str>,
    /// The shape.
    pub shape: &'static Shape,
    /// Whether the body is required.
    pub required: bool,
    /// The description.
    pub description: &'static str,
}

/// A response.
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The meaning.
    pub description: &'static str,
    /// The content types with their contents; empty for a response without a body.
    pub content: Vec<(&'static str, Content)>,
    /// The headers that it always has, except the request id.
    pub headers: Vec<&'static str>,
}

/// The content of a response.
#[derive(Clone, Copy)]
pub enum Content {
    /// One document.
    One(&'static Shape),
    /// A page of a list.
    Page(List),
}

/// A list.
#[derive(Clone, Copy)]
pub struct List {
    /// The collection with the keys that it filters and sorts by.
    pub collection: &'static Collection,
    /// The shape of a document.
    pub document: &'static Shape,
}

/// The support of an operation for conditional requests (`If-Match`, `If-None-Match`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conditions {
    /// No support.
    None,
    /// A read: 304, and 412 for an `If-Match`.
    Read,
    /// A read whose `ETag` does not cover the whole response, so that there is no 304.
    PartlyRead,
    /// A change: 412.
    Write,
}

/// JSON.
pub const JSON: &str = "application/json";
/// Raw bytes.
pub const BYTES: &str = "application/octet-stream";
/// Plain text.
pub const PLAIN: &str = "text/plain; charset=utf-8";

impl Operation {
    fn new(method: Method, path: &str, id: &'static str) -> Self {
        Self {
            method,
            path: path.to_owned(),
            id,
            summary: None,
            description: "",
            list: None,
            query: Vec::new(),
            body: None,
            replies: Vec::new(),
            // Any request can be malformed, and any can have a body that is too large or has a `Content-Encoding`.
            errors: vec![400, 413, 415],
            conditions: Conditions::None,
        }
    }

    /// An operation of a path that needs no token.
    pub fn public(method: Method, path: &str, id: &'static str) -> Self {
        Self::new(method, path, id)
    }

    /// An operation of a path below the project. Any write can conflict with a concurrent one (409).
    pub fn project(method: Method, path: &str, id: &'static str) -> Self {
        let errors: &[u16] =
            if method == Method::Get { &[401, 403, 404, 406, 503] } else { &[401, 403, 404, 406, 409, 503] };
        Self::new(method, &format!("/v2/{{project_id}}{path}"), id).fails(errors)
    }

    /// A list, with its parameters.
    pub fn list(id: &'static str, collection: &'static Collection, document: &'static Shape) -> Self {
        let list = List { collection, document };
        let content = vec![(JSON, Content::Page(list))];
        let page = Reply { status: 200, description: "A page of the list.", content, headers: vec![] };
        let path = format!("/{}", collection.path);
        Self { list: Some(list), ..Self::project(Method::Get, &path, id) }.replies(page)
    }

    /// Adds the search in the body, which the older lists support.
    pub fn searches(self) -> Self {
        let description = "The older way to search. Not every proxy lets the body of a GET pass, and no cache heeds \
                           it: where a parameter can say the same, that is the better way.";
        Self {
            body: Some(Body { content: vec![JSON], shape: &search::SEARCH, required: false, description }),
            ..self
        }
    }

    /// The GET of one resource.
    pub fn show(path: &str, id: &'static str, answer: &'static Shape) -> Self {
        Self::project(Method::Get, path, id)
            .answers(200, "The resource.", answer)
            .tagged()
            .on(Conditions::Read)
    }

    /// A change of one resource.
    pub fn change(method: Method, path: &str, id: &'static str) -> Self {
        Self::project(method, path, id).on(Conditions::Write)
    }

    /// Sets the support for conditional requests.
    pub fn on(self, conditions: Conditions) -> Self {
        Self { conditions, ..self }
    }

    /// Sets the summary.
    pub fn titled(self, summary: &'static str) -> Self {
        Self { summary: Some(summary), ..self }
    }

    /// Sets the description.
    pub fn about(self, description: &'static str) -> Self {
        Self { description, ..self }
    }

    /// Adds query parameters.
    pub fn with_query(mut self, parameters: impl IntoIterator<Item = Parameter>) -> Self {
        self.query.extend(parameters);
        self
    }

    /// Sets a JSON body. It is optional if the shape accepts an empty object, which an empty body stands for.
    pub fn takes(self, shape: &'static Shape) -> Self {
        let required = shape.check(json!({})).is_err();
        Self { body: Some(Body { content: vec![JSON], shape, required, description: "" }), ..self }
    }

    /// Adds a JSON response.
    pub fn answers(self, status: u16, description: &'static str, shape: &'static Shape) -> Self {
        self.replies(Reply {
            status,
            description,
            content: vec![(JSON, Content::One(shape))],
            headers: vec![],
        })
    }

    /// Adds the response to a create or a replace.
    pub fn creates(self, shape: &'static Shape) -> Self {
        let description = "It is there now, at the `Location`.";
        let content = vec![(JSON, Content::One(shape))];
        self.replies(Reply { status: 201, description, content, headers: vec!["Location"] })
    }

    /// Adds a 204 response.
    pub fn no_content(self, description: &'static str) -> Self {
        self.replies(Reply { status: 204, description, content: vec![], headers: vec![] })
    }

    /// Adds a response.
    pub fn replies(mut self, reply: Reply) -> Self {
        self.replies.push(reply);
        self
    }

    /// Adds an `ETag` to the response that was added last.
    pub fn tagged(mut self) -> Self {
        self.replies.iter_mut().last().into_iter().for_each(|reply| reply.headers.push("ETag"));
        self
    }

    /// Replaces a shape in the responses by another shape of the same document.
    pub fn use_instead(&mut self, shape: &'static Shape, other: &'static Shape) {
        if let Some(list) = &mut self.list
            && std::ptr::eq(list.document, shape)
        {
            list.document = other;
        }
        for (_, content) in self.replies.iter_mut().flat_map(|reply| &mut reply.content) {
            match content {
                Content::One(one) if std::ptr::eq(*one, shape) => *one = other,
                Content::Page(list) if std::ptr::eq(list.document, shape) => list.document = other,
                _ => {}
            }
        }
    }

    /// Adds errors in the common form.
    pub fn fails(mut self, statuses: &[u16]) -> Self {
        self.errors.extend(statuses);
        self
    }
}
