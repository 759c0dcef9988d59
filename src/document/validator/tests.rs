use jsonschema::error::ValidationErrorKind;
use serde_json::{Map, json};

use super::*;
use crate::document::shape::{Shape, rule};
use crate::document::{action_attachments, action_reports, actions, backups, clients};
use crate::document::{job_attachments, jobs, search, sessions};

/// The shapes of the bodies of requests.
static BODIES: &[&Shape] = &[
    &action_attachments::ACTION_ATTACHMENT_CREATE,
    &action_attachments::ACTION_ATTACHMENT_PATCH,
    &action_reports::REPORT_CREATE,
    &action_reports::REPORT_PATCH,
    &actions::ACTION,
    &actions::ACTION_PATCH,
    &backups::BACKUP,
    &backups::BACKUP_METADATA,
    &backups::BACKUP_PATCH,
    &clients::CLIENT,
    &clients::CLIENT_PATCH,
    &job_attachments::JOB_ATTACHMENT_CREATE,
    &job_attachments::JOB_ATTACHMENT_PATCH,
    &jobs::JOB,
    &jobs::JOB_EVENT,
    &jobs::JOB_PATCH,
    &search::SEARCH,
    &sessions::SESSION,
    &sessions::SESSION_ACTION,
    &sessions::SESSION_PATCH,
    &sessions::SESSION_REPLACE,
];

#[test]
fn each_keyword_has_its_text() {
    let long = json!({"maxLength": 2, "$comment": "a short name"});
    let member = json!({"properties": {"a": {"type": "null"}}});
    for (schema, value, place, text) in [
        (json!({"type": "object"}), json!([]), "", "this value is not of type \"object\""),
        (json!({"type": "integer"}), json!(1.0), "", "this value is not of type \"integer\""),
        (json!({"type": "integer"}), json!(1e3), "", "this value is not of type \"integer\""),
        (
            json!({"type": ["string", "null"]}),
            json!(1),
            "",
            "this value is not of types \"null\", \"string\"",
        ),
        (json!({"enum": ["up", null]}), json!("a"), "", "this value must be one of \"up\", null"),
        (json!({"enum": ["up"]}), json!(1), "", "this value must be \"up\""),
        (json!({"minimum": 1}), json!(0.5), "", "this value is less than the minimum of 1"),
        (json!({"maximum": 9}), json!(u64::MAX), "", "this value is greater than the maximum of 9"),
        (json!({"minLength": 1}), json!(""), "", "this value is shorter than 1 character"),
        (json!({"maxLength": 2}), json!("äöü"), "", "this value is longer than 2 characters"),
        (long, json!("äöü"), "", "this value must be a short name"),
        (json!({"minItems": 2}), json!([]), "", "this value has less than 2 items"),
        (json!({"maxItems": 1}), json!([1, 2]), "", "this value has more than 1 item"),
        (json!({"minProperties": 1}), json!({}), "", "this value has less than 1 property"),
        (json!({"maxProperties": 0}), json!({"a": 1}), "", "this value has more than 0 properties"),
        (json!({"required": ["a", "b\""]}), json!({"a": 1}), "", "\"b\\\"\" is a required property"),
        (json!({"pattern": "^a$"}), json!("a\n"), "", "this value does not match \"^a$\""),
        (json!({"pattern": "^a$", "$comment": "a"}), json!("b"), "", "this value must be a"),
        (member, json!({"a": 1, "b": 1}), "/a", "this value is not of type \"null\""),
        (
            json!({"additionalProperties": {"type": "null"}}),
            json!({"a/b~c": 1}),
            "/a~1b~0c",
            "this value is not of type \"null\"",
        ),
        (
            json!({"properties": {"b": {}}, "additionalProperties": false}),
            json!({"a'b": 1, "b": 2, "c": 3}),
            "",
            "Additional properties are not allowed ('a'b' was unexpected)",
        ),
        (json!({"items": {"type": "null"}}), json!([null, 1]), "/1", "this value is not of type \"null\""),
        (json!({"allOf": [{}, {"minimum": 1}]}), json!(0), "", "this value is less than the minimum of 1"),
        (
            json!({"anyOf": [{"type": "null"}], "description": "no rule"}),
            json!(0),
            "",
            "this value is not valid under any of the schemas listed in the 'anyOf' keyword",
        ),
        (
            json!({"anyOf": [{"type": "null"}], "$comment": "nothing"}),
            json!(0),
            "",
            "this value must be nothing",
        ),
        (
            json!({"not": {"type": "null"}}),
            json!(null),
            "",
            "{\"type\":\"null\"} is not allowed for this value",
        ),
    ] {
        let fault = Validator::new(&schema).unwrap().find_fault(&value);
        assert_eq!(fault, Some((place.to_owned(), text.to_owned())), "{schema}");
    }
}

