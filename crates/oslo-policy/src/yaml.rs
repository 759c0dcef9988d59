//! Policy files: YAML, which includes JSON, read as PyYAML reads it for oslo.policy.
//!
//! The last of several equal keys counts. A value that PyYAML makes a number, a boolean or a mapping is refused. Most of
//! these fail in oslo.policy too. The others (`no`, `0`, `{}`, and a lone `!`, which YAML takes for the tag of an empty
//! value) allow every caller there, which no operator means by them.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use serde_saphyr::{DuplicateKeyPolicy, Options, Tagged};

/// A rule as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The policy language.
    Text(String),
    /// The older form: a list of lists of checks.
    List(Vec<Self>),
    /// `null`, or nothing after the colon.
    Nothing,
}

impl Source {
    /// The rule as JSON, for display.
    pub fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => Value::from(text.as_str()),
            Self::List(items) => items.iter().map(Self::to_json).collect(),
            Self::Nothing => Value::Null,
        }
    }
}

/// The rules of a file, each name once.
///
/// # Errors
/// A text for the operator: where and why the file is not a mapping of names to rules.
pub fn parse(text: &str) -> Result<Vec<(String, Source)>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // PyYAML accepts an empty document; serde_saphyr does not.
    if text.lines().all(|line| line.trim().is_empty() || line.trim_start().starts_with('#')) {
        return Ok(Vec::new());
    }
    let mut options = Options::default();
    options.duplicate_keys = DuplicateKeyPolicy::LastWins;
    options.strict_booleans = false;
    // A policy repeats a few rules. The limit bounds the work for a file whose aliases expand to more.
    options.alias_limits.max_total_replayed_events = 10_000;
    // The default message shows the place over several lines; a log message is one line.
    options.with_snippet = false;
    let document: Document = serde_saphyr::from_str_with_options(text, options)
        .map_err(|error| error.to_string().lines().next().unwrap_or_default().to_owned())?;
    Ok(document.0)
}

struct Document(Vec<(String, Source)>);

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(DocumentVisitor)
    }
}

struct DocumentVisitor;

impl<'de> Visitor<'de> for DocumentVisitor {
    type Value = Document;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a mapping of names to rules")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Document, A::Error> {
        let mut rules: Vec<(String, Source)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            let named = |error: A::Error| serde::de::Error::custom(format!("the rule {name}: {error}"));
            let source = map.next_value::<Tagged<Source>>().map_err(named)?;
            let source = untagged(source).map_err(|why: A::Error| named(why))?;
            rules.retain(|(known, _)| *known != name);
            rules.push((name, source));
        }
        Ok(Document(rules))
    }

    fn visit_unit<E>(self) -> Result<Document, E> {
        Ok(Document(Vec::new()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Document, A::Error> {
        match items.next_element::<IgnoredAny>()? {
            None => Ok(Document(Vec::new())),
            Some(_) => Err(serde::de::Error::custom("this is a list, not a mapping of names to rules")),
        }
    }
}

/// Removes a tag that states the default type; refuses any other.
fn untagged<E: serde::de::Error>(Tagged(source, tag): Tagged<Source>) -> Result<Source, E> {
    match tag.as_deref() {
        None | Some("tag:yaml.org,2002:str" | "tag:yaml.org,2002:seq" | "tag:yaml.org,2002:null") => {
            Ok(source)
        }
        Some(tag) => Err(E::custom(format!("{tag} is a YAML tag here; put the rule in quotes"))),
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SourceVisitor)
    }
}

struct SourceVisitor;

impl<'de> Visitor<'de> for SourceVisitor {
    type Value = Source;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a rule (a text, best in quotes, or a list)")
    }

    fn visit_str<E>(self, text: &str) -> Result<Source, E> {
        Ok(Source::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Source, E> {
        Ok(Source::Nothing)
    }

    fn visit_none<E>(self) -> Result<Source, E> {
        Ok(Source::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Source, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Tagged<Source>>()? {
            list.push(untagged(item)?);
        }
        Ok(Source::List(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(text: &str) -> Vec<(String, Value)> {
        let rules = parse(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        rules.into_iter().map(|(name, source)| (name, source.to_json())).collect()
    }

    #[test]
    fn a_rule_is_a_text_a_list_or_nothing() {
        for (text, rule) in [
            ("\"a\": \"role:x\"", Value::from("role:x")),
            ("\"a\": role:x # why", "role:x".into()),
            ("a: 'it''s:x'", "it's:x".into()),
            ("a: (role:x)", "(role:x)".into()),
            ("a: role:x or\n  role:y", "role:x or role:y".into()),
            ("a: >\n  role:x\n  or role:y\n", "role:x or role:y\n".into()),
            ("a: !!str role:x", "role:x".into()),
            ("a: !!null ''", Value::Null),
            ("{\"a\": \"role:x\",}", "role:x".into()),
            ("{\n\t\"a\": \"role:x\"\n}", "role:x".into()),
            ("\u{feff}---\na: role:x\n", "role:x".into()),
            ("a: '!'", "!".into()),
            ("a: \"@\"", "@".into()),
            ("a:", Value::Null),
            ("a: ~", Value::Null),
            ("a: ''", "".into()),
            ("a: []", serde_json::json!([])),
            ("a: [role:x, [role:y, 'u:%(v)s']]", serde_json::json!(["role:x", ["role:y", "u:%(v)s"]])),
        ] {
            assert_eq!(rules(text), [("a".to_owned(), rule)], "{text}");
        }
    }

    #[test]
    fn of_a_repeated_name_the_last_counts() {
        let twice = rules("a: role:x\nb: role:y\na: role:z");
        assert_eq!(twice, [("b".to_owned(), "role:y".into()), ("a".to_owned(), "role:z".into())]);
        assert_eq!(rules("x: &x role:x\ny: *x")[1], ("y".to_owned(), "role:x".into()));
    }

    #[test]
    fn an_empty_file_has_no_rules() {
        for text in ["", "\n", "# only words\n", "---\n", "{}", "[]", "null"] {
            assert_eq!(rules(text), [], "{text:?}");
        }
    }

    #[test]
    fn values_that_are_not_rules_are_refused() {
        for (text, why) in [
            ("a: @", "line 1"),
            ("a: !", "quotes"),
            ("a: [!]", "quotes"),
            ("a: !role:x y", "quotes"),
            ("a: !!binary eA==", "quotes"),
            ("a: no", "the rule a: "),
            ("a: false", "false"),
            ("a: True", "true"),
            ("a: 0", "0"),
            ("a: [1]", "1"),
            ("a: {}", "map"),
            ("a: {b: c}", "map"),
            ("- a", "list"),
            ("a", "mapping"),
            ("a: %(x)s", "line 1"),
            ("a: 'Member':%(x)s", "line 1"),
            ("a: *x", "line 1"),
            ("a: b: c", "line 1"),
            ("a: \"x", "line 1"),
            ("\"a\": \"x\"\n\"b\" \"y\"", "line 2"),
            ("---\na: b\n---\nc: d", "documents"),
            ("[a]: x", "line 1"),
            ("null: x", "line 1"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(why) && !error.contains('\n'), "{text}: {error}");
        }
    }

    #[test]
    fn aliases_and_nesting_without_bound_are_refused() {
        let mut text = "a: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let item = format!("*a{}", level - 1);
            text += &format!("b{level}: &a{level} [{}]\n", [item.as_str(); 10].join(", "));
        }
        assert!(parse(&text).is_err());
        assert!(parse(&format!("a: {}", "[".repeat(100_000))).is_err());
    }
}
