//! Logging in: by which user, for which scope, and the token that comes back.

use freezer_api::cli::user::UserCommand;
use freezer_api::identity::Role;
use front::http::{Endpoint, proxy};
use front::server;
use serde_json::{Value, json};

use crate::house::{Answer, House, by_password, by_token, on_every_backend, on_project};

const PASSWORD: &str = "correct horse";

fn disable(house: &House, name: &str) {
    house.run(UserCommand::Disable { name: name.to_owned(), force: false }, "").unwrap();
}

#[test]
fn a_login_by_name_or_id_gives_a_token_on_the_project() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "research", Role::Member);
        let answer = house.password("ann", PASSWORD, on_project("research"));
        let token = answer.subject();
        assert_eq!((token.len(), answer.header("Vary")), (64, Some("X-Auth-Token")));
        let body = &answer.body["token"];
        let (user, project) = (&body["user"]["id"], &body["project"]["id"]);
        assert_eq!(
            *body,
            json!({
                "methods": ["password"],
                "user": {
                    "id": user,
                    "name": "ann",
                    "domain": {"id": "default", "name": "Default"},
                    "password_expires_at": null,
                },
                "project": {"id": project, "name": "research", "domain": {"id": "default", "name": "Default"}},
                "is_domain": false,
                "roles": [{"id": "member", "name": "member"}, {"id": "reader", "name": "reader"}],
                "catalog": body["catalog"],
                "audit_ids": body["audit_ids"],
                "issued_at": body["issued_at"],
                "expires_at": body["expires_at"],
            })
        );
        let time = |key: &str| {
            let text = body[key].as_str().unwrap();
            assert!(text.ends_with('Z') && text.len() == "2026-01-01T00:00:00.000000Z".len(), "{text}");
            chrono::DateTime::parse_from_rfc3339(text).unwrap()
        };
        assert_eq!((time("expires_at") - time("issued_at")).num_seconds(), 3600);

        let by_id = json!({"id": user, "password": PASSWORD});
        let answer = house.log_in(by_password(by_id), Some(json!({"project": {"id": project}})));
        assert_ne!(answer.subject(), token);
        assert_eq!(answer.body["token"]["user"], body["user"]);

        let identity = house.standalone.authenticate(&token).unwrap().unwrap();
        assert_eq!(
            (identity.user_id.as_str(), identity.project_id.as_deref()),
            (user.as_str().unwrap(), project.as_str())
        );
        assert_eq!(
            (identity.user_name.as_str(), identity.project_name.as_deref()),
            ("ann", Some("research"))
        );
        assert_eq!(identity.roles, ["member", "reader"]);
    });
}

#[test]
fn urls_lead_back_through_the_proxy() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "research", Role::Member);
        let proxy = proxy::Settings { parse_headers: true, path_prefix: "/backup".to_owned() };
        let edge = server::Settings { proxy, ..server::Settings::default() };
        let ask = |method: &str, path: &str, token: &str, body: &[u8]| {
            let headers = [("X-Forwarded-Proto", "https"), ("X-Auth-Token", token)];
            house.ask_at(&edge, method, path, &headers, body)
        };
        let user = json!({"name": "ann", "domain": {"id": "default"}, "password": PASSWORD});
        let login =
            json!({"auth": {"identity": by_password(user), "scope": on_project("research")}}).to_string();
        let answer = ask("POST", "/backup/identity/v3/auth/tokens", "", login.as_bytes());
        let catalog = answer.body["token"]["catalog"].to_string();
        assert!(catalog.contains("\"https://backup.example:9090/backup\""), "{catalog}");
        assert!(catalog.contains("\"https://backup.example:9090/backup/identity/v3\""), "{catalog}");
        let versions = ask("GET", "/backup/identity", "", b"").body;
        let href = &versions["versions"]["values"][0]["links"][0]["href"];
        assert_eq!(href, "https://backup.example:9090/backup/identity/v3/");
        let projects = ask("GET", "/backup/identity/v3/auth/projects", &answer.subject(), b"").body;
        let href = &projects["links"]["self"];
        assert_eq!(href, "https://backup.example:9090/backup/identity/v3/auth/projects");
        let refused = ask("GET", "/backup/identity/v3/auth/projects", "", b"");
        let challenge = "Keystone uri=\"https://backup.example:9090/backup/identity\"";
        assert_eq!((refused.status, refused.header("WWW-Authenticate")), (401, Some(challenge)));
    });
}

