//! Who we are and how we are: the version list, the home document and the health check. None of them needs a
//! token or the database.

use serde_json::{Value, json};

use crate::error::{Error, Result};
use crate::http::{Call, Method, Reply};
use crate::routes::{App, acceptable};

/// `GET /`: the versions. Status 300, as every OpenStack service that has one did.
pub fn list(_: &App, call: &Call) -> Result<Reply> {
    acceptable(call)?;
    Ok(Reply::json(300, &json!({"versions": [version(call)]})))
}

/// `GET /v2`: the home document, with the version beside the resources so that discovery works here too.
pub fn home(_: &App, call: &Call) -> Result<Reply> {
    const JSON_HOME: &str = "application/json-home";
    if call.preferred(&["application/json", JSON_HOME]).is_none() {
        return Err(Error::not_acceptable());
    }
    let resources = json!({
        "rel/backups": resource("/v2/{project_id}/backups/{backup_id}", &["project_id", "backup_id"], &["GET"]),
        "rel/jobs": resource(
            "/v2/{project_id}/jobs{?all_projects,offset,limit}",
            &["project_id", "all_projects", "offset", "limit"],
            &["GET", "POST"],
        ),
        "rel/job": resource(
            "/v2/{project_id}/jobs/{job_id}",
            &["project_id", "job_id"],
            &["GET", "PATCH", "POST", "DELETE"],
        ),
    });
    let document = json!({"resources": resources, "version": version(call)});
    Ok(Reply::json(200, &document).with_header("Content-Type", JSON_HOME))
}

fn version(call: &Call) -> Value {
    let link = |rel: &str, path: &str| json!({"rel": rel, "href": format!("{}{path}", call.base_url)});
    json!({
        "id": "v2",
        "status": "CURRENT",
        "updated": "2018-02-21T13:30:00",
        "links": [link("self", "/v2/"), link("collection", "/")],
    })
}

fn resource(template: &str, variables: &[&str], methods: &[&str]) -> Value {
    let variables: serde_json::Map<String, Value> =
        variables.iter().map(|name| ((*name).to_owned(), Value::from(format!("param/{name}")))).collect();
    json!({
        "href-template": template,
        "href-vars": variables,
        "hints": {"allow": methods, "formats": {"application/json": {}}},
    })
}

/// `/healthcheck` and whatever is below it, as oslo.middleware's health check answers with its backend
/// `disable_by_file`: a load balancer stops sending us requests while the file is there.
pub fn healthcheck(app: &App, call: &Call) -> Result<Reply> {
    let disabled = app.healthcheck_disable_file.exists();
    if call.method == Method::Head {
        return Ok(Reply::empty(if disabled { 503 } else { 204 }));
    }
    let (status, reason) = if disabled { (503, "DISABLED BY FILE") } else { (200, "OK") };
    let reply = |body: &str| Reply::text(status, body);
    // Whatever the client wants, it gets an answer: there is no 406 here.
    Ok(match call.preferred(&["text/plain", "text/html", "application/json"]) {
        Some("application/json") => {
            let document = json!({"detailed": false, "reasons": [reason]});
            reply(&format!("{document:#}")).with_header("Content-Type", "application/json")
        }
        Some("text/html") => reply(&format!(
            "<!DOCTYPE html>\n<html><head><title>Healthcheck Status</title></head><body><p>{reason}</p></body></html>\n"
        ))
        .with_header("Content-Type", "text/html; charset=utf-8"),
        _ => reply(reason),
    })
}
