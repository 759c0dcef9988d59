//! The names of loggers.

use std::borrow::Cow;

/// Pairs of a module's path and the name of its logger. The modules below it have their own paths below that name.
pub type Aliases = [(&'static str, &'static str)];

/// The name of the logger that a record's target stands for: the target itself, unless an alias names its module or one
/// above. The alias of the nearest module counts.
pub fn logger_name<'t>(aliases: &Aliases, target: &'t str) -> Cow<'t, str> {
    let below =
        |module: &str| target.strip_prefix(module).filter(|rest| rest.is_empty() || rest.starts_with("::"));
    let found = aliases.iter().filter_map(|(module, name)| Some((module.len(), name, below(module)?)));
    match found.max_by_key(|(length, ..)| *length) {
        Some((_, name, rest)) => format!("{name}{}", rest.replace("::", ".")).into(),
        None => target.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alias_of_the_nearest_module_names_the_logger() {
        let aliases = [("front", "service"), ("front::http", "service.web"), ("oslo_log", "service.logging")];
        for (target, name) in [
            ("front", "service"),
            ("front::server::edge", "service.server.edge"),
            ("front::http::body", "service.web.body"),
            ("front::https", "service.https"),
            ("oslo_log", "service.logging"),
            ("frontier::http", "frontier::http"),
            ("r2d2", "r2d2"),
        ] {
            assert_eq!(logger_name(&aliases, target), name, "{target}");
        }
    }
}
