//! The answer as text, JSON or HTML.

use std::fs;

use serde::Serialize;
use serde_json::{Value, json};

use super::Finding;
use crate::http::Reply;

/// The reasons, one per line.
pub fn text(status: u16, findings: &[Finding]) -> Reply {
    let reasons: Vec<_> = findings.iter().map(|finding| finding.reason).collect();
    Reply::text(status, &reasons.join("\n"))
}

/// The answer in JSON, with oslo.middleware's layout, and with those of its keys that have a value here.
pub fn json(status: u16, findings: &[Finding], detailed: bool) -> Reply {
    let reasons = findings.iter().map(|finding| match detailed {
        true => json!({"class": finding.class, "details": finding.details, "reason": finding.reason}),
        false => json!(finding.reason),
    });
    let mut document = json!({"detailed": detailed, "reasons": reasons.collect::<Vec<_>>()});
    if detailed {
        for (key, value) in facts() {
            document[key] = value.into();
        }
    }
    Reply::text(status, &indented(&document)).with_header("Content-Type", "application/json")
}

/// The document with four blanks of indentation per level, as oslo.middleware writes it.
fn indented(document: &Value) -> String {
    let mut out = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let written = document.serialize(&mut serde_json::Serializer::with_formatter(&mut out, formatter));
    match written {
        Ok(()) => String::from_utf8_lossy(&out).into_owned(),
        Err(_) => document.to_string(),
    }
}

/// The answer as an HTML page.
pub fn html(status: u16, findings: &[Finding], detailed: bool) -> Reply {
    let mut page =
        String::from("<!DOCTYPE html>\n<html><head><title>Healthcheck Status</title></head><body>\n");
    if detailed {
        page.push_str("<dl>\n");
        for (key, value) in facts() {
            page.push_str(&format!("<dt>{key}</dt><dd>{}</dd>\n", escaped(&value)));
        }
        page.push_str("</dl>\n");
    }
    page.push_str("<table>\n");
    for finding in findings {
        page.push_str(&format!("<tr><td>{}</td>", finding.reason));
        if detailed {
            page.push_str(&format!("<td>{}</td><td>{}</td>", finding.class, escaped(&finding.details)));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n</body></html>\n");
    Reply::text(status, &page).with_header("Content-Type", "text/html; charset=utf-8")
}

/// Escapes text between tags, where quotes need no escape.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The facts about the node in the detailed form. None of them comes from the configuration.
///
/// oslo.middleware also shows Python's thread stacks and garbage collector, which have no counterpart here.
fn facts() -> Vec<(&'static str, String)> {
    let system = |name: &str| fs::read_to_string(format!("/proc/sys/kernel/{name}")).ok();
    let release = system("osrelease").map_or_else(String::new, |release| format!("-{}", release.trim()));
    let os = if std::env::consts::OS == "linux" { "Linux" } else { std::env::consts::OS };
    let mut facts = vec![
        ("now", chrono::Utc::now().format("%Y-%m-%d %H:%M:%S%.6f").to_string()),
        ("platform", format!("{os}{release}-{}", std::env::consts::ARCH)),
    ];
    facts.extend(system("hostname").map(|name| ("hostname", name.trim().to_owned())));
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(reply: Reply) -> String {
        String::from_utf8(reply.body.unwrap()).unwrap()
    }

    fn finding(reason: &'static str, details: &str) -> Finding {
        Finding { available: true, class: "HealthcheckResult", reason, details: details.to_owned() }
    }

    #[test]
    fn the_short_forms_have_only_reasons() {
        let findings = [finding("OK", "secret"), finding("DISABLED BY FILE", "secret")];
        assert_eq!(body(text(503, &findings)), "OK\nDISABLED BY FILE");
        assert_eq!(
            body(json(503, &findings, false)),
            "{\n    \"detailed\": false,\n    \"reasons\": [\n        \"OK\",\n        \"DISABLED BY FILE\"\n    ]\n}"
        );
        assert_eq!(body(json(200, &[], false)), "{\n    \"detailed\": false,\n    \"reasons\": []\n}");
        let page = body(html(503, &findings, false));
        assert!(page.contains("<td>DISABLED BY FILE</td>") && !page.contains("secret"), "{page}");
    }

    #[test]
    fn the_detailed_forms_have_details_and_facts() {
        let findings = [finding("OK", "Path '<a&b>' was not found")];
        let document: Value = serde_json::from_str(&body(json(200, &findings, true))).unwrap();
        assert_eq!(
            document["reasons"],
            json!([{"class": "HealthcheckResult", "details": "Path '<a&b>' was not found", "reason": "OK"}])
        );
        assert_eq!(document["detailed"], true);
        let text = |key: &str| document[key].as_str().unwrap().to_owned();
        assert!(chrono::NaiveDateTime::parse_from_str(&text("now"), "%Y-%m-%d %H:%M:%S%.6f").is_ok());
        assert!(text("platform").contains(std::env::consts::ARCH));
        let page = body(html(200, &findings, true));
        assert!(page.contains("<td>Path '&lt;a&amp;b&gt;' was not found</td>"), "{page}");
        assert!(page.contains("<dt>platform</dt>"), "{page}");
    }
}
