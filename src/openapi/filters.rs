//! The query parameters of a list: filters, `sort`, `limit` and the others.

use serde_json::json;

use super::operation::{List, Parameter};
use super::parameters::{FLAGS, flag};
use crate::document::collection::{Collection, Extra};
use crate::store::listing::{Key, Kind};

/// The control characters, which no text may contain.
const CONTROL: &str = "\\u0000-\\u001f\\u007f-\\u009f";
/// ISO 8601, as far as a pattern can express it.
const TIME: &str = "[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])(T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\
                    (\\.[0-9]{1,9})?(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])?)?";

/// The parameters of a list.
pub fn list_parameters(list: List, max_limit: i64) -> Vec<Parameter> {
    let collection = list.collection;
    let number = || json!({"type": "integer", "minimum": 0, "maximum": i64::MAX});
    let limit = format!("How many documents at most: 10 when it is missing or 0, and {max_limit} at most.");
    let offset = "How many to leave out first. `marker` is the better way, and goes without it.";
    let marker = "The id of the item that the page begins after: the last of the page before.";
    let mut parameters = vec![
        Parameter { name: "limit", description: limit, schema: number() },
        Parameter { name: "offset", description: offset.to_owned(), schema: number() },
        Parameter {
            name: "marker",
            description: marker.to_owned(),
            schema: json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{0,64}$"}),
        },
        sort(collection),
        flag("with_count", "Also say in `count` how many there are on all pages."),
        fields(collection),
    ];
    parameters.extend(collection.keys.iter().map(filter));
    parameters.extend(collection.extras.iter().map(extra));
    parameters
}

fn sort(collection: &Collection) -> Parameter {
    let keys = collection.keys.iter().filter(|key| key.sorts).map(|key| key.name);
    let orders: Vec<String> =
        keys.flat_map(|key| [key.to_owned(), format!("{key}:asc"), format!("{key}:desc")]).collect();
    let description =
        "The order; by default that of creation. What is equal in it is in the order of creation.";
    let schema = json!({"type": "string", "enum": orders});
    Parameter { name: "sort", description: description.to_owned(), schema }
}

fn fields(collection: &Collection) -> Parameter {
    let schema = collection.document.map(|document| document.schema());
    let known = schema.as_ref().and_then(|schema| schema["properties"].as_object());
    let member = match known {
        Some(known) => known.keys().map(String::as_str).collect::<Vec<_>>().join("|"),
        None => "[^,. ]+".to_owned(),
    };
    let path = format!("({member})(\\.[^,. ]+)*");
    let description =
        "Only these members of each document, as names with commas between them; a dot leads inside.";
    let schema = json!({"type": "string", "pattern": format!("^{path}(,{path})*$")});
    Parameter { name: "fields", description: description.to_owned(), schema }
}

/// The parameter of a filter. It may be repeated, and then all filters must hold.
fn filter(key: &Key) -> Parameter {
    let operators = match key.kind.is_ordered() {
        true => "`in:`, `nin:`, `neq:`, `gt:`, `gte:`, `lt:` or `lte:`",
        false => "`in:`, `nin:` or `neq:`",
    };
    let none = match (key.is_nullable, key.kind) {
        (true, Kind::Id | Kind::Text | Kind::Word(_)) => " Nothing at all finds what has none.",
        _ => "",
    };
    let order = if key.sorts { " The list can be ordered by it." } else { "" };
    let description = format!("{} {operators} may stand before the value.{none}{order}", key.description);
    let items = json!({"type": "string", "pattern": pattern(key)});
    Parameter { name: key.name, description, schema: json!({"type": "array", "items": items}) }
}

