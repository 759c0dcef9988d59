//! The declaration of an option, and the parsing of values by type (contract, conventions §4).

use std::fmt::Write;

/// The declaration of one option. Made with the constructors below, as `Opt::int("max_retries", "...").default("10")`.
#[derive(Debug, Clone, Copy)]
pub struct Opt {
    /// The name in a file.
    pub name: &'static str,
    /// The type.
    pub kind: Kind,
    /// The value if no source sets the option, as written in a file.
    pub default: Option<&'static str>,
    /// The text of the sample for a default that depends on other options.
    pub shown_default: Option<&'static str>,
    /// The help text.
    pub help: &'static str,
    /// Whether the value must not be shown.
    pub secret: bool,
    /// Whether the value can change while the service runs.
    pub mutable: bool,
    /// Whether the option has an effect here. One without is accepted, because existing files have it.
    pub effect: bool,
    /// Earlier names with their sections.
    pub old_names: &'static [(&'static str, &'static str)],
}

/// A section of the file.
pub struct Section {
    /// The section's name.
    pub name: &'static str,
    /// Groups of options, each under its heading in the sample.
    pub parts: &'static [(&'static str, &'static [Opt])],
}

/// The type of an option.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Any text.
    Text,
    /// One of these words, in any case.
    Choice(&'static [&'static str]),
    /// Yes or no.
    Bool,
    /// A whole number within these bounds.
    Int(i64, i64),
    /// The number of a port.
    Port,
    /// A number of at least this.
    Float(f64),
    /// Texts, separated by commas.
    List,
    /// Texts, each on a line with the option's name.
    Multi,
}

/// The value of an option.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text or choice.
    Text(String),
    /// A yes or no.
    Bool(bool),
    /// A whole number, or a port.
    Int(i64),
    /// A number.
    Float(f64),
    /// The texts of a list, or all values of an option that may be repeated.
    List(Vec<String>),
}

impl Opt {
    const fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self {
            name,
            kind,
            default: None,
            shown_default: None,
            help,
            secret: false,
            mutable: false,
            effect: true,
            old_names: &[],
        }
    }

    /// A text.
    pub const fn text(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Text, help)
    }

    /// One of some words.
    pub const fn choice(name: &'static str, words: &'static [&'static str], help: &'static str) -> Self {
        Self::new(name, Kind::Choice(words), help)
    }

    /// A yes or no.
    pub const fn bool(name: &'static str, default: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Bool, help).default(default)
    }

    /// A whole number.
    pub const fn int(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::Int(i64::MIN, i64::MAX), help)
    }

    /// A list.
    pub const fn list(name: &'static str, help: &'static str) -> Self {
        Self::new(name, Kind::List, help)
    }

    /// Replaces the type.
    pub const fn with_kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// A whole number with bounds.
    pub const fn within(self, min: i64, max: i64) -> Self {
        self.with_kind(Kind::Int(min, max))
    }

    /// The value if no source sets the option.
    pub const fn default(mut self, default: &'static str) -> Self {
        self.default = Some(default);
        self
    }

    /// The text of the sample for a default that depends on other options.
    pub const fn shown_default(mut self, text: &'static str) -> Self {
        self.shown_default = Some(text);
        self
    }

    /// The value must not be shown.
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// The value can change while the service runs.
    pub const fn mutable(mut self) -> Self {
        self.mutable = true;
        self
    }

    /// The option has no effect here.
    pub const fn no_effect(mut self) -> Self {
        self.effect = false;
        self
    }

    /// The sections and names that the option had before.
    pub const fn old_names(mut self, old_names: &'static [(&'static str, &'static str)]) -> Self {
        self.old_names = old_names;
        self
    }
}

impl Kind {
    /// Parses the texts of an option: all of them if it may be repeated, else the last. `None` if that leaves the option
    /// unset, as an empty number does.
    ///
    /// # Errors
    /// Why the text is not valid. The text is left out, because it may be a password.
    pub fn parse(self, texts: &[String]) -> Result<Option<Value>, String> {
        let text = texts.last().map(String::as_str).unwrap_or_default();
        match self {
            Self::Multi => Ok(Some(Value::List(texts.to_vec()))),
            Self::List => Ok(Some(Value::List(split_list(text)))),
            Self::Text => Ok(Some(Value::Text(text.to_owned()))),
            Self::Choice(words) => match words.iter().find(|word| word.eq_ignore_ascii_case(text)) {
                Some(word) => Ok(Some(Value::Text((*word).to_owned()))),
                None => Err(format!("is not one of {}", words.join(", "))),
            },
            Self::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "on" | "yes" => Ok(Some(Value::Bool(true))),
                "false" | "0" | "off" | "no" => Ok(Some(Value::Bool(false))),
                _ => Err("is not a yes or no (true, 1, on, yes, false, 0, off, no)".to_owned()),
            },
            Self::Int(min, max) => parse_integer(text, min, max),
            Self::Port => parse_integer(text, 0, 65535),
            Self::Float(min) => match text.trim() {
                "" => Ok(None),
                text => match text.parse::<f64>() {
                    Ok(number) if number.is_finite() && number >= min => Ok(Some(Value::Float(number))),
                    Ok(_) => Err(format!("is not a number of at least {min}")),
                    Err(_) => Err("is not a number".to_owned()),
                },
            },
        }
    }

    /// The type's name, as oslo.config's sample generator has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text | Self::Choice(_) => "string value",
            Self::Bool => "boolean value",
            Self::Int(..) => "integer value",
            Self::Port => "port value",
            Self::Float(_) => "floating point value",
            Self::List => "list value",
            Self::Multi => "multi valued",
        }
    }
}

