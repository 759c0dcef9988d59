//! The version list and the home documents. None of them needs a token or the database.

use front::error::{Error, Result};
use front::http::{Call, Reply};
use serde_json::{Value, json};

use crate::app::App;

/// `GET /`: the versions, with status 300, as other OpenStack services have it.
pub fn list(app: &App, call: &Call) -> Result<Reply> {
    call.require_json()?;
    let v1 = app.v1.map(|_| version(call, "v1", "DEPRECATED"));
    let versions: Vec<Value> = std::iter::once(current(call)).chain(v1).collect();
    Ok(Reply::json(300, &json!({"versions": versions})))
}

/// `GET /v1`: the home document of version 1.
pub fn home_v1(_: &App, call: &Call) -> Result<Reply> {
    const JSON_HOME: &str = "application/json-home";
    if call.preferred(&["application/json", JSON_HOME]).is_none() {
        return Err(Error::not_acceptable());
    }
    let path = format!("{}/v1/backups/{{backup_id}}", call.prefix);
    let document = json!({"resources": {"rel/backups": resource(&path, &["backup_id"], &["GET"])}});
    Ok(Reply::json(200, &document).with_header("Content-Type", JSON_HOME))
}

/// `GET /v2`: the home document, with the version beside the resources so that discovery works here too.
pub fn home(_: &App, call: &Call) -> Result<Reply> {
    const JSON_HOME: &str = "application/json-home";
    if call.preferred(&["application/json", JSON_HOME]).is_none() {
        return Err(Error::not_acceptable());
    }
    let resource = |path: &str, variables: &[&str], methods: &[&str]| {
        resource(&format!("{}{path}", call.prefix), variables, methods)
    };
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
    let document = json!({"resources": resources, "version": current(call)});
    Ok(Reply::json(200, &document).with_header("Content-Type", JSON_HOME))
}

fn current(call: &Call) -> Value {
    version(call, "v2", "CURRENT")
}

fn version(call: &Call, id: &str, status: &str) -> Value {
    let link = |rel: &str, path: &str| json!({"rel": rel, "href": format!("{}{path}", call.base_url)});
    json!({
        "id": id,
        "status": status,
        "updated": "2018-02-21T13:30:00",
        "links": [link("self", &format!("/{id}/")), link("collection", "/")],
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

#[cfg(test)]
mod tests {
    use oslo_policy::Policy;

    use super::*;
    use crate::auth::Strategy;
    use crate::routes::dispatch;
    use crate::store::Store;
    use crate::store::engine::url::DatabaseUrl;

    /// Sends a request to a service without a database.
    fn ask(method: &str, path: &str, accept: &str) -> (u16, String, String) {
        let nowhere = DatabaseUrl::parse("/nowhere/freezer.sqlite").unwrap();
        let policy = Policy::new(oslo_policy::Settings::default(), crate::rules::DEFAULTS).unwrap();
        let app = App::new(Store::new(nowhere, 1), Strategy::Noauth, policy);
        let headers = vec![("Accept".to_owned(), accept.to_owned()), ("Host".to_owned(), "h:1".to_owned())];
        let request = rouille::Request::fake_http(method, path, headers, Vec::new());
        let reply = dispatch(&app, &Call::read(&request, "req-1", 100, "local").unwrap());
        let reply = reply.unwrap_or_else(|error| Reply::from_error(&error, "req-1"));
        let kind = reply.header("Content-Type").unwrap_or_default().to_owned();
        (reply.status, kind, String::from_utf8(reply.body.unwrap_or_default()).unwrap())
    }

    #[test]
    fn versions_need_no_token_and_link_to_the_requests_host() {
        let (status, _, body) = ask("GET", "/", "application/json");
        let document: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &document["versions"][0]["links"][0]["href"]), (300, &json!("http://h:1/v2/")));
        let (status, kind, body) = ask("GET", "/v2/", "application/json-home");
        let document: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, kind.as_str()), (200, "application/json-home"));
        assert_eq!(document["resources"]["rel/backups"]["href-vars"]["backup_id"], "param/backup_id");
        assert_eq!(document["version"]["id"], "v2");
        assert_eq!(ask("GET", "/", "application/json-home").0, 406);
        assert_eq!(ask("GET", "/v2", "text/html").0, 406);
        assert_eq!(ask("POST", "/", "*/*").0, 405);
    }
}
