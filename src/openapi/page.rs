//! The API reference as an HTML page: one file without scripts, which loads nothing from elsewhere.

mod html;
mod schema;
mod style;

use front::http::escape_html;
use serde_json::{Map, Value};

use html::{code, prose, tag, with};
pub use style::content_security_policy;

/// The methods in the order in which they are shown.
const METHODS: &[&str] = &["get", "head", "post", "put", "patch", "delete"];

/// The page before and after the place where the prefix of the service's paths belongs.
pub fn page(document: &Value) -> (String, String) {
    let info = &document["info"];
    let title = escape_html(&format!("{} {}", html::text(&info["title"]), html::text(&info["version"])));
    let before = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"/>\n<title>{title}</title>\n<style>{}</style>\n</head>\n<body>\n\
         <header>\n<h1>{title}</h1>\n<p>The same for programs: <a href=\"",
        style::STYLE,
    );
    let after = format!(
        "/v2/openapi.json\">the OpenAPI document</a>.</p>\n</header>\n{}<main>\n{}{}{}</main>\n</body>\n</html>\n",
        contents(document),
        with("section", "id=\"about\"", &prose(&info["description"])),
        groups(document).map(|(tag, operations)| group(document, tag, &operations)).collect::<String>(),
        schemas(document),
    );
    (before, after)
}

/// An operation with its path and method.
struct Operation<'d> {
    path: &'d str,
    item: &'d Value,
    method: &'static str,
    operation: &'d Value,
}

impl Operation<'_> {
    fn anchor(&self) -> String {
        format!("op-{}", html::text(&self.operation["operationId"]))
    }

    fn heading(&self) -> String {
        let method = with("span", &format!("class=\"method {}\"", self.method), &self.method.to_uppercase());
        format!("{method} {}", code(self.path))
    }
}

/// The tags with their operations.
fn groups(document: &Value) -> impl Iterator<Item = (&Value, Vec<Operation<'_>>)> {
    document["tags"].as_array().into_iter().flatten().map(|tag| (tag, operations(document, &tag["name"])))
}

fn operations<'d>(document: &'d Value, tag: &Value) -> Vec<Operation<'d>> {
    let paths = document["paths"].as_object().into_iter().flatten();
    let all = paths.flat_map(|(path, item)| METHODS.iter().map(move |method| (path, item, *method)));
    let found = all.filter_map(|(path, item, method)| {
        let operation = item.get(method)?;
        let is_its = operation["tags"].as_array()?.contains(tag);
        is_its.then_some(Operation { path, item, method, operation })
    });
    found.collect()
}

fn contents(document: &Value) -> String {
    let mut items = String::new();
    for (group, operations) in groups(document) {
        let link = |operation: &Operation<'_>| {
            let link = html::link(&format!("#{}", operation.anchor()), &operation.heading());
            tag("li", &format!("{link} {}", escape_html(&html::text(&operation.operation["summary"]))))
        };
        let links: String = operations.iter().map(link).collect();
        items.push_str(&tag("li", &format!("{}\n{}", group_link(group), tag("ul", &links))));
    }
    let names = document["components"]["schemas"].as_object().into_iter().flat_map(Map::keys);
    let links: Vec<String> =
        names.map(|name| html::link(&format!("#schema-{name}"), &escape_html(name))).collect();
    items.push_str(&tag(
        "li",
        &format!("{}\n{}", html::link("#schemas", "Schemas"), tag("p", &links.join(", "))),
    ));
    with("nav", "aria-label=\"Contents\"", &format!("{}{}", tag("h2", "Contents"), tag("ul", &items)))
}

fn group_anchor(group: &Value) -> String {
    format!("tag-{}", html::text(&group["name"]).to_lowercase().replace(' ', "-"))
}

fn group_link(group: &Value) -> String {
    html::link(&format!("#{}", group_anchor(group)), &escape_html(&html::text(&group["name"])))
}

