use serde_json::{Value, json};

use super::super::default::Deprecated;
use super::*;
use crate::Scope;

fn rules_with(text: &str, defaults: &[RuleDefault], new_defaults_only: bool) -> Rules {
    let files = [(PathBuf::from("policy.yaml"), super::super::yaml::parse(text).unwrap())];
    Rules::new(files, defaults, "default", new_defaults_only)
}

fn rules(text: &str) -> Rules {
    rules_with(text, &[], true)
}

fn ask(rules: &Rules, name: &str) -> Result<bool, Failure> {
    let values = |value: Value| value.as_object().unwrap().clone();
    let credentials = values(json!({
        "roles": ["member", "Reader"], "user_id": "u", "project_id": "p", "domain_id": null, "is_admin": false,
        "token": {"user": {"id": "u", "groups": [{"name": "g"}, {"name": "h"}]}},
    }));
    rules.allows(name, &credentials, &values(json!({"project_id": "p", "a.b": "u", "flag": true})), None)
}

#[test]
fn checks_decide() {
    for (rule, allowed) in [
        ("", true),
        ("@", true),
        ("!", false),
        ("not !", true),
        ("role:MEMBER", true),
        ("role:reader", true),
        ("role:admin", false),
        ("role:%(project_id)s", false),
        ("role:%(missing)s", false),
        ("not role:%(missing)s", true),
        ("roles:member", true),
        ("roles:MEMBER", false),
        ("project_id:%(project_id)s", true),
        ("user_id:%(a.b)s", true),
        ("user_id:%(project_id)s", false),
        ("user_id:%(missing)s", false),
        ("'p':%(project_id)s", true),
        ("True:%(flag)s", true),
        ("true:%(flag)s", false),
        ("is_admin:False", true),
        ("domain_id:None", true),
        ("None:%(missing)s", false),
        ("missing:None", false),
        ("token.user.id:u", true),
        ("token.user.groups.name:h", true),
        ("token.user.groups.name:i", false),
        ("token.user.missing.id:u", false),
        ("rule:missing", false),
        ("not rule:missing", true),
    ] {
        let rules = rules(&format!("a: {}", json!(rule)));
        assert_eq!(ask(&rules, "a"), Ok(allowed), "{rule}");
    }
}

#[test]
fn a_check_that_cannot_be_evaluated_is_a_failure_and_never_allows() {
    for rule in [
        "role:100%",
        "user_id:%(project_id)d",
        "user_id.id:u",
        "domain_id.id:u",
        "token.user.groups.name.first:x",
        "class:x",
        "http://h/%(missing)s",
        "http://localhost/",
        "rule:a",
    ] {
        for whole in
            [rule.to_owned(), format!("not {rule}"), format!("! or {rule}"), format!("@ and not ({rule})")]
        {
            let rules = rules(&format!("a: {}\nb: 'rule:a'", json!(whole)));
            assert!(ask(&rules, "a").is_err(), "{whole}");
        }
        // A check that cannot change the outcome is not evaluated.
        assert_eq!(ask(&rules(&format!("a: {}", json!(format!("@ or {rule}")))), "a"), Ok(true));
    }
}

#[test]
fn circles_end_in_a_failure() {
    let rules = rules(
        "a: 'role:member or rule:b'\nb: 'rule:c'\nc: 'not rule:a'\nd: 'rule:c and role:admin'\ne: 'rule:e'",
    );
    assert_eq!(ask(&rules, "a"), Ok(true));
    assert_eq!(ask(&rules, "c"), Ok(false));
    assert_eq!(ask(&rules, "e"), Err(Failure::Other("e -> e is a circle".to_owned())));
    assert_eq!(rules.cyclic(), ["a", "b", "c", "e"]);
    let other = rules_with("a: 'not rule:b'\nb: 'not rule:a'", &[], true);
    assert!(matches!(ask(&other, "a"), Err(Failure::Other(_))));
}

#[test]
fn a_long_chain_of_rules_ends_too() {
    let chain = |links: usize| {
        let rules = (0..links).map(|n| format!("r{n}: '({}rule:r{} or !)'\n", "not not ".repeat(5), n + 1));
        rules_with(&(rules.collect::<String>() + &format!("r{links}: '@'")), &[], true)
    };
    assert_eq!(ask(&chain(5), "r0"), Ok(true));
    assert!(matches!(ask(&chain(500), "r0"), Err(Failure::Other(_))));
}

#[test]
fn the_default_rule_decides_in_place_of_a_missing_rule() {
    let defined = rules("default: 'role:member'\na: 'rule:missing'\nb: 'not rule:missing'");
    assert_eq!(ask(&defined, "missing"), Ok(true));
    assert_eq!(ask(&defined, "a"), Ok(true));
    assert_eq!(ask(&defined, "b"), Ok(false));
    assert_eq!(defined.undefined(), [("a", "missing"), ("b", "missing")]);
    assert_eq!(ask(&rules("a: '@'"), "missing"), Ok(false));
    // The default rule may itself refer to a missing rule.
    assert!(ask(&rules("default: 'rule:missing'"), "x").is_err());
    let named = Rules::new(
        [(PathBuf::new(), super::super::yaml::parse("fallback: '@'\ndefault: '!'").unwrap())],
        &[],
        "fallback",
        true,
    );
    assert_eq!(ask(&named, "missing"), Ok(true));
    let none = Rules::new([(PathBuf::new(), super::super::yaml::parse("'': '@'").unwrap())], &[], "", true);
    assert_eq!(ask(&none, "missing"), Ok(false));
}

#[test]
fn a_renamed_or_changed_rule_goes_on_as_before() {
    let old = |name, check| Some(Deprecated { name, check, since: "20", reason: "tidier" });
    let new = |name, deprecated| RuleDefault {
        name,
        check: "role:new",
        description: "A rule.",
        operations: &[],
        scopes: &[Scope::Project],
        is_cloud_wide: false,
        deprecated,
    };
    let (renamed, changed) = (new("new", old("old", "role:old")), new("same", old("same", "role:old")));
    for (text, new_defaults_only, new, same, warnings) in [
        ("{}", true, "role:new", "role:new", 0),
        ("{}", false, "(role:new or role:old)", "(role:new or role:old)", 2),
        // An override of the former name is one of the new name.
        ("old: role:mine", true, "role:mine", "role:new", 1),
        ("old: role:mine", false, "role:mine", "(role:new or role:old)", 2),
        // The former default and an alias are none.
        ("old: role:old", true, "role:new", "role:new", 1),
        ("old: rule:new", true, "role:new", "role:new", 1),
        // An override of the new name counts alone.
        ("old: role:mine\nnew: role:his\nsame: role:hers", false, "role:his", "role:hers", 0),
    ] {
        let rules = rules_with(text, &[renamed, changed], new_defaults_only);
        let shown = |name: &str| rules.get(name).unwrap().to_string();
        assert_eq!(
            (shown("new").as_str(), shown("same").as_str()),
            (new, same),
            "{text} {new_defaults_only}"
        );
        assert_eq!(rules.deprecations.len(), warnings, "{text}: {:?}", rules.deprecations);
        assert!(rules.get("old").is_none() || text.contains("old"));
    }
}
