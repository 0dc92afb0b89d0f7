//! Secrets beside each other (`security.md` R3).

use std::collections::BTreeMap;

use super::View;
use crate::blueprint::diagnostic::{Diagnostic, Diagnostics};
use crate::blueprint::schema::{ROOT, visit};
use crate::blueprint::secret_ref::{SecretOrigin, SecretRef};
use crate::blueprint::source::Span;
use crate::blueprint::tree::Node;
use crate::blueprint::validate::{text_of, with_origin};

pub(super) fn check(view: &View<'_>, out: &mut Diagnostics) {
    master_key(view, out);
    password_hashes(view, out);
    let mut delivered: BTreeMap<String, Span> = BTreeMap::new();
    for app in view.all("app") {
        let secrets = app.kids_named("oidc").flat_map(|oidc| oidc.kids_named("client-secret"));
        for node in secrets {
            only_generated(node, out);
            delivery(node, &mut delivered, out);
        }
    }
}

fn master_key(view: &View<'_>, out: &mut Diagnostics) {
    let Some(key) = &view.blueprint.server.master_key else { return };
    if !matches!(
        key.origin,
        SecretOrigin::Credential(_) | SecretOrigin::File(_) | SecretOrigin::Env(_)
    ) {
        return;
    }
    visit(view.nodes, &ROOT, &mut |place| {
        if !place.want.is_secret() || place.value.span == key.span {
            return;
        }
        let same =
            SecretRef::from_value(place.value).is_some_and(|other| other.origin == key.origin);
        if same {
            let diagnostic = Diagnostic::error(
                "blueprint::master-key-reused",
                format!("`{}` names the master key", place.name),
            )
            .at(place.value.span, "would be handed out")
            .at(key.span, "the master key")
            .help("every secret has a name of its own");
            out.push(with_origin(diagnostic, place.node));
        }
    });
}

/// One word about all of them: somebody who moved in has one for each person.
fn password_hashes(view: &View<'_>, out: &mut Diagnostics) {
    let hashed = view.blueprint.users.iter().filter_map(|user| user.initial_password.as_ref());
    let hashed: Vec<&SecretRef> =
        hashed.filter(|secret| matches!(secret.origin, SecretOrigin::Argon2id(_))).collect();
    let Some(first) = hashed.first() else { return };
    let label = match hashed.len() {
        1 => "whoever reads the files can try passwords against it".to_owned(),
        more => {
            format!("whoever reads the files can try passwords against it and {} more", more - 1)
        }
    };
    out.push(
        Diagnostic::warning("blueprint::password-hash-in-files", "a password's hash is written in the blueprint")
            .at(first.span, label)
            .help("they are taken up when the files first come into force: strike these lines then,\nand keep the files out of shared repositories until you did"),
    );
}

fn only_generated(node: &Node, out: &mut Diagnostics) {
    let Some(value) = node.args.first() else { return };
    let generated =
        SecretRef::from_value(value).map(|secret| secret.origin) == Some(SecretOrigin::Generated);
    if generated {
        return;
    }
    for prop in
        node.props.iter().filter(|prop| ["rotate", "deliver"].contains(&prop.name.text.as_str()))
    {
        let diagnostic = Diagnostic::error(
            "blueprint::not-generated",
            format!("`{}=` needs a generated secret", prop.name.text),
        )
        .at(prop.name.span, "this secret is made elsewhere")
        .help("write `client-secret generated`, or leave it out");
        out.push(with_origin(diagnostic, node));
    }
}

fn delivery(node: &Node, delivered: &mut BTreeMap<String, Span>, out: &mut Diagnostics) {
    let Some(value) = node.prop("deliver") else { return };
    let Some(path) = text_of(value) else { return };
    let Some(earlier) = delivered.insert(path.clone().into_owned(), value.span) else { return };
    if earlier == value.span {
        return;
    }
    let diagnostic = Diagnostic::error(
        "blueprint::delivered-twice",
        format!("two secrets are delivered to `{path}`"),
    )
    .at(value.span, "second one")
    .at(earlier, "first one")
    .help("each secret has a file of its own");
    out.push(with_origin(diagnostic, node));
}
