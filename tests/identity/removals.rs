//! Commands that remove something remove nothing else, and remove the last administrator only with `--force`.

use diesel::prelude::*;
use freezer_api::identity::{Role, bootstrap};
use freezer_api::store::schema::{job_trusts, jobs};

use crate::commands::typed;
use crate::house::{House, on_every_backend};

const PASSWORD: &str = "correct horse";

/// The id of a project.
fn project_id(house: &House, name: &str) -> String {
    let list = typed(house, "project-list", "").unwrap();
    let line = list.lines().find(|line| line.split_whitespace().next() == Some(name)).unwrap();
    line.split_whitespace().nth(2).unwrap().to_owned()
}

fn insert_job(house: &House, project: &str) {
    let now = freezer_api::store::now();
    let job = (
        jobs::id.eq("j"),
        jobs::project_id.eq(project),
        jobs::user_id.eq("u"),
        jobs::scheduling.eq(freezer_api::store::types::json::Json::from(serde_json::json!({}))),
        jobs::created_at.eq(now),
        jobs::updated_at.eq(now),
        jobs::version.eq(1),
    );
    diesel::insert_into(jobs::table).values(job).execute(&mut house.connection()).unwrap();
}

#[test]
fn the_last_administrator_is_neither_deleted_nor_disabled_nor_revoked_without_force() {
    on_every_backend(|house| {
        let admin = bootstrap(&house.store).unwrap().unwrap();
        house.user("ann", PASSWORD, "admin", Role::Member);
        for line in ["delete admin", "disable admin", "revoke admin --project admin --role admin"] {
            let refusal = typed(&house, line, "").unwrap_err();
            let says =
                "User admin is the last one that is enabled and has the role admin, and nothing is changed";
            assert!(refusal.starts_with(says) && refusal.contains("--force"), "{line}: {refusal}");
            assert_eq!(house.password("admin", &admin.password, None).roles(), ["admin", "member", "reader"]);
        }
        // A disabled administrator does not count.
        house.user("bob", PASSWORD, "admin", Role::Admin);
        typed(&house, "disable bob", "").unwrap();
        typed(&house, "delete admin", "").unwrap_err();
        typed(&house, "enable bob", "").unwrap();
        typed(&house, "disable admin", "").unwrap();
        typed(&house, "delete bob", "").unwrap_err();
        for line in ["enable admin", "revoke bob --project admin --role admin", "delete bob"] {
            typed(&house, line, "").unwrap();
        }
        for line in ["disable admin --force", "delete admin --force"] {
            typed(&house, line, "").unwrap();
        }
        assert!(!typed(&house, "list", "").unwrap().contains("admin on admin"));
    });
}

#[test]
fn two_administrators_at_once_do_not_remove_each_other() {
    on_every_backend(|house| {
        for round in 0..3 {
            let names = ["ann", "bob"].map(|name| format!("{name}{round}"));
            names.iter().for_each(|name| house.user(name, PASSWORD, "one", Role::Admin));
            let outcomes: Vec<_> = std::thread::scope(|scope| {
                let removals = names.each_ref().map(|name| {
                    let line = format!("revoke {name} --project one --role admin");
                    let house = &house;
                    scope.spawn(move || typed(house, &line, ""))
                });
                removals.into_iter().map(|removal| removal.join().unwrap()).collect()
            });
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
            names.iter().for_each(|name| drop(typed(&house, &format!("delete {name} --force"), "").unwrap()));
        }
    });
}

#[test]
fn a_project_on_which_users_have_roles_or_that_holds_something_is_not_deleted_without_force() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "web", Role::Member);
        house.user("bob", PASSWORD, "web", Role::Reader);
        let token = house.token("ann", PASSWORD);
        let error = typed(&house, "project-delete web", "").unwrap_err();
        assert_eq!(
            error,
            "Project web is not deleted, because these users have roles on it: ann (member), bob (reader); --force \
             deletes it all the same."
        );
        assert!(house.standalone.authenticate(&token).unwrap().is_some());
        let id = project_id(&house, "web");
        insert_job(&house, &id);
        let error = typed(&house, "project-delete web", "").unwrap_err();
        assert!(error.contains("still has jobs, and these users have roles on it: ann (member)"), "{error}");
        let said = typed(&house, "project-delete web --force", "").unwrap();
        assert!(said.contains("no longer have their roles on it: ann (member), bob (reader)"), "{said}");
        assert!(
            said.contains(&format!(
                "still had jobs, which stay in the database: only users with the role admin \
             reach them, at /v2/{id}"
            )) && said.contains("restarted"),
            "{said}"
        );
        assert!(house.standalone.authenticate(&token).unwrap().is_none());
        assert_eq!(jobs::table.count().get_result::<i64>(&mut house.connection()).unwrap(), 1);
        typed(&house, "project-create empty", "").unwrap();
        typed(&house, "project-delete empty", "").unwrap();
    });
}

#[test]
fn commands_that_end_tokens_say_what_has_to_be_restarted() {
    on_every_backend(|house| {
        house.user("ann", PASSWORD, "web", Role::Member);
        for line in [
            "set-password ann",
            "grant ann --project web --role reader",
            "revoke ann --project web --role reader",
            "revoke ann --project web --role member",
            "project-delete web",
        ] {
            let said = typed(&house, line, "").unwrap().to_lowercase();
            assert!(said.contains("restart") && said.contains("freezer-scheduler"), "{line}: {said}");
        }
        let said = typed(&house, "set-password ann", "").unwrap();
        assert!(said.contains("freezer-api user openrc ann"), "{said}");
    });
}

#[test]
fn a_project_is_deleted_when_its_jobs_and_trusts_are_gone() {
    on_every_backend(|house| {
        typed(&house, "project-create one", "").unwrap();
        typed(&house, "create ann", "").unwrap();
        let id = project_id(&house, "one");
        let now = freezer_api::store::now();
        let trust = (
            job_trusts::id.eq("t"),
            job_trusts::project_id.eq(&id),
            job_trusts::user_id.eq("u"),
            job_trusts::job_id.eq("j"),
            job_trusts::trust_id.eq("k"),
            job_trusts::trustor_user_id.eq("u"),
            job_trusts::created_at.eq(now),
            job_trusts::updated_at.eq(now),
        );
        let mut connection = house.connection();
        insert_job(&house, &id);
        diesel::insert_into(job_trusts::table).values(trust).execute(&mut connection).unwrap();
        let error = typed(&house, "project-delete one", "").unwrap_err();
        assert!(
            error.starts_with("Project one is not deleted, because it still has jobs, trusts;"),
            "{error}"
        );
        diesel::delete(job_trusts::table).execute(&mut connection).unwrap();
        diesel::delete(jobs::table).execute(&mut connection).unwrap();
        typed(&house, &format!("project-delete {id}"), "").unwrap();
        assert_eq!(typed(&house, "project-list", "").unwrap().lines().count(), 1);
        assert!(!typed(&house, "list", "").unwrap().contains("one"));
    });
}
