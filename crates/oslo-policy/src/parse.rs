//! Parses the policy language, and its older form of lists, exactly as oslo.policy's greedy parser does.
//!
//! A part that cannot be parsed becomes a check that always refuses, with a problem for the operator.

use super::check::Check;
use super::literal::Left;
use super::yaml::Source;

/// The deepest nesting of checks in one rule. It is far beyond any policy, and a thread's stack has room for many times
/// as much. Python's recursion limit is about twice as high.
const MAX_DEPTH: usize = 200;

/// A parsed rule and its problems.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    pub check: Check,
    /// The parts that could not be parsed, in words for the operator.
    pub problems: Vec<String>,
}

/// Parses a rule as it stands in a file.
pub fn source(source: &Source) -> Parsed {
    let mut problems = Vec::new();
    let check = match source {
        Source::Nothing => Check::True,
        Source::Text(text) => self::text(text, &mut problems),
        Source::List(items) => list(items, &mut problems),
    };
    check.walk(&mut |check| {
        if let Check::Generic { kind, left: Left::Neither, .. } = check {
            problems.push(format!("{kind:?} is neither a literal nor a path: evaluating it is an error"));
        }
    });
    Parsed { check, problems }
}

/// Parses the policy language.
fn text(text: &str, problems: &mut Vec<String>) -> Check {
    if text.is_empty() {
        return Check::True;
    }
    let mut parser = Parser { stack: Vec::new(), is_too_deep: false };
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        for token in tokens(word, problems) {
            parser.stack.push(token);
            while parser.reduce() {}
        }
    }
    match parser.stack.pop() {
        _ if parser.is_too_deep => {
            problems.push(format!("it has more than {MAX_DEPTH} levels, and always refuses"))
        }
        Some(Token::Check(node)) if parser.stack.is_empty() => return node.check,
        Some(Token::And(nodes)) if parser.stack.is_empty() => return Check::And(checks(nodes)),
        Some(Token::Or(nodes)) if parser.stack.is_empty() => return Check::Or(checks(nodes)),
        _ => problems.push(format!("{text:?} is not in the policy language, and always refuses")),
    }
    Check::False
}

/// Parses the older form: one element of the outer list must allow, and all elements of an inner list.
fn list(items: &[Source], problems: &mut Vec<String>) -> Check {
    if items.is_empty() {
        return Check::True;
    }
    let mut any: Vec<Check> = Vec::new();
    for item in items {
        let mut all: Vec<Check> = match item {
            Source::Nothing => continue,
            Source::Text(text) if text.is_empty() => continue,
            Source::List(items) if items.is_empty() => continue,
            Source::Text(text) => vec![single(text, problems)],
            Source::List(items) => items.iter().map(|item| inner(item, problems)).collect(),
        };
        any.push(if all.len() == 1 { all.remove(0) } else { Check::And(all) });
    }
    match any.len() {
        0 => Check::False,
        1 => any.remove(0),
        _ => Check::Or(any),
    }
}

fn inner(item: &Source, problems: &mut Vec<String>) -> Check {
    match item {
        Source::Text(text) => single(text, problems),
        other => {
            problems.push(format!("{} is not a check, and always refuses", other.to_json()));
            Check::False
        }
    }
}

/// One check: `kind:match`, `@` or `!`.
fn single(text: &str, problems: &mut Vec<String>) -> Check {
    match (text, text.split_once(':')) {
        ("@", _) => Check::True,
        ("!", _) => Check::False,
        (_, Some((kind, rest))) => Check::new(kind, rest),
        (_, None) => {
            problems.push(format!("{text:?} is not a check, and always refuses"));
            Check::False
        }
    }
}

/// Whether Python's `\s` matches the character.
fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&c)
}

/// A check with the number of its levels.
struct Node {
    check: Check,
    depth: usize,
}

enum Token {
    Check(Node),
    And(Vec<Node>),
    Or(Vec<Node>),
    AndWord,
    OrWord,
    NotWord,
    Open,
    Close,
    /// A word in quotes, which is not valid anywhere.
    Quoted,
}

