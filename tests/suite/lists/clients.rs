//! Lists of clients by query parameters: a project's own clients and all central ones, merged.

use std::collections::HashMap;

use chrono::TimeDelta;
use diesel::prelude::*;
use freezer_api::store::schema::clients;
use freezer_api::store::types::time::Time;
use serde_json::{Value, json};

use super::walks::{sorted, walk};
use crate::api::{Api, Caller};

on_every_backend! {
    clients_are_walked_in_every_order,
    clients_are_filtered,
    clients_are_paged_by_offset,
    a_filter_of_clients_combines_with_a_search,
    an_invalid_query_of_clients_is_refused,
}

/// The list of a project with six clients of its own and four central ones of two other projects. All names end in
/// `suffix`.
struct Seeded<'a> {
    alice: Caller<'a>,
    bob: Caller<'a>,
    suffix: String,
    /// The filter that leaves out the central clients of other tests.
    ours: String,
    all: Vec<Value>,
}

fn seed_clients(api: &Api) -> Seeded<'_> {
    let (alice, bob, carol) =
        (api.project(), api.project().with_roles("admin"), api.project().with_roles("admin"));
    let suffix = alice.project[..12].to_owned();
    let now = freezer_api::store::now();
    let ago = |seconds: i64| Some(now - TimeDelta::seconds(seconds));
    let mut ids = Vec::new();
    // Caller, name, host, whether it is central, and time of the last poll.
    for (caller, name, host, is_central, seen) in [
        (&alice, "d", Some("one"), false, None),
        (&bob, "c", Some("two"), true, ago(30)),
        (&alice, "b", None, false, ago(7200)),
        (&alice, "shared", Some("one"), false, ago(30)),
        (&carol, "shared", Some("two"), true, None),
        (&bob, "shared", Some("three"), true, ago(3600)),
        (&alice, "B", Some("one"), false, None),
        (&alice, "a", Some("two"), false, ago(3600)),
        (&carol, "e", None, true, None),
        (&alice, "f", Some("four"), false, ago(20)),
        (&bob, "private", Some("one"), false, ago(20)),
    ] {
        let name = format!("{name}-{suffix}");
        let uuid = uuid::Uuid::new_v4().simple().to_string();
        let mut body = json!({"client_id": name, "uuid": uuid, "is_central": is_central});
        if let Some(host) = host {
            body["hostname"] = format!("{host}-{suffix}").into();
        }
        caller.post("/clients", body).expect(201);
        // Clients are created in pairs at the same moment, which are ordered by id.
        let moment = now + TimeDelta::seconds(ids.len() as i64 / 2);
        diesel::update(clients::table.find(&uuid))
            .set((clients::last_seen_at.eq(seen), clients::created_at.eq(moment)))
            .execute(&mut api.database())
            .unwrap();
        ids.push(uuid);
    }
    let names = ["a", "b", "B", "c", "d", "e", "f", "shared", "private"];
    let ours: Vec<String> = names.iter().map(|name| format!("{name}-{suffix}")).collect();
    let ours = format!("client_id=in:{}", ours.join(","));
    let mut places: Vec<(Time, String)> = clients::table
        .filter(clients::id.eq_any(&ids[..10]))
        .select((clients::created_at, clients::id))
        .load(&mut api.database())
        .unwrap();
    places.sort();
    let found = alice.get(&format!("/clients?limit=100&{ours}")).expect(200);
    let mut documents: HashMap<String, Value> = found["clients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|client| (uuid(client).to_owned(), client.clone()))
        .collect();
    let all = places.iter().map(|(_, id)| documents.remove(id).unwrap()).collect();
    assert!(documents.is_empty(), "the list has other projects' private clients: {documents:?}");
    Seeded { alice, bob, suffix, ours, all }
}

fn uuid(client: &Value) -> &str {
    client["client"]["uuid"].as_str().unwrap()
}

fn uuids(clients: &[Value]) -> Vec<&str> {
    clients.iter().map(uuid).collect()
}

fn clients_are_walked_in_every_order(api: &Api) {
    let Seeded { alice, ours, all, .. } = seed_clients(api);
    for (sort, pointer) in
        [("created_at", "/_"), ("client_id", "/client/client_id"), ("last_seen_at", "/client/last_seen_at")]
    {
        for (direction, is_descending) in [("", false), (":asc", false), (":desc", true)] {
            let expected = sorted(&all, pointer, is_descending);
            for limit in 1..=11 {
                let path = format!("/clients?limit={limit}&sort={sort}{direction}&{ours}");
                assert_eq!(
                    uuids(&walk(&alice, "clients", &path)),
                    uuids(&expected),
                    "{sort}{direction} by {limit}"
                );
            }
        }
    }
    assert_eq!(walk(&alice, "clients", &format!("/clients?limit=3&{ours}")), all);
    // A project without clients of its own sees the central ones.
    let central: Vec<&str> =
        all.iter().filter(|client| client["client"]["is_central"] == true).map(uuid).collect();
    let seen = walk(&api.project(), "clients", &format!("/clients?limit=3&{ours}"));
    assert_eq!(uuids(&seen), central);
}