#[test]
fn the_place_of_a_broken_rule_is_the_last_of_the_deepest_ones_in_its_first_alternative() {
    let items = json!({"items": {"required": ["a"], "properties": {"a": {"type": "null"}}}});
    let schema = json!({"allOf": [rule("each has an a", &[items, json!({"maxItems": 1})])]});
    let validator = Validator::new(&schema).unwrap();
    let place = |value| validator.find_fault(&value).map(|(place, text)| format!("{place}: {text}"));
    assert_eq!(place(json!([{"a": 1}, {"a": 2}, {}])).as_deref(), Some("/1/a: each has an a"));
    assert_eq!(place(json!([{}, {}])).as_deref(), Some("/1: each has an a"));
    assert_eq!(place(json!([{"a": null}, {"a": null}])), None);
    assert_eq!(place(json!([1, {"a": 1}, {}, {"a": 1}])).as_deref(), Some("/3/a: each has an a"));
    assert_eq!(place(json!([{}])), None);
}

#[test]
fn an_unknown_keyword_and_a_wrong_operand_do_not_compile() {
    for schema in [
        json!({"format": "date-time"}),
        json!({"properties": {"a": {"oneOf": []}}}),
        json!({"type": ["string", "text"]}),
        json!({"pattern": "("}),
        json!({"minimum": "1"}),
        json!({"maxLength": -1}),
        json!({"items": [{}]}),
        json!({"not": true}),
    ] {
        assert!(Validator::new(&schema).is_err(), "{schema}");
    }
}

/// Values for the place of another.
fn values() -> Vec<Value> {
    let texts =
        ["", "a", "up", "backup", "a b", "a/b", "1", " 7 ", "-", "2026-11-22T19:55:23Z", "ä", "start"];
    let mut values: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    values.extend([65, 256, 10_001].map(|length| json!("a".repeat(length))));
    values.extend([
        json!(null),
        json!(true),
        json!(-2),
        json!(0),
        json!(1),
        json!(5.0),
        json!(0.5),
        json!(-0.0),
    ]);
    values.extend([json!(u32::MAX), json!(i64::MAX), json!(u64::MAX), json!(1e300)]);
    values.extend([
        json!([]),
        json!([1, "a"]),
        json!(vec!["a"; 65]),
        json!([{}]),
        json!([[]]),
        json!([null]),
    ]);
    values.extend([json!({}), json!({"a~/b": {"c": []}}), json!({"action": "backup"}), json!({"_": null})]);
    values
}

/// Calls `use_body` with `body` after each change at the place `pointer` or inside of it, which `schema` describes.
fn vary(body: &Value, pointer: &str, schema: &Value, use_body: &mut dyn FnMut(&Value)) {
    let changed = |value: Value| {
        let mut body = body.clone();
        *body.pointer_mut(pointer).unwrap() = value;
        body
    };
    values().into_iter().for_each(|value| use_body(&changed(value)));
    let here = body.pointer(pointer).unwrap().clone();
    for (index, item) in here.as_array().into_iter().flatten().enumerate() {
        use_body(&changed(json!([item, item, {}, item])));
        vary(body, &format!("{pointer}/{index}"), &schema["items"], use_body);
    }
    let Value::Object(object) = &here else { return };
    let schemas = schema["properties"].as_object();
    let names = schemas.into_iter().flat_map(Map::keys).chain(object.keys()).map(String::as_str);
    let unknown = if pointer.contains("other") { None } else { Some("other") };
    for name in names.chain(unknown) {
        let mut less = object.clone();
        less.remove(name);
        use_body(&changed(Value::Object(less)));
        let more = changed(Value::Object({
            let mut more = object.clone();
            more.entry(name).or_insert(json!({}));
            more
        }));
        let escaped = name.replace('~', "~0").replace('/', "~1");
        let inside = schema["properties"].get(name).unwrap_or(&schema["additionalProperties"]);
        vary(&more, &format!("{pointer}/{escaped}"), inside, use_body);
    }
}

#[test]
fn a_complete_validator_finds_the_same_faults() {
    for shape in BODIES {
        let schema = shape.schema();
        let (ours, complete) = (Validator::new(&schema).unwrap(), jsonschema::draft4::new(&schema).unwrap());
        let mut valid = 0;
        let mut compare = |body: &Value| {
            let expected = complete.validate(body).err();
            let found = ours.find_fault(body);
            assert_eq!(found.is_some(), expected.is_some(), "{} {body}: {found:?}", shape.name());
            valid += usize::from(found.is_none());
            let (Some((place, _)), Some(expected)) = (found, expected) else { return };
            // The place of a broken rule is a choice of ours.
            if !matches!(expected.kind(), ValidationErrorKind::AnyOf { .. }) {
                assert_eq!(place, expected.instance_path().as_str(), "{} {body}", shape.name());
            }
        };
        for body in [shape.example().unwrap_or(json!({})), json!({})] {
            vary(&body, "", &schema, &mut compare);
        }
        assert!(valid > 5, "{}: {valid} bodies are valid", shape.name());
    }
}
