//! Schemas for readers: the type of a value as one line, the members of an object as a table.

use serde_json::Value;

use super::html::{code, line, link, prose, row, table, tag, text, with};

/// The type of a value.
pub fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next()) {
        return link(&format!("#schema-{name}"), &front::http::escape_html(name));
    }
    if let Some(words) = schema["enum"].as_array() {
        return words.iter().map(|word| code(&word.to_string())).collect::<Vec<_>>().join(" ");
    }
    if let Some(parts) = schema["anyOf"].as_array().filter(|_| schema.get("type").is_none()) {
        return parts.iter().map(kind).collect::<Vec<_>>().join(" or ");
    }
    let mut words = match &schema["type"] {
        Value::String(word) => word.clone(),
        Value::Array(words) => words.iter().map(text).collect::<Vec<_>>().join(" or "),
        _ => "anything".to_owned(),
    };
    if schema.get("items").is_some() {
        words.push_str(" of ");
        return format!("{words}{}", kind(&schema["items"]));
    }
    if schema["additionalProperties"].is_object() {
        return format!("{words} of {}", kind(&schema["additionalProperties"]));
    }
    format!("{words}{}", limits(schema))
}

/// The limits of a value.
fn limits(schema: &Value) -> String {
    const WORDS: &[(&str, &str)] = &[
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("minLength", "at least this long:"),
        ("maxLength", "at most this long:"),
        ("minProperties", "keys at least:"),
        ("maxProperties", "keys at most:"),
        ("format", "format"),
        ("pattern", "pattern"),
    ];
    let said = WORDS.iter().filter_map(|(key, word)| {
        let limit = schema.get(key)?;
        let limit = limit.as_str().map_or_else(|| limit.to_string(), str::to_owned);
        Some(format!(", {word} {}", code(&limit)))
    });
    said.collect()
}

/// The members of an object, including nested ones, as a table. Another schema becomes one line with its type.
pub fn tree(schema: &Value) -> String {
    let mut rows = String::new();
    branch(schema, "", &mut rows);
    if rows.is_empty() {
        return match schema.get("properties") {
            Some(_) => String::new(),
            None => tag("p", &kind(schema)),
        };
    }
    let mut shown = table(&["key", "", "value", ""], &rows);
    let rules = schema["allOf"].as_array().into_iter().flatten();
    let rules: String = rules
        .filter(|rule| rule.get("description").is_some())
        .map(|rule| tag("li", &format!("If not: {}.", line(&text(&rule["description"])))))
        .collect();
    if !rules.is_empty() {
        shown.push_str(&tag("ul", &rules));
    }
    if schema["additionalProperties"] == Value::Bool(false) {
        shown.push_str(&with("p", "class=\"note\"", "No other keys."));
    }
    shown
}

/// Adds the table rows of an object. Each key has the object's path before it.
fn branch(schema: &Value, path: &str, rows: &mut String) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let is_required =
            schema["required"].as_array().is_some_and(|keys| keys.iter().any(|key| key == name));
        let full = format!("{path}{name}");
        let cells = [
            code(&full),
            if is_required { "required".to_owned() } else { String::new() },
            kind(property),
            prose(&property["description"]),
        ];
        rows.push_str(&row("td", &cells));
        branch(property, &format!("{full}."), rows);
        branch(&property["items"], &format!("{full}[]."), rows);
    }
}

/// The examples of a schema.
pub fn examples(schema: &Value) -> String {
    let examples = schema["examples"].as_array().into_iter().flatten();
    let shown = examples.map(|example| tag("pre", &code(&format!("{example:#}"))));
    shown.collect()
}
