//! Every form of `If-Match` and `If-None-Match`.

use crate::api::Api;
use crate::documents::action;

/// A PATCH that changes nothing, so that the tag stays valid.
const SAME: &[u8] = b"{\"mandatory\": true}";

on_every_backend! {
    if_match_is_read_in_every_form,
    if_none_match_is_read_in_every_form,
}

fn if_match_is_read_in_every_form(api: &Api) {
    let alice = api.project();
    let path = format!("/actions/{}", alice.create("actions", action()));
    let tag = &alice.tag(&path);
    let bare = tag.trim_matches('"');
    for (lines, status) in [
        (vec![tag.clone()], 200),
        (vec![format!("  {tag}\t")], 200),
        (vec!["*".to_owned()], 200),
        (vec![" * ".to_owned()], 200),
        (vec![format!("\"x\", {tag}")], 200),
        (vec![format!("{tag},\"x\"")], 200),
        (vec![format!(",, \"x\" ,{tag} , ,")], 200),
        (vec![format!("\"a,b\", {tag}")], 200),
        (vec![format!("W/\"x\",{tag}")], 200),
        (vec!["\"x\"".to_owned(), tag.clone()], 200),
        (vec![tag.clone(), "\"x\"".to_owned()], 200),
        (vec!["\"x\"".to_owned()], 412),
        (vec!["\"\"".to_owned()], 412),
        (vec!["\"é\"".to_owned()], 412),
        (vec!["\"*\"".to_owned()], 412),
        (vec![format!("W/{tag}")], 412),
        (vec![format!("W/{tag}, \"x\"")], 412),
        (vec![format!("\"{}\"", bare.to_uppercase())], 412),
        (vec![format!("\"{}\"", &bare[1..])], 412),
        // Within quotes, a comma is part of the tag.
        (vec![format!("\"x,{bare}\"")], 412),
        (vec!["\"x\"".to_owned(), "\"y\"".to_owned()], 412),
        // A list may be empty (RFC 9110, 5.6.1), and then no resource matches it.
        (vec![String::new()], 412),
        (vec![" , ,".to_owned()], 412),
        (vec![bare.to_owned()], 400),
        (vec![format!("'{bare}'")], 400),
        (vec![format!("\"{bare}")], 400),
        (vec![format!("{bare}\"")], 400),
        (vec![format!("w/{tag}")], 400),
        (vec![format!("W/ {tag}")], 400),
        (vec!["W/".to_owned()], 400),
        (vec![format!("{tag} \"x\"")], 400),
        (vec![format!("{tag}; {tag}")], 400),
        (vec!["\"a b\"".to_owned()], 400),
        (vec![format!("*, {tag}")], 400),
        (vec![format!("{tag}, *")], 400),
        (vec!["*".to_owned(), "*".to_owned()], 400),
        (vec!["**".to_owned()], 400),
        (vec![tag.clone(), "nonsense".to_owned()], 400),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| ("if-MATCH", line.as_str())).collect();
        let answer = alice.send_with("PATCH", &path, &headers, Some(SAME));
        assert_eq!(answer.status, status, "{lines:?} {answer}");
        let of_nothing = if status == 400 { 400 } else { 412 };
        assert_eq!(alice.send_with("DELETE", "/actions/unknown", &headers, None).status, of_nothing);
    }
    assert_eq!(&alice.tag(&path), tag);
}

fn if_none_match_is_read_in_every_form(api: &Api) {
    let alice = api.project();
    let path = format!("/actions/{}", alice.create("actions", action()));
    let tag = &alice.tag(&path);
    for (lines, read, written) in [
        (vec![tag.clone()], 304, 412),
        // Reads use the weak comparison.
        (vec![format!("W/{tag}")], 304, 412),
        (vec!["*".to_owned()], 304, 412),
        (vec![format!("\"x\" , W/{tag}")], 304, 412),
        (vec!["\"x\"".to_owned(), tag.clone()], 304, 412),
        (vec!["\"x\"".to_owned()], 200, 200),
        (vec!["\"x\", \"y\"".to_owned()], 200, 200),
        (vec!["nonsense".to_owned()], 400, 400),
        (vec![String::new()], 200, 200),
        (vec![format!("*, {tag}")], 400, 400),
    ] {
        let headers: Vec<_> = lines.iter().map(|line| ("If-None-Match", line.as_str())).collect();
        assert_eq!(alice.send_with("GET", &path, &headers, None).status, read, "{lines:?}");
        assert_eq!(alice.send_with("PATCH", &path, &headers, Some(SAME)).status, written, "{lines:?}");
    }
    // Both must hold.
    for (matched, none, status) in [(&**tag, "\"x\"", 200), (tag, tag, 412), ("\"x\"", "\"x\"", 412)] {
        let headers = [("If-Match", matched), ("If-None-Match", none)];
        let answer = alice.send_with("PATCH", &path, &headers, Some(SAME));
        assert_eq!(answer.status, status, "{headers:?}");
    }
}
