//! The INI dialect of oslo.config (contract, conventions §4), which differs from Python's own.

/// One `key = value` of a file.
pub struct Entry {
    /// The section: `DEFAULT`, or any other name in lower case, because those are case-insensitive.
    pub section: String,
    /// The key, as written.
    pub key: String,
    /// The value; continuation lines are joined by line feeds.
    pub value: String,
    /// The line of the key, counted from 1.
    pub line: usize,
}

/// A line that cannot be parsed. The line's text is left out, because it may be part of a password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The section's name with its case normalized, as in [`Entry::section`].
pub fn normalized(section: &str) -> String {
    if section == "DEFAULT" { section.to_owned() } else { section.to_lowercase() }
}

/// The entries of a file, in its order.
///
/// # Errors
/// The first line that cannot be parsed.
pub fn parse(text: &str) -> Result<Vec<Entry>, Malformed> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut section = None;
    // Whether an indented line continues the last entry.
    let mut open = false;
    for (index, line) in lines(text).enumerate() {
        let malformed = |reason| Err(Malformed { line: index + 1, reason });
        let line = line.trim_end();
        if line.is_empty() {
            open = false;
        } else if line.starts_with([' ', '\t']) {
            let Some(entry) = entries.last_mut().filter(|_| open) else {
                return malformed("the line is indented, and there is no value that it could go on with");
            };
            entry.value.push('\n');
            entry.value.push_str(line.trim_start());
        } else if let Some(name) = line.strip_prefix('[') {
            open = false;
            match name.strip_suffix(']') {
                None => return malformed("a section has to end with `]`, and nothing may follow it"),
                Some("") => return malformed("a section needs a name"),
                Some(name) => section = Some(normalized(name)),
            }
        } else if line.starts_with(['#', ';']) {
            open = false;
        } else {
            let Some((key, value)) = line.split_once(['=', ':']) else {
                return malformed("there is neither `=` nor `:` in it");
            };
            let (key, value) = (key.trim(), unquoted(value.trim()));
            if key.is_empty() {
                return malformed("there is no name before the `=` or `:`");
            }
            let Some(section) = &section else {
                return malformed("it stands before any section, as [DEFAULT]");
            };
            let (section, key, value) = (section.clone(), key.to_owned(), value.to_owned());
            entries.push(Entry { section, key, value, line: index + 1 });
            open = true;
        }
    }
    Ok(entries)
}

/// The lines of a text; a line feed, a carriage return, or both end a line.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

/// Removes the quotes if the value begins and ends with the same quote.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(rest) = value.strip_prefix(quote) {
            // A single quote character is an empty value.
            return if rest.is_empty() { rest } else { rest.strip_suffix(quote).unwrap_or(value) };
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every entry as `section.key=value`.
    fn read(text: &str) -> Vec<String> {
        let show = |entry: Entry| format!("{}.{}={}", entry.section, entry.key, entry.value);
        parse(text).unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn values_are_parsed_as_oslo_parses_them() {
        for (line, value) in [
            ("a = b", "b"),
            ("a=b", "b"),
            ("a: b", "b"),
            ("a = b = c", "b = c"),
            ("a = b:c", "b:c"),
            ("a : b=c", "b=c"),
            ("a =", ""),
            ("a = 5 # no comment", "5 # no comment"),
            ("a = 5 ; no comment", "5 ; no comment"),
            ("a = \"quoted\"", "quoted"),
            ("a = ' kept '", " kept "),
            ("a = \"half", "\"half"),
            ("a = \"two' ", "\"two'"),
            ("a = \"", ""),
            ("a = \"\"", ""),
            ("a = \"b\" \"c\"", "b\" \"c"),
            ("a = \"\"b\"\"", "\"b\""),
            ("a = b\"", "b\""),
            ("a = b\n c\n\td  ", "b\nc\nd"),
            ("a =\n  b,\n  c", "\nb,\nc"),
            ("a = \"b\n c\"", "\"b\nc\""),
            ("a = b\n  # no comment", "b\n# no comment"),
            ("a = b\r\n c\rx = y", "b\nc"),
            ("a = é\u{a0}", "é"),
        ] {
            assert_eq!(parse(&format!("[s]\n{line}\n")).unwrap()[0].value, value, "{line:?}");
        }
    }

    #[test]
    fn sections_other_than_default_are_case_insensitive_and_merged() {
        let text = "[Some]\na = 1\n[DEFAULT]\nb = 2\n[SOME]\na = 3\n[Default]\nb = 4\n[ x ]\nc = 5";
        assert_eq!(read(text), ["some.a=1", "DEFAULT.b=2", "some.a=3", "default.b=4", " x .c=5"]);
    }

    #[test]
    fn comments_begin_in_the_first_column_and_blank_lines_end_a_value() {
        let text = "# x\n; y\n[s]\n\na-b = 1\n#c = 2\n\nd = 3\n\n";
        assert_eq!(read(text), ["s.a-b=1", "s.d=3"]);
        assert_eq!(parse(text).unwrap()[1].line, 8);
        assert_eq!(read(""), Vec::<String>::new());
    }

    #[test]
    fn an_error_names_its_line() {
        for (text, line, says) in [
            ("a = b", 1, "before any section"),
            ("[s]\nword", 2, "neither"),
            ("[s]\n= b", 2, "no name"),
            ("[s]\n : b", 2, "indented"),
            (" [s]", 1, "indented"),
            ("[s]\na = b\n\n c", 4, "indented"),
            ("[s]\na = b\n# c\n d", 4, "indented"),
            ("[s] # comment\n", 1, "end with `]`"),
            ("[s", 1, "end with `]`"),
            ("[]", 1, "needs a name"),
            ("\u{feff}[s]\na = b", 1, "neither"),
        ] {
            let malformed = parse(text).err().unwrap();
            assert_eq!(malformed.line, line, "{text:?}");
            assert!(malformed.reason.contains(says), "{text:?}: {}", malformed.reason);
        }
    }
}
