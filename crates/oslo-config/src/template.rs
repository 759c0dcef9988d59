//! `$option`, `${option}` and `$group.option` in a value (contract, conventions §4 "Interpolation").

/// Replaces every reference with the text that `look_up` returns. `$$` and `\$` stand for a dollar, as does a `$`
/// without a name after it.
///
/// # Errors
/// The first error of `look_up`.
pub fn substitute<E>(text: &str, mut look_up: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
    let text = text.replace("\\$", "$$");
    let mut rest = text.as_str();
    let mut out = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        let braced = after.strip_prefix('{').and_then(|inner| {
            let name = name(inner);
            inner[name.len()..].strip_prefix('}').filter(|_| !name.is_empty()).map(|rest| (name, rest))
        });
        let plain = name(after);
        rest = if let Some(rest) = after.strip_prefix('$') {
            out.push('$');
            rest
        } else if let Some((name, rest)) = braced {
            out.push_str(&look_up(name)?);
            rest
        } else if !plain.is_empty() {
            out.push_str(&look_up(plain)?);
            &after[plain.len()..]
        } else {
            out.push('$');
            after
        };
    }
    out.push_str(rest);
    Ok(out)
}

/// The name at the start of the text. Dots belong to it, even at the end.
fn name(text: &str) -> &str {
    let first = |c: char| c.is_ascii_alphabetic() || c == '_';
    if !text.starts_with(first) {
        return "";
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'));
    &text[..end.unwrap_or(text.len())]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_found_as_oslo_finds_them() {
        for (text, expected) in [
            ("plain", "plain"),
            ("$a", "<a>"),
            ("${a}", "<a>"),
            ("x$a-y", "x<a>-y"),
            ("x${a}y", "x<a>y"),
            ("$a_1/$b.c/${d.e}", "<a_1>/<b.c>/<d.e>"),
            ("$A", "<A>"),
            ("$a.", "<a.>"),
            ("$$a", "$a"),
            ("\\$a", "$a"),
            ("$$$a", "$<a>"),
            ("100$", "100$"),
            ("$5", "$5"),
            ("$-$ $", "$-$ $"),
            ("${a", "${a"),
            ("${}", "${}"),
            ("${a b}", "${a b}"),
            ("${ a}", "${ a}"),
            ("é$a$é", "é<a>$é"),
        ] {
            let found = substitute(text, |name| Ok::<_, ()>(format!("<{name}>")));
            assert_eq!(found.unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn substituted_text_is_not_scanned_again() {
        assert_eq!(substitute("$a", |_| Ok::<_, ()>("$b".to_owned())).unwrap(), "$b");
        assert_eq!(substitute("x $a", |_| Err::<String, _>("no")), Err("no"));
    }
}
