//! The language that a visitor reads: the one they chose, or the one that their browser asks for.

use http::HeaderMap;
use http::header::ACCEPT_LANGUAGE;

/// No browser sends more, and nobody is answered better for it.
const LONGEST: usize = 512;

/// The best of the `known` languages for a browser (RFC 9110 §12.5.4): an exact tag, or else the
/// same language of another region.
#[must_use]
pub fn best<'k>(headers: &HeaderMap, known: &[&'k str]) -> Option<&'k str> {
    let header = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
    let mut wishes: Vec<(&str, u16)> = header
        .get(..header.len().min(LONGEST))?
        .split(',')
        .filter_map(wish)
        .filter(|(_, weight)| *weight > 0)
        .collect();
    wishes.sort_by_key(|(_, weight)| std::cmp::Reverse(*weight));
    wishes.into_iter().find_map(|(tag, _)| fitting(tag, known))
}

/// The known language that a tag stands for.
#[must_use]
pub fn fitting<'k>(tag: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = tag.split('-').next().unwrap_or(tag);
    let find = |wanted: &str| known.iter().find(|each| each.eq_ignore_ascii_case(wanted)).copied();
    find(tag).or_else(|| find(plain))
}

/// A tag and its weight in thousandths.
fn wish(text: &str) -> Option<(&str, u16)> {
    let mut parts = text.split(';').map(str::trim);
    let tag = parts.next().filter(|tag| !tag.is_empty())?;
    let weight = match parts.find_map(|part| part.strip_prefix("q=")) {
        Some(text) => {
            let weight: f32 = text.parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
            thousandths(weight)
        }
        None => 1000,
    };
    Some((tag, weight))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it lies in 0 to 1")]
fn thousandths(weight: f32) -> u16 {
    (weight * 1000.0) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(header: &str) -> Option<&'static str> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT_LANGUAGE, header.parse().unwrap());
        best(&headers, &["de", "en", "es", "pt-BR"])
    }

    #[test]
    fn the_heaviest_known_language_wins() {
        for (header, wanted) in [
            ("de-AT,de;q=0.9,en;q=0.8", Some("de")),
            ("nl, es;q=0.5, en;q=0.7", Some("en")),
            ("pt-br", Some("pt-BR")),
            ("pt", None),
            ("nl;q=1, *;q=0.1", None),
            ("de;q=0, en;q=0.1", Some("en")),
            ("EN-us", Some("en")),
            (";;,q=1,de;q=7", None),
            ("", None),
        ] {
            assert_eq!(asked(header), wanted, "{header}");
        }
        assert_eq!(asked(&"x,".repeat(5000)), None);
    }
}
