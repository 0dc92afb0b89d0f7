//! Other providers that people are signed in by: whose word would be taken for more than before
//! (`security.md` R5 and R14).

use super::power::former;
use super::{Case, Reason};
use crate::blueprint::identity_source::{IdentitySource, Link};
use crate::blueprint::object::Kind;

pub fn find(case: &Case<'_>, reasons: &mut Vec<Reason>) {
    for source in &case.new_files().sources {
        let slug = source.slug.value.as_str();
        let was = former(case, Kind::Source, slug);
        let Some(old) = case.old_files().sources.iter().find(|old| old.slug.value == was) else {
            // A new one vouches for nobody before a flow names it, which is weaker than before.
            continue;
        };
        for (field, sentence) in weaker(old, source) {
            let sentence = format!("source {slug} {sentence}");
            reasons.push(
                Reason::new(
                    "source-trust",
                    format!("source {slug}"),
                    case.place(source.at),
                    sentence,
                )
                .confirmed_by("--allow", &format!("source:{slug}.{field}")),
            );
        }
    }
}

fn weaker(old: &IdentitySource, new: &IdentitySource) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let addresses = |source: &IdentitySource| {
        source.addresses().map(|address| address.value.clone()).collect::<Vec<_>>()
    };
    if addresses(old) != addresses(new) {
        let now = addresses(new).join(", ");
        found.push(("provider", format!("would be another provider: {now}")));
    }
    if new.link > old.link && new.link == Link::VerifiedEmail {
        let sentence = "would sign people in to accounts by their address alone";
        found.push(("link", sentence.to_owned()));
    }
    found
}
