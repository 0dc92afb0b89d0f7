//! A tree as YAML, byte for byte the same for the same tree.
//!
//! Every string is quoted, so that no reader takes one for a number, a switch or a date. Knows
//! nothing of Traefik.

use serde_json::{Map, Value};

/// The tree as a YAML document.
#[must_use]
pub fn text(tree: &Map<String, Value>) -> String {
    let mut out = String::new();
    write_map(&mut out, tree, 0);
    out
}

fn write_map(out: &mut String, map: &Map<String, Value>, depth: usize) {
    for (key, value) in map {
        indent(out, depth);
        out.push_str(&key_text(key));
        out.push(':');
        write_below(out, value, depth);
    }
}

/// A collection goes to the following lines, anything else to the end of this one.
fn write_below(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            out.push('\n');
            write_map(out, map, depth + 1);
        }
        Value::Array(list) if !list.is_empty() => {
            out.push('\n');
            write_list(out, list, depth + 1);
        }
        other => {
            out.push(' ');
            out.push_str(&scalar(other));
            out.push('\n');
        }
    }
}

fn write_list(out: &mut String, list: &[Value], depth: usize) {
    for item in list {
        indent(out, depth);
        out.push('-');
        match item {
            Value::Object(map) if !map.is_empty() => {
                let mut lines = String::new();
                write_map(&mut lines, map, depth + 1);
                // The first entry stands behind the hyphen, in the column of the others.
                out.push(' ');
                out.push_str(lines.trim_start_matches(' '));
            }
            other => write_below(out, other, depth),
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(string) => quoted(string),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

/// Plain if no version of YAML could read it as anything but a string.
fn key_text(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let begins = key.starts_with(|c: char| c.is_ascii_alphabetic());
    let word = WORDS.contains(&key.to_ascii_lowercase().as_str());
    if begins && !word && key.chars().all(plain) { key.to_owned() } else { quoted(key) }
}

/// Words that YAML 1.1 or 1.2 reads as a switch or as nothing.
const WORDS: [&str; 9] = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];

/// Single quotes where they spare the reader backslashes; escapes for all that is not plain ASCII.
fn quoted(text: &str) -> String {
    let plain = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
    if plain && text.contains(['\\', '"']) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            other => out.push_str(&escape(other)),
        }
    }
    out.push('"');
    out
}

fn escape(c: char) -> String {
    let code = u32::from(c);
    if code <= 0xffff { format!("\\u{code:04X}") } else { format!("\\U{code:08X}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn strings_that_look_like_something_else_stay_strings() {
        let tree = json!({
            "no": "yes", "port": "080", "list": ["1e3", "null", true, 7], "none": {}, "~": [],
            "regex": r#"^a\.b$ "it's""#, "nested": [{"url": "http://x"}, ["a"]], "odd": "a\nb\u{7f}é😀",
        });
        insta::assert_snapshot!(text(tree.as_object().unwrap()), @r#"
        "no": "yes"
        port: "080"
        list:
          - "1e3"
          - "null"
          - true
          - 7
        none: {}
        "~": []
        regex: '^a\.b$ "it''s"'
        nested:
          - url: "http://x"
          -
            - "a"
        odd: "a\u000Ab\u007F\u00E9\U0001F600"
        "#);
    }

    fn tree() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[a-z0-9 '\":{}#&*!|>%@`,\\[\\]\\\\-]{0,9}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map(".{0,9}", inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(value in tree()) {
            let map = Map::from_iter([("top".to_owned(), value)]);
            let read: Value = serde_saphyr::from_str(&text(&map)).unwrap();
            prop_assert_eq!(read, Value::Object(map));
        }
    }
}
