//! References to secrets (`blueprints.md` 3.7, `security.md` R3). Never prints a value.

use super::Walk;
use super::value::text_of;
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::schema::{Place, Want};
use crate::blueprint::suggest::nearest;
use crate::blueprint::tree::{Spelling, Word};

/// The annotations that say where a secret is found.
const WHERE: [&str; 5] = ["credential", "file", "env", "sealed", "argon2id"];

/// What every variable of the environment that holds a secret is called.
const ENV_PREFIX: &str = "DOORWARD_SECRET_";

impl Walk<'_> {
    pub(super) fn secret(&mut self, place: &Place<'_>) {
        match (&place.value.tag, text_of(place.value)) {
            (Some(tag), Some(text)) => self.tagged(place, tag, &text),
            (None, Some(text)) if text == "generated" && place.value.spelling == Spelling::Bare => {
                self.generated(place);
            }
            _ => self.literal(place),
        }
    }

    fn tagged(&mut self, place: &Place<'_>, tag: &Word, text: &str) {
        match tag.text.as_str() {
            "credential" => self.expect(
                place,
                plain_name(text),
                "not the name of a credential",
                "write (credential)smtp-password: a file of that name in $CREDENTIALS_DIRECTORY",
            ),
            "file" => self.expect(
                place,
                super::word::file(text).is_none(),
                "not an absolute path",
                "write (file)\"/run/secrets/name\"",
            ),
            "env" => self.environment(place, text),
            "argon2id" => self.verifier(place, text),
            "sealed" => self.expect(
                place,
                !text.is_empty(),
                "this is empty",
                "write what `doorward seal` prints",
            ),
            other => {
                let diagnostic = Diagnostic::error(
                    "blueprint::unknown-annotation",
                    format!("`({other})` does not say where a secret is"),
                );
                let diagnostic = match nearest(other, WHERE) {
                    Some(near) => diagnostic.at(tag.span, format!("did you mean `({near})`?")),
                    None => diagnostic.at(tag.span, "not known here"),
                };
                self.report(place.node, diagnostic.help(help(place)));
            }
        }
    }

    fn expect(&mut self, place: &Place<'_>, good: bool, label: &str, help: &str) {
        if good {
            return;
        }
        let message = format!("`{}` has a reference that leads nowhere", place.name);
        let diagnostic = Diagnostic::error("blueprint::bad-secret", message)
            .at(place.value.span, label)
            .help(help);
        self.report(place.node, diagnostic);
    }

    fn environment(&mut self, place: &Place<'_>, name: &str) {
        let fits = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let good =
            name.len() > ENV_PREFIX.len() && name.starts_with(ENV_PREFIX) && name.chars().all(fits);
        let diagnostic = if good {
            Diagnostic::warning(
                "blueprint::secret-in-environment",
                "a secret is read from the environment",
            )
            .at(place.value.span, "visible in /proc and inherited by every child process")
            .help("(credential)name or (file)\"/path\" is safer")
        } else {
            Diagnostic::error(
                "blueprint::bad-secret",
                format!("the environment may give `{}` only under a name of its own", place.name),
            )
            .at(place.value.span, format!("begin with {ENV_PREFIX}"))
            .help(format!("write (env){ENV_PREFIX}NAME, in capital letters, digits and `_`"))
        };
        self.report(place.node, diagnostic);
    }

    fn verifier(&mut self, place: &Place<'_>, text: &str) {
        if place.want == Want::FirstPassword {
            return self.password_hash(place, text);
        }
        if place.want != Want::ClientSecret {
            let diagnostic = Diagnostic::error(
                "blueprint::bad-secret",
                format!("`{}` needs the secret itself", place.name),
            )
            .at(place.value.span, "a verifier can only be compared with")
            .help(help(place));
            return self.report(place.node, diagnostic);
        }
        let good = text.starts_with("$argon2id$") && argon2::PasswordHash::new(text).is_ok();
        self.expect(place, good, "not a verifier", "write (argon2id)\"$argon2id$v=19$m=…\"");
    }

    fn password_hash(&mut self, place: &Place<'_>, text: &str) {
        let Err(fault) = crate::model::password_hash::check(text) else { return };
        let diagnostic =
            Diagnostic::error("blueprint::bad-secret", "nobody could sign in by this hash")
                .at(place.value.span, fault.to_string())
                .help("write (argon2id)\"$argon2id$v=19$m=65536,t=3,p=4$…\",\nor leave the line out and run `doorward user link NAME`");
        self.report(place.node, diagnostic);
    }

    fn generated(&mut self, place: &Place<'_>) {
        if !matches!(place.want, Want::Secret | Want::FirstPassword) {
            return;
        }
        let diagnostic = Diagnostic::error(
            "blueprint::cannot-generate",
            format!("`{}` cannot be generated", place.name),
        )
        .at(place.value.span, "somebody else decides this value")
        .help(help(place));
        self.report(place.node, diagnostic);
    }

    fn literal(&mut self, place: &Place<'_>) {
        let message = "a secret is written in the blueprint";
        let diagnostic = if self.mode.dev {
            Diagnostic::warning("blueprint::secret-in-git", message)
        } else {
            Diagnostic::error("blueprint::secret-in-git", message)
        };
        let diagnostic = diagnostic
            .at(place.value.span, "everyone who can read the repository can read this")
            .help(format!(
                "{};\nif it was ever committed, treat it as leaked and rotate it",
                help(place)
            ));
        self.report(place.node, diagnostic);
    }
}

fn help(place: &Place<'_>) -> String {
    let given = "(credential)name, (file)\"/path\"\nor (env)DOORWARD_SECRET_NAME";
    if matches!(place.want, Want::Secret | Want::FirstPassword) {
        return format!("use {given}");
    }
    let written = if place.node.is(place.name) {
        format!("{} generated", place.name)
    } else {
        format!("{}=generated", place.name)
    };
    format!("use `{written}` (kept in the state store), {given}")
}

/// A name of one file, nothing that leads elsewhere.
fn plain_name(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    !text.is_empty() && !text.starts_with('.') && text.chars().all(fits)
}
