//! Helpers that build HTML elements. Every text from the document goes through [`escape_html`].

use front::http::escape_html;
use serde_json::Value;

/// The text of a value of the document, not escaped.
pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// An element with HTML inside.
pub fn tag(name: &str, inner: &str) -> String {
    format!("<{name}>{inner}</{name}>\n")
}

/// An element with attributes and HTML inside.
pub fn with(name: &str, attributes: &str, inner: &str) -> String {
    format!("<{name} {attributes}>{inner}</{name}>\n")
}

/// A `code` element with plain text.
pub fn code(text: &str) -> String {
    format!("<code>{}</code>", escape_html(text))
}

/// A link with HTML inside.
pub fn link(target: &str, inner: &str) -> String {
    format!("<a href=\"{}\">{inner}</a>", escape_html(target))
}

/// Paragraphs of plain text, with code in backticks. An empty text has none.
pub fn prose(value: &Value) -> String {
    let text = text(value);
    let paragraphs = text.split("\n\n").filter(|paragraph| !paragraph.is_empty());
    paragraphs.map(|paragraph| tag("p", &line(paragraph))).collect()
}

/// A line of plain text, with code in backticks.
pub fn line(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(at, part)| if at % 2 == 1 { code(part) } else { escape_html(part) }).collect()
}

/// A table row; the cells are HTML.
pub fn row(cell: &str, cells: &[String]) -> String {
    tag("tr", &cells.iter().map(|inner| tag(cell, inner)).collect::<String>())
}

/// A table.
pub fn table(head: &[&str], rows: &str) -> String {
    let head = row("th", &head.iter().map(|text| escape_html(text)).collect::<Vec<_>>());
    tag("table", &format!("{}{}", tag("thead", &head), tag("tbody", rows)))
}
