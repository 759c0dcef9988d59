//! The `Accept` header.

/// Whether the media ranges allow `kind/subtype`. No range at all allows everything.
///
/// The most specific range that matches decides; its `q=0` forbids.
pub fn allows<'a>(headers: impl Iterator<Item = &'a str>, kind: &str, subtype: &str) -> bool {
    let mut any = false;
    let mut best: Option<(u8, bool)> = None;
    for range in headers.flat_map(|header| header.split(',')).map(str::trim).filter(|range| !range.is_empty())
    {
        any = true;
        let mut parts = range.split(';').map(str::trim);
        let Some((k, s)) = parts.next().and_then(|media| media.split_once('/')) else { continue };
        let specificity = match (k.eq_ignore_ascii_case(kind), s.eq_ignore_ascii_case(subtype)) {
            (true, true) => 2,
            (true, false) if s == "*" => 1,
            _ if k == "*" && s == "*" => 0,
            _ => continue,
        };
        let wanted = !parts.any(refuses);
        match best {
            Some((before, _)) if before > specificity => {}
            Some((before, earlier)) if before == specificity => best = Some((before, earlier || wanted)),
            _ => best = Some((specificity, wanted)),
        }
    }
    !any || best.is_some_and(|(_, wanted)| wanted)
}

/// Whether a parameter is `q=0`. A weight that is no number is taken for none, as a client that sends one wants something.
fn refuses(parameter: &str) -> bool {
    let weight = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    weight.and_then(|(_, weight)| weight.trim().parse::<f32>().ok()).is_some_and(|weight| weight <= 0.0)
}

#[cfg(test)]
mod tests {
    fn json(header: &str) -> bool {
        super::allows([header].into_iter(), "application", "json")
    }

    #[test]
    fn json_is_acceptable() {
        for header in ["", "*/*", "application/*", "Application/JSON; charset=utf-8", "text/html, */*;q=0.1"]
        {
            assert!(json(header), "{header}");
        }
        assert!(super::allows(std::iter::empty(), "application", "json"));
    }

    #[test]
    fn json_is_not_acceptable() {
        for header in ["text/html", "application/xml", "application/json;q=0, */*", "*/*;q=0.0", "nonsense"] {
            assert!(!json(header), "{header}");
        }
    }
}