/// A filter, and which clients it finds.
type Case<'a> = (String, Box<dyn Fn(&Value) -> bool + 'a>);

fn clients_are_filtered(api: &Api) {
    let Seeded { alice, bob, suffix, ours, all } = seed_clients(api);
    let of = |client: &Value, key: &str| client["client"][key].as_str().unwrap_or_default().to_owned();
    let host = |client: &Value| of(client, "hostname").split('-').next().unwrap().to_owned();
    let name = |client: &Value| of(client, "client_id").split('-').next().unwrap().to_owned();
    let is_up = |client: &Value| of(client, "state") == "up";
    let seen = |client: &Value| of(client, "last_seen_at");
    let is_central = |client: &Value| client["client"]["is_central"] == true;
    let is = |place: usize, client: &Value| uuid(client) == uuid(&all[place]);
    let hour = all.iter().map(seen).find(|seen| !seen.is_empty()).unwrap();
    let cases: Vec<Case<'_>> = vec![
        (format!("uuid={}", uuid(&all[3])), Box::new(|client| is(3, client))),
        (
            format!("uuid=in:{},{},unknown", uuid(&all[1]), uuid(&all[3])),
            Box::new(|client| is(1, client) || is(3, client)),
        ),
        (format!("uuid=neq:{}", uuid(&all[3])), Box::new(|client| !is(3, client))),
        (format!("client_id=shared-{suffix}"), Box::new(|client| name(client) == "shared")),
        (
            format!("client_id=nin:shared-{suffix},b-{suffix}"),
            Box::new(|client| !matches!(&*name(client), "shared" | "b")),
        ),
        (format!("client_id=neq:b-{suffix}"), Box::new(|client| name(client) != "b")),
        ("client_id=%C3%A4".into(), Box::new(|_| false)),
        (format!("hostname=one-{suffix}"), Box::new(|client| host(client) == "one")),
        ("hostname=".into(), Box::new(|client| host(client).is_empty())),
        (format!("hostname=in:two-{suffix},"), Box::new(|client| matches!(&*host(client), "two" | ""))),
        (format!("hostname=neq:two-{suffix}"), Box::new(|client| host(client) != "two")),
        (format!("hostname=nin:two-{suffix},"), Box::new(|client| !matches!(&*host(client), "two" | ""))),
        ("is_central=true".into(), Box::new(is_central)),
        ("is_central=False".into(), Box::new(|client| !is_central(client))),
        ("is_central=neq:1".into(), Box::new(|client| !is_central(client))),
        ("is_central=in:true,false".into(), Box::new(|_| true)),
        ("state=up".into(), Box::new(is_up)),
        ("state=down".into(), Box::new(|client| !is_up(client))),
        ("state=neq:up".into(), Box::new(|client| !is_up(client))),
        ("state=nin:down".into(), Box::new(is_up)),
        ("state=in:down,up".into(), Box::new(|_| true)),
        ("state=nin:down,up".into(), Box::new(|_| false)),
        (format!("last_seen_at={hour}"), Box::new(|client| seen(client) == hour)),
        (format!("last_seen_at=neq:{hour}"), Box::new(|client| seen(client) != hour)),
        (
            format!("last_seen_at=gt:{hour}"),
            Box::new(|client| !seen(client).is_empty() && seen(client) > hour),
        ),
        (format!("last_seen_at=gte:{hour}"), Box::new(|client| seen(client) >= hour)),
        (
            format!("last_seen_at=lt:{hour}"),
            Box::new(|client| !seen(client).is_empty() && seen(client) < hour),
        ),
        (
            format!("last_seen_at=lte:{hour}"),
            Box::new(|client| !seen(client).is_empty() && seen(client) <= hour),
        ),
        ("created_at=gt:2020-01-01&created_at=lt:2100-01-01".into(), Box::new(|_| true)),
        ("created_at=lt:2020-01-01".into(), Box::new(|_| false)),
        (
            format!("state=down&is_central=true&hostname=neq:two-{suffix}"),
            Box::new(|client| !is_up(client) && is_central(client) && host(client) != "two"),
        ),
    ];
    for (query, wanted) in cases {
        let expected: Vec<Value> = all.iter().filter(|client| wanted(client)).cloned().collect();
        for (sort, pointer) in [
            ("", "/_"),
            ("&sort=last_seen_at", "/client/last_seen_at"),
            ("&sort=client_id", "/client/client_id"),
        ] {
            let walked = walk(&alice, "clients", &format!("/clients?limit=2&{ours}&{query}{sort}"));
            assert_eq!(uuids(&walked), uuids(&sorted(&expected, pointer, false)), "{query}{sort}");
        }
        let counted = alice.get(&format!("/clients?limit=1&with_count&{ours}&{query}")).expect(200);
        assert_eq!(counted["count"], expected.len(), "{query}");
    }
    let few = alice.get(&format!("/clients?fields=client.uuid,client.state&limit=1&{ours}")).expect(200);
    let (uuid, state) = (uuid(&all[0]), &all[0]["client"]["state"]);
    assert_eq!(few["clients"], json!([{"client": {"uuid": uuid, "state": state}}]));
    // A filter does not find clients of another project.
    let private = bob.show("clients", &format!("private-{suffix}"))["client"]["uuid"].clone();
    let path = format!("/clients?with_count&uuid={}", private.as_str().unwrap());
    assert_eq!(alice.get(&path).expect(200), json!({"clients": [], "count": 0}));
}

