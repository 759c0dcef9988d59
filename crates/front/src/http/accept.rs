//! The `Accept` header.

/// The weight of `kind/subtype`, from 0 (not accepted) to 1. Without any range, everything has weight 1.
///
/// The most specific range that matches decides.
pub fn weight<'a>(headers: impl Iterator<Item = &'a str>, kind: &str, subtype: &str) -> f32 {
    let mut any = false;
    let mut best: Option<(u8, f32)> = None;
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
        let wanted = parts.find_map(quality).unwrap_or(1.0);
        match best {
            Some((before, _)) if before > specificity => {}
            Some((before, earlier)) if before == specificity => best = Some((before, earlier.max(wanted))),
            _ => best = Some((specificity, wanted)),
        }
    }
    if any { best.map_or(0.0, |(_, wanted)| wanted) } else { 1.0 }
}

/// The value of a parameter `q`. A value that is not a number is ignored: the client does list the type.
fn quality(parameter: &str) -> Option<f32> {
    let (_, value) = parameter.split_once('=').filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"))?;
    value
        .trim()
        .parse::<f32>()
        .ok()
        .filter(|quality| quality.is_finite())
        .map(|quality| quality.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    fn json(header: &str) -> bool {
        super::weight([header].into_iter(), "application", "json") > 0.0
    }

    #[test]
    fn json_is_acceptable() {
        for header in ["", "*/*", "application/*", "Application/JSON; charset=utf-8", "text/html, */*;q=0.1"]
        {
            assert!(json(header), "{header}");
        }
        assert!(super::weight(std::iter::empty(), "application", "json") > 0.0);
    }

    #[test]
    fn json_is_not_acceptable() {
        for header in ["text/html", "application/xml", "application/json;q=0, */*", "*/*;q=0.0", "nonsense"] {
            assert!(!json(header), "{header}");
        }
    }
}
