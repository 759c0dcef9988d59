//! Tokens: shown, revoked, expired, and deleted with their user, project or role.

use std::time::Duration;

use diesel::prelude::*;
use freezer_api::cli::user::UserCommand;
use freezer_api::identity::Role;
use freezer_api::store::schema::{identity_projects, identity_tokens, identity_users};
use serde_json::json;

use crate::house::{House, by_token, on_every_backend, on_project, word};

const PASSWORD: &str = "correct horse";

fn alive(house: &House, token: &str) -> bool {
    house.standalone.authenticate(token).unwrap().is_some()
}

#[test]
fn a_token_is_shown_to_its_owner_to_admins_and_to_services() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        house.user("bob", PASSWORD, "one", Role::Member);
        house.user("root", PASSWORD, "admin", Role::Admin);
        house.user("nova", PASSWORD, "service", Role::Service);
        let login = house.password("ann", PASSWORD, None);
        let ann = login.subject();
        let (bob, root, nova) =
            (house.token("bob", PASSWORD), house.token("root", PASSWORD), house.token("nova", PASSWORD));
        for asker in [&ann, &root, &nova] {
            let shown = house.on_token("GET", asker, &ann);
            assert_eq!((shown.status, &shown.body), (200, &login.body));
            assert_eq!(shown.header("X-Subject-Token"), Some(ann.as_str()));
            let head = house.on_token("HEAD", asker, &ann);
            assert_eq!((head.status, head.body.is_null()), (200, true));
            house.on_token("GET", asker, &"0".repeat(64)).assert_error(404);
            house.on_token("GET", asker, "").assert_error(404);
        }
        house.on_token("GET", &bob, &ann).assert_error(403);
        house.on_token("GET", "nonsense", &ann).assert_error(401);
        house.on_token("GET", &nova, &nova).assert_error_free();
        house.on_token("DELETE", &bob, &ann).assert_error(403);
        house.on_token("DELETE", &nova, &ann).assert_error(403);
        assert!(alive(&house, &ann));
        assert_eq!(house.on_token("DELETE", &root, &ann).status, 204);
        assert!(!alive(&house, &ann));
    });
}

impl crate::house::Answer {
    fn assert_error_free(&self) {
        assert_eq!((self.status, self.roles()), (200, vec!["service"]));
    }
}

#[test]
fn a_revoked_token_is_refused() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let (token, other) = (house.token("ann", PASSWORD), house.token("ann", PASSWORD));
        let gone = house.on_token("DELETE", &token, &token);
        assert_eq!((gone.status, gone.body.is_null()), (204, true));
        assert!(!alive(&house, &token) && alive(&house, &other));
        house.on_token("DELETE", &other, &token).assert_error(404);
        house.log_in(by_token(&token), None).assert_error(401);
    });
}

#[test]
fn an_expired_token_is_refused_and_deleted() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let house = house.with_token_lifetime(Duration::from_secs(60));
        let token = house.token("ann", PASSWORD);
        house.expire_tokens();
        assert!(!alive(&house, &token));
        house.get("/identity/v3/auth/projects", &token).assert_error(401);
        house.log_in(by_token(&token), on_project("one")).assert_error(401);
        assert_eq!(house.count_tokens(), 1);
        let house = house.with_token_lifetime(Duration::ZERO);
        let short = house.token("ann", PASSWORD);
        assert!(!alive(&house, &short));
        house.upkeep();
        assert_eq!(house.count_tokens(), 0);
    });
}

#[test]
fn a_token_ends_with_its_user_project_or_role() {
    on_every_backend(|house| {
        let name = || "ann".to_owned();
        let project = || "one".to_owned();
        house.user("ann", PASSWORD, "one", Role::Member);
        house.user("bob", PASSWORD, "one", Role::Member);
        let bystander = house.token("bob", PASSWORD);
        let losses = [
            UserCommand::SetPassword { name: name(), password_stdin: true },
            UserCommand::Disable { name: name(), force: false },
            UserCommand::Revoke { name: name(), project: project(), role: Role::Member, force: false },
            UserCommand::Delete { name: name(), force: false },
        ];
        for loss in losses {
            house.run(UserCommand::Enable { name: name() }, "").unwrap();
            house
                .run(UserCommand::Grant { name: name(), project: project(), role: Role::Member }, "")
                .unwrap();
            let token = house.token("ann", PASSWORD);
            assert!(alive(&house, &token));
            let what = format!("{loss:?}");
            house.run(loss, PASSWORD).unwrap();
            assert!(!alive(&house, &token) && alive(&house, &bystander), "{what}");
        }
        house
            .run(
                UserCommand::Revoke {
                    name: "bob".to_owned(),
                    project: project(),
                    role: Role::Member,
                    force: false,
                },
                "",
            )
            .unwrap();
        house.run(UserCommand::ProjectDelete { name: project(), force: false }, "").unwrap();
        assert_eq!(house.count_tokens(), 0);
    });
}

