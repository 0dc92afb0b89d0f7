//! As much of JSON Schema as the description of our answers needs.

use serde_json::Value;

type Resolve<'a> = dyn Fn(&'a Value) -> &'a Value + 'a;

/// What is wrong with a value, by the places where it is.
pub fn misfits<'a>(
    resolve: &Resolve<'a>,
    schema: &'a Value,
    value: &Value,
    place: &str,
) -> Vec<String> {
    let schema = resolve(schema);
    if let Some(kinds) = schema.get("oneOf").and_then(Value::as_array) {
        let fitting = kinds.iter().filter(|kind| misfits(resolve, kind, value, place).is_empty());
        return match fitting.count() {
            1 => Vec::new(),
            other => vec![format!("{place} fits {other} of the kinds")],
        };
    }
    let mut wrong = Vec::new();
    if !has_type(schema.get("type"), value) || !is_listed(schema, value) {
        wrong.push(format!("{place} is {value}"));
    }
    if let Some(all) = value.as_object() {
        let required = schema.get("required").and_then(Value::as_array).into_iter().flatten();
        let missing = required.filter_map(Value::as_str).filter(|name| !all.contains_key(*name));
        wrong.extend(missing.map(|name| format!("{place} has no {name}")));
        for (name, inner) in all {
            let place = format!("{place}.{name}");
            let known = schema.get("properties").and_then(|properties| properties.get(name));
            match (known, schema.get("additionalProperties")) {
                (Some(known), _) => wrong.extend(misfits(resolve, known, inner, &place)),
                (None, Some(Value::Bool(true))) => {}
                (None, Some(other @ Value::Object(_))) => {
                    wrong.extend(misfits(resolve, other, inner, &place));
                }
                _ => wrong.push(format!("{place} is not described")),
            }
        }
    }
    if let (Some(all), Some(items)) = (value.as_array(), schema.get("items")) {
        let each = all.iter().enumerate();
        wrong.extend(
            each.flat_map(|(at, one)| misfits(resolve, items, one, &format!("{place}.{at}"))),
        );
    }
    wrong
}

fn has_type(wanted: Option<&Value>, value: &Value) -> bool {
    let is = |word: &str| match word {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("the type {other} is not known here"),
    };
    match wanted {
        None => true,
        Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).any(is),
        Some(word) => word.as_str().is_some_and(is),
    }
}

/// Whether it is one of the values that are listed, where any are.
fn is_listed(schema: &Value, value: &Value) -> bool {
    let all = schema.get("enum").and_then(Value::as_array);
    schema.get("const").is_none_or(|only| only == value)
        && all.is_none_or(|all| all.contains(value))
}

#[test]
fn what_does_not_fit_is_found() {
    let schema = serde_json::json!({
        "type": "object", "required": ["a"], "additionalProperties": false,
        "properties": { "a": { "type": ["string", "null"] }, "b": { "enum": [1, 2] }, "c": { "items": { "const": true } } },
    });
    let wrong = |value: Value| misfits(&|same| same, &schema, &value, "it");
    assert!(wrong(serde_json::json!({ "a": null, "b": 2, "c": [true] })).is_empty());
    assert_eq!(wrong(serde_json::json!([])), ["it is []"]);
    assert_eq!(wrong(serde_json::json!({})), ["it has no a"]);
    assert_eq!(
        wrong(serde_json::json!({ "a": 1, "d": 1 })),
        ["it.a is 1", "it.d is not described"]
    );
    assert_eq!(
        wrong(serde_json::json!({ "a": "", "b": 3, "c": [false] })),
        ["it.b is 3", "it.c.0 is false"]
    );
}
