//! Recovery codes: for when every other factor is lost. Each is good once.

use super::FactorError;
use crate::ids::Rng;
use crate::secret::{MasterKey, Secret, TokenDigest};

/// How many a person gets where no blueprint says otherwise.
pub const COUNT: u32 = 10;

/// Letters and digits that nobody confuses, 32 of them: five bits each.
const SIGNS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const LENGTH: usize = 10;

/// New codes, such as `k7mq2-xw9rt`: 50 random bits each.
///
/// # Errors
/// If there is no randomness.
pub fn generate(count: u32, rng: &Rng) -> Result<Vec<Secret>, FactorError> {
    (0..count).map(|_| one(rng)).collect()
}

fn one(rng: &Rng) -> Result<Secret, FactorError> {
    let mut bytes = [0_u8; LENGTH];
    rng.fill(&mut bytes)?;
    let sign = |byte: &u8| SIGNS.get(usize::from(byte % 32)).map(|sign| char::from(*sign));
    let (left, right) = bytes.split_at(LENGTH / 2);
    let half = |bytes: &[u8]| bytes.iter().filter_map(sign).collect::<String>();
    Ok(Secret::new(format!("{}-{}", half(left), half(right))))
}

/// What the store keeps of a person's code, however it was typed.
#[must_use]
pub fn digest(key: &MasterKey, user_id: &str, code: &str) -> TokenDigest {
    let typed: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    key.digest(format!("recovery-code/{user_id}/{}", typed.to_ascii_lowercase()).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_what_people_can_read_to_each_other() {
        let codes = generate(10, &Rng::counted(1)).expect("codes");
        assert_eq!(codes.len(), 10);
        for code in &codes {
            let code = code.reveal();
            assert_eq!((code.len(), code.find('-')), (11, Some(5)), "{code}");
            assert!(code.bytes().all(|c| c == b'-' || SIGNS.contains(&c)), "{code}");
        }
        let mut all: Vec<_> = codes.iter().map(Secret::reveal).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 10);
    }

    #[test]
    fn a_code_is_one_persons_however_it_is_typed() {
        let key = MasterKey::parse(&Secret::new("a".repeat(64))).expect("a key");
        let digest = |user, code| super::digest(&key, user, code);
        assert_eq!(digest("usr_1", "k7mq2-xw9rt"), digest("usr_1", " K7MQ2 XW9RT"));
        assert_ne!(digest("usr_1", "k7mq2-xw9rt"), digest("usr_2", "k7mq2-xw9rt"));
        assert_ne!(digest("usr_1", "k7mq2-xw9rt"), digest("usr_1", "k7mq2-xw9rs"));
    }
}
