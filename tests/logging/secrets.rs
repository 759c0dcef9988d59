//! No token and no password is ever written, at any level and whatever goes wrong.

use std::fs;

use crate::program::{Program, request, send};

/// Secrets that must not appear. Each is used in one place, so that a failure tells its origin.
const SECRETS: [&str; 17] = [
    "s3cret-wrong-password",
    "s3cret-cut-json",
    "s3cret-wrong-type",
    "s3cret-unknown-token",
    "s3cret-service-token",
    "s3cret-subject-token",
    "s3cret-basic",
    "s3cret-cookie",
    "s3cret-query",
    "s3cret-escape",
    "s3cret-userinfo",
    "s3cret-fragment",
    "s3cret-header",
    "s3cret-line",
    "s3cret-job",
    "s3cret-bad-job",
    "s3cret-chunk",
];

fn login(address: &str, user: &str, password: &str) -> String {
    let body = format!(
        r#"{{"auth": {{"identity": {{"methods": ["password"], "password": {{"user":
        {{"name": "{user}", "domain": {{"id": "default"}}, "password": {password}}}}}}}}}}}"#
    );
    request(address, "POST /identity/v3/auth/tokens", "Content-Type: application/json\r\n", &body)
}

fn assert_hidden<'s>(output: &str, secrets: impl IntoIterator<Item = &'s str>) {
    for secret in secrets {
        let shown: Vec<_> = output.lines().filter(|line| line.contains(secret)).collect();
        assert!(shown.is_empty(), "{secret} is shown: {shown:#?}");
    }
}

