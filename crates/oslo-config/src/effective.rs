//! The value of every option, and where it comes from.

use std::path::PathBuf;

use super::evaluate::Evaluator;
use super::option::Value;
use super::setting::{Setting, Source, refusal};

/// The values of all options.
pub struct Effective {
    /// Every option, in the order of the table.
    pub settings: Vec<Setting>,
    /// Warnings for the operator: old option names that were used.
    pub warnings: Vec<String>,
    /// Entries of the files that are no option of this service: file, line, section and name.
    pub unknown: Vec<(PathBuf, usize, String, String)>,
    /// The files that were read; a later one takes precedence.
    pub files: Vec<PathBuf>,
    /// The directories in which other configuration files are looked for.
    pub directories: Vec<PathBuf>,
    /// Options that are no longer read, each with its replacement.
    former: &'static [(&'static str, &'static str)],
}

impl Effective {
    /// Evaluates all options. `former` maps options that are no longer read to their replacements; `directories` are
    /// searched for further configuration files.
    ///
    /// # Errors
    /// A sentence for the operator: a value is not valid.
    pub fn new(
        evaluator: Evaluator<'_>,
        former: &'static [(&'static str, &'static str)],
        directories: Vec<PathBuf>,
    ) -> Result<Self, String> {
        let unknown = evaluator.unknown();
        let files = evaluator.files();
        let (settings, mut warnings) = evaluator.evaluate_all()?;
        if let Some((path, line, ..)) = unknown.iter().find(|(_, _, section, _)| section == "default") {
            let place = format!("{}:{line}", path.display());
            warnings
                .push(format!("{place}: the section [DEFAULT] is written in capitals; any other is not it"));
        }
        Ok(Self { settings, warnings, unknown, files, directories, former })
    }

    /// Copies values from the section `from` to the heirs: options of the same name that are not set themselves.
    pub fn inherit(&mut self, from: &str, is_heir: impl Fn(&Setting) -> bool) {
        let base: Vec<Setting> =
            self.settings.iter().filter(|setting| setting.group == from).cloned().collect();
        let heirs = self.settings.iter_mut();
        for heir in heirs.filter(|setting| setting.source == Source::Default && is_heir(setting)) {
            if let Some(base) = base.iter().find(|base| base.opt.name == heir.opt.name) {
                heir.value.clone_from(&base.value);
                heir.source.clone_from(&base.source);
                heir.holds_secret = base.holds_secret;
            }
        }
    }

    /// Sets a default that depends on other options, if the option has no text.
    pub fn set_default(&mut self, group: &str, name: &str, default: &str) {
        let mut settings = self.settings.iter_mut();
        let setting = settings.find(|setting| setting.group == group && setting.opt.name == name);
        if let Some(setting) = setting.filter(|setting| setting.text().is_none()) {
            setting.value = Some(Value::Text(default.to_owned()));
        }
    }

    /// The replacement of an option that is no longer read.
    pub fn successor(&self, former: &str) -> Option<&'static str> {
        self.former.iter().find(|(name, _)| *name == former).map(|(_, now)| *now)
    }

    /// The options of one section.
    pub fn section<'e>(&'e self, name: &'e str) -> Section<'e> {
        Section { effective: self, name }
    }

    /// Adds the source of an option to an error about it, which begins as `[DEFAULT] log_file: ...`. The value is left
    /// out if it contains a secret.
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

    /// The options that take effect only at a start, and whose value differs from `other` or is missing there or here.
    pub fn differences<'e>(&'e self, other: &'e Self) -> Vec<&'e Setting> {
        let gone = self
            .settings
            .iter()
            .filter(|setting| other.find(setting).is_none_or(|o| o.value != setting.value));
        let new = other.settings.iter().filter(|setting| self.find(setting).is_none());
        gone.chain(new).filter(|setting| setting.opt.effect && !setting.opt.mutable).collect()
    }

    fn find(&self, same: &Setting) -> Option<&Setting> {
        self.settings.iter().find(|setting| setting.group == same.group && setting.opt.name == same.opt.name)
    }

    /// The names of the options that are set but have no effect in this service.
    pub fn without_effect(&self) -> Vec<String> {
        let set =
            self.settings.iter().filter(|setting| !setting.opt.effect && setting.source != Source::Default);
        set.map(Setting::name).collect()
    }
}

/// The options of one section. The getters give `None` or the empty value for an option that is unset, empty or of
/// another type.
#[derive(Clone, Copy)]
pub struct Section<'e> {
    effective: &'e Effective,
    /// The section's name.
    pub name: &'e str,
}

impl<'e> Section<'e> {
    fn setting(self, name: &str) -> Option<&'e Setting> {
        self.effective.settings.iter().find(|setting| setting.group == self.name && setting.opt.name == name)
    }

    fn value(self, name: &str) -> Option<&'e Value> {
        self.setting(name)?.value.as_ref()
    }

    /// An entry in this section for an option that `name` has replaced, with its file and line.
    pub fn former(self, name: &str) -> Option<(&'e str, String)> {
        let is_it = |former: &str| {
            self.effective.successor(former).is_some_and(|now| now.split(" and ").any(|now| now == name))
        };
        let mut unknown = self.effective.unknown.iter().filter(|(_, _, section, _)| section == self.name);
        let (path, line, _, former) = unknown.find(|(.., former)| is_it(former))?;
        Some((former.as_str(), format!("{}:{line}", path.display())))
    }

    /// Whether a source sets the option.
    pub fn is_set(self, name: &str) -> bool {
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

    /// Whether a boolean option is true; false if it is unset.
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

    /// A whole number that is not negative, limited to `largest`.
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

    /// The error for a value that is not valid.
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
