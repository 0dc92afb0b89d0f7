//! The colour of a brand, made legible: people choose one, and pages need four for light and four for
//! dark that everybody can read (WCAG 2.2 §1.4.3).

use std::fmt;

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour(pub [u8; 3]);

/// What the contrast of text is at least.
const LEGIBLE: f64 = 4.5;

const BLACK: Colour = Colour([0, 0, 0]);
const WHITE: Colour = Colour([255, 255, 255]);

/// What accents stand on, as `inline.css` has it.
struct Grounds {
    card: Colour,
    page: Colour,
    /// Where a colour goes to be seen.
    away: Colour,
    /// What is written on a button.
    ink: Colour,
}

const LIGHT: Grounds =
    Grounds { card: WHITE, page: Colour([0xf6, 0xf4, 0xee]), away: BLACK, ink: WHITE };
const DARK: Grounds = Grounds {
    card: Colour([0x17, 0x1d, 0x1a]),
    page: Colour([0x0e, 0x13, 0x11]),
    away: WHITE,
    ink: Colour([0x0e, 0x13, 0x11]),
};

impl Colour {
    /// From `#rgb` or `#rrggbb`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#')?;
        let nibbles: Vec<u8> = digits
            .chars()
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()?;
        match nibbles.as_slice() {
            [r, g, b] => Some(Self([r * 17, g * 17, b * 17])),
            [r, s, g, h, b, c] => Some(Self([r * 16 + s, g * 16 + h, b * 16 + c])),
            _ => None,
        }
    }

    /// So many percent of the way to another colour.
    fn towards(self, other: Self, percent: u8) -> Self {
        let (far, near) = (u32::from(percent), 100_u32.saturating_sub(u32::from(percent)));
        let mut mixed = self.0;
        for (channel, to) in mixed.iter_mut().zip(other.0) {
            let value = (u32::from(*channel) * near + u32::from(to) * far + 50) / 100;
            *channel = u8::try_from(value).unwrap_or(u8::MAX);
        }
        Self(mixed)
    }

    /// Relative luminance, as WCAG 2.2 defines it.
    fn luminance(self) -> f64 {
        let [r, g, b] = self.0.map(|channel| {
            let share = f64::from(channel) / 255.0;
            if share <= 0.04045 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b
    }

    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02x}{g:02x}{b:02x}")
    }
}

/// What a colour becomes on one ground.
struct Accents {
    accent: Colour,
    hover: Colour,
    ink: Colour,
    tint: Colour,
}

impl Accents {
    /// The colour nearest to the chosen one that can be read wherever accents stand.
    fn on(grounds: &Grounds, chosen: Colour) -> Self {
        let mut found = Self::at(grounds, chosen, 0);
        for step in 1..=100 {
            if found.are_legible(grounds) {
                break;
            }
            found = Self::at(grounds, chosen, step);
        }
        found
    }

    fn at(grounds: &Grounds, chosen: Colour, step: u8) -> Self {
        let accent = chosen.towards(grounds.away, step);
        Self {
            accent,
            hover: accent.towards(grounds.away, 25),
            ink: grounds.ink,
            tint: grounds.card.towards(accent, 12),
        }
    }

    fn are_legible(&self, grounds: &Grounds) -> bool {
        [grounds.card, grounds.page, self.tint, self.ink]
            .iter()
            .all(|ground| self.accent.contrast(*ground) >= LEGIBLE)
    }

    fn css(&self) -> String {
        let Self { accent, hover, ink, tint } = self;
        format!(
            ":root{{--accent:{accent};--accent-hover:{hover};--on-accent:{ink};--tint:{tint};--glow:{accent}2e}}"
        )
    }
}

/// The style that gives pages this colour.
#[must_use]
pub fn css(chosen: Colour) -> String {
    format!(
        "{}@media (prefers-color-scheme:dark){{{}}}",
        Accents::on(&LIGHT, chosen).css(),
        Accents::on(&DARK, chosen).css()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_chosen_can_be_read() {
        let values = [0, 0x33, 0x66, 0x99, 0xcc, 0xff];
        for r in values {
            for (g, b) in values.iter().flat_map(|g| values.map(|b| (*g, b))) {
                for grounds in [&LIGHT, &DARK] {
                    let found = Accents::on(grounds, Colour([r, g, b]));
                    assert!(found.are_legible(grounds), "{} of {r} {g} {b}", found.accent);
                    assert!(found.hover.contrast(found.ink) >= LEGIBLE, "{}", found.hover);
                }
            }
        }
    }

    #[test]
    fn a_colour_that_can_be_read_stays_as_it_is() {
        assert_eq!(Accents::on(&LIGHT, Colour([0x14, 0x60, 0x4c])).accent.to_string(), "#14604c");
        assert_eq!(Accents::on(&DARK, Colour([0x7f, 0xdc, 0xbb])).accent.to_string(), "#7fdcbb");
    }

    #[test]
    fn colours_are_read_in_both_spellings() {
        assert_eq!(Colour::parse("#3b6ea5"), Some(Colour([0x3b, 0x6e, 0xa5])));
        assert_eq!(Colour::parse("#fA0"), Some(Colour([0xff, 0xaa, 0])));
        for bad in ["3b6ea5", "#3b6ea", "#xyz", "#", "#3b6ea5ff"] {
            assert_eq!(Colour::parse(bad), None, "{bad}");
        }
    }

    /// The grounds are those of the style sheet.
    #[test]
    fn the_grounds_are_those_of_the_shipped_look() {
        let sheet = include_str!("../../themes/default/inline.css");
        for (name, colour) in [("card", DARK.card), ("ground", DARK.page), ("ground", LIGHT.page)] {
            assert!(sheet.contains(&format!("--{name}: {colour};")), "{name}");
        }
        assert!(sheet.contains("--card: #fff;"));
    }
}
