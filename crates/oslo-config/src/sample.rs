//! `config sample`: every option with its default and its meaning, in the form of oslo-config-generator.

use std::fmt::Write;

use super::option::{Kind, Opt, Section};

/// The width of a line, in characters.
const WIDTH: usize = 100;

/// A configuration file that begins with the text `head` and has every option in it, none of them set.
pub fn sample(head: &str, sections: &[Section]) -> String {
    let mut out = String::from(head);
    for section in sections {
        let _ = write!(out, "\n[{}]\n", section.name);
        for (heading, options) in section.parts {
            let _ = write!(out, "\n#\n# From {heading}\n#\n");
            for opt in *options {
                out.push_str(&describe_option(section.name, opt));
            }
        }
    }
    out
}

fn describe_option(section: &str, opt: &Opt) -> String {
    let mut out = String::from("\n");
    comment(&mut out, &format!("{} ({})", opt.help, opt.kind.name()));
    match opt.kind {
        Kind::Choice(words) => {
            let shown =
                |word: &&str| if word.is_empty() { "the empty text".to_owned() } else { (*word).to_owned() };
            let words: Vec<String> = words.iter().map(shown).collect();
            comment(&mut out, &format!("Possible values: {}", words.join(", ")));
        }
        Kind::Int(min, max) => {
            if min != i64::MIN {
                comment(&mut out, &format!("Minimum value: {min}"));
            }
            if max < i64::from(i32::MAX) {
                comment(&mut out, &format!("Maximum value: {max}"));
            }
        }
        Kind::Port => {
            comment(&mut out, "Minimum value: 0");
            comment(&mut out, "Maximum value: 65535");
        }
        Kind::Text | Kind::Bool | Kind::Float(_) | Kind::List | Kind::Multi => {}
    }
    if opt.mutable {
        comment(&mut out, "Note: This option can be changed without restarting.");
    }
    if !opt.effect {
        comment(&mut out, "Note: This option has no effect here.");
    }
    for (old_section, name) in opt.old_names {
        let old_section = if old_section.is_empty() { section } else { old_section };
        comment(&mut out, &format!("Deprecated group/name - [{old_section}]/{name}"));
    }
    if let Some(text) = opt.shown_default {
        comment(&mut out, &format!("Default: {text}"));
    }
    match opt.default {
        Some("") => {
            let _ = writeln!(out, "#{} =", opt.name);
        }
        Some(text) if text.trim() != text => {
            let _ = writeln!(out, "#{} = \"{text}\"", opt.name);
        }
        default => {
            let _ = writeln!(out, "#{} = {}", opt.name, default.unwrap_or("<None>"));
        }
    }
    out
}

/// Appends the text as comment lines, wrapped at [`WIDTH`].
fn comment(out: &mut String, text: &str) {
    let mut width = 0;
    for word in text.split(' ') {
        if width > 0 && width + 1 + word.len() <= WIDTH {
            let _ = write!(out, " {word}");
            width += 1 + word.len();
        } else {
            if width > 0 {
                out.push('\n');
            }
            let _ = write!(out, "# {word}");
            width = 2 + word.len();
        }
    }
    out.push('\n');
}
