//! The text of a token: `dwp_` or `dwt_`, 130 random bits and two characters that tell a slip of the
//! finger. By its look alone it is told from everybody else's credentials.
//!
//! The letters are Crockford's: no `i`, `l`, `o` and `u`. Capitals, hyphens and blanks between
//! groups make no difference, and what is easily taken for another letter counts as that one.

use zeroize::Zeroizing;

use crate::ids::{NoRandomness, Rng};
use crate::secret::Secret;
use crate::store::TokenKind;

const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
const RANDOM: usize = 26;
const CHECK: usize = 2;
const GROUP: usize = 4;
/// A prime just below what two letters can say.
const MODULUS: usize = 1021;

/// What a text with one of our beginnings turns out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// Well formed, in the one spelling that is digested. Whether it is worth anything, the store
    /// knows.
    Whole(TokenKind, Secret),
    /// Ours by its beginning, and surely mistyped or cut off.
    Broken,
}

fn prefix(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::AppPassword => "dwp_",
        TokenKind::ApiToken => "dwt_",
    }
}

/// Makes a text as it is shown: app passwords in groups, because people type them.
///
/// # Errors
/// If the system has no randomness to give.
pub fn make(kind: TokenKind, rng: &Rng) -> Result<Secret, NoRandomness> {
    let mut bytes = Zeroizing::new([0_u8; RANDOM]);
    rng.fill(bytes.as_mut())?;
    let numbers = bytes.iter().map(|byte| usize::from(byte % 32));
    let mut body = Zeroizing::new(String::with_capacity(RANDOM + CHECK));
    body.extend(numbers.map(letter));
    let check = checksum(&body).unwrap_or_default();
    body.extend([letter(check / 32), letter(check % 32)]);
    let mut text = String::with_capacity(prefix(kind).len() + body.len() * 5 / 4);
    text.push_str(prefix(kind));
    for (at, letter) in body.chars().enumerate() {
        if kind == TokenKind::AppPassword && at > 0 && at % GROUP == 0 {
            text.push('-');
        }
        text.push(letter);
    }
    Ok(Secret::new(text))
}

/// Looks at a text; `None` if it is somebody else's.
#[must_use]
pub fn look(text: &str) -> Option<Look> {
    let text = text.trim();
    let kinds = [TokenKind::AppPassword, TokenKind::ApiToken];
    let kind = kinds.into_iter().find(|kind| begins(text, prefix(*kind)))?;
    let rest = text.get(prefix(kind).len()..)?;
    let mut whole = Zeroizing::new(String::with_capacity(prefix(kind).len() + RANDOM + CHECK));
    whole.push_str(prefix(kind));
    for letter in rest.chars().filter(|letter| !matches!(letter, '-' | ' ')) {
        if whole.len() == whole.capacity() {
            return Some(Look::Broken);
        }
        whole.push(plain(letter));
    }
    let body = whole.get(prefix(kind).len()..).unwrap_or("");
    Some(match is_sound(body) {
        true => Look::Whole(kind, Secret::new(whole.as_str())),
        false => Look::Broken,
    })
}

fn begins(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
}

fn plain(letter: char) -> char {
    match letter.to_ascii_lowercase() {
        'i' | 'l' => '1',
        'o' => '0',
        other => other,
    }
}

fn is_sound(body: &str) -> bool {
    let Some((random, check)) = body.split_at_checked(RANDOM) else { return false };
    let told = check.chars().map(number).try_fold(0, |sum, number| Some(sum * 32 + number?));
    check.len() == CHECK && told.is_some() && told == checksum(random)
}

/// Differs when one letter does, or two neighbours have changed places.
fn checksum(random: &str) -> Option<usize> {
    random.chars().map(number).try_fold(1, |sum, number| Some((sum * 33 + number?) % MODULUS))
}

fn letter(number: usize) -> char {
    LETTERS.get(number).copied().map_or('0', char::from)
}

fn number(letter: char) -> Option<usize> {
    LETTERS.iter().position(|known| char::from(*known) == letter)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(kind: TokenKind) -> String {
        make(kind, &Rng::counted(1)).expect("a text").reveal().to_owned()
    }

    fn is_whole(text: &str) -> bool {
        matches!(look(text), Some(Look::Whole(..)))
    }

    #[test]
    fn an_app_password_comes_in_groups_and_a_token_in_one_piece() {
        let text = made(TokenKind::AppPassword);
        let (begin, groups) = text.split_once('_').expect("a prefix");
        assert_eq!((begin, groups.split('-').count()), ("dwp", 7));
        assert!(groups.split('-').all(|group| group.len() == 4), "{text}");
        let text = made(TokenKind::ApiToken);
        assert_eq!((text.get(..4), text.len(), text.contains('-')), (Some("dwt_"), 32, false));
    }

    #[test]
    fn every_way_to_type_it_is_the_same_secret() {
        let text = made(TokenKind::AppPassword);
        let same = look(&text).expect("ours");
        assert!(matches!(&same, Look::Whole(TokenKind::AppPassword, _)));
        let typed = text.replace('1', "l").replace('0', "O");
        for other in [
            text.to_uppercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            format!(" {text} "),
            typed,
        ] {
            assert_eq!(look(&other).as_ref(), Some(&same), "{other}");
        }
    }

    #[test]
    fn every_slip_of_the_finger_is_told_without_the_store() {
        let text = made(TokenKind::ApiToken);
        let letters: Vec<char> = text.chars().collect();
        for at in 4..letters.len() {
            for other in LETTERS.iter().map(|byte| char::from(*byte)) {
                let mut slipped = letters.clone();
                slipped[at] = other;
                let slipped: String = slipped.into_iter().collect();
                assert_eq!(is_whole(&slipped), slipped == text, "{slipped}");
            }
            if at + 1 < letters.len() {
                let mut swapped = letters.clone();
                swapped.swap(at, at + 1);
                let swapped: String = swapped.into_iter().collect();
                assert_eq!(is_whole(&swapped), swapped == text, "{swapped}");
            }
        }
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_ours_and_broken() {
        let text = made(TokenKind::ApiToken);
        for broken in ["dwp_", "dwt_é", &text[..20], &format!("{text}0"), &"dwp_".repeat(1000)] {
            assert_eq!(look(broken), Some(Look::Broken), "{broken}");
        }
        let other_kind = text.replace("dwt_", "dwp_");
        assert!(matches!(look(&other_kind), Some(Look::Whole(TokenKind::AppPassword, _))));
    }

    #[test]
    fn what_is_not_ours_is_nobodys_business_here() {
        for foreign in ["", "dw", "dwp", "dwx_abc", "hunter2", "ghp_0123", "eyJhbGciOi.x.y", "é"] {
            assert_eq!(look(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn two_texts_are_two_secrets() {
        let rng = Rng::counted(7);
        let made = || make(TokenKind::AppPassword, &rng).expect("a text");
        assert_ne!(made(), made());
    }
}
