//! Other providers: how they are called, and whether anybody can come by them.

use url::Url;

use super::View;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::flow::{Accept, Flow, Identification, Purpose, StageKind};
use crate::blueprint::identity_source::{IdentitySource, Link, Protocol};
use crate::blueprint::object::Kind;
use crate::blueprint::source::{Span, Spanned};
use crate::model::web_url::authority_of;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    for source in &view.blueprint.sources {
        let found = calls(source).chain(closed(source)).chain(discovery(source));
        for diagnostic in found.collect::<Vec<_>>() {
            view.report(out, Kind::Source, &source.slug.value, diagnostic);
        }
    }
    names(view, out);
}

/// What is called without https is a named place of the own network.
fn calls(source: &IdentitySource) -> impl Iterator<Item = Diagnostic> {
    let open = |address: &Spanned<String>| {
        let url = Url::parse(&address.value).ok()?;
        let authority = authority_of(&url)?;
        if url.scheme() == "https" || source.may_reach.contains(&authority) {
            return None;
        }
        Some(
            Diagnostic::error(
                "blueprint::http-call",
                format!("`{}` would be called without https", address.value),
            )
            .at(address.span, "anybody on the way could answer")
            .help(format!(
                "write https://, or name a place in your own network that may be called so:\n    \
                 may-reach \"{authority}\""
            )),
        )
    };
    source.addresses().filter_map(open)
}

/// An issuer is what stands before the path of its discovery (OIDC Discovery §4).
fn discovery(source: &IdentitySource) -> Option<Diagnostic> {
    let Protocol::Oidc { issuer } = &source.protocol else { return None };
    let (own, _) = issuer.value.split_once("/.well-known/")?;
    Some(
        Diagnostic::error("blueprint::not-an-issuer", "this is where an issuer describes itself")
            .at(issuer.span, "`/.well-known/…` is added by itself")
            .help(format!("issuer \"{own}\"")),
    )
}

/// Nobody has a connection to begin with.
fn closed(source: &IdentitySource) -> Option<Diagnostic> {
    let slug = &source.slug.value;
    (source.link == Link::Never && source.enroll.is_none()).then(|| {
        Diagnostic::warning(
            "blueprint::source-without-people",
            format!("nobody new can sign in through source `{slug}`"),
        )
        .at(source.at, "`link never`, and no `enroll`")
        .help("write `link ask`, so that people connect the account they have, or name a flow that makes one: `enroll …`")
    })
}

/// `accept nothing` leaves a way in and stands alone; only a sign-in begins at a source.
fn names(view: &View<'_>, out: &mut Diagnostics) {
    for flow in &view.blueprint.flows {
        for stage in &flow.stages {
            let StageKind::Identification(asked) = &stage.kind else { continue };
            let found = out_of_place(flow, asked)
                .or_else(|| nothing(asked, stage.at))
                .or_else(|| no_way_for_admins(view, flow, asked, stage.at));
            if let Some(diagnostic) = found {
                view.report(out, Kind::Flow, &flow.slug.value, diagnostic);
            }
        }
    }
}

fn out_of_place(flow: &Flow, asked: &Identification) -> Option<Diagnostic> {
    let source = asked.sources.first().filter(|_| flow.purpose != Purpose::Authentication)?;
    let purpose = flow.purpose.word();
    Some(
        Diagnostic::error(
            "blueprint::source-out-of-place",
            format!("a flow for {purpose} does not begin at another provider"),
        )
        .at(source.span, "named here")
        .help("name it in the flow for authentication"),
    )
}

fn nothing(asked: &Identification, at: Span) -> Option<Diagnostic> {
    if asked.takes_names() {
        return None;
    }
    if asked.accept.iter().any(|each| *each != Accept::Nothing) {
        return Some(
            Diagnostic::error("blueprint::contradiction", "nothing may be typed, and something")
                .at(at, "`accept nothing` stands alone")
                .help("leave `nothing` out, or everything else"),
        );
    }
    (asked.sources.is_empty() && !asked.passkey_autofill).then(|| {
        Diagnostic::error("blueprint::no-way-in", "nobody gets past this stage")
            .at(at, "no name can be typed, and nothing stands in its place")
            .help("add `sources …` or `passkey-autofill`, or leave `accept nothing` out")
    })
}

/// A console role is never connected by an address alone: its person proves once to be the account's own,
/// and here nothing can be typed (`security.md` R14).
fn no_way_for_admins(
    view: &View<'_>,
    flow: &Flow,
    asked: &Identification,
    at: Span,
) -> Option<Diagnostic> {
    let default = view.blueprint.settings.default_flows.authentication.as_ref()?;
    if asked.takes_names() || asked.passkey_autofill || default.value != flow.slug.value {
        return None;
    }
    Some(
        Diagnostic::warning(
            "blueprint::no-way-for-admins",
            "nobody with a console role can connect an account by this flow",
        )
        .at(at, "no name can be typed, and an address is never enough for a console role")
        .at(default.span, "everybody signs in by it")
        .help("add `passkey-autofill`, or let names be typed: `accept username`"),
    )
}
