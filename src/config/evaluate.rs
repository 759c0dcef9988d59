//! From what was given to what each option comes to.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::files::File;
use super::option::{Kind, Opt, Value};
use super::setting::{Setting, Source, refusal};
use super::template::substitute;

/// The value of an option from the command line.
#[derive(Clone)]
pub struct Given {
    /// The option's section.
    pub group: &'static str,
    /// The option's name in a file.
    pub name: &'static str,
    /// What it is called on the command line.
    pub flag: &'static str,
    /// Its value.
    pub value: String,
}

/// Everything that was given.
#[derive(Default)]
pub struct Sources {
    /// The command line; the strongest.
    pub command_line: Vec<Given>,
    /// The environment: `OS_<GROUP>__<OPTION>`.
    pub environment: BTreeMap<String, String>,
    /// The files, the strongest last.
    pub files: Vec<File>,
}

/// What was given for an option.
struct Found {
    texts: Vec<String>,
    source: Source,
}

/// Works out one option after the other, those first that others refer to.
pub struct Evaluator<'s> {
    sources: &'s Sources,
    /// The options there are, with their sections.
    schema: Vec<(String, &'static Opt)>,
    done: Vec<Option<Setting>>,
    /// What is being worked out; an option that is met again refers to itself.
    open: Vec<usize>,
    /// Names of old that were met, and what to say of them.
    warnings: BTreeMap<(String, String), String>,
}

