//! What each option comes to, and from where.

use std::fmt;
use std::path::PathBuf;

use super::arguments::{Options, ServeOptions};
use super::evaluate::{Evaluator, Sources, refusal};
use super::files::Files;
use super::ini::normalized;
use super::option::{Opt, Value};
use super::settings::{AuthStrategy, strategy};
use super::table::{self, CORS, FORMER, PLUGIN, REACHED};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody gave one.
    Default,
    /// A file has it.
    File {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
    },
    /// A variable of this name has it.
    Environment(String),
    /// The command line has it, as this option.
    CommandLine(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::CommandLine(flag) => write!(f, "the command line option {flag}"),
        }
    }
}

/// An option and what it comes to. A [`Debug`](fmt::Debug) of it would show passwords, and there is none.
#[derive(Clone)]
pub struct Setting {
    /// The section.
    pub group: String,
    /// The option.
    pub opt: &'static Opt,
    /// The value; none where it is unset.
    pub value: Option<Value>,
    /// Where it comes from.
    pub source: Source,
    /// Whether it refers to a secret, and so holds one.
    pub holds_secret: bool,
}

/// What every option comes to.
pub struct Effective {
    /// Every option, in the order of the table.
    pub settings: Vec<Setting>,
    /// What the operator should hear of: old names that were used.
    pub warnings: Vec<String>,
    /// What the files have that is no option here: file, line, section and name.
    pub unknown: Vec<(PathBuf, usize, String, String)>,
    /// The files that were read, the strongest last.
    pub files: Vec<PathBuf>,
    /// Where other files of the configuration are looked for.
    pub directories: Vec<PathBuf>,
}

impl Effective {
    /// Reads everything anew: the files, and the environment.
    ///
    /// # Errors
    /// A sentence for the operator: a file cannot be read or understood, or a value is not valid.
    pub fn load(options: &Options, serve: Option<&ServeOptions>) -> Result<Self, String> {
        let files = Files::load(options)?;
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
        let environment = environment.filter(|(name, _)| name.starts_with("OS_")).collect();
        let sources = Sources { command_line: options.given(serve), environment, files: files.read };
        Self::new(&sources, files.directories)
    }

    /// What the sources come to.
    ///
    /// # Errors
    /// A sentence for the operator: a value is not valid.
    pub fn new(sources: &Sources, directories: Vec<PathBuf>) -> Result<Self, String> {
        let mut evaluator = Evaluator::new(sources, table::options());
        let mut trustee = None;
        for (group, reached) in [("keystone_authtoken", &[][..]), ("centralized_scheduler", REACHED)] {
            let section = evaluator.one(group, "auth_section")?.and_then(Setting::text).map(normalized);
            if let Some(section) = section {
                evaluator.add(&section, PLUGIN.iter().chain(reached));
                trustee = Some(section);
            }
        }
        let entries = || sources.files.iter().flat_map(|file| &file.entries);
        for entry in entries().filter(|entry| entry.section.starts_with("cors.")) {
            evaluator.add(&entry.section, CORS);
        }
        let unknown = evaluator.unknown();
        let (mut settings, mut warnings) = evaluator.all()?;
        // What a `[cors.<name>]` leaves open, `[cors]` says; and it is the same Keystone that is asked for trusts.
        inherit(&mut settings, "cors", |setting| {
            setting.group.starts_with("cors.") && setting.opt.name != "allowed_origin"
        });
        inherit(&mut settings, "keystone_authtoken", |setting| {
            let is_trustees = trustee.as_ref() == Some(&setting.group);
            is_trustees && REACHED.iter().any(|opt| opt.name == setting.opt.name)
        });
        if let Some((path, line, ..)) = unknown.iter().find(|(_, _, section, _)| section == "default") {
            let place = format!("{}:{line}", path.display());
            warnings
                .push(format!("{place}: the section [DEFAULT] is written in capitals; any other is not it"));
        }
        let files = sources.files.iter().map(|file| file.path.clone()).collect();
        let mut effective = Self { settings, warnings, unknown, files, directories };
        effective.settle();
        Ok(effective)
    }

    /// Fills in the defaults that depend on other options, as far as they can be told.
    fn settle(&mut self) {
        let Ok(strategy) = strategy(self) else { return };
        // The other strategies do not belong on an open network without somebody asking for it.
        let bind_host = if strategy == AuthStrategy::Keystone { "0.0.0.0" } else { "127.0.0.1" };
        for (name, default) in [("auth_strategy", strategy.name()), ("bind_host", bind_host)] {
            let is_it = |setting: &&mut Setting| setting.group == "DEFAULT" && setting.opt.name == name;
            if let Some(setting) =
                self.settings.iter_mut().find(is_it).filter(|setting| setting.text().is_none())
            {
                setting.value = Some(Value::Text(default.to_owned()));
            }
        }
    }

    /// A section's options.
    pub fn section<'e>(&'e self, name: &'e str) -> Section<'e> {
        Section { effective: self, name }
    }

