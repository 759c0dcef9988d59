//! One operation: a method of a path, and what is to be said about it.

use serde_json::{Value, json};

use crate::document::search;
use crate::document::shape::Shape;
use crate::http::Method;
use crate::store::listing::Collection;

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
    /// The list that it gives, whose parameters it takes.
    pub list: Option<List>,
    /// The parameters of its query beside those.
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
    /// The content types that it may have.
    pub content: Vec<&'static str>,
    /// Its shape.
    pub shape: &'static Shape,
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
    /// Its content types, each with what it holds; none for an answer without a body.
    pub content: Vec<(&'static str, Content)>,
    /// The headers that are always there, beside the request's id.
    pub headers: Vec<&'static str>,
}

/// What an answer holds.
#[derive(Clone, Copy)]
pub enum Content {
    /// One thing.
    One(&'static Shape),
    /// A page of a list.
    Page(List),
}

/// A list.
#[derive(Clone, Copy)]
pub struct List {
    /// What it can be filtered by and ordered by.
    pub collection: &'static Collection,
    /// The shape of a document.
    pub document: &'static Shape,
}

/// The conditions of a request (`If-Match`, `If-None-Match`) that an operation heeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conditions {
    /// None.
    None,
    /// Those of a read: 304, and 412 for an `If-Match`.
    Read,
    /// Those of a read whose `ETag` is not that of the whole answer, so that there is no 304.
    PartlyRead,
    /// Those of a change: 412.
    Write,
}

/// JSON, as nearly everything here is.
pub const JSON: &str = "application/json";
/// What has no form.
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

    /// An operation of a path below the project. Any write can meet another.
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

    /// With the search in the body, as the lists of old have it.
    pub fn searches(self) -> Self {
        let description = "The older way to search. Not every proxy lets the body of a GET pass, and no cache heeds \
                           it: where a parameter can say the same, that is the better way.";
        Self {
            body: Some(Body { content: vec![JSON], shape: &search::SEARCH, required: false, description }),
            ..self
        }
    }

    /// A resource's own GET.
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

    /// With the conditions that it heeds.
    pub fn on(self, conditions: Conditions) -> Self {
        Self { conditions, ..self }
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

    /// With a body of JSON. None at all is an empty object, which some shapes take.
    pub fn takes(self, shape: &'static Shape) -> Self {
        let required = shape.check(json!({})).is_err();
        Self { body: Some(Body { content: vec![JSON], shape, required, description: "" }), ..self }
    }

    /// With an answer of JSON.
    pub fn answers(self, status: u16, description: &'static str, shape: &'static Shape) -> Self {
        self.replies(Reply {
            status,
            description,
            content: vec![(JSON, Content::One(shape))],
            headers: vec![],
        })
    }

    /// With the answer to a create or a replace.
    pub fn creates(self, shape: &'static Shape) -> Self {
        let description = "It is there now, at the `Location`.";
        let content = vec![(JSON, Content::One(shape))];
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

    /// With an `ETag` in the answer that was said last.
    pub fn tagged(mut self) -> Self {
        self.replies.iter_mut().last().into_iter().for_each(|reply| reply.headers.push("ETag"));
        self
    }

    /// With another shape of the same document in its answers.
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

    /// With errors in the common form.
    pub fn fails(mut self, statuses: &[u16]) -> Self {
        self.errors.extend(statuses);
        self
    }
}
