//! The properties that `tests/fuzz` tries for as long as one likes, here on its examples and on what a few
//! changes make of them: always the same ones, within seconds.

use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::inside::Inside;
use super::properties::{ALL, Property};
use crate::support::stores::scratch;

const CASES: u32 = 600;

/// What stands in the place of a part of an input.
const WORDS: [&str; 16] = [
    "",
    "\"",
    "{",
    "}",
    "null",
    "0",
    "-1",
    "1e99",
    "1700000000",
    "\n",
    ".",
    "=",
    ":",
    "%41",
    "[]",
    "é",
];

/// One change: where, how much of what is there goes, and what comes.
type Change = (Index, u8, &'static str);

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let word = (0..WORDS.len()).prop_map(|index| WORDS.get(index).copied().unwrap_or_default());
    vec((any::<Index>(), 0..12_u8, word), 0..4)
}

fn changed(seed: &str, changes: &[Change]) -> String {
    let mut text: Vec<char> = seed.chars().collect();
    for (at, length, word) in changes {
        let from = at.index(text.len() + 1);
        let to = (from + usize::from(*length)).min(text.len());
        text.splice(from..to, word.chars());
    }
    text.into_iter().collect()
}

#[test]
fn what_is_made_of_examples_is_taken_only_where_it_should_be() {
    for Property { name, check } in ALL {
        let examples = examples(name);
        let inside = Inside::new(scratch());
        for (file, text) in &examples {
            let taken = check(&inside, text.as_bytes());
            assert_eq!(taken, file.starts_with("good-"), "{name}: {file}");
        }
        let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
        let chance = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
        let made = TestRunner::new_with_rng(config, chance).run(
            &(any::<Index>(), changes()),
            |(index, changes)| {
                check(&inside, changed(&index.get(&examples).1, &changes).as_bytes());
                Ok(())
            },
        );
        made.unwrap_or_else(|why| panic!("{name}: {why}"));
    }
}

/// The examples of a target: those whose names begin with `good-` are taken.
fn examples(name: &str) -> Vec<(String, String)> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(name);
    let files = std::fs::read_dir(directory).expect("a corpus");
    let read = |file: std::fs::DirEntry| {
        let text = std::fs::read_to_string(file.path()).expect("text");
        (file.file_name().to_string_lossy().into_owned(), text)
    };
    let mut all: Vec<_> = files.map(|file| read(file.expect("a file"))).collect();
    all.sort();
    assert!(all.iter().any(|(file, _)| file.starts_with("good-")), "{name}");
    all
}
