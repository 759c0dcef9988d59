//! Finding Keystone's v3 API, from a version document and from the catalogue.

use serde_json::Value;

/// `Ok` with the v3 base if the URL is one, otherwise `Err` with the unversioned URL.
pub fn versioned(url: &str) -> Result<String, String> {
    let url = url.trim_end_matches('/');
    if url.ends_with("/v3") {
        return Ok(url.to_owned());
    }
    // Old configurations have v2.0; such a Keystone serves v3 beside it.
    Err(url.strip_suffix("/v2.0").unwrap_or(url).to_owned())
}

/// Whether a version document lists v3; `None` if it is not a version document.
///
/// The links in the document are not followed: they are the public endpoint's, and the operator may have configured
/// another one.
pub fn has_v3(document: &[u8]) -> Option<bool> {
    let document: Value = serde_json::from_slice(document).ok()?;
    let is_v3 =
        |version: &Value| version["id"].as_str().is_some_and(|id| id == "v3" || id.starts_with("v3."));
    if document["version"].is_object() {
        return Some(is_v3(&document["version"]));
    }
    let versions = &document["versions"];
    let versions = versions.as_array().or_else(|| versions["values"].as_array())?;
    Some(versions.iter().any(is_v3))
}

/// The catalogue's first identity endpoint of an interface (and region), as keystoneauth chooses it.
pub fn in_catalog<'c>(catalog: &'c Value, interface: &str, region: Option<&str>) -> Option<&'c str> {
    let interface = interface.strip_suffix("URL").unwrap_or(interface);
    let services = catalog.as_array()?.iter().filter(|service| service["type"] == "identity");
    let mut endpoints = services.flat_map(|service| service["endpoints"].as_array().into_iter().flatten());
    let wanted = |endpoint: &&Value| {
        let place = endpoint.get("region_id").filter(|id| id.is_string()).unwrap_or(&endpoint["region"]);
        endpoint["interface"] == interface && region.is_none_or(|region| place == region)
    };
    endpoints.find_map(|endpoint| Some(&endpoint["url"]).filter(|_| wanted(&endpoint))?.as_str())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_url_may_include_the_version() {
        for (url, expected) in [
            ("http://h:5000/v3/", Ok("http://h:5000/v3")),
            ("http://h/identity/v3", Ok("http://h/identity/v3")),
            ("http://h/identity/", Err("http://h/identity")),
            ("http://h:5000", Err("http://h:5000")),
            ("http://h:5000/v2.0/", Err("http://h:5000")),
        ] {
            assert_eq!(versioned(url), expected.map(str::to_owned).map_err(str::to_owned), "{url}");
        }
    }

    #[test]
    fn version_documents_of_three_forms() {
        let says = |document: Value| has_v3(document.to_string().as_bytes());
        assert_eq!(says(json!({"versions": {"values": [{"id": "v2.0"}, {"id": "v3.14"}]}})), Some(true));
        assert_eq!(says(json!({"versions": [{"id": "v3"}]})), Some(true));
        assert_eq!(says(json!({"version": {"id": "v3.14"}})), Some(true));
        assert_eq!(says(json!({"versions": [{"id": "v2.1"}, {"id": "v30"}]})), Some(false));
        assert_eq!(says(json!({"error": "no"})), None);
        assert_eq!(has_v3(b"<html>"), None);
    }

    #[test]
    fn the_catalogue_is_searched_by_interface_and_region() {
        let endpoint = |interface: &str, region: &str, url: &str| json!({"interface": interface, "region_id": region, "region": region, "url": url});
        let catalog = json!([
            {"type": "backup", "endpoints": [endpoint("internal", "one", "http://backup")]},
            {"type": "identity", "endpoints": [
                endpoint("public", "one", "http://public"),
                endpoint("internal", "one", "http://one"),
                endpoint("internal", "two", "http://two"),
            ]},
        ]);
        assert_eq!(in_catalog(&catalog, "internal", None), Some("http://one"));
        assert_eq!(in_catalog(&catalog, "internalURL", Some("two")), Some("http://two"));
        assert_eq!(in_catalog(&catalog, "public", Some("one")), Some("http://public"));
        assert_eq!(in_catalog(&catalog, "admin", None), None);
        assert_eq!(in_catalog(&catalog, "public", Some("two")), None);
        assert_eq!(in_catalog(&Value::Null, "public", None), None);
    }
}
