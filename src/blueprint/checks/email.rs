//! How mail is sent: settings of `email` beside each other, and flows that need it.

use super::View;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::flow::{Stage, StageKind};
use crate::blueprint::source::Span;
use crate::blueprint::tree::Node;
use crate::blueprint::validate::with_origin;
use crate::model::smtp_server::{Security, SmtpServer, SmtpServerError};

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    for smtp in view.all("email").flat_map(|node| node.kids_named("smtp")) {
        security(view, smtp, out);
        login(smtp, out);
    }
    needed(view, out);
}

fn security(view: &View<'_>, smtp: &Node, out: &mut Diagnostics) {
    let (Some(email), Some(said)) = (&view.blueprint.email, smtp.prop("security")) else { return };
    match SmtpServer::parse(&email.smtp.value, email.security) {
        Err(error @ SmtpServerError::Contradiction) => {
            let diagnostic = Diagnostic::error("blueprint::smtp-security", error.to_string())
                .at(said.span, "says something else")
                .at(email.smtp.span, "TLS")
                .help("leave `security=` out, or write the address with `smtp://`");
            out.push(with_origin(diagnostic, smtp));
        }
        Ok(server) if server.security() == Security::Plain && !server.is_here() => {
            let message = format!("mail goes to `{}` without encryption", server.authority());
            let diagnostic = Diagnostic::warning("blueprint::mail-in-the-clear", message)
                .at(said.span, "links, codes and the password can be read on the way")
                .help("write `security=starttls`, or `smtps://` in the address");
            out.push(with_origin(diagnostic, smtp));
        }
        _ => {}
    }
}

/// A user without a password is as useless as a password without a user.
fn login(smtp: &Node, out: &mut Diagnostics) {
    let (given, missing) = match (smtp.prop("username"), smtp.prop("password")) {
        (Some(user), None) => (user, "password=(credential)smtp-password"),
        (None, Some(password)) => (password, "username=…"),
        _ => return,
    };
    let diagnostic =
        Diagnostic::error("blueprint::half-a-login", "a mail server wants a user and a password")
            .at(given.span, "one of the two")
            .help(format!("add `{missing}`, or leave both out"));
    out.push(with_origin(diagnostic, smtp));
}

/// Says which stages will not work without a mail server.
fn needed(view: &View<'_>, out: &mut Diagnostics) {
    if view.nodes.iter().any(|node| node.is("email")) {
        return;
    }
    let flows = view.blueprint.flows.iter();
    let stages: Vec<(Span, &str)> =
        flows.flat_map(|flow| flow.stages.iter().filter_map(sends)).collect();
    let Some((first, _)) = stages.first() else { return };
    let mut works: Vec<&str> = stages.iter().map(|(_, work)| *work).collect();
    works.sort_unstable();
    works.dedup();
    let message = format!("no file says how mail is sent: {} will not work", works.join(", "));
    let label = match stages.len() {
        1 => "this stage sends mail".to_owned(),
        count => format!("this stage sends mail, and {} more do", count.saturating_sub(1)),
    };
    out.push(Diagnostic::warning("blueprint::no-mail-server", message).at(*first, label).help(
        "add\n    email { smtp \"smtps://smtp.example.com:465\"; from \"auth@example.com\" }",
    ));
}

/// What a stage sends mail for.
fn sends(stage: &Stage) -> Option<(Span, &'static str)> {
    let work = match stage.kind {
        StageKind::EmailVerify { .. } => "verifying addresses",
        StageKind::EmailLink { .. } => "links by mail",
        StageKind::AuthenticatorEmail => "codes by mail",
        _ => return None,
    };
    Some((stage.at, work))
}