fn group(document: &Value, group: &Value, operations: &[Operation<'_>]) -> String {
    let articles: String = operations.iter().map(|operation| article(document, operation)).collect();
    let heading = tag("h2", &escape_html(&html::text(&group["name"])));
    let body = format!("{heading}{}{articles}", prose(&group["description"]));
    with("section", &format!("id=\"{}\"", group_anchor(group)), &body)
}

fn article(document: &Value, operation: &Operation<'_>) -> String {
    let about = operation.operation;
    let mut body = tag("h3", &operation.heading());
    body.push_str(&with(
        "p",
        "class=\"summary\"",
        &format!("{}.", escape_html(&html::text(&about["summary"]))),
    ));
    body.push_str(&prose(&about["description"]));
    body.push_str(&parameters(document, operation));
    if let Some(request) = about.get("requestBody") {
        let optional = if request["required"] == Value::Bool(true) { "" } else { " (may be missing)" };
        body.push_str(&tag("h4", &format!("Request body{optional}")));
        body.push_str(&prose(&request["description"]));
        body.push_str(&content(document, &request["content"]));
    }
    body.push_str(&tag("h4", "Answers"));
    body.push_str(&answers(document, &about["responses"]));
    with("article", &format!("id=\"{}\"", operation.anchor()), &body)
}

fn parameters(document: &Value, operation: &Operation<'_>) -> String {
    let lists = [&operation.item["parameters"], &operation.operation["parameters"]];
    let mut rows = String::new();
    for parameter in lists.into_iter().filter_map(Value::as_array).flatten() {
        let parameter = resolved(document, parameter);
        let place = escape_html(&html::text(&parameter["in"]));
        let cells = [
            code(&html::text(&parameter["name"])),
            place,
            schema::kind(&parameter["schema"]),
            prose(&parameter["description"]),
        ];
        rows.push_str(&html::row("td", &cells));
    }
    match rows.is_empty() {
        true => rows,
        false => format!("{}{}", tag("h4", "Parameters"), html::table(&["name", "in", "value", ""], &rows)),
    }
}

fn answers(document: &Value, responses: &Value) -> String {
    let mut rows = String::new();
    for (status, response) in responses.as_object().into_iter().flatten() {
        let response = resolved(document, response);
        let headers = response["headers"].as_object().into_iter().flat_map(Map::keys).map(|name| code(name));
        let headers = headers.collect::<Vec<_>>().join(" ");
        let cells = [code(status), prose(&response["description"]), forms(&response["content"]), headers];
        rows.push_str(&html::row("td", &cells));
    }
    html::table(&["status", "meaning", "body", "headers"], &rows)
}

/// The content types with links to their schemas.
fn forms(content: &Value) -> String {
    let forms = content.as_object().into_iter().flatten();
    let shown = forms.map(|(kind, media)| format!("{} ({})", schema::kind(&media["schema"]), code(kind)));
    shown.collect::<Vec<_>>().join(", ")
}

/// The content types with links to their schemas, then the first schema in full, with an example.
fn content(document: &Value, content: &Value) -> String {
    let mut shown = tag("p", &forms(content));
    let first = content.as_object().and_then(|forms| forms.values().next());
    if let Some(media) = first {
        let schema = resolved(document, &media["schema"]);
        shown.push_str(&schema::tree(schema));
        shown.push_str(&schema::examples(schema));
    }
    shown
}

fn schemas(document: &Value) -> String {
    let all = document["components"]["schemas"].as_object().into_iter().flatten();
    let shown = all.map(|(name, schema)| {
        let body = format!(
            "{}{}{}{}",
            tag("h3", &escape_html(name)),
            prose(&schema["description"]),
            schema::tree(schema),
            schema::examples(schema),
        );
        with("article", &format!("id=\"schema-{name}\""), &body)
    });
    with("section", "id=\"schemas\"", &format!("{}{}", tag("h2", "Schemas"), shown.collect::<String>()))
}

/// The target of a reference, or the value itself if it is not a reference.
fn resolved<'d>(document: &'d Value, value: &'d Value) -> &'d Value {
    let reference =
        value["$ref"].as_str().and_then(|reference| document.pointer(reference.strip_prefix('#')?));
    reference.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::openapi::{DEFAULT_SERVER, Settings, document};

    fn whole(document: &Value) -> String {
        let (before, after) = page(document);
        format!("{before}/backup{after}")
    }

    /// The names of the elements in order. Panics if an element is not closed properly.
    fn elements(page: &str) -> Vec<String> {
        let (mut open, mut seen): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
        for part in page.strip_prefix("<!DOCTYPE html>\n").unwrap().split('<').skip(1) {
            let (element, _) = part.split_once('>').unwrap();
            let name = element.split(' ').next().unwrap().trim_end_matches('/');
            if let Some(closed) = element.strip_prefix('/') {
                assert_eq!(open.pop().as_deref(), Some(closed), "closed at {part:.60}");
            } else {
                seen.push(name.to_owned());
                if !element.ends_with('/') {
                    open.push(name.to_owned());
                }
            }
        }
        assert!(open.is_empty(), "left open: {open:?}");
        seen
    }

    #[test]
    fn the_page_has_every_operation_and_every_rule() {
        let document = document(&Settings::default(), DEFAULT_SERVER);
        let page = whole(&document);
        for element in elements(&page) {
            assert!(
                !["script", "link", "img", "iframe", "object", "embed"].contains(&&*element),
                "{element}"
            );
        }
        for (path, item) in document["paths"].as_object().unwrap() {
            assert!(page.contains(&code(path)), "{path}");
            for operation in METHODS.iter().filter_map(|method| item.get(method)) {
                let anchor = format!("op-{}", operation["operationId"].as_str().unwrap());
                assert!(page.contains(&format!("<article id=\"{anchor}\">")), "{anchor}");
                assert!(page.contains(&format!("href=\"#{anchor}\"")), "{anchor}");
            }
        }
        for rule in crate::rules::DEFAULTS.iter().filter(|rule| !rule.operations.is_empty()) {
            assert!(page.contains(&code(rule.name)), "{}", rule.name);
        }
    }

    #[test]
    fn every_link_leads_somewhere_on_this_server() {
        let page = whole(&document(&Settings::default(), DEFAULT_SERVER));
        for link in page.split("href=\"").skip(1).map(|part| part.split('"').next().unwrap()) {
            match link.strip_prefix('#') {
                Some(anchor) => assert!(page.contains(&format!("id=\"{anchor}\"")), "{link}"),
                None => assert_eq!(link, "/backup/v2/openapi.json"),
            }
        }
        for loaded in ["src=", "url(", "@import", "srcset="] {
            assert!(!page.contains(loaded), "{loaded}");
        }
    }

    #[test]
    fn texts_of_the_document_are_escaped() {
        let hostile = "<script>alert('&\"')</script>";
        let page = whole(&serde_json::json!({
            "info": {"title": hostile, "version": "1", "description": hostile},
            "tags": [{"name": "t", "description": hostile}],
            "paths": {"/<b>": {"get": {
                "operationId": "x", "tags": ["t"], "summary": hostile, "description": hostile,
                "parameters": [{"name": hostile, "in": "query", "description": hostile, "schema": {"enum": [hostile]}}],
                "requestBody": {"content": {hostile: {"schema": {
                    "type": "object", "description": hostile, "examples": [hostile],
                    "properties": {hostile: {"type": "string", "pattern": hostile, "description": hostile}},
                }}}},
                "responses": {"200": {"description": hostile, "headers": {hostile: {}}}},
            }}},
            "components": {"schemas": {}},
        }));
        assert!(
            !elements(&page).contains(&"script".to_owned()) && !elements(&page).contains(&"b".to_owned())
        );
    }
}
