//! `config show`: the value of every option, in a form that can be read back.

use std::fmt::Write;

use super::effective::Effective;
use super::setting::{Setting, Source};

impl Effective {
    /// Every option with its source, in the form of a configuration file; with `changed`, only options that are not at
    /// their default. Secrets are `***`.
    pub fn show(&self, changed: bool) -> String {
        let mut out =
            String::from("# What each option comes to, and where that is from. Secrets are not shown.\n");
        for file in &self.files {
            let _ = writeln!(out, "# Read: {}", file.display());
        }
        if self.files.is_empty() {
            out.push_str("# No configuration file was found.\n");
        }
        let settings =
            || self.settings.iter().filter(|setting| !changed || setting.source != Source::Default);
        let mut groups: Vec<&str> = Vec::new();
        for setting in settings() {
            if !groups.contains(&setting.group.as_str()) {
                groups.push(&setting.group);
            }
        }
        for group in groups {
            let _ = write!(out, "\n[{group}]\n");
            for setting in settings().filter(|setting| setting.group == group) {
                out.push_str(&render(setting));
            }
        }
        if !self.unknown.is_empty() {
            out.push_str("\n# Not known here, and ignored:\n");
        }
        for (path, line, section, name) in &self.unknown {
            let now = self.successor(name).map(|now| format!("; {now} says that now")).unwrap_or_default();
            let _ = writeln!(out, "# {}:{line}: [{section}] {name}{now}", path.display());
        }
        out
    }
}

fn render(setting: &Setting) -> String {
    let name = setting.opt.name;
    let mut out = format!("# {}", setting.source);
    if setting.source != Source::Default && !setting.opt.effect {
        out.push_str(" (has no effect here)");
    }
    out.push('\n');
    let texts = setting.value.as_ref().map(|value| value.to_lines(setting.opt.kind)).unwrap_or_default();
    for text in &texts {
        let _ = writeln!(out, "{name} ={}", quoted(&masked(setting, text)));
    }
    if texts.is_empty() {
        let _ = writeln!(out, "#{name} = <None>");
    }
    out
}

/// Masks secrets. Of a database's URL only the password is masked; a path has no password.
fn masked(setting: &Setting, text: &str) -> String {
    let is_database = setting.group == "database" && setting.opt.name.ends_with("connection");
    let is_readable = is_database && (text.contains("://") || !text.contains(['@', ':']));
    if text.is_empty() || (!setting.holds_secret && (!setting.opt.secret || is_readable)) {
        return without_passwords(text);
    }
    "***".to_owned()
}

/// Masks passwords in a URL: also one that contains an unencoded `@`, and one in the URL's options.
fn without_passwords(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let rest = match rest.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((user, _)) => format!("{user}:***@{host}"),
            None => rest.to_owned(),
        },
        None => rest.to_owned(),
    };
    let Some((place, options)) = rest.split_once('?') else { return format!("{scheme}://{rest}") };
    let option = |option: &str| match option.split_once('=') {
        Some((key, _)) if key.to_ascii_lowercase().contains("pass") => format!("{key}=***"),
        _ => option.to_owned(),
    };
    let options: Vec<String> = options.split('&').map(option).collect();
    format!("{scheme}://{place}?{}", options.join("&"))
}

/// Quotes and escapes a value so that reading it gives the same text; a blank comes before it.
fn quoted(text: &str) -> String {
    let text = text.replace('$', "$$");
    let quote = |c| text.starts_with(c) && text.ends_with(c);
    let text = match text.as_str() {
        "" => return String::new(),
        plain if plain.trim() == plain && !quote('"') && !quote('\'') => plain.to_owned(),
        other => format!("\"{other}\""),
    };
    format!(" {}", text.replace('\n', "\n    "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_urls_are_not_shown() {
        for (url, shown) in [
            ("mysql+pymysql://f:pw@db/freezer?charset=utf8", "mysql+pymysql://f:***@db/freezer?charset=utf8"),
            ("mysql://f:p@w:x/y@db:3306/f", "mysql://f:***@db:3306/f"),
            (
                "postgresql://f@db/f?sslmode=require&sslpassword=pw",
                "postgresql://f@db/f?sslmode=require&sslpassword=***",
            ),
            ("postgresql:///f?user=f&password=pw", "postgresql:///f?user=f&password=***"),
            ("sqlite:////var/lib/f.sqlite", "sqlite:////var/lib/f.sqlite"),
            ("f.sqlite", "f.sqlite"),
        ] {
            assert_eq!(without_passwords(url), shown);
        }
    }

    #[test]
    fn a_value_is_written_so_that_it_is_read_as_it_is() {
        for text in ["", "a", " a ", "\"a\"", "'", "\"", "a$b$$c", "a\nb", "5 # x", "a = b", "'a' and 'b'"] {
            let file = format!("[s]\nk ={}\n", quoted(text));
            let entry = &crate::ini::parse(&file).unwrap()[0];
            let read = crate::template::substitute(&entry.value, |name| Err::<String, _>(name.to_owned()));
            assert_eq!(read.unwrap(), text, "{file}");
        }
    }
}