/// The pattern of a filter's values. The service also accepts blanks around a number, and unnecessary quotes.
fn pattern(key: &Key) -> String {
    let mut value = match key.kind {
        // Quotes must be closed, and text has no order.
        Kind::Text => {
            let quoted = format!("\"([^\"{CONTROL}]|\"\")*\"");
            return format!("^((neq:)?{quoted}|[^\":{CONTROL}]+|neq:[^\"{CONTROL}]+|n?in:[^\"{CONTROL}]+)?$");
        }
        Kind::Id => "[A-Za-z0-9_-]{0,64}".to_owned(),
        Kind::Word(words) => words.join("|"),
        Kind::Small => "-?[0-9]{1,9}".to_owned(),
        Kind::Integer => "-?[0-9]{1,18}".to_owned(),
        Kind::Time => format!("{TIME}|[0-9]{{1,10}}"),
        Kind::Flag => FLAGS.join("|"),
    };
    if key.is_nullable && matches!(key.kind, Kind::Word(_)) {
        value.push('|');
    }
    let operators = if key.kind.is_ordered() { "neq|gt|gte|lt|lte" } else { "neq" };
    // A parameter without a value counts as absent.
    format!("^$|^(({operators}):)?({value})$|^n?in:({value})(,({value}))*$")
}

/// A parameter that is not an ordinary filter.
fn extra(extra: &Extra) -> Parameter {
    let schema = match extra.kind {
        Kind::Flag => flag(extra.name, "").schema,
        Kind::Word(words) => json!({"type": "string", "enum": words}),
        Kind::Small => json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}),
        Kind::Integer => json!({"type": "integer", "minimum": i64::MIN, "maximum": i64::MAX}),
        Kind::Time => json!({"type": "string", "pattern": format!("^({TIME}|[0-9]{{1,10}})?$")}),
        Kind::Id => json!({"type": "string", "pattern": "^[A-Za-z0-9_-]{0,64}$"}),
        Kind::Text => json!({"type": "string", "pattern": format!("^[^{CONTROL}]*$"), "maxLength": 255}),
    };
    Parameter { name: extra.name, description: extra.description.to_owned(), schema }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::actions::{ACTION_DOCUMENT, COLLECTION};
    use crate::handlers::list::filter as read;

    #[test]
    fn a_value_that_matches_the_published_pattern_is_accepted() {
        let kinds = [
            Kind::Id,
            Kind::Text,
            Kind::Word(&["up", "down"]),
            Kind::Small,
            Kind::Integer,
            Kind::Time,
            Kind::Flag,
        ];
        let values = [
            "",
            "a",
            "up",
            "neq:up",
            "in:up,down",
            "nin:up",
            "gt:up",
            "1",
            "gte:1",
            "in:1,2",
            "-5",
            "lt:-5",
            "true",
            "neq:off",
            "in:1,0",
            "2026-11-22",
            "gt:2026-11-22T10:00:00Z",
            "lte:1795348800",
            "in:2026-11-22,1",
            "a b",
            "swift:c",
            "\"a,b\"",
            "neq:\"a\"\"b\"",
            "in:",
            "nin:a,",
            "\"a",
            "\"a\"b",
            "maybe",
            "in:maybe",
            "99999999999",
            "2026-13-01",
            "a\u{7}",
            "1.0",
            "é",
        ];
        for kind in kinds {
            for nullable in [false, true] {
                let key = Key { is_nullable: nullable, ..Key::new("key", kind, "It.") };
                let key: &'static Key = Box::leak(Box::new(key));
                let schema = json!({"type": "string", "pattern": pattern(key)});
                let published = jsonschema::draft202012::new(&schema).unwrap();
                let published: Vec<_> =
                    values.iter().filter(|value| published.is_valid(&json!(value))).collect();
                // A parameter without a value is absent before it is read as a filter.
                for value in published.iter().filter(|value| !value.is_empty()) {
                    assert!(read(key, value).is_ok(), "{kind:?} {value:?} is published, and refused");
                }
                assert!(published.len() > 2, "{kind:?} {published:?}");
            }
        }
    }

    #[test]
    fn a_collection_has_the_common_parameters_and_its_orders() {
        let parameters = list_parameters(List { collection: &COLLECTION, document: &ACTION_DOCUMENT }, 1000);
        let names: Vec<_> = parameters.iter().map(|parameter| parameter.name).collect();
        for common in crate::handlers::list::COMMON {
            assert!(names.contains(common), "{common}");
        }
        let sort = &parameters.iter().find(|parameter| parameter.name == "sort").unwrap().schema;
        assert!(sort["enum"].as_array().unwrap().contains(&json!("backup_name:desc")));
    }
}
