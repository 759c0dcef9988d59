//! Compiles a schema: the order of the checks, and their error texts.

use std::cmp::Ordering;

use regex_lite::Regex;
use serde_json::{Map, Value};

use super::{Check, Others, Test, Validator};

/// The keywords in the order in which they are checked: that of a value itself before that of its parts.
const KEYWORDS: &[&str] = &[
    "type",
    "enum",
    "minimum",
    "maximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "required",
    "pattern",
    "properties",
    "additionalProperties",
    "items",
    "allOf",
    "anyOf",
    "not",
];

/// The keywords that only the reader of the published document needs.
const ANNOTATIONS: &[&str] = &[MUST_BE, "description", "readOnly", "title"];

/// The keyword that describes in words what a pattern, a maximum length or alternatives require.
pub const MUST_BE: &str = "$comment";

impl Validator {
    /// # Errors
    /// What is wrong with the schema.
    pub fn new(schema: &Value) -> Result<Self, String> {
        Self::compile(schema, false)
    }

    fn compile(schema: &Value, is_in_all: bool) -> Result<Self, String> {
        let schema = schema.as_object().ok_or_else(|| format!("{schema} is no object"))?;
        let is_known = |key: &str| KEYWORDS.contains(&key) || ANNOTATIONS.contains(&key);
        if let Some(unknown) = schema.keys().find(|key| !is_known(key)) {
            return Err(format!("unknown keyword {unknown}"));
        }
        let has_properties = schema.contains_key("properties");
        let is_closed = has_properties && schema.get("additionalProperties") == Some(&Value::Bool(false));
        let has_one_required = schema.get("required").and_then(Value::as_array).is_some_and(|r| r.len() == 1);
        let mut checks = vec![];
        for keyword in KEYWORDS {
            let keyword = match *keyword {
                // The only member that is required of a closed object is missed after its members are checked.
                "required" if is_closed && has_one_required => continue,
                "additionalProperties" if is_closed && has_one_required => "required",
                // Checked together with `properties`.
                "additionalProperties" if has_properties => continue,
                keyword => keyword,
            };
            if let Some(operand) = schema.get(keyword) {
                checks.push(Check::new(keyword, operand, schema, is_in_all)?);
            }
        }
        Ok(Self(checks))
    }
}

impl Check {
    fn new(
        keyword: &str,
        operand: &Value,
        schema: &Map<String, Value>,
        is_in_all: bool,
    ) -> Result<Self, String> {
        let wrong = || format!("{keyword} cannot be {operand}");
        let inner = |schema| Validator::compile(schema, false);
        let list = |is_in_all| {
            let schemas = operand.as_array().ok_or_else(wrong)?.iter();
            schemas.map(|schema| Validator::compile(schema, is_in_all)).collect::<Result<Vec<_>, _>>()
        };
        let must_be = |otherwise: String| match schema.get(MUST_BE).and_then(Value::as_str) {
            Some(what) => format!("this value must be {what}"),
            None => format!("this value {otherwise}"),
        };
        let (test, text) = match keyword {
            "type" => of_type(operand).ok_or_else(wrong)?,
            "enum" => {
                let values = operand.as_array().ok_or_else(wrong)?.clone();
                let words: Vec<String> = values.iter().map(Value::to_string).collect();
                let one_of = if words.len() == 1 { "" } else { "one of " };
                (Test::Enum(values), format!("this value must be {one_of}{}", words.join(", ")))
            }
            "required" => {
                let names = operand.as_array().ok_or_else(wrong)?.iter();
                let names = names.map(|name| name.as_str().map(str::to_owned).ok_or_else(wrong));
                (Test::Required(names.collect::<Result<_, _>>()?), String::new())
            }
            "pattern" => {
                let pattern = operand.as_str().ok_or_else(wrong)?;
                let text = must_be(format!("does not match \"{pattern}\""));
                (Test::Pattern(Regex::new(pattern).map_err(|error| error.to_string())?), text)
            }
            "properties" | "additionalProperties" => {
                let known = schema.get("properties").into_iter().flat_map(Value::as_object).flatten();
                let known = known.map(|(name, schema)| Ok((name.clone(), inner(schema)?)));
                let known = known.collect::<Result<_, String>>()?;
                let others = match schema.get("additionalProperties") {
                    None | Some(Value::Bool(true)) => Others::Allowed,
                    Some(Value::Bool(false)) => Others::Refused,
                    Some(schema) => Others::Checked(inner(schema)?),
                };
                (Test::Members { known, others }, String::new())
            }
            "items" => (Test::Each(inner(operand)?), String::new()),
            "allOf" => (Test::All(list(true)?), String::new()),
            "anyOf" => match schema.get("description").and_then(Value::as_str) {
                Some(rule) if is_in_all => (Test::Rule(list(false)?), rule.to_owned()),
                _ => {
                    let text = "is not valid under any of the schemas listed in the 'anyOf' keyword";
                    (Test::Any(list(false)?), must_be(text.to_owned()))
                }
            },
            "not" => (Test::Not(inner(operand)?), format!("{operand} is not allowed for this value")),
            _ => limit(keyword, operand, must_be).ok_or_else(wrong)?,
        };
        Ok(Self { test, text })
    }
}