#[test]
fn urls_begin_with_the_public_endpoint_whatever_the_request_says() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "research", Role::Member);
        let endpoint = Endpoint::parse("https://cloud.example.com/backup").unwrap();
        let edge = server::Settings { public_endpoint: Some(endpoint), ..server::Settings::default() };
        let ask = |method: &str, path: &str, token: &str, body: &[u8]| {
            let answer = house.ask_at(&edge, method, path, &[("X-Auth-Token", token)], body);
            assert_eq!(answer.header("Cache-Control"), Some("no-store"), "{method} {path}");
            answer
        };
        let user = json!({"name": "ann", "domain": {"id": "default"}, "password": PASSWORD});
        let login =
            json!({"auth": {"identity": by_password(user), "scope": on_project("research")}}).to_string();
        let answer = ask("POST", "/identity/v3/auth/tokens", "", login.as_bytes());
        assert_eq!(answer.header("Vary"), Some("X-Auth-Token"));
        let token = answer.subject();
        let urls = |catalog: &Value| -> Vec<String> {
            let services = catalog.as_array().unwrap().iter();
            let endpoints = services.flat_map(|service| service["endpoints"].as_array().unwrap());
            endpoints.map(|endpoint| endpoint["url"].as_str().unwrap().to_owned()).collect()
        };
        let (backup, identity) =
            ("https://cloud.example.com/backup", "https://cloud.example.com/backup/identity/v3");
        let expected = [backup, backup, backup, identity, identity, identity];
        assert_eq!(urls(&answer.body["token"]["catalog"]), expected);
        let catalog = ask("GET", "/identity/v3/auth/catalog", &token, b"").body;
        assert_eq!(urls(&catalog["catalog"]), expected);
        assert_eq!(catalog["links"]["self"], format!("{identity}/auth/catalog"));
        let projects = ask("GET", "/identity/v3/auth/projects", &token, b"").body;
        assert_eq!(projects["links"]["self"], format!("{identity}/auth/projects"));
        let versions = ask("GET", "/identity", "", b"").body;
        assert_eq!(versions["versions"]["values"][0]["links"][0]["href"], format!("{identity}/"));
        let refused = ask("GET", "/identity/v3/auth/projects", "", b"");
        let challenge = format!("Keystone uri=\"{backup}/identity\"");
        assert_eq!((refused.status, refused.header("WWW-Authenticate")), (401, Some(challenge.as_str())));
    });
}

#[test]
fn the_catalog_names_both_services_where_the_client_sees_them() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "research", Role::Reader);
        let answer = house.password("ann", PASSWORD, None);
        let catalog = answer.body["token"]["catalog"].as_array().unwrap();
        let of = |kind: &str| catalog.iter().find(|service| service["type"] == kind).unwrap();
        assert_eq!(of("backup")["name"], "freezer");
        for (kind, url) in
            [("backup", "http://backup.example:9090"), ("identity", "http://backup.example:9090/identity/v3")]
        {
            let endpoints = of(kind)["endpoints"].as_array().unwrap();
            let interfaces: Vec<_> = endpoints.iter().map(|e| e["interface"].as_str().unwrap()).collect();
            assert_eq!(interfaces, ["public", "internal", "admin"]);
            assert!(endpoints.iter().all(|e| e["url"] == url && e["region"] == "RegionOne"));
        }
        let same = house.get("/identity/v3/auth/catalog", &answer.subject());
        assert_eq!(same.body["catalog"], answer.body["token"]["catalog"]);

        let login = json!({"auth": {"identity": by_token(&answer.subject())}}).to_string();
        let without = house.ask("POST", "/identity/v3/auth/tokens?nocatalog", &[], login.as_bytes());
        assert_eq!((without.status, &without.body["token"]["catalog"]), (201, &Value::Null));
    });
}

#[test]
fn without_a_scope_the_only_project_is_meant() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let project = |answer: &Answer| answer.body["token"]["project"]["name"].clone();
        assert_eq!(project(&house.password("ann", PASSWORD, None)), "one");

        for explicit in [json!("unscoped"), json!({"unscoped": {}})] {
            let unscoped = house.password("ann", PASSWORD, Some(explicit));
            let body = &unscoped.body["token"];
            assert_eq!(
                (&body["project"], &body["roles"], &body["catalog"]),
                (&Value::Null, &Value::Null, &Value::Null)
            );
            let identity = house.standalone.authenticate(&unscoped.subject()).unwrap().unwrap();
            assert_eq!((identity.project_id, identity.roles.len()), (None, 0));
            house.get("/identity/v3/auth/catalog", &unscoped.subject()).assert_error(403);
        }

        house.run(UserCommand::ProjectCreate { name: "two".to_owned() }, "").unwrap();
        let grant =
            UserCommand::Grant { name: "ann".to_owned(), project: "two".to_owned(), role: Role::Admin };
        house.run(grant, "").unwrap();
        assert_eq!(project(&house.password("ann", PASSWORD, None)), Value::Null);
        let admin = house.password("ann", PASSWORD, on_project("two"));
        assert_eq!(admin.roles(), ["admin", "member", "reader"]);
    });
}

