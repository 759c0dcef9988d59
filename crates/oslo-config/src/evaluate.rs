//! Evaluates each option from the command line, the environment and the files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::files::File;
use super::option::{Kind, Opt, Value};
use super::setting::{Setting, Source, refusal};
use super::template::substitute;

/// An option's value on the command line.
#[derive(Clone)]
pub struct CliValue {
    /// The option's section.
    pub group: &'static str,
    /// The option's name in a file.
    pub name: &'static str,
    /// The option's name on the command line.
    pub flag: &'static str,
    /// The value.
    pub value: String,
}

/// All sources of values.
#[derive(Default)]
pub struct Sources {
    /// The command line; it takes precedence over the others.
    pub command_line: Vec<CliValue>,
    /// The environment: `OS_<GROUP>__<OPTION>`.
    pub environment: BTreeMap<String, String>,
    /// The files; a later one takes precedence.
    pub files: Vec<File>,
}

/// The texts of one option in the source that takes precedence, before substitution and parsing.
struct RawOption {
    texts: Vec<String>,
    source: Source,
}

/// Evaluates options. An option that another one refers to is evaluated before it.
pub struct Evaluator<'s> {
    sources: &'s Sources,
    /// All options, with their sections.
    schema: Vec<(String, &'static Opt)>,
    done: Vec<Option<Setting>>,
    /// The options that are being evaluated. A reference to one of these is a loop.
    open: Vec<usize>,
    /// The old option names that were used, each with its warning.
    warnings: BTreeMap<(String, String), String>,
}

