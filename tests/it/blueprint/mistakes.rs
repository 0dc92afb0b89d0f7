//! Every mistake of `tests/mistakes` beside the rendering of what is said about it.

use super::reading::{complaints, files, read};

#[test]
fn every_mistake_is_told_as_it_was_decided() {
    let all = files("mistakes");
    let (base, mistakes): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(name, _)| name == "base.kdl");
    assert_eq!(mistakes.len(), 18);
    for mistake in mistakes {
        let name = mistake.0.clone();
        let mut set = base.clone();
        set.push(mistake);
        let loaded = read(&set);
        insta::assert_snapshot!(name.trim_end_matches(".kdl"), complaints(&loaded));
    }
}