/// The check of `type`. The error text names several types in the order of [`TYPES`].
fn of_type(operand: &Value) -> Option<(Test, String)> {
    let (of, names) = match operand {
        Value::String(name) => ("type", vec![name.as_str()]),
        _ => ("types", operand.as_array()?.iter().map(Value::as_str).collect::<Option<_>>()?),
    };
    let types: Vec<_> = TYPES.iter().filter(|(name, _)| names.contains(name)).collect();
    let quoted: Vec<String> = types.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let text = format!("this value is not of {of} {}", quoted.join(", "));
    (types.len() == names.len()).then(|| (Test::Type(types.iter().map(|(_, is)| *is).collect()), text))
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

/// Whether a value has a type.
type IsOfType = fn(&Value) -> bool;

/// The types of draft 4, in which an integer is a number written without a fraction. One that exceeds 64 bits has been
/// read as a float.
const TYPES: &[(&str, IsOfType)] = &[
    ("null", Value::is_null),
    ("boolean", Value::is_boolean),
    ("integer", |value| {
        value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|float| float.abs() >= TWO_TO_63)
    }),
    ("number", Value::is_number),
    ("string", Value::is_string),
    ("array", Value::is_array),
    ("object", Value::is_object),
];

/// The check of a minimum or maximum.
fn limit(keyword: &str, operand: &Value, must_be: impl Fn(String) -> String) -> Option<(Test, String)> {
    let (is_minimum, what) = match keyword.strip_prefix("min") {
        Some(what) => (true, what),
        None => (false, keyword.strip_prefix("max")?),
    };
    let wrong = if is_minimum { Ordering::Less } else { Ordering::Greater };
    if what == "imum" {
        let than = if is_minimum { "less than the minimum" } else { "greater than the maximum" };
        return Some((Test::Number(wrong, operand.as_i64()?), format!("this value is {than} of {operand}")));
    }
    let size = usize::try_from(operand.as_u64()?).ok()?;
    let (test, is, one, many): (fn(Ordering, usize) -> Test, _, _, _) = match what {
        "Length" if is_minimum => (Test::Length, "is shorter than", "character", "characters"),
        "Length" => (Test::Length, "is longer than", "character", "characters"),
        "Items" if is_minimum => (Test::Items, "has less than", "item", "items"),
        "Items" => (Test::Items, "has more than", "item", "items"),
        "Properties" if is_minimum => (Test::Properties, "has less than", "property", "properties"),
        "Properties" => (Test::Properties, "has more than", "property", "properties"),
        _ => return None,
    };
    let text = format!("{is} {size} {}", if size == 1 { one } else { many });
    let text = if keyword == "maxLength" { must_be(text) } else { format!("this value {text}") };
    Some((test(wrong, size), text))
}
