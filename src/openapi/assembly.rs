//! Builds the OpenAPI document.

use front::http::Method;
use oslo_policy::RuleDefault;
use serde_json::{Map, Value, json};

use super::components::{self, Schemas};
use super::operation::{Conditions, Operation, Reply};
use super::operations::Group;
use super::{Settings, filters, operations, parameters};
use crate::api_v1;
use crate::routes::{Handler, ROUTES};
use crate::rules::DEFAULTS;

/// The document of version 2, without its servers.
pub fn document(settings: &Settings) -> Value {
    assemble(settings, operations::all(&settings.health_path), "2")
}

/// The document of version 1, without its servers.
pub fn document_v1(settings: &Settings) -> Value {
    assemble(settings, operations::v1_groups(), "1, which is deprecated")
}

fn assemble(settings: &Settings, groups: Vec<Group>, version: &str) -> Value {
    let mut schemas = Schemas::default();
    let (mut paths, mut tags) = (Map::new(), Vec::new());
    for group in groups {
        tags.push(json!({"name": group.name, "description": group.description}));
        for operation in &group.operations {
            let item = paths.entry(operation.path.clone()).or_insert_with(|| path_item(&operation.path));
            item[method_key(operation.method)] =
                operation_object(operation, group.name, settings, &mut schemas);
        }
    }
    let mut components =
        json!({"responses": components::responses(&mut schemas), "headers": components::headers()});
    components["parameters"] = components::parameters();
    components["schemas"] = Value::Object(schemas.into_map());
    if settings.has_tokens {
        components["securitySchemes"] = json!({"token": {
            "type": "apiKey",
            "in": "header",
            "name": "X-Auth-Token",
            "description": "A token for a project, from Keystone or from the built-in identity.",
        }});
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Freezer API",
            "summary": env!("CARGO_PKG_DESCRIPTION"),
            "description": introduction(settings, version),
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "tags": tags,
        "paths": paths,
        "components": components,
    })
}

fn introduction(settings: &Settings, version: &str) -> String {
    format!(
        "The backup catalogue of OpenStack Freezer, version {version}.\n\n\
         A path may end in a slash, which means nothing. HEAD is answered wherever GET is, and OPTIONS everywhere, with \
         the methods of the path in `Allow`; any other method is a 405.\n\n\
         Bodies are JSON in UTF-8, whatever their `Content-Type` says, of at most {} bytes and {} levels, without \
         U+0000. Those that change or replace a job, an action, a session or a backup may have {} bytes, as a stored \
         document may come to {} bytes. An integer is written without a fraction or an exponent: `1.0` is none. No body is the same as `{{}}`.\n\n\
         A filter of a list takes a value, or an operator, a colon and a value; `in:` and `nin:` take several with \
         commas between them. A value with a comma or a colon in it stands in quotes, with a quote doubled. Repeated, all \
         filters must hold. What a list does not know is refused by the lists of attachments and reports, and ignored by \
         the older ones.\n\n\
         Every single resource has an `ETag`. With it in `If-Match`, a change is made only if the resource has not changed in the meantime.\n\n\
         A policy rule guards every path of a project (`x-openstack-policy`). What its default is stands beside it; \
         a policy file can change all of them.",
        settings.max_body.0,
        front::http::MAX_DEPTH,
        settings.max_body.1,
        crate::document::MAX_DOCUMENT,
    )
}

fn path_item(path: &str) -> Value {
    let parameters: Vec<Value> = parameters::names(path).map(parameters::path_parameter).collect();
    match parameters.is_empty() {
        true => json!({}),
        false => json!({"parameters": parameters}),
    }
}

fn operation_object(operation: &Operation, tag: &str, settings: &Settings, schemas: &mut Schemas) -> Value {
    let route = ROUTES
        .iter()
        .chain(api_v1::ROUTES)
        .find(|route| route.method == operation.method && route.path == operation.path);
    let asked = route.and_then(|route| match route.handler {
        Handler::Project(rule, _) | Handler::V1(rule, _) => Some(rule),
        _ => None,
    });
    let rules = asked.map(|_| rules(operation)).unwrap_or_default();
    let guard = rules.iter().find(|rule| Some(rule.name) == asked);
    let summary = operation.summary.or(guard.map(|rule| rule.description)).unwrap_or_default();
    let mut described = json!({
        "operationId": operation.id,
        "summary": summary.trim_end_matches('.'),
        "tags": [tag],
        "responses": responses(operation, schemas),
    });
    let description = [operation.description.to_owned(), policy_sentences(&rules)];
    let description: Vec<String> = description.into_iter().filter(|text| !text.is_empty()).collect();
    if !description.is_empty() {
        described["description"] = description.join("\n\n").into();
    }
    if let Some(rule) = asked {
        described["x-openstack-policy"] = rule.into();
        if settings.has_tokens {
            described["security"] = json!([{"token": []}]);
        }
    }
    let parameters = parameters_of(operation, settings);
    if !parameters.is_empty() {
        described["parameters"] = parameters.into();
    }
    if let Some(body) = &operation.body {
        described["requestBody"] = json!({"required": body.required, "content": {}});
        for kind in &body.content {
            described["requestBody"]["content"][kind] = json!({"schema": schemas.publish(body.shape)});
        }
        if !body.description.is_empty() {
            described["requestBody"]["description"] = body.description.into();
        }
    }
    described
}

/// The policy rules of an operation: its route's, and others that its handler enforces.
fn rules(operation: &Operation) -> Vec<&'static RuleDefault> {
    let method = method_key(operation.method).to_uppercase();
    // The rules name the paths of version 2.
    let path = operation.path.replacen("/v1/", "/v2/{project_id}/", 1);
    let is_its = |rule: &&RuleDefault| rule.operations.contains(&(method.as_str(), path.as_str()));
    DEFAULTS.iter().filter(is_its).collect()
}

fn policy_sentences(rules: &[&RuleDefault]) -> String {
    let sentence = |rule: &&RuleDefault| format!("Policy rule `{}`, by default `{}`.", rule.name, rule.check);
    rules.iter().map(sentence).collect::<Vec<_>>().join(" ")
}

fn parameters_of(operation: &Operation, settings: &Settings) -> Vec<Value> {
    let of_list = operation.list.map(|list| filters::list_parameters(list, settings.max_limit));
    let mut all: Vec<Value> =
        of_list.iter().flatten().chain(&operation.query).map(parameters::query_parameter).collect();
    if operation.conditions != Conditions::None {
        all.extend(components::conditions());
    }
    all
}

fn responses(operation: &Operation, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    for reply in &operation.replies {
        responses.insert(reply.status.to_string(), response(reply, schemas));
    }
    if operation.conditions == Conditions::Read {
        responses.insert("304".to_owned(), components::not_modified());
    }
    let condition = (operation.conditions != Conditions::None).then_some(&412);
    for status in operation.errors.iter().chain(condition) {
        responses.entry(status.to_string()).or_insert_with(|| components::error(*status).unwrap_or_default());
    }
    Value::Object(responses)
}

fn response(reply: &Reply, schemas: &mut Schemas) -> Value {
    let mut headers = reply.headers.clone();
    headers.push("x-openstack-request-id");
    let mut response = json!({"description": reply.description, "headers": components::references(&headers)});
    for (kind, content) in &reply.content {
        response["content"][*kind] = json!({"schema": schemas.publish_content(*content)});
    }
    response
}

/// The key of a method in a path item.
fn method_key(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Head => "head",
        Method::Post => "post",
        Method::Put => "put",
        Method::Patch => "patch",
        Method::Delete => "delete",
        Method::Options | Method::Other => "options",
    }
}