/// The tokens of a word: parentheses at its ends, and what is between them.
fn tokens(word: &str, problems: &mut Vec<String>) -> Vec<Token> {
    let inner = word.trim_start_matches('(');
    let mut tokens: Vec<Token> = (inner.len()..word.len()).map(|_| Token::Open).collect();
    let core = inner.trim_end_matches(')');
    let is_quoted = |quote: char| inner.len() >= 2 && inner.starts_with(quote) && inner.ends_with(quote);
    if core.eq_ignore_ascii_case("and") {
        tokens.push(Token::AndWord);
    } else if core.eq_ignore_ascii_case("or") {
        tokens.push(Token::OrWord);
    } else if core.eq_ignore_ascii_case("not") {
        tokens.push(Token::NotWord);
    } else if is_quoted('"') || is_quoted('\'') {
        tokens.push(Token::Quoted);
    } else if !core.is_empty() {
        tokens.push(Token::Check(Node { check: single(core, problems), depth: 1 }));
    }
    tokens.extend((core.len()..inner.len()).map(|_| Token::Close));
    tokens
}

struct Parser {
    stack: Vec<Token>,
    is_too_deep: bool,
}

impl Parser {
    /// Joins the last tokens on the stack into one, if they match a production. An `or` stays open, because an `and`
    /// that follows takes the right side of the `or`.
    fn reduce(&mut self) -> bool {
        if !matches!(self.stack.last(), Some(Token::Check(_) | Token::Close)) {
            return false;
        }
        let (last, middle, first) = (self.stack.pop(), self.stack.pop(), self.stack.pop());
        let token = match (first, middle, last) {
            (Some(Token::Open), Some(Token::Check(node)), Some(Token::Close)) => Token::Check(node),
            (Some(Token::Open), Some(Token::And(nodes)), Some(Token::Close)) => {
                self.joined(Check::And, nodes)
            }
            (Some(Token::Open), Some(Token::Or(nodes)), Some(Token::Close)) => self.joined(Check::Or, nodes),

            (Some(Token::Check(left)), Some(Token::AndWord), Some(Token::Check(right))) => {
                Token::And(vec![left, right])
            }
            (Some(Token::And(mut nodes)), Some(Token::AndWord), Some(Token::Check(right))) => {
                nodes.push(right);
                Token::And(nodes)
            }
            (Some(Token::Or(mut nodes)), Some(Token::AndWord), Some(Token::Check(right))) => {
                let narrowed = nodes.pop().map(|left| self.narrowed(left, right));
                nodes.extend(narrowed);
                Token::Or(nodes)
            }

            (Some(Token::Check(left)), Some(Token::OrWord), Some(Token::Check(right))) => {
                Token::Or(vec![left, right])
            }
            (Some(Token::And(nodes)), Some(Token::OrWord), Some(Token::Check(right))) => {
                let left = self.node(Check::And, nodes);
                Token::Or(vec![left, right])
            }
            (Some(Token::Or(mut nodes)), Some(Token::OrWord), Some(Token::Check(right))) => {
                nodes.push(right);
                Token::Or(nodes)
            }

            (first, Some(Token::NotWord), Some(Token::Check(node))) => {
                self.stack.extend(first);
                let not =
                    |mut checks: Vec<Check>| checks.pop().map_or(Check::False, |c| Check::Not(Box::new(c)));
                self.joined(not, vec![node])
            }
            (first, middle, last) => {
                self.stack.extend(first);
                self.stack.extend(middle);
                self.stack.extend(last);
                return false;
            }
        };
        self.stack.push(token);
        true
    }

    fn joined(&mut self, join: impl FnOnce(Vec<Check>) -> Check, nodes: Vec<Node>) -> Token {
        Token::Check(self.node(join, nodes))
    }

    fn node(&mut self, join: impl FnOnce(Vec<Check>) -> Check, nodes: Vec<Node>) -> Node {
        let depth = nodes.iter().map(|node| node.depth).max().unwrap_or_default() + 1;
        if depth > MAX_DEPTH {
            // The tree stops growing here, because dropping a tree recurses as deep as the tree is.
            self.is_too_deep = true;
            return Node { check: Check::False, depth: 1 };
        }
        Node { check: join(checks(nodes)), depth }
    }

    /// `left and right`; extends `left` if it is an `and`.
    fn narrowed(&mut self, left: Node, right: Node) -> Node {
        match left.check {
            Check::And(mut checks) => {
                let depth = left.depth.max(right.depth + 1);
                checks.push(right.check);
                Node { check: Check::And(checks), depth }
            }
            check => self.node(Check::And, vec![Node { check, depth: left.depth }, right]),
        }
    }
}

