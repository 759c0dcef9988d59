use super::*;
use crate::http::Method;
use crate::routes::{Handler, ROUTES};

fn word(method: Method) -> String {
    format!("{method:?}").to_uppercase()
}

#[test]
fn every_route_is_documented_with_its_rule_and_every_rule_with_its_routes() {
    let mut asked: Vec<(&str, String, &str)> = ROUTES
        .iter()
        .filter_map(|route| match route.handler {
            Handler::Project(rule, _) => Some((rule, word(route.method), route.path)),
            _ => None,
        })
        .collect();
    // Handlers also ask for these.
    asked.push(("clients:create_central", "POST".to_owned(), "/v2/{project_id}/clients"));
    asked.push(("jobs:get_all_projects", "GET".to_owned(), "/v2/{project_id}/jobs"));
    asked.push(("jobs:get_all_projects", "GET".to_owned(), "/v2/{project_id}/jobs/{job_id}"));
    let mut documented: Vec<(&str, String, &str)> = DEFAULTS
        .iter()
        .flat_map(|rule| {
            rule.operations.iter().map(|(method, path)| (rule.name, (*method).to_owned(), *path))
        })
        .collect();
    asked.sort();
    documented.sort();
    assert_eq!(asked, documented);
}

#[test]
fn the_table_is_in_order() {
    for (at, rule) in DEFAULTS.iter().enumerate() {
        assert!(DEFAULTS[..at].iter().all(|earlier| earlier.name != rule.name), "{} twice", rule.name);
        assert_eq!(rule.scopes, [Scope::Project], "{}", rule.name);
        assert!(rule.description.ends_with('.'), "{}", rule.name);
        assert_eq!(rule.name.contains(':'), !rule.operations.is_empty(), "{}", rule.name);
    }
}