    /// A sentence that begins with an option, as `[DEFAULT] log_file: ...`, with where that option was given, and
    /// without its value if there is a secret in that.
    pub fn located(&self, why: &str) -> String {
        let starts =
            |setting: &&Setting| why.strip_prefix(&setting.name()).is_some_and(|rest| rest.starts_with(':'));
        match self.settings.iter().find(starts) {
            None => why.to_owned(),
            Some(setting) if setting.holds_secret => {
                format!("{}: its value makes no sense ({})", setting.name(), setting.source)
            }
            Some(Setting { source: Source::Default, .. }) => why.to_owned(),
            Some(Setting { source, .. }) => format!("{} ({source})", why.trim_end_matches('.')),
        }
    }

    /// The options that somebody set and that do nothing here.
    pub fn without_effect(&self) -> Vec<String> {
        let set =
            self.settings.iter().filter(|setting| !setting.opt.effect && setting.source != Source::Default);
        set.map(Setting::name).collect()
    }
}

/// The option that replaces an old one.
pub fn successor(former: &str) -> Option<&'static str> {
    FORMER.iter().find(|(name, _)| *name == former).map(|(_, now)| *now)
}

/// Takes what the heirs leave open from the options of the same names in another section.
fn inherit(settings: &mut [Setting], from: &str, is_heir: impl Fn(&Setting) -> bool) {
    let base: Vec<Setting> = settings.iter().filter(|setting| setting.group == from).cloned().collect();
    for setting in settings.iter_mut().filter(|setting| setting.source == Source::Default && is_heir(setting))
    {
        if let Some(base) = base.iter().find(|base| base.opt.name == setting.opt.name) {
            setting.value.clone_from(&base.value);
            setting.source.clone_from(&base.source);
            setting.holds_secret = base.holds_secret;
        }
    }
}

impl Setting {
    /// `[group] name`
    pub fn name(&self) -> String {
        format!("[{}] {}", self.group, self.opt.name)
    }

    /// A text that is there and not empty.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

/// The options of one section. An option that is unset, empty, or of another type than asked for is none.
#[derive(Clone, Copy)]
pub struct Section<'e> {
    effective: &'e Effective,
    /// Its name.
    pub name: &'e str,
}

impl<'e> Section<'e> {
    fn setting(self, name: &str) -> Option<&'e Setting> {
        self.effective.settings.iter().find(|setting| setting.group == self.name && setting.opt.name == name)
    }

    fn value(self, name: &str) -> Option<&'e Value> {
        self.setting(name)?.value.as_ref()
    }

    /// An option of this section that is no longer read and that `name` replaces, with its place.
    pub fn former(self, name: &str) -> Option<(&'e str, String)> {
        let is_it =
            |former: &str| successor(former).is_some_and(|now| now.split(" and ").any(|now| now == name));
        let mut unknown = self.effective.unknown.iter().filter(|(_, _, section, _)| section == self.name);
        let (path, line, _, former) = unknown.find(|(.., former)| is_it(former))?;
        Some((former.as_str(), format!("{}:{line}", path.display())))
    }

    /// Whether somebody gave it.
    pub fn is_given(self, name: &str) -> bool {
        self.setting(name).is_some_and(|setting| setting.source != Source::Default)
    }

    /// A text that is not empty.
    pub fn text(self, name: &str) -> Option<&'e str> {
        self.setting(name)?.text()
    }

    /// A text that is not empty, owned.
    pub fn string(self, name: &str) -> Option<String> {
        self.text(name).map(str::to_owned)
    }

    /// The path of a file.
    pub fn path(self, name: &str) -> Option<PathBuf> {
        self.text(name).map(PathBuf::from)
    }

    /// A yes; false where it is unset.
    pub fn is(self, name: &str) -> bool {
        self.value(name) == Some(&Value::Bool(true))
    }

    /// A whole number.
    pub fn int(self, name: &str) -> Option<i64> {
        match self.value(name)? {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// A whole number that is not negative. Too large ones come to the largest.
    pub fn count<N: TryFrom<i64>>(self, name: &str, largest: N) -> Option<N> {
        self.int(name).filter(|number| *number >= 0).map(|number| N::try_from(number).unwrap_or(largest))
    }

    /// A number.
    pub fn float(self, name: &str) -> Option<f64> {
        match self.value(name)? {
            Value::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The texts of a list.
    pub fn list(self, name: &str) -> Vec<String> {
        match self.value(name) {
            Some(Value::List(items)) => items.clone(),
            _ => Vec::new(),
        }
    }

    /// The sentence that refuses what was given for an option.
    pub fn refuse(self, name: &str, why: &str) -> String {
        let setting = self.setting(name);
        let source = setting.map_or(&Source::Default, |setting| &setting.source);
        // The reason may quote the value.
        let why = if setting.is_some_and(|setting| setting.holds_secret) {
            "its value makes no sense"
        } else {
            why
        };
        refusal(self.name, name, source, why)
    }
}

#[cfg(test)]
mod tests;
