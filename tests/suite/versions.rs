//! The version list and the home document (contract, api-v2 §1).

use serde_json::json;

use crate::api::Api;

on_every_backend! {
    the_root_lists_the_versions,
    a_link_leads_back_the_way_the_request_came,
    the_home_document_lists_the_resources,
}

fn the_root_lists_the_versions(api: &Api) {
    let answer = api.send("GET", "/", &[], None);
    assert_eq!(
        answer.expect(300),
        json!({"versions": [{
            "id": "v2",
            "status": "CURRENT",
            "updated": "2018-02-21T13:30:00",
            "links": [
                {"rel": "self", "href": format!("{}/v2/", api.url())},
                {"rel": "collection", "href": format!("{}/", api.url())},
            ],
        }]})
    );
    assert_eq!(answer.header("Content-Type"), Some("application/json"));
    assert_eq!(api.send("HEAD", "/", &[], None).status, 300);
    assert_eq!(api.send("GET", "/", &[("Accept", "text/html")], None).status, 406);
    assert_eq!(api.send("OPTIONS", "/", &[], None).status, 200);
}

fn a_link_leads_back_the_way_the_request_came(api: &Api) {
    let link = |host: &str| {
        let answer = api.send_to_host(host, "/").expect(300);
        answer["versions"][0]["links"][0]["href"].as_str().unwrap().to_owned()
    };
    assert_eq!(link("backup.example.com"), "http://backup.example.com/v2/");
    assert_eq!(link("[::1]:9090"), "http://[::1]:9090/v2/");
    for nonsense in ["", "a b", "evil.example.com/path", "\"><script>", "user@host", "a, b", "a:b"] {
        let refusal = api.send_to_host(nonsense, "/").expect(400);
        assert!(refusal["description"].as_str().unwrap().contains("Host"), "{refusal}");
    }
}

fn the_home_document_lists_the_resources(api: &Api) {
    for path in ["/v2", "/v2/", "//v2"] {
        for accept in ["application/json", "application/json-home", "*/*"] {
            let answer = api.send("GET", path, &[("Accept", accept)], None);
            let home = answer.expect(200);
            assert_eq!(answer.header("Content-Type"), Some("application/json-home"));
            let backups = &home["resources"]["rel/backups"];
            assert_eq!(backups["href-template"], "/v2/{project_id}/backups/{backup_id}");
            assert_eq!(
                backups["href-vars"],
                json!({"project_id": "param/project_id", "backup_id": "param/backup_id"})
            );
            assert_eq!(backups["hints"], json!({"allow": ["GET"], "formats": {"application/json": {}}}));
            let jobs = &home["resources"]["rel/jobs"];
            assert_eq!(jobs["href-template"], "/v2/{project_id}/jobs{?all_projects,offset,limit}");
            assert_eq!(jobs["hints"]["allow"], json!(["GET", "POST"]));
            let job = &home["resources"]["rel/job"];
            assert_eq!(job["href-template"], "/v2/{project_id}/jobs/{job_id}");
            assert_eq!(job["hints"]["allow"], json!(["GET", "PATCH", "POST", "DELETE"]));
            assert_eq!(
                (&home["version"]["id"], &home["version"]["status"]),
                (&json!("v2"), &json!("CURRENT"))
            );
        }
    }
    assert_eq!(api.send("GET", "/v2", &[("Accept", "text/html")], None).status, 406);
}
