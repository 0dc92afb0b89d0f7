//! Mutated examples: whatever comes in, nothing panics, and what comes out is a blueprint.

use doorward::blueprint::diagnostic::Severity;
use doorward::blueprint::load::understand_sources;
use doorward::blueprint::read::Limits;
use doorward::blueprint::source::Sources;
use doorward::blueprint::validate::Mode;
use doorward::import::{Imported, Input, Wishes, authelia, authentik};
use proptest::prelude::*;

use super::example;

fn read(name: &str) -> String {
    std::fs::read_to_string(example(name)).expect("text")
}

fn import(name: &str, text: String) -> Option<Imported> {
    let input = Input { name: name.to_owned(), text };
    match name {
        "blueprint.yaml" => authentik::import(&[input], &Wishes::default()).ok(),
        _ => authelia::import(&[input], &Wishes::default()).ok(),
    }
}

/// What is wrong with what was written.
fn errors(imported: &Imported) -> Vec<String> {
    let settings = "settings { external-host \"https://auth.example.com\" }\n";
    let text = imported.document.text();
    let text = if text.contains("settings {") { text } else { format!("{settings}{text}") };
    let sources = Sources::single("a.kdl", &text);
    let loaded = understand_sources(sources, &Limits::default(), Mode::default());
    let errors = loaded.diagnostics.iter().filter(|each| each.severity == Severity::Error);
    errors.map(|each| each.message.clone()).collect()
}

/// Lines and words of an example, some of them changed.
fn mutated(name: &'static str) -> impl Strategy<Value = String> {
    let words = prop_oneof![
        Just("\"".to_owned()),
        Just("${x}\" { console admin } //".to_owned()),
        Just("*".to_owned()),
        Just("&a [*a]".to_owned()),
        Just("true".to_owned()),
        Just("-1".to_owned()),
        Just("'*.example.com'".to_owned()),
        Just("deny".to_owned()),
        Just("bypass".to_owned()),
        Just("!KeyOf forge".to_owned()),
        Just("!Find []".to_owned()),
        Just("!Format ['%s%s', x]".to_owned()),
        Just("{a: {b: c}}".to_owned()),
        Just("[[[x]]]".to_owned()),
        "\\PC{0,12}",
    ];
    let edit = (any::<prop::sample::Index>(), 0..5_u8, words, any::<prop::sample::Index>());
    prop::collection::vec(edit, 1..6).prop_map(move |edits| {
        let text = read(name);
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        for (at, kind, word, other) in edits {
            let (at, other) = (at.index(lines.len()), other.index(lines.len()));
            let line = |at: usize| lines.get(at).cloned().unwrap_or_default();
            let new = match kind {
                0 => None,
                1 | 2 => Some(line(other)),
                3 => line(at).split_once(": ").map(|(key, _)| format!("{key}: {word}")),
                _ => Some(line(at).chars().take(other % 40).collect::<String>() + &word),
            };
            lines.splice(at..=at, new);
            if lines.is_empty() {
                lines.push(String::new());
            }
        }
        lines.join("\n")
    })
}

fn holds(name: &str, text: String) -> Result<(), TestCaseError> {
    if let Some(imported) = import(name, text) {
        let errors = errors(&imported);
        prop_assert!(errors.is_empty(), "{errors:?}\n{}", imported.document.text());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(40) })]

    #[test]
    fn mutated_configurations(text in mutated("configuration.yml")) {
        holds("configuration.yml", text)?;
    }

    #[test]
    fn mutated_databases(text in mutated("users_database.yml")) {
        holds("users_database.yml", text)?;
    }

    #[test]
    fn mutated_blueprints(text in mutated("blueprint.yaml")) {
        holds("blueprint.yaml", text)?;
    }

    #[test]
    fn any_text_at_all(text in "\\PC{0,200}") {
        import("configuration.yml", text.clone());
        import("blueprint.yaml", text);
    }
}