#[test]
fn no_login_slips_through_while_the_password_changes() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let change = |password: &str| {
            let command = UserCommand::SetPassword { name: "ann".to_owned(), password_stdin: true };
            house.run(command, password).unwrap();
        };
        for round in 0..5 {
            let (old, new) = (format!("{PASSWORD} {round}"), format!("{PASSWORD} {}", round + 1));
            change(&old);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| {
                        for _ in 0..2 {
                            assert!(matches!(house.password("ann", &old, None).status, 201 | 401));
                        }
                    });
                }
                scope.spawn(|| change(&new));
            });
            assert_eq!(house.count_tokens(), 0, "round {round}");
        }
    });
}

#[test]
fn role_changes_apply_at_once() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Reader);
        let token = house.token("ann", PASSWORD);
        let roles = || house.standalone.authenticate(&token).unwrap().unwrap().roles.join(" ");
        assert_eq!(roles(), "reader");
        for role in [Role::Service, Role::Member] {
            let grant = UserCommand::Grant { name: "ann".to_owned(), project: "one".to_owned(), role };
            house.run(grant, "").unwrap();
        }
        assert_eq!(roles(), "member reader service");
    });
}

#[test]
fn a_disabled_users_token_is_refused_even_if_its_row_remains() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let token = house.token("ann", PASSWORD);
        let mut connection = house.connection();
        let mut set = |user: bool, project: bool| {
            diesel::update(identity_users::table)
                .set(identity_users::enabled.eq(user))
                .execute(&mut connection)
                .unwrap();
            let projects = diesel::update(identity_projects::table);
            projects.set(identity_projects::enabled.eq(project)).execute(&mut connection).unwrap();
        };
        set(false, true);
        assert!(!alive(&house, &token));
        set(true, false);
        assert!(!alive(&house, &token));
        house.password("ann", PASSWORD, on_project("one")).assert_error(401);
        assert_eq!(house.password("ann", PASSWORD, None).body["token"]["project"], json!(null));
        set(true, true);
        assert!(alive(&house, &token));
    });
}

#[test]
fn neither_tokens_nor_passwords_are_stored() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let token = house.token("ann", PASSWORD);
        let mut connection = house.connection();
        let rows: Vec<(String, String)> = identity_tokens::table
            .select((identity_tokens::id, identity_tokens::audit_id))
            .load(&mut connection)
            .unwrap();
        let hashes: Vec<String> =
            identity_users::table.select(identity_users::password_hash).load(&mut connection).unwrap();
        assert_eq!((rows.len(), rows[0].0.len(), hashes.len()), (1, 64, 1));
        assert!(rows[0].0 != token && rows[0].1 != token);
        // The stored value does not work as a token.
        assert!(!alive(&house, &rows[0].0));
        assert!(hashes[0].starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !hashes[0].contains(PASSWORD));
    });
}

#[test]
fn projects_are_listed_to_those_who_have_a_role_on_them() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        house.user("bob", PASSWORD, "two", Role::Member);
        house.user("root", PASSWORD, "admin", Role::Admin);
        let login = house.password("ann", PASSWORD, Some(json!("unscoped")));
        let (ann, root) = (login.subject(), house.token("root", PASSWORD));
        let id = login.body["token"]["user"]["id"].as_str().unwrap();
        let names = |path: &str, token: &str| {
            let answer = house.get(path, token);
            assert_eq!(answer.status, 200, "{}", answer.body);
            let projects = answer.body["projects"].as_array().unwrap().clone();
            projects.iter().map(|project| project["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(names("/identity/v3/auth/projects", &ann), ["one"]);
        assert_eq!(names("/identity/v3/projects", &ann), ["one"]);
        assert_eq!(names("/identity/v3/projects", &root), ["admin", "one", "two"]);
        assert_eq!(names("/identity/v3/projects?name=two", &root), ["two"]);
        assert!(names("/identity/v3/projects?name=two", &ann).is_empty());
        for asker in [&ann, &root] {
            assert_eq!(names(&format!("/identity/v3/users/{id}/projects"), asker), ["one"]);
        }
        house.get("/identity/v3/users/somebody/projects", &ann).assert_error(403);
        house.get("/identity/v3/users/somebody/projects", &root).assert_error(404);
    });
}

#[test]
fn only_versions_and_logins_need_no_token() {
    on_every_backend(|house| {
        let list = house.ask("GET", "/identity/", &[], b"");
        assert_eq!((list.status, &list.body["versions"]["values"][0]["id"]), (300, &json!("v3.14")));
        let one = house.ask("GET", "/identity/v3/", &[], b"");
        assert_eq!((one.status, &one.body["version"]), (200, &list.body["versions"]["values"][0]));
        assert_eq!(one.body["version"]["links"][0]["href"], "http://backup.example:9090/identity/v3/");
        for (method, path, _) in freezer_api::identity::handlers::ROUTES.iter().skip(2) {
            let answer = house.ask(word(*method), path, &[], b"");
            // A login without a body is malformed; all else needs a token.
            answer.assert_error(if word(*method) == "POST" { 400 } else { 401 });
        }
    });
}
