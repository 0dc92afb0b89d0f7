//! What an operator confirmed, by name: never a blanket yes.

use std::collections::BTreeSet;

/// Confirmations such as `--allow-prune app:vaultwarden`, each good for exactly one reason.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Confirmations(BTreeSet<String>);

/// An argument that confirms nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no confirmation: write --allow-prune, --adopt or --allow and what a plan names after it"
)]
pub struct NoConfirmation(pub String);

const FLAGS: [&str; 3] = ["--allow-prune", "--adopt", "--allow"];

impl Confirmations {
    /// Reads arguments in the form in which a plan prints them.
    ///
    /// # Errors
    /// If one of them has another form.
    pub fn parse<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<Self, NoConfirmation> {
        let mut confirmed = BTreeSet::new();
        for argument in arguments {
            let parts = argument.trim().split_once([' ', '=']);
            match parts {
                Some((flag, name)) if FLAGS.contains(&flag) && !name.trim().is_empty() => {
                    confirmed.insert(format!("{flag} {}", unquoted(name.trim())));
                }
                _ => return Err(NoConfirmation(argument.to_owned())),
            }
        }
        Ok(Self(confirmed))
    }

    /// The same from the values of each argument.
    #[must_use]
    pub fn of(allow_prune: &[String], adopt: &[String], allow: &[String]) -> Self {
        let of = |flag: &'static str, names: &[String]| -> Vec<String> {
            names.iter().map(|name| format!("{flag} {name}")).collect()
        };
        let all = [of("--allow-prune", allow_prune), of("--adopt", adopt), of("--allow", allow)];
        Self(all.into_iter().flatten().collect())
    }

    /// Whether exactly this was confirmed.
    #[must_use]
    pub fn has(&self, argument: &str) -> bool {
        self.0.iter().any(|given| given == &unquoted_argument(argument))
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An argument for a shell: names with anything unusual in quotes.
#[must_use]
pub fn argument(flag: &str, name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-:.@/,".contains(c);
    match name.chars().all(plain) {
        true => format!("{flag} {name}"),
        false => format!("{flag} '{}'", name.replace('\'', "'\\''")),
    }
}

fn unquoted_argument(argument: &str) -> String {
    match argument.split_once(' ') {
        Some((flag, name)) => format!("{flag} {}", unquoted(name)),
        None => argument.to_owned(),
    }
}

fn unquoted(name: &str) -> String {
    let inner = name.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
    inner.map_or_else(|| name.to_owned(), |inner| inner.replace("'\\''", "'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confirmation_is_good_for_exactly_what_it_names() {
        let given = Confirmations::parse(["--allow-prune app:vaultwarden"]).expect("one");
        assert!(given.has("--allow-prune app:vaultwarden"));
        assert!(!given.has("--allow-prune app:vault"));
        assert!(!given.has("--allow app:vaultwarden"));
    }

    #[test]
    fn a_printed_argument_confirms_what_it_was_printed_for() {
        for name in ["app:a", "test:it's LAN only", "user:a@b.c"] {
            let printed = argument("--allow", name);
            let typed = Confirmations::of(&[], &[], &[name.to_owned()]);
            assert!(typed.has(&printed), "{printed}");
            assert!(Confirmations::parse([printed.as_str()]).expect("parsed").has(&printed));
        }
    }

    #[test]
    fn a_blanket_yes_is_refused() {
        for text in ["--force", "--allow", "--allow-prune ", "yes app:a"] {
            assert!(Confirmations::parse([text]).is_err(), "{text}");
        }
    }
}
