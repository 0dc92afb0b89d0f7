//! Which words announce a secret.

/// Whether what follows this name may be a secret.
pub(super) fn is_secret(name: &str) -> bool {
    let name = name.trim_matches(|c: char| !c.is_alphanumeric());
    let lower = name.to_lowercase();
    let whole = ["secret", "passw", "passphrase", "token", "credential", "apikey", "private-key"];
    whole.iter().any(|word| lower.contains(word))
        || segments(name).any(|word| {
            matches!(word.to_lowercase().as_str(), "key" | "keys" | "pass" | "pwd" | "pw" | "psk")
        })
}

/// `apiKey` is `api` and `Key`, `api-key` as well.
fn segments(name: &str) -> impl Iterator<Item = &str> {
    name.split(|c: char| !c.is_alphanumeric()).flat_map(|part| {
        let borders = part.char_indices().skip(1).filter(|(_, c)| c.is_uppercase());
        let mut starts: Vec<usize> = borders.map(|(at, _)| at).collect();
        starts.insert(0, 0);
        starts.push(part.len());
        let pairs: Vec<_> = starts.iter().copied().zip(starts.iter().copied().skip(1)).collect();
        pairs.into_iter().filter_map(|(start, end)| part.get(start..end))
    })
}

/// Annotations before a name or path where the secret lies, not before the secret.
pub(super) fn is_reference(annotation: &str) -> bool {
    matches!(annotation, "file" | "env" | "credential")
}

/// Nodes whose arguments are names and titles, whatever words occur in them.
pub(super) fn is_object(name: &str) -> bool {
    matches!(
        name,
        "app"
            | "group"
            | "user"
            | "service-account"
            | "policy"
            | "flow"
            | "source"
            | "brand"
            | "notify"
            | "persona"
            | "test"
            | "invariant"
            | "field"
            | "template"
            | "each"
            | "use"
            | "link"
            | "expect"
            | "scopes"
            | "in"
    )
}

/// Nodes whose bare words are choices: `token api`, `keys a b`.
pub(super) fn keeps_bare(name: &str) -> bool {
    let lower = name.to_lowercase();
    !(lower.contains("secret") || lower.contains("passw") || lower.contains("passphrase"))
}
