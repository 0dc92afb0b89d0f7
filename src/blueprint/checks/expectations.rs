//! `test`: expectations that could never mean what they say.

use super::{View, claimed, covers, host_of};
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::expectation::{Expectation, Outcome, TestTarget};
use crate::blueprint::object::Kind;
use crate::blueprint::suggest::nearest;

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    for test in &view.blueprint.tests {
        if test.expectations.is_empty()
            && view.all("test").any(|node| node.head() == test.at && node.kids.is_empty())
        {
            out.push(
                Diagnostic::warning("blueprint::empty-test", "this test expects nothing")
                    .at(test.at, "always passes")
                    .help("add for example `expect allow alice \"https://app.example.com/\"`"),
            );
        }
        for expectation in &test.expectations {
            target(view, expectation, out);
            claim(view, expectation, out);
        }
    }
    for node in view.all("invariant") {
        if view.blueprint.apps.is_empty() {
            out.push(
                Diagnostic::advice("blueprint::empty-test", "there is no app to hold this for")
                    .at(node.head(), "always passes"),
            );
        }
    }
}

fn target(view: &View<'_>, expectation: &Expectation, out: &mut Diagnostics) {
    let TestTarget::Url(url) = &expectation.target.value else { return };
    let span = expectation.target.span;
    let web = url.starts_with("https://") || url.starts_with("http://");
    let Some(host) = host_of(url).filter(|_| web) else {
        out.push(
            Diagnostic::error("blueprint::bad-url", format!("`{url}` is neither a URL nor an app"))
                .at(span, "begin with https:// or app:")
                .help("write \"https://app.example.com/path\" or app:NAME"),
        );
        return;
    };
    let hosts: Vec<String> =
        view.blueprint.apps.iter().flat_map(claimed).map(|(host, _)| host).collect();
    if view.mode.may_lack(Kind::App) || hosts.iter().any(|pattern| covers(pattern, &host)) {
        return;
    }
    let diagnostic =
        Diagnostic::error("blueprint::unknown-host", format!("no app has the host `{host}`"));
    out.push(match nearest(&host, hosts.iter().map(String::as_str)) {
        Some(near) => diagnostic.at(span, format!("did you mean `{near}`?")),
        None => diagnostic
            .at(span, "nothing could decide this")
            .help("tests name hosts of `proxy` and `proxy-domain`; write app:NAME for the others"),
    });
}

fn claim(view: &View<'_>, expectation: &Expectation, out: &mut Diagnostics) {
    let node =
        view.all("test").flat_map(|test| &test.kids).find(|node| node.line == expectation.at);
    let given =
        node.is_some_and(|node| node.prop("name").is_some() || node.prop("value").is_some());
    if expectation.outcome != Outcome::Claim {
        if given {
            out.push(
                Diagnostic::error(
                    "blueprint::claim-test",
                    "`name=` and `value=` belong to `expect claim`",
                )
                .at(expectation.at, format!("this expects {}", expectation.outcome.word()))
                .help("write `expect claim`, or leave them out"),
            );
        }
        return;
    }
    if expectation.claim.is_none() {
        out.push(
            Diagnostic::error("blueprint::claim-test", "`expect claim` needs `name=` and `value=`")
                .at(expectation.at, "which claim, and what should it be?")
                .help("for example\n    expect claim alice app:gitea name=role value=admin"),
        );
    }
    if expectation.who.value == "anonymous" {
        out.push(
            Diagnostic::error("blueprint::claim-test", "nobody is signed in: there are no claims")
                .at(expectation.who.span, "name a persona"),
        );
    }
    let TestTarget::App(slug) = &expectation.target.value else { return };
    let app = view.blueprint.apps.iter().find(|app| app.slug.value == *slug);
    if app.is_some_and(|app| app.oidc.is_none()) {
        out.push(
            Diagnostic::error("blueprint::claim-test", format!("app `{slug}` receives no claims"))
                .at(expectation.target.span, "it has no `oidc`"),
        );
    }
}
