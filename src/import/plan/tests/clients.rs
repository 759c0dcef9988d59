//! Projects and clients.

use super::*;

#[test]
fn a_row_without_a_project_gets_the_one_that_the_first_rule_gives() {
    let none = |row| in_project(row, None);
    let hinted = format!("{B}_web9");
    let rows = [
        of_user(none(client("c1", "web1")), "mapped"),
        of_user(none(client("c2", &hinted)), "bob"),
        of_user(none(action("a1", json!({"action": "exec"}))), "bob"),
        of_user(none(session("s1", json!({}))), "stranger"),
        of_user(none(backup("b1", json!({"client_id": hinted}))), "stranger"),
        none(report("a1", Report { result: Some("fail".to_owned()), ..Report::default() })),
    ];
    let mapping = |default: Option<&str>| Mapping {
        projects: BTreeMap::from([("mapped".to_owned(), A.to_owned())]),
        default_project: default.map(str::to_owned),
    };
    let plan = plan_with(&rows, mapping(None), |_| Verdict::Written);
    assert_eq!(plan.client("c1").project_id, A);
    assert_eq!(plan.client("c2").project_id, B);
    assert_eq!(plan.action("a1").project_id, B);
    assert_eq!(plan.backup("b1").project_id, B);
    assert_eq!(plan.fate(Table::Sessions, "s1"), (Quarantined, vec!["no-project"]));
    assert_eq!(plan.ids("no-project").len(), 5);
    assert_eq!(plan.fate(Table::ActionReports, "a1"), (Imported, vec![]));
    let plan = plan_with(&rows, mapping(Some("default")), |_| Verdict::Written);
    assert_eq!(plan.fate(Table::Sessions, "s1"), (Imported, vec!["no-project"]));
}

#[test]
fn clients_of_one_name_in_a_project_are_one() {
    let mut newest = client("c3", "web1");
    newest.updated = Some(at("2021-01-01T00:00:00"));
    let mut described = client("c1", "web1");
    if let Body::Client(client) = &mut described.body {
        client.description = Some("rack 3".to_owned());
    }
    let plan = plan(&[
        described,
        of_user(client("c2", "web1"), "bob"),
        newest,
        in_project(client("c4", "web1"), Some(B)),
        central("k1", "node"),
        client("k2", "node"),
        in_project(central("k3", "node"), Some(B)),
        job("j1", None),
    ]);
    assert_eq!(plan.fate(Table::Clients, "c1"), (Merged, vec!["duplicate-client"]));
    assert_eq!(plan.unit(Table::Clients, "c1").notes[0].into.as_deref(), Some("c3"));
    assert_eq!(plan.fate(Table::Clients, "c2"), (Merged, vec!["duplicate-client"]));
    assert_eq!(plan.client("c3").description.as_deref(), Some("rack 3"));
    assert_eq!(plan.client("c4").project_id, B);
    assert_eq!(plan.fate(Table::Clients, "k2"), (Merged, vec!["central-and-private"]));
    assert_eq!(plan.fate(Table::Clients, "k3"), (Merged, vec!["central-duplicate"]));
    assert_eq!(plan.attachment("j1").client_id, "c3");
}

#[test]
fn of_duplicate_documents_the_last_written_is_kept_and_then_the_one_that_says_what_it_can() {
    let document = |id: &str, name: &str, version, is_full: bool| {
        let mut row = client(id, name);
        (row.created, row.version) = (None, version);
        if let Body::Client(client) = &mut row.body {
            client.supported[0] = is_full.then(|| vec!["backup".to_owned()]);
        }
        row
    };
    let plan = plan(&[
        document("a1", "x", Some(2), true),
        document("a2", "x", Some(3), false),
        document("b1", "y", None, false),
        document("b2", "y", None, true),
        document("c1", "z", None, false),
        document("c2", "z", None, false),
    ]);
    for (id, outcome) in
        [("a1", Merged), ("a2", Imported), ("b1", Merged), ("b2", Imported), ("c1", Imported), ("c2", Merged)]
    {
        assert_eq!(plan.unit(Table::Clients, id).outcome, outcome, "{id}");
    }
    assert!(plan.unit(Table::Clients, "a2").is_time_made_up);
    assert_eq!(plan.client("a2").supported_actions.value(), json!(["backup"]));
}

#[test]
fn a_job_has_the_client_of_its_project_then_a_central_one_then_a_deleted_one_then_one_that_is_made() {
    let on = |id: &str, name: &str| with_job(job(id, None), |job| job.client = name.to_owned());
    let mut older = deleted(client("d1", "gone"));
    older.updated = Some(at("2019-01-01T00:00:00"));
    let plan = plan(&[
        client("c1", "web1"),
        in_project(central("k1", "node"), Some(B)),
        older,
        deleted(client("d2", "gone")),
        on("j1", "web1"),
        on("j2", "node"),
        on("j3", "gone"),
        on("j4", "p_never"),
        on("j5", "p_never"),
        on("j6", ""),
    ]);
    assert_eq!(plan.attachment("j1").client_id, "c1");
    assert_eq!(plan.attachment("j2").client_id, "k1");
    assert_eq!(plan.attachment("j3").client_id, "d2");
    assert_eq!(plan.fate(Table::Clients, "d1"), (Skipped, vec!["deleted"]));
    assert_eq!(plan.fate(Table::Clients, "d2"), (Imported, vec!["deleted"]));
    assert_eq!(plan.ids("client-undeleted"), ["jobs:j3"]);
    assert_eq!(plan.ids("client-missing"), ["jobs:j4", "jobs:j5", "jobs:j6"]);
    assert_eq!(plan.fate(Table::Jobs, "j6"), (Quarantined, vec!["client-missing"]));
    let made = &plan.attachment("j4").client_id;
    assert_eq!(*made, plan.attachment("j5").client_id);
    let client = plan.client(made);
    assert!(plan.unit(Table::Clients, made).is_made_up());
    assert_eq!((client.client_id.as_str(), client.hostname.as_deref()), ("p_never", Some("never")));
    assert_eq!(client.description.as_deref(), Some("imported: named by a job"));
    assert_eq!(*made, crate::import::ids::made("client", &[A, "p_never"]));
}