impl<'s> Evaluator<'s> {
    /// Nothing is worked out yet.
    pub fn new(sources: &'s Sources, schema: Vec<(String, &'static Opt)>) -> Self {
        let done = schema.iter().map(|_| None).collect();
        Self { sources, schema, done, open: Vec::new(), warnings: BTreeMap::new() }
    }

    /// Further options, if they are not there yet.
    pub fn add(&mut self, group: &str, options: impl IntoIterator<Item = &'static Opt>) {
        for opt in options {
            if self.position(group, opt.name).is_none() {
                self.schema.push((group.to_owned(), opt));
                self.done.push(None);
            }
        }
    }

    /// What one option comes to.
    ///
    /// # Errors
    /// A sentence for the operator: its value, or that of one it refers to, is not valid.
    pub fn one(&mut self, group: &str, name: &str) -> Result<Option<&Setting>, String> {
        match self.position(group, name) {
            Some(index) => self.evaluate(index).map(Some),
            None => Ok(None),
        }
    }

    /// What all options come to, in the order of the table, and what to say of old names.
    ///
    /// # Errors
    /// As [`Evaluator::one`].
    pub fn all(mut self) -> Result<(Vec<Setting>, Vec<String>), String> {
        for index in 0..self.schema.len() {
            self.evaluate(index)?;
        }
        Ok((self.done.into_iter().flatten().collect(), self.warnings.into_values().collect()))
    }

    /// What is in the files without being an option: file, line, section and name.
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

    /// The files that were read, the strongest last.
    pub fn files(&self) -> Vec<PathBuf> {
        self.sources.files.iter().map(|file| file.path.clone()).collect()
    }

    fn position(&self, group: &str, name: &str) -> Option<usize> {
        self.schema.iter().position(|(in_group, opt)| in_group == group && opt.name == name)
    }

    /// The option of this name, or of this name of old.
    fn named(&self, group: &str, name: &str) -> Option<usize> {
        let once = |(in_group, opt): &(String, &'static Opt)| {
            old_names(in_group, opt).any(|(section, old)| section == group && old == name)
        };
        self.position(group, name).or_else(|| self.schema.iter().position(once))
    }

    fn evaluate(&mut self, index: usize) -> Result<&Setting, String> {
        if self.done[index].is_none() {
            let setting = self.work_out(index)?;
            self.done[index] = Some(setting);
        }
        // Filled in just now.
        self.done[index].as_ref().ok_or_else(String::new)
    }

    fn work_out(&mut self, index: usize) -> Result<Setting, String> {
        let (group, opt) = self.schema[index].clone();
        let default =
            || Found { texts: opt.default.into_iter().map(str::to_owned).collect(), source: Source::Default };
        let found = self.find(&group, opt).unwrap_or_else(default);
        let refused = |why: &str| refusal(&group, opt.name, &found.source, why);

        self.open.push(index);
        let mut holds_secret = false;
        let mut texts = Vec::with_capacity(found.texts.len());
        for text in &found.texts {
            let resolved = substitute(text, |name| {
                let (value, is_secret) = self.referred(&group, name, opt.secret)?;
                holds_secret |= is_secret;
                Ok(value)
            });
            texts.push(resolved.map_err(|why: Refused| match why {
                Refused::Here(why) => refused(&why),
                Refused::There(why) => why,
            })?);
        }
        self.open.pop();

        let mut value = None;
        if !texts.is_empty() {
            value = opt.kind.read(&texts).map_err(|why| {
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
            // A number that was left empty.
            value = opt.kind.read(&default().texts).map_err(|why| refused(&why))?;
        }
        Ok(Setting { group, opt, value, source: found.source, holds_secret })
    }

    /// What a reference in a value of `group` stands for, and whether that is a secret.
    fn referred(&mut self, group: &str, name: &str, in_secret: bool) -> Result<(String, bool), Refused> {
        let there = match name.split_once('.') {
            // oslo.config has no group of the name DEFAULT.
            Some(("DEFAULT", _)) => None,
            Some((other, option)) => self.named(other, option),
            None => self.named(group, name).or_else(|| self.named("DEFAULT", name)),
        };
        let Some(index) = there else {
            // What looks like a reference may be half a password.
            let name = if in_secret { String::new() } else { format!(" (${name})") };
            return Err(Refused::Here(format!(
                "it refers to an option that there is not{name}; a dollar that is meant as one is written $$"
            )));
        };
        if self.open.contains(&index) {
            return Err(Refused::Here("it refers to itself".to_owned()));
        }
        let setting = self.evaluate(index).map_err(Refused::There)?;
        Ok((
            setting.value.as_ref().map(Value::referred).unwrap_or_default(),
            setting.opt.secret || setting.holds_secret,
        ))
    }

    /// The strongest of what was given; of an option that may be repeated, all that the files give.
    fn find(&mut self, group: &str, opt: &'static Opt) -> Option<Found> {
        let given =
            self.sources.command_line.iter().find(|given| given.group == group && given.name == opt.name);
        if let Some(given) = given {
            return Some(Found { texts: vec![given.value.clone()], source: Source::CommandLine(given.flag) });
        }
        let variable = format!("OS_{}__{}", group.to_uppercase(), opt.name.to_uppercase());
        if let Some(value) = self.sources.environment.get(&variable) {
            return Some(Found { texts: vec![value.clone()], source: Source::Environment(variable) });
        }
        self.find_in_files(group, opt)
    }

    fn find_in_files(&mut self, group: &str, opt: &'static Opt) -> Option<Found> {
        let mut names = vec![(group.to_owned(), opt.name)];
        names.extend(old_names(group, opt));
        let mut found: Option<Found> = None;
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
                    return Some(Found { texts, source });
                }
                let stronger = found.take();
                let source = stronger.as_ref().map_or(source, |found| found.source.clone());
                texts.extend(stronger.into_iter().flat_map(|found| found.texts));
                found = Some(Found { texts, source });
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

/// Why a reference cannot be followed.
enum Refused {
    /// The reason lies where it stands.
    Here(String),
    /// What it refers to is not valid, and this sentence says so.
    There(String),
}

/// The old names of an option in this section: those that had no other section had this one.
fn old_names(group: &str, opt: &'static Opt) -> impl Iterator<Item = (String, &'static str)> {
    opt.old_names.iter().map(move |(section, name)| {
        let section = if section.is_empty() { group } else { section };
        (section.to_owned(), *name)
    })
}