impl<'s> Evaluator<'s> {
    /// An evaluator of these options; evaluates nothing yet.
    pub fn new(sources: &'s Sources, schema: Vec<(String, &'static Opt)>) -> Self {
        let done = schema.iter().map(|_| None).collect();
        Self { sources, schema, done, open: Vec::new(), warnings: BTreeMap::new() }
    }

    /// Adds options to a section, except those that it has already.
    pub fn add(&mut self, group: &str, options: impl IntoIterator<Item = &'static Opt>) {
        for opt in options {
            if self.position(group, opt.name).is_none() {
                self.schema.push((group.to_owned(), opt));
                self.done.push(None);
            }
        }
    }

    /// Evaluates one option; `None` if there is no such option.
    ///
    /// # Errors
    /// A sentence for the operator: its value, or the value of an option that it refers to, is not valid.
    pub fn setting(&mut self, group: &str, name: &str) -> Result<Option<&Setting>, String> {
        match self.position(group, name) {
            Some(index) => self.evaluate(index).map(Some),
            None => Ok(None),
        }
    }

    /// Evaluates all options, in the order of the table; also returns the warnings.
    ///
    /// # Errors
    /// As [`Evaluator::setting`].
    pub fn evaluate_all(mut self) -> Result<(Vec<Setting>, Vec<String>), String> {
        for index in 0..self.schema.len() {
            self.evaluate(index)?;
        }
        Ok((self.done.into_iter().flatten().collect(), self.warnings.into_values().collect()))
    }

    /// The entries of the files that are no option: file, line, section and name.
    pub fn unknown(&self) -> Vec<(PathBuf, usize, String, String)> {
        let mut known: BTreeSet<(String, &str)> = BTreeSet::new();
        for (group, opt) in &self.schema {
            known.insert((group.clone(), opt.name));
            known.extend(old_names(group, opt));
        }
        let entries =
            self.sources.files.iter().flat_map(|file| file.entries.iter().map(move |entry| (file, entry)));
        entries
            .filter(|(_, entry)| !known.contains(&(entry.section.clone(), entry.key.as_str())))
            .map(|(file, entry)| (file.path.clone(), entry.line, entry.section.clone(), entry.key.clone()))
            .collect()
    }

    /// The files that were read; a later one takes precedence.
    pub fn files(&self) -> Vec<PathBuf> {
        self.sources.files.iter().map(|file| file.path.clone()).collect()
    }

    fn position(&self, group: &str, name: &str) -> Option<usize> {
        self.schema.iter().position(|(in_group, opt)| in_group == group && opt.name == name)
    }

    /// The index of the option with this name or this old name.
    fn position_by_any_name(&self, group: &str, name: &str) -> Option<usize> {
        let has_old_name = |(in_group, opt): &(String, &'static Opt)| {
            old_names(in_group, opt).any(|(section, old)| section == group && old == name)
        };
        self.position(group, name).or_else(|| self.schema.iter().position(has_old_name))
    }

    fn evaluate(&mut self, index: usize) -> Result<&Setting, String> {
        if self.done[index].is_none() {
            let setting = self.compute(index)?;
            self.done[index] = Some(setting);
        }
        // Set just above, so there is always a value.
        self.done[index].as_ref().ok_or_else(String::new)
    }

    fn compute(&mut self, index: usize) -> Result<Setting, String> {
        let (group, opt) = self.schema[index].clone();
        let default = || RawOption {
            texts: opt.default.into_iter().map(str::to_owned).collect(),
            source: Source::Default,
        };
        let found = self.raw_option(&group, opt).unwrap_or_else(default);
        let refused = |why: &str| refusal(&group, opt.name, &found.source, why);

        self.open.push(index);
        let mut holds_secret = false;
        let mut texts = Vec::with_capacity(found.texts.len());
        for text in &found.texts {
            let resolved = substitute(text, |name| {
                let (value, is_secret) = self.resolve_reference(&group, name, opt.secret)?;
                holds_secret |= is_secret;
                Ok(value)
            });
            texts.push(resolved.map_err(|why: ReferenceError| match why {
                ReferenceError::Here(why) => refused(&why),
                ReferenceError::There(why) => why,
            })?);
        }
        self.open.pop();

        let mut value = None;
        if !texts.is_empty() {
            value = opt.kind.parse(&texts).map_err(|why| {
                let text = texts.last().map(String::as_str).unwrap_or_default();
                let shown = if opt.secret || holds_secret {
                    "its value".to_owned()
                } else {
                    format!("the value {text:?}")
                };
                refused(&format!("{shown} {why}"))
            })?;
        }
        if value.is_none() && opt.default.is_some() && found.source != Source::Default {
            // A number that is set to the empty text has its default.
            value = opt.kind.parse(&default().texts).map_err(|why| refused(&why))?;
        }
        Ok(Setting { group, opt, value, source: found.source, holds_secret })
    }

    /// The text for a reference in a value of `group`, and whether that text is a secret.
    fn resolve_reference(
        &mut self,
        group: &str,
        name: &str,
        in_secret: bool,
    ) -> Result<(String, bool), ReferenceError> {
        let position = match name.split_once('.') {
            // oslo.config has no group of the name DEFAULT.
            Some(("DEFAULT", _)) => None,
            Some((other, option)) => self.position_by_any_name(other, option),
            None => {
                self.position_by_any_name(group, name).or_else(|| self.position_by_any_name("DEFAULT", name))
            }
        };
        let Some(index) = position else {
            // In a secret, what looks like a reference may be a part of a password.
            let name = if in_secret { String::new() } else { format!(" (${name})") };
            return Err(ReferenceError::Here(format!(
                "it refers to an unknown option{name}; write $$ for a dollar"
            )));
        };
        if self.open.contains(&index) {
            return Err(ReferenceError::Here("it refers to itself".to_owned()));
        }
        let setting = self.evaluate(index).map_err(ReferenceError::There)?;
        Ok((
            setting.value.as_ref().map(Value::as_reference).unwrap_or_default(),
            setting.opt.secret || setting.holds_secret,
        ))
    }

    /// The texts from the source that takes precedence; for an option that may be repeated, those of all files.
    fn raw_option(&mut self, group: &str, opt: &'static Opt) -> Option<RawOption> {
        let cli_value =
            self.sources.command_line.iter().find(|value| value.group == group && value.name == opt.name);
        if let Some(given) = cli_value {
            return Some(RawOption {
                texts: vec![given.value.clone()],
                source: Source::CommandLine(given.flag),
            });
        }
        let variable = format!("OS_{}__{}", group.to_uppercase(), opt.name.to_uppercase());
        if let Some(value) = self.sources.environment.get(&variable) {
            return Some(RawOption { texts: vec![value.clone()], source: Source::Environment(variable) });
        }
        self.raw_option_in_files(group, opt)
    }

    fn raw_option_in_files(&mut self, group: &str, opt: &'static Opt) -> Option<RawOption> {
        let mut names = vec![(group.to_owned(), opt.name)];
        names.extend(old_names(group, opt));
        let mut found: Option<RawOption> = None;
        for file in self.sources.files.iter().rev() {
            for (section, name) in &names {
                let entries =
                    file.entries.iter().filter(|entry| entry.section == *section && entry.key == *name);
                let Some(last) = entries.clone().next_back() else { continue };
                if (section.as_str(), *name) != (group, opt.name) {
                    self.warn(section, name, group, opt, &file.path, last.line);
                }
                let source = Source::File { path: file.path.clone(), line: last.line };
                let mut texts: Vec<String> = entries.map(|entry| entry.value.clone()).collect();
                if opt.kind != Kind::Multi {
                    return Some(RawOption { texts, source });
                }
                let stronger = found.take();
                let source = stronger.as_ref().map_or(source, |found| found.source.clone());
                texts.extend(stronger.into_iter().flat_map(|found| found.texts));
                found = Some(RawOption { texts, source });
            }
        }
        found
    }

    fn warn(&mut self, section: &str, name: &str, group: &str, opt: &Opt, path: &Path, line: usize) {
        let text = format!(
            "{}:{line}: [{section}] {name} is now called [{group}] {}; the old name still works",
            path.display(),
            opt.name
        );
        self.warnings.entry((section.to_owned(), name.to_owned())).or_insert(text);
    }
}

/// Why a reference cannot be resolved.
enum ReferenceError {
    /// The reference itself is wrong.
    Here(String),
    /// The option that it refers to is not valid, for this reason.
    There(String),
}

/// The old names of an option with their sections; an empty section means the option's own.
fn old_names(group: &str, opt: &'static Opt) -> impl Iterator<Item = (String, &'static str)> {
    opt.old_names.iter().map(move |(section, name)| {
        let section = if section.is_empty() { group } else { section };
        (section.to_owned(), *name)
    })
}
