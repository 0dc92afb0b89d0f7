//! Other providers that people are signed in by: whose word would be taken for more than before
//! (`security.md` R5 and R14).

use super::power::former;
use super::{Case, Reason};
use crate::blueprint::identity_source::{Fields, IdentitySource, Link, Protocol};
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
    if trusted(old) != trusted(new) {
        let addresses: Vec<&str> = new.addresses().map(|each| each.value.as_str()).collect();
        let now = addresses.join(", ");
        let now = if now.is_empty() { "github.com" } else { now.as_str() };
        let sentence = format!(
            "would take people's word for who they are from elsewhere, or differently: {now}"
        );
        found.push(("provider", sentence));
    }
    if new.link > old.link {
        let sentence = match new.link {
            Link::VerifiedEmail => "would sign people in to accounts by their address alone",
            _ => "would be connected to accounts that are there",
        };
        found.push(("link", sentence.to_owned()));
    }
    let enrolls = |source: &IdentitySource| source.enroll.as_ref().map(|flow| flow.value.clone());
    if new.enroll.is_some() && enrolls(old) != enrolls(new) {
        found.push(("enroll", "would let its people make accounts".to_owned()));
    }
    found
}

/// All that decides whom a source means.
fn trusted(source: &IdentitySource) -> (String, Vec<&str>, Option<&Fields>, &str, &[String]) {
    let kind = match &source.protocol {
        Protocol::Oidc { .. } => "oidc",
        Protocol::Oauth2(_) => "oauth2",
        Protocol::Github { .. } => "github",
    };
    let fields = match &source.protocol {
        Protocol::Oauth2(endpoints) => Some(&endpoints.fields),
        _ => None,
    };
    let addresses = source.addresses().map(|each| each.value.as_str()).collect();
    let client = &source.client;
    (kind.to_owned(), addresses, fields, client.id.as_str(), client.scopes.as_slice())
}