fn checks(nodes: Vec<Node>) -> Vec<Check> {
    nodes.into_iter().map(|node| node.check).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Parsed {
        source(&Source::Text(text.to_owned()))
    }

    #[test]
    fn the_language() {
        for (text, shown) in [
            ("", "@"),
            ("@", "@"),
            ("!", "!"),
            ("role:a", "role:a"),
            ("  role:a\t", "role:a"),
            ("role:a and role:b or role:c", "((role:a and role:b) or role:c)"),
            ("role:a or role:b and role:c", "(role:a or (role:b and role:c))"),
            (
                "role:a or role:b and role:c and role:d or role:e",
                "(role:a or (role:b and role:c and role:d) or role:e)",
            ),
            ("role:a AND Not role:b oR @", "((role:a and not role:b) or @)"),
            ("not role:a and role:b", "(not role:a and role:b)"),
            ("not not role:a", "not not role:a"),
            ("not (role:a or role:b)", "not (role:a or role:b)"),
            ("(role:a or role:b) and role:c", "((role:a or role:b) and role:c)"),
            ("((role:a))", "role:a"),
            ("( role:a )", "role:a"),
            ("role:a or (role:b and role:c) and role:d", "(role:a or (role:b and role:c and role:d))"),
            ("project_id:%(project_id)s", "project_id:%(project_id)s"),
            ("(project_id:%(project_id)s)", "project_id:%(project_id)s"),
            ("a:b:c", "a:b:c"),
            ("'Member':%(role.name)s", "'Member':%(role.name)s"),
            ("role:a\u{1c}and\u{a0}role:b", "(role:a and role:b)"),
        ] {
            let parsed = parsed(text);
            assert_eq!((parsed.check.to_string().as_str(), &*parsed.problems), (shown, &[][..]), "{text}");
        }
    }

    #[test]
    fn a_text_that_is_not_in_the_language_refuses() {
        for text in [
            " ",
            "()",
            "role:a role:b",
            "role:a and",
            "and",
            "not",
            "or role:a",
            "(role:a",
            "role:a)",
            "role:a or or role:b",
            "'quoted'",
            "\"role:a\"",
            "(\"role:a\" or @)",
            "role:a and (role:b",
            "not and role:a",
            "role:a not role:b",
            "'a':'b'",
            "(not) role:a",
        ] {
            let parsed = parsed(text);
            assert_eq!(parsed.check, Check::False, "{text}");
            assert!(!parsed.problems.is_empty(), "{text}");
        }
        // A word that is not a check refuses where it stands, and only there.
        let parsed = parsed("role:a or nonsense");
        assert_eq!(parsed.check.to_string(), "(role:a or !)");
        assert_eq!(parsed.problems, ["\"nonsense\" is not a check, and always refuses"]);
    }

    #[test]
    fn lists_are_the_older_form() {
        for (rule, shown) in [
            ("a: []", "@"),
            ("a: [[]]", "!"),
            ("a: ['', []]", "!"),
            ("a: [role:a]", "role:a"),
            ("a: [role:a, role:b]", "(role:a or role:b)"),
            ("a: [[role:a, role:b], [role:c]]", "((role:a and role:b) or role:c)"),
            ("a: ['role:a or role:b']", "role:a or role:b"),
            ("a: ['@', [nonsense, '!']]", "(@ or (! and !))"),
            ("a: [[[role:a]]]", "!"),
        ] {
            let rules = super::super::yaml::parse(rule).unwrap();
            assert_eq!(source(&rules[0].1).check.to_string(), shown, "{rule}");
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let nested = |levels: usize| {
            let opened = "(role:a or ".repeat(levels);
            parsed(&format!("{opened}role:b{}", ")".repeat(levels)))
        };
        assert!(nested(MAX_DEPTH - 1).problems.is_empty());
        for parsed in [nested(MAX_DEPTH), nested(20_000), parsed(&format!("{}role:a", "not ".repeat(20_000)))]
        {
            assert_eq!(parsed.check, Check::False);
            assert_eq!(parsed.problems.len(), 1);
        }
        // Length is not depth.
        let long = "role:a or role:b and role:c or ".repeat(2_000) + "role:d";
        assert!(parsed(&long).problems.is_empty());
        let round = "(".repeat(20_000) + "role:a" + &")".repeat(20_000);
        assert_eq!(parsed(&round).check.to_string(), "role:a");
    }
}
