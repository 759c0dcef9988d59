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
    let disabled = app.health.disable_by_file_path.as_ref().is_some_and(|file| file.exists());
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::auth::Strategy;
    use crate::handlers::health;
    use crate::policy::{self, Policy};
    use crate::routes::dispatch;
    use crate::store::Store;
    use crate::store::url::DatabaseUrl;

    /// A service whose database is not there, and which is out of service while `file` exists.
    fn app(file: &Path) -> App {
        let nowhere = DatabaseUrl::parse("/nowhere/freezer.sqlite").unwrap();
        let policy = Policy::new(policy::Settings::default()).unwrap();
        let health =
            health::Settings { disable_by_file_path: Some(file.to_owned()), ..health::Settings::default() };
        App { health, ..App::new(Store::new(nowhere, 1), Strategy::Noauth, policy) }
    }

    fn ask(app: &App, method: &str, path: &str, accept: &str) -> (u16, String, String) {
        let headers = vec![("Accept".to_owned(), accept.to_owned()), ("Host".to_owned(), "h:1".to_owned())];
        let request = rouille::Request::fake_http(method, path, headers, Vec::new());
        let reply = dispatch(app, &Call::read(&request, "req-1", 100, "local").unwrap());
        let reply = reply.unwrap_or_else(|error| Reply::from_error(&error, "req-1"));
        let kind = reply.header("Content-Type").unwrap_or_default().to_owned();
        (reply.status, kind, String::from_utf8(reply.body.unwrap_or_default()).unwrap())
    }

    #[test]
    fn the_health_check_answers_everything_in_the_form_that_is_wanted() {
        let app = app(Path::new("/nowhere/disabled"));
        for (method, path) in
            [("GET", "/healthcheck"), ("DELETE", "/healthcheck/a/b"), ("TRACE", "/healthcheck/")]
        {
            assert_eq!(
                ask(&app, method, path, "*/*"),
                (200, "text/plain; charset=utf-8".into(), "OK".into())
            );
        }
        assert_eq!(ask(&app, "HEAD", "/healthcheck", "*/*"), (204, String::new(), String::new()));
        assert_eq!(ask(&app, "GET", "/healthcheck", "image/png").0, 200);
        assert_eq!(ask(&app, "GET", "/healthcheck", "text/html, */*;q=0.8").1, "text/html; charset=utf-8");
        let (_, kind, body) = ask(&app, "GET", "/healthcheck", "application/json");
        assert_eq!(kind, "application/json");
        assert_eq!(body, "{\n  \"detailed\": false,\n  \"reasons\": [\n    \"OK\"\n  ]\n}");
    }

    #[test]
    fn a_file_takes_the_node_out_of_service() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let app = app(file.path());
        let (status, _, body) = ask(&app, "GET", "/healthcheck", "*/*");
        assert_eq!((status, body.as_str()), (503, "DISABLED BY FILE"));
        assert_eq!(ask(&app, "HEAD", "/healthcheck", "*/*"), (503, String::new(), String::new()));
    }

    #[test]
    fn versions_are_found_without_a_token_and_carry_the_callers_address() {
        let app = app(Path::new("/nowhere/disabled"));
        let (status, _, body) = ask(&app, "GET", "/", "application/json");
        let document: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &document["versions"][0]["links"][0]["href"]), (300, &json!("http://h:1/v2/")));
        let (status, kind, body) = ask(&app, "GET", "/v2/", "application/json-home");
        let document: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, kind.as_str()), (200, "application/json-home"));
        assert_eq!(document["resources"]["rel/backups"]["href-vars"]["backup_id"], "param/backup_id");
        assert_eq!(document["version"]["id"], "v2");
        assert_eq!(ask(&app, "GET", "/", "application/json-home").0, 406);
        assert_eq!(ask(&app, "GET", "/v2", "text/html").0, 406);
        assert_eq!(ask(&app, "POST", "/", "*/*").0, 405);
    }
}