fn split_list(text: &str) -> Vec<String> {
    let text = text.trim().trim_end_matches(',');
    if text.is_empty() { Vec::new() } else { text.split(',').map(|item| item.trim().to_owned()).collect() }
}

fn parse_integer(text: &str, min: i64, max: i64) -> Result<Option<Value>, String> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    match text.parse::<i64>() {
        Err(_) => Err("is not a whole number".to_owned()),
        Ok(number) if number < min => Err(format!("is less than {min}")),
        Ok(number) if number > max => Err(format!("is more than {max}")),
        Ok(number) => Ok(Some(Value::Int(number))),
    }
}

impl Value {
    /// The value as written in a file; one text for each line with the option's name.
    pub fn to_lines(&self, kind: Kind) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text.clone()],
            Self::Bool(value) => vec![value.to_string()],
            Self::Int(number) => vec![number.to_string()],
            Self::Float(number) => vec![number.to_string()],
            Self::List(items) if kind == Kind::Multi => items.clone(),
            Self::List(items) => vec![items.join(",")],
        }
    }

    /// The text that replaces a reference: Python's `str()` of the value.
    pub fn as_reference(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Bool(true) => "True".to_owned(),
            Self::Bool(false) => "False".to_owned(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => format!("{number:?}"),
            Self::List(items) => {
                let mut out = String::from("[");
                for (index, item) in items.iter().enumerate() {
                    let _ = write!(out, "{}'{item}'", if index > 0 { ", " } else { "" });
                }
                out + "]"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, text: &str) -> Result<Option<Value>, String> {
        kind.parse(&[text.to_owned()])
    }

    #[test]
    fn a_yes_or_no_is_one_of_eight_words() {
        for word in ["true", "True", "TRUE", "1", "on", "yes", "YES"] {
            assert_eq!(read(Kind::Bool, word).unwrap(), Some(Value::Bool(true)), "{word}");
        }
        for word in ["false", "0", "off", "no", "No"] {
            assert_eq!(read(Kind::Bool, word).unwrap(), Some(Value::Bool(false)), "{word}");
        }
        for word in ["", " true", "y", "t", "2", "enabled", "true # comment"] {
            assert!(read(Kind::Bool, word).is_err(), "{word:?}");
        }
    }

    #[test]
    fn a_number_is_within_its_bounds_or_unset() {
        let kind = Kind::Int(-1, 100);
        for (text, number) in
            [("5", Some(5)), (" 5 ", Some(5)), ("+5", Some(5)), ("010", Some(10)), ("-1", Some(-1))]
        {
            assert_eq!(read(kind, text).unwrap(), number.map(Value::Int), "{text:?}");
        }
        assert_eq!((read(kind, "").unwrap(), read(kind, " \n").unwrap()), (None, None));
        for (text, says) in [
            ("-2", "less than -1"),
            ("101", "more than 100"),
            ("99999999999999999999", "not a whole number"),
            ("5.0", "not a whole number"),
            ("5 # x", "not a whole number"),
            ("0x10", "not a whole number"),
            ("five", "not a whole number"),
        ] {
            assert!(read(kind, text).unwrap_err().contains(says), "{text}");
        }
        assert_eq!(read(Kind::Port, "65535").unwrap(), Some(Value::Int(65535)));
        assert!(read(Kind::Port, "65536").is_err() && read(Kind::Port, "-1").is_err());
        assert_eq!(read(Kind::Float(0.0), " 1.5").unwrap(), Some(Value::Float(1.5)));
        assert_eq!(read(Kind::Float(0.0), "").unwrap(), None);
        for text in ["-1", "nan", "inf", "1s"] {
            assert!(read(Kind::Float(0.0), text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_is_separated_by_commas() {
        for (text, items) in [
            ("", vec![]),
            (" ", vec![]),
            (",", vec![]),
            ("a", vec!["a"]),
            (" a , b ", vec!["a", "b"]),
            ("a,b,", vec!["a", "b"]),
            ("a,,", vec!["a"]),
            ("a,,b", vec!["a", "", "b"]),
            (",a", vec!["", "a"]),
            ("\na,\nb", vec!["a", "b"]),
            ("a b", vec!["a b"]),
        ] {
            let items = items.into_iter().map(str::to_owned).collect();
            assert_eq!(read(Kind::List, text).unwrap(), Some(Value::List(items)), "{text:?}");
        }
    }

    #[test]
    fn an_option_that_may_be_repeated_collects_and_any_other_takes_the_last() {
        let given = ["a,b".to_owned(), "c".to_owned()];
        assert_eq!(Kind::Multi.parse(&given).unwrap(), Some(Value::List(given.to_vec())));
        assert_eq!(Kind::Text.parse(&given).unwrap(), Some(Value::Text("c".to_owned())));
    }

    #[test]
    fn a_choice_knows_no_case_and_an_empty_text_is_one() {
        let kind = Kind::Choice(&["None", "MAC"]);
        assert_eq!(read(kind, "mac").unwrap(), Some(Value::Text("MAC".to_owned())));
        assert_eq!(read(kind, "x").unwrap_err(), "is not one of None, MAC");
        assert_eq!(read(Kind::Text, "").unwrap(), Some(Value::Text(String::new())));
    }

    #[test]
    fn a_reference_reads_as_python_prints() {
        let list = Value::List(vec!["a".to_owned(), "b".to_owned()]);
        for (value, text) in [
            (Value::Bool(true), "True"),
            (Value::Int(5), "5"),
            (Value::Float(60.0), "60.0"),
            (Value::Text("x".to_owned()), "x"),
            (list, "['a', 'b']"),
        ] {
            assert_eq!(value.as_reference(), text);
        }
    }
}
