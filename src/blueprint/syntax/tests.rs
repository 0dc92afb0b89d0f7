use super::*;
use crate::blueprint::render::{Format, Style, render};
use crate::blueprint::source::Sources;

/// What `check` prints of one file.
fn shown(name: &str, text: &str) -> String {
    let mut out = Diagnostics::default();
    parse(FileId(0), text, &mut out);
    render(&out.sorted(), &Sources::single(name, text), &Style::default())
}

/// One line for each complaint.
fn short(text: &str) -> String {
    let mut out = Diagnostics::default();
    parse(FileId(0), text, &mut out);
    let how = Style { format: Format::Short, ..Style::default() };
    render(&out.sorted(), &Sources::single("a.kdl", text), &how)
}

#[test]
fn scratch() {
    for name in ["13-kdl-habits", "14-kdl-syntax", "15-missing-brace"] {
        let text =
            std::fs::read_to_string(format!("/work/shared/examples/mistakes/{name}.kdl")).unwrap();
        println!("{}", shown(&format!("{name}.kdl"), &text));
    }
    for text in [
        "app x\n{\n}",
        "a \"b\"c",
        "a 'b c' “d e”",
        "a title: x\nb: 3",
        "t = \"x\"",
        "a t = 3",
        "a b=\n",
        "a [1, 2, \"x\"]\nb 3",
        "a /admin/*\nb path=/x",
        "a fd00::/8 10.0.0.0/8, 10.1.0.0/16",
        "a \"x\\d\"",
        "a \"b\nc\n",
        "a \"b {\n c\n}\nd",
        "a #\"b\nc",
        "a \"\"\"b\"\"\"",
        "a \"\"\"\n  b\n c\n  \"\"\"",
        "a {} b",
        "a { b\n}\n}\n",
        "a (x)\n",
        "a color=#ff0000",
        "a host ${domain}",
        "a #True",
        "2fauth \"x\" port=1",
        "allow(group:a)",
        "a /* b",
        "a \"\"\"\nb",
        "a { b } { c }",
        "a r\"x\\d\"",
        "a 1,000 2%",
        "a b==3",
        "a b=>3",
        "x { a { b { c }\n",
        "a @\\b",
        "(x y)a",
        "a (",
        "a )",
        "a 5 ] b",
        "\"a\": 3, \"b\": [1]",
        "{\n \"a\": 1\n}",
        "a \u{200b}b",
        "a x=1 x=2",
    ] {
        println!("--- {text:?}\n{}", short(text));
    }
}