fn clients_are_paged_by_offset(api: &Api) {
    let Seeded { alice, ours, all, .. } = seed_clients(api);
    let page = |query: &str| -> Vec<String> {
        let answer = alice.get(&format!("/clients?{ours}&{query}")).expect(200);
        uuids(answer["clients"].as_array().unwrap()).into_iter().map(str::to_owned).collect()
    };
    let by_name = sorted(&all, "/client/client_id", true);
    for offset in 0..=11 {
        let end = 10.min(offset + 3);
        assert_eq!(page(&format!("limit=3&offset={offset}")), uuids(&all[offset.min(10)..end]));
        let path = format!("limit=3&offset={offset}&sort=client_id:desc");
        assert_eq!(page(&path), uuids(&by_name[offset.min(10)..end]));
    }
    assert!(page("limit=1000&offset=9223372036854775807").is_empty());
    // A marker continues after a page by offset.
    let answer = alice.get(&format!("/clients?{ours}&limit=3&offset=2")).expect(200);
    let href = answer["clients_links"][0]["href"].as_str().unwrap();
    assert!(href.contains(&format!("marker={}", uuid(&all[4]))) && !href.contains("offset"), "{href}");
}

fn a_filter_of_clients_combines_with_a_search(api: &Api) {
    let Seeded { alice, suffix, ours, all, .. } = seed_clients(api);
    let found = |query: &str, body: Value| -> Vec<String> {
        let answer = alice.search(&format!("/clients?limit=100&{ours}&{query}"), body).expect(200);
        assert!(answer.get("clients_links").is_none(), "{answer}");
        uuids(answer["clients"].as_array().unwrap()).into_iter().map(str::to_owned).collect()
    };
    let of = |wanted: &dyn Fn(&Value) -> bool| -> Vec<String> {
        all.iter().filter(|client| wanted(&client["client"])).map(|client| uuid(client).to_owned()).collect()
    };
    let shared = format!("shared-{suffix}");
    let by_name = json!({"match": [{"client_id": shared}]});
    assert_eq!(
        found("is_central=true", by_name.clone()),
        of(&|client| client["client_id"] == json!(shared) && client["is_central"] == true)
    );
    // Search by a key without a column, from a marker on.
    let by_host =
        json!({"match": [{"hostname": format!("two-{suffix}")}], "match_not": [{"_all": "shared"}]});
    let expected =
        of(&|client| client["hostname"] == format!("two-{suffix}") && client["client_id"] != json!(shared));
    assert_eq!((found("", by_host.clone()), expected.len()), (expected.clone(), 2));
    assert_eq!(found(&format!("marker={}", expected[0]), by_host.clone()), expected[1..]);
    assert_eq!(found("state=up", by_host.clone()), expected[..1]);
    let counted = alice.search(&format!("/clients?with_count&{ours}"), by_name).expect(200);
    assert_eq!(counted["count"], 3);
    alice.search("/clients?with_count", by_host).expect(400);
}

fn an_invalid_query_of_clients_is_refused(api: &Api) {
    let Seeded { alice, bob, suffix, all, .. } = seed_clients(api);
    let private = bob.show("clients", &format!("private-{suffix}"))["client"]["uuid"].clone();
    for query in [
        "state=sleeping",
        "state=%20",
        "state=gt:up",
        "is_central=perhaps",
        "uuid=%C3%A4",
        "last_seen_at=never",
        "hostname=lt:a",
        "sort=hostname",
        "sort=state",
        "fields=hostname",
        "marker=unknown",
        // The marker is a private client of another project.
        &format!("marker={}", private.as_str().unwrap()),
        // The marker is a name.
        &format!("marker=a-{suffix}"),
        &format!("marker={}&offset=1", uuid(&all[0])),
        "sort=last_seen_at&offset=1",
    ] {
        assert_eq!(
            alice.get(&format!("/clients?{query}")).expect(400)["title"],
            "Invalid parameter",
            "{query}"
        );
    }
    alice.get("/clients?colour=red&sort=last_seen_at&offset=0&limit=1").expect(200);
}