#[test]
fn requests_leave_no_secret_behind() {
    let mut program = Program::new();
    let address = &program.serve();
    let openrc = fs::read_to_string(program.path("openrc")).unwrap();
    let password = openrc.lines().find_map(|line| line.strip_prefix("export OS_PASSWORD=")).unwrap();
    let password = password.trim_matches('\'');
    let answer = login(address, "admin", &format!("\"{password}\""));
    let token = answer.lines().find_map(|line| line.strip_prefix("X-Subject-Token: ")).unwrap().trim();
    let body: serde_json::Value = serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap();
    let v2 = format!("/v2/{}", body["token"]["project"]["id"].as_str().unwrap());

    for (status, user, password) in [
        (401, "admin", "\"s3cret-wrong-password\""),
        (401, "nobody", "\"s3cret-wrong-password\""),
        (400, "admin", "\"s3cret-cut-json"),
        (400, "admin", "[\"s3cret-wrong-type\"]"),
    ] {
        assert_status(&login(address, user, password), status);
    }

    let auth = format!("X-Auth-Token: {token}\r\n");
    let with = |header: &str| format!("{auth}{header}\r\n");
    let jobs = format!("{v2}/jobs");
    let tokens = "/identity/v3/auth/tokens";
    for (status, target, headers) in [
        (200, jobs.clone(), auth.clone()),
        (401, jobs.clone(), "X-Auth-Token: s3cret-unknown-token\r\n".to_owned()),
        (200, jobs.clone(), with("X-Service-Token: s3cret-service-token")),
        (401, jobs.clone(), "Authorization: Basic s3cret-basic\r\nCookie: a=s3cret-cookie\r\n".to_owned()),
        (400, jobs.clone(), with("X-Auth-Token: s3cret-header\u{1}")),
        (404, tokens.to_owned(), with("X-Subject-Token: s3cret-subject-token")),
        (200, tokens.to_owned(), with(&format!("X-Subject-Token: {token}"))),
        (404, format!("/no/such?token={token}&password=s3cret-query"), auth.clone()),
        (400, format!("{jobs}?password=s3cret-escape%ff"), auth.clone()),
        (200, format!("http://admin:s3cret-userinfo@a{jobs}"), auth.clone()),
        (200, format!("{jobs}#s3cret-fragment"), auth.clone()),
    ] {
        assert_status(&request(address, &format!("GET {target}"), &headers, ""), status);
    }

    let client = request(address, &format!("POST {v2}/clients"), &auth, r#"{"client_id": "c"}"#);
    assert_status(&client, 201);
    let job = |password: &str| {
        let action = format!(r#"{{"freezer_action": {{"action": "backup", "mysql_conf": {password}}}}}"#);
        format!(r#"{{"client_id": "c", "description": {password}, "job_actions": [{action}]}}"#)
    };
    for (status, body) in [(201, job("\"s3cret-job\"")), (400, job("{\"s3cret-bad-job\": []}"))] {
        assert_status(&request(address, &format!("POST {jobs}"), &auth, &body), status);
    }

    let line = format!("GET {jobs}?s3cret-line HTTP/9\r\nX-Auth-Token: s3cret-line\r\n\r\n");
    let chunk = format!(
        "POST {jobs} HTTP/1.1\r\nHost: localhost\r\n{auth}Transfer-Encoding: chunked\r\n\r\ns3cret-chunk\r\n\r\n"
    );
    for malformed in [line, chunk] {
        assert_status(&send(address, malformed.as_bytes()), 400);
    }

    // Proves that the log has all of these requests, so that the secrets could have been in it.
    let output = program.output();
    let jobs_line = format!("\"GET {jobs}\" status: 200");
    for expected in [
        "login refused: wrong password (user \"admin\", address 127.0.0.1)",
        &jobs_line,
        "status: 201",
        "status: 401",
        "status: 404",
    ] {
        assert!(output.contains(expected), "{output}");
    }
    assert_hidden(&output, SECRETS.into_iter().chain([password, token]));
}

fn assert_status(answer: &str, status: u16) {
    assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{status} was expected: {answer}");
}

#[test]
fn a_database_that_cannot_be_used_keeps_its_password() {
    let program = Program::new();
    for url in [
        "mysql+pymysql://freezer:s3cret-db@127.0.0.1:1/freezer?charset=utf8",
        "mysql://freezer:s3cret-db@127.0.0.1:1/freezer?ssl_ca=/nowhere&password=s3cret-db",
        "mysql://freezer:s3cret-db@[::1/freezer",
        "mysql://freezer:12/s3cret-db@127.0.0.1:1/freezer",
        "mysql://freezer:a/s3cret-db@127.0.0.1:1/freezer",
        "mysql://freezer:a?s3cret-db@127.0.0.1:1/freezer",
        "mysql://freezer:a#s3cret-db@127.0.0.1:1/freezer",
        "mysql://freezer:a@s3cret-db@127.0.0.1:1/freezer",
        "postgresql+psycopg2://freezer:s3cret-db@127.0.0.1:1/freezer",
        "postgresql://freezer:s3cret-db@127.0.0.1:1,127.0.0.1:2/freezer",
        "postgresql://freezer@127.0.0.1:1/freezer?password=s3cret-db",
        "postgresql://freezer:a/s3cret-db@127.0.0.1:1/freezer",
        "postgresql://freezer:12/s3cret-db@127.0.0.1:1/freezer",
        "postgresql://freezer:a@s3cret-db@127.0.0.1:1/freezer",
        "postgresql://freezer:%s3cret-db@127.0.0.1:1/freezer",
        "oracle://freezer:s3cret-db@127.0.0.1:1/freezer",
    ] {
        for arguments in [&["db", "check"][..], &["serve", "--auth-strategy", "standalone"]] {
            let output = program.run(arguments, &[("OS_DATABASE__CONNECTION", url)], "");
            assert!(!output.is_empty(), "{arguments:?} worked with {url}");
            assert_hidden(&output, ["s3cret-db"]);
        }
    }
}

#[test]
fn commands_do_not_repeat_the_passwords_they_are_given() {
    let program = Program::new();
    program.run(&["db", "sync"], &[], "");
    let mut output = String::new();
    for arguments in [
        &["user", "create", "ann", "--password-stdin"][..],
        &["user", "create", "ann", "--password-stdin"],
        &["user", "set-password", "ann", "--password-stdin"],
        &["user", "set-password", "nobody", "--password-stdin"],
    ] {
        output += &program.run(arguments, &[], "s3cret-stdin\n");
    }
    assert!(output.contains("ann"), "{output}");
    assert_hidden(&output, ["s3cret-stdin"]);
}