#[test]
fn a_token_can_be_changed_for_one_on_another_project_but_not_for_a_longer_one() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let unscoped = house.password("ann", PASSWORD, Some(json!("unscoped")));
        let scoped = house.log_in(by_token(&unscoped.subject()), on_project("one"));
        let (old, new) = (&unscoped.body["token"], &scoped.body["token"]);
        assert_eq!(
            (new["project"]["name"].as_str(), scoped.roles()),
            (Some("one"), vec!["member", "reader"])
        );
        assert_eq!(
            (&new["methods"], &new["expires_at"]),
            (&json!(["password", "token"]), &old["expires_at"])
        );
        assert_ne!(new["audit_ids"], old["audit_ids"]);
        let shown = house.on_token("GET", &scoped.subject(), &scoped.subject());
        assert_eq!(shown.body, scoped.body);

        let both = json!({
            "methods": ["password", "token"],
            "password": {"user": {"name": "ann", "password": PASSWORD}},
            "token": {"id": unscoped.subject()},
        });
        assert_eq!(house.log_in(both, None).status, 201);
        house.user("bob", PASSWORD, "one", Role::Member);
        let mixed = json!({
            "methods": ["password", "token"],
            "password": {"user": {"name": "bob", "password": PASSWORD}},
            "token": {"id": unscoped.subject()},
        });
        house.log_in(mixed, None).assert_error(401);
    });
}

#[test]
fn whatever_is_wrong_the_refusal_is_the_same() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        house.user("eve", PASSWORD, "two", Role::Member);
        house.user("off", PASSWORD, "one", Role::Member);
        disable(&house, "off");
        let elsewhere = json!({"name": "ann", "domain": {"id": "other"}, "password": PASSWORD});
        let refused = [
            house.password("ann", "wrong horse", None),
            house.password("ann", "", None),
            house.password("ann ", PASSWORD, None),
            house.password("ANN", PASSWORD, None),
            house.password("nobody", PASSWORD, None),
            house.password("off", PASSWORD, None),
            house.password("off", "wrong horse", None),
            house.log_in(by_password(elsewhere), None),
            house.log_in(by_password(json!({"id": "é".repeat(32), "password": PASSWORD})), None),
            house.log_in(by_password(json!({"id": "x".repeat(5000), "password": PASSWORD})), None),
            house.log_in(by_token(&"0".repeat(64)), None),
            house.log_in(by_token("gAAAAAB"), None),
            house.password("ann", PASSWORD, on_project("two")),
            house.password("ann", PASSWORD, on_project("none such")),
            house.password("ann", PASSWORD, Some(json!({"project": {"id": "é"}}))),
            house.password("ann", PASSWORD, Some(json!({"domain": {"id": "default"}}))),
            house.password("ann", PASSWORD, Some(json!({"system": {"all": true}}))),
            house.password("ann", PASSWORD, Some(json!({"OS-TRUST:trust": {"id": "1"}}))),
        ];
        for answer in refused {
            answer.assert_error(401);
            assert_eq!(answer.body["error"]["message"], "The request you have made requires authentication.");
            let challenge = "Keystone uri=\"http://backup.example:9090/identity\"";
            assert_eq!(answer.header("WWW-Authenticate"), Some(challenge));
            assert_eq!(answer.header("X-Subject-Token"), None);
        }
        assert_eq!(house.count_tokens(), 0);
        let otp = json!({"methods": ["totp"], "totp": {}});
        house.log_in(otp, None).assert_error(401);
    });
}

#[test]
fn logins_at_the_same_moment_all_succeed_and_leave_the_service_usable() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "one", Role::Member);
        let token = house.token("ann", PASSWORD);
        let statuses: Vec<u16> = std::thread::scope(|scope| {
            let logins: Vec<_> =
                (0..24).map(|_| scope.spawn(|| house.password("ann", PASSWORD, None).status)).collect();
            logins.into_iter().map(|login| login.join().unwrap()).collect()
        });
        assert_eq!(statuses, [201; 24]);
        assert!(house.standalone.authenticate(&token).unwrap().is_some());
        assert_eq!(house.password("ann", PASSWORD, None).status, 201);
    });
}
