//! Where a search goes on that came in pages (RFC 2696). Nothing is kept for it: the cookie says it all, sealed
//! for whoever asked and for what was asked, and any node goes on from there.

use super::directory::Directory;
use super::tree::{Branch, Place};
use crate::ids::Rng;
use crate::secret::{MasterKey, SealError, Secret};

/// Entries on one page, at most.
pub const LARGEST: usize = 1_000;

/// Seals the last place that was looked at.
///
/// # Errors
/// If there is no randomness.
pub fn seal(
    key: &MasterKey,
    rng: &Rng,
    asked: &str,
    directory: &Directory,
    last: Place,
) -> Result<Vec<u8>, SealError> {
    let person = |at: usize| directory.people.get(at).map_or("", |it| it.key.as_str());
    let text = match last {
        Place::Root => "r:".to_owned(),
        Place::Branch(Branch::People) => "a:".to_owned(),
        Place::Branch(Branch::Groups) => "b:".to_owned(),
        Place::Branch(Branch::OwnGroups) => "c:".to_owned(),
        Place::Person(at) => format!("d:{}", person(at)),
        Place::Group(at) => format!("e:{at}"),
        Place::OwnGroup(at) => format!("f:{}", person(at)),
    };
    key.seal(&Secret::new(text), asked, rng)
}

/// The first place that comes after the one that was sealed; people who came or went meanwhile move nobody.
#[must_use]
pub fn open(key: &MasterKey, asked: &str, directory: &Directory, cookie: &[u8]) -> Option<Place> {
    let text = key.open(cookie, asked).ok()?;
    let (kind, rest) = text.reveal().split_once(':')?;
    let after = || directory.people.partition_point(|it| it.key.as_str() <= rest);
    Some(match kind {
        "r" => Place::Branch(Branch::People),
        "a" => Place::Branch(Branch::Groups),
        "b" => Place::Branch(Branch::OwnGroups),
        "c" => Place::Person(0),
        "d" => Place::Person(after()),
        "e" => Place::Group(rest.parse::<usize>().ok()?.checked_add(1)?),
        "f" => Place::OwnGroup(after()),
        _ => return None,
    })
}
