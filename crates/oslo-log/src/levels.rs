//! The log levels: `debug` and `default_log_levels`.

use std::collections::BTreeMap;

use log::{Level, LevelFilter};

use crate::Settings;
use crate::entry::Severity;

/// Crates that log network traffic, which contains tokens. No option turns that on.
const TRAFFIC_LOGGERS: [&str; 3] = ["ureq", "ureq_proto", "rustls"];

/// The levels of all loggers.
#[derive(Debug)]
pub struct Levels {
    root: LevelFilter,
    named: BTreeMap<String, LevelFilter>,
}

impl Levels {
    /// The levels that the options ask for.
    pub fn new(settings: &Settings) -> Self {
        let root = if settings.debug { LevelFilter::Debug } else { LevelFilter::Info };
        let named = settings.levels.iter().map(|(name, level)| {
            let name = if name == "root" { "" } else { name };
            (name.replace("::", "."), *level)
        });
        Self { root, named: named.collect() }
    }

    /// Whether a record of this `target` (a module) and `level` is logged.
    pub fn allow(&self, target: &str, level: Level) -> bool {
        let krate = target.split(['.', ':']).next().unwrap_or_default();
        let max = if TRAFFIC_LOGGERS.contains(&krate) { LevelFilter::Warn } else { LevelFilter::Trace };
        level <= self.level(target, krate).min(max)
    }

    /// The level of the logger, or of the nearest parent that has one. If a name occurs twice, the last one counts.
    fn level(&self, target: &str, krate: &str) -> LevelFilter {
        let above = |name: &str| {
            name.is_empty() || {
                let mut ours = target.split("::").flat_map(|part| part.split('.'));
                name.split('.').all(|part| ours.next() == Some(part))
            }
        };
        let nearest = self.named.iter().filter(|(name, _)| above(name)).max_by_key(|(name, _)| name.len());
        match nearest {
            Some((_, level)) => *level,
            // `debug` is for this program's records only.
            None if krate != "freezer_api" => self.root.min(LevelFilter::Info),
            None => self.root,
        }
    }

    /// The most detailed level of all loggers.
    pub fn max(&self) -> LevelFilter {
        self.named.values().copied().fold(self.root, Ord::max)
    }
}

/// Parses a `logger=LEVEL` pair of `default_log_levels`; `None` for a pair that does not change the level.
///
/// Loggers of Python's libraries (`amqp`, `sqlalchemy`) are accepted and match no record here. The level is a name in any
/// case, or Python's number. With `CRITICAL`, only panics are logged.
///
/// # Errors
/// A part of a sentence for the operator: what is wrong with the pair.
pub fn parse_level(pair: &str) -> Result<Option<(String, LevelFilter)>, String> {
    let (name, level) =
        pair.split_once('=').ok_or_else(|| format!("{pair:?} is not of the form logger=LEVEL"))?;
    let (name, level) = (name.trim(), level.trim());
    let filter = match (level.parse::<u32>(), Severity::parse(level)) {
        (Ok(0), _) => return Ok(None),
        (Ok(number), _) => match number {
            1..=9 => LevelFilter::Trace,
            10..=19 => LevelFilter::Debug,
            20..=29 => LevelFilter::Info,
            30..=39 => LevelFilter::Warn,
            40..=49 => LevelFilter::Error,
            _ => LevelFilter::Off,
        },
        (_, Some(severity)) => match severity {
            Severity::Trace => LevelFilter::Trace,
            Severity::Debug => LevelFilter::Debug,
            Severity::Info => LevelFilter::Info,
            Severity::Warning => LevelFilter::Warn,
            Severity::Error => LevelFilter::Error,
            Severity::Critical => LevelFilter::Off,
        },
        _ if level.eq_ignore_ascii_case("NOTSET") => return Ok(None),
        _ => {
            return Err(format!(
                "{level:?} is no level: CRITICAL, ERROR, WARNING, INFO, DEBUG and TRACE are"
            ));
        }
    };
    Ok(Some((name.to_owned(), filter)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn levels(debug: bool, pairs: &[&str]) -> Levels {
        let levels = pairs.iter().filter_map(|pair| parse_level(pair).unwrap()).collect();
        Levels::new(&Settings { debug, levels, ..Settings::default() })
    }

    #[test]
    fn the_nearest_parent_decides_the_level() {
        let levels = levels(
            false,
            &[
                "freezer_api=ERROR",
                "freezer_api.store=DEBUG",
                "freezer_api.store.jobs=WARN",
                "freezer_api.store=INFO",
            ],
        );
        for (target, level) in [
            ("freezer_api::auth", LevelFilter::Error),
            ("freezer_api::storehouse", LevelFilter::Error),
            ("freezer_api::store", LevelFilter::Info),
            ("freezer_api::store::pages", LevelFilter::Info),
            ("freezer_api.store.jobs", LevelFilter::Warn),
        ] {
            assert_eq!(levels.level(target, "freezer_api"), level, "{target}");
        }
        assert_eq!(levels.max(), LevelFilter::Info);
    }

    #[test]
    fn debug_is_for_records_of_this_program() {
        for (debug, level) in [(false, Level::Info), (true, Level::Debug)] {
            let levels = levels(debug, &["amqp=WARN", "sqlalchemy=WARN", "keystonemiddleware=WARN"]);
            for target in ["freezer_api", "freezer_api::store"] {
                assert!(levels.allow(target, level) && !levels.allow(target, Level::Trace), "{target}");
            }
            assert!(levels.allow("r2d2", Level::Info) && !levels.allow("r2d2", Level::Debug));
            assert_eq!(levels.allow("freezer_api", Level::Debug), debug);
        }
        assert!(levels(false, &["r2d2=DEBUG"]).allow("r2d2", Level::Debug));
        assert!(!levels(true, &["=WARN"]).allow("freezer_api", Level::Info));
        assert!(!levels(true, &["root=WARN"]).allow("freezer_api", Level::Info));
    }

    #[test]
    fn network_traffic_is_never_logged() {
        let levels = levels(true, &["ureq=TRACE", "ureq.run=1", "ureq_proto=DEBUG", "rustls=5", "=TRACE"]);
        for target in ["ureq", "ureq::run", "ureq_proto::client", "rustls::client::hs", "ureq.run"] {
            assert!(levels.allow(target, Level::Warn), "{target}");
            assert!(!levels.allow(target, Level::Info), "{target}");
        }
    }

    #[test]
    fn levels_have_pythons_names_and_numbers() {
        for (pair, expected) in [
            ("a.b=WARN", Some(("a.b", LevelFilter::Warn))),
            (" a = warning ", Some(("a", LevelFilter::Warn))),
            ("a=FATAL", Some(("a", LevelFilter::Off))),
            ("a=5", Some(("a", LevelFilter::Trace))),
            ("a=10", Some(("a", LevelFilter::Debug))),
            ("a=50", Some(("a", LevelFilter::Off))),
            ("a=NOTSET", None),
            ("a=0", None),
        ] {
            let expected = expected.map(|(name, level)| (name.to_owned(), level));
            assert_eq!(parse_level(pair), Ok(expected), "{pair}");
        }
        for bad in ["a", "a=", "a=LOUD", "a=-1"] {
            assert!(parse_level(bad).is_err(), "{bad}");
        }
    }
}
