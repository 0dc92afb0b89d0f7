use super::*;
use crate::blueprint::diagnostic::Diagnostic;
use crate::blueprint::expand::expand;
use crate::blueprint::source::SourceFile;
use crate::blueprint::syntax::parse_named;

fn parsed(text: &str) -> (Option<Vec<Node>>, Vec<Diagnostic>) {
    let mut out = Diagnostics::default();
    let nodes = parse(FileId(0), text, &mut out);
    (nodes, out.sorted())
}

#[test]
fn a_node_in_json_is_the_node_in_kdl() {
    let text = r#"[{ "node": "app", "args": ["wiki", "Team \u00e4"], "props": { "n": 3, "x": 1.5 },
  "children": [{ "node": "token", "args": [{ "tag": "credential", "value": "wiki-token" }] },
               { "node": "title", "args": [{ "text": "wiki" }, { "word": "W" }] }] }]"#;
    let nodes = parsed(text).0.unwrap();
    let app = &nodes[0];
    assert_eq!(app.name.text, "app");
    assert_eq!(app.args[0].bare_word(), Some("wiki"));
    assert_eq!((app.args[1].text(), app.args[1].spelling), (Some("Team ä"), Spelling::Quoted));
    assert_eq!(app.prop("n").unwrap().whole(), Some(3));
    assert_eq!(app.prop("x").unwrap().scalar, Scalar::Decimal(1.5));
    assert_eq!(app.kids[0].args[0].tag.as_ref().unwrap().text, "credential");
    assert_eq!(app.kids[1].args[0].spelling, Spelling::Quoted);
    assert_eq!(app.kids[1].args[1].bare_word(), Some("W"));
    assert_eq!(text.get(app.args[0].span.range()), Some("\"wiki\""));
    assert_eq!(text.get(app.span.range()), Some(&text[1..text.len() - 1]));
}

#[test]
fn both_forms_make_one_blueprint() {
    let file = |name: &str, text: &str| SourceFile { name: name.to_owned(), text: text.into() };
    let json =
        r#"{ "node": "each", "args": ["t"], "children": [{ "node": "a" }, { "node": "b" }] }"#;
    let files = [file("a.kdl", "template t n { app \"${n}\" }"), file("b.json", json)];
    let mut out = Diagnostics::default();
    let mut nodes = Vec::new();
    for (at, file) in files.iter().enumerate() {
        nodes.extend(parse_named(FileId(at as u32), file, &mut out).unwrap());
    }
    let nodes = expand(nodes, &mut out);
    assert!(out.is_empty());
    let names: Vec<_> = nodes.iter().map(|node| node.args[0].text().unwrap()).collect();
    assert_eq!(names, ["a", "b"]);
}

#[test]
fn what_is_wrong_is_marked_where_it_stands() {
    for (text, code, marked, label) in [
        ("[{]", "json::syntax", "]", "a name in quotes belongs here"),
        ("[1 2]", "json::syntax", "2", "`,` or `]` belongs here"),
        ("[\"a", "json::syntax", "\"", "this text is never closed"),
        ("[] x", "json::syntax", "x", "the file should end here"),
        ("[01]", "json::syntax", "0", "this is no number"),
        (r#"[{"node":"a","node":"b"}]"#, "json::syntax", "\"", "this name stands here twice"),
        ("3", "json::shape", "3", "an array of nodes belongs here"),
        (
            "[3]",
            "json::shape",
            "3",
            "a node is an object with `node`, `args`, `props` and `children`",
        ),
        ("[{}]", "json::shape", "{", "this node has no name in `node`"),
        (
            r#"[{"node":"a","arg":[]}]"#,
            "json::shape",
            "\"arg\"",
            "a node holds node, args, props, children",
        ),
        (r#"[{"node":"a","args":[[]]}]"#, "json::shape", "[]", "a value cannot be an array"),
    ] {
        let (nodes, list) = parsed(text);
        assert!(nodes.is_none());
        let found: Vec<_> = list
            .iter()
            .map(|each| {
                (each.code, text.get(each.span().range()).unwrap(), each.labels[0].text.as_str())
            })
            .collect();
        assert_eq!(found, [(code, marked, label)], "{text}");
    }
}

#[test]
fn depth_is_limited() {
    assert_eq!(parsed(&"[".repeat(100_000)).1.len(), 1);
    let deep = r#"{"node":"a","children":["#.repeat(40) + &"]}".repeat(40);
    assert_eq!(parsed(&deep).1[0].labels[0].text, "blocks nest at most 32 deep");
}

proptest::proptest! {
    #[test]
    fn any_text_is_read_without_harm(text in r#"([\[\]{},:"\\ 1.e-]|"node"|"args"|"props"|"children"|true|null|ä){0,40}"#) {
        let (nodes, list) = parsed(&text);
        proptest::prop_assert!(nodes.is_some() || !list.is_empty());
        for each in list {
            proptest::prop_assert!(text.get(each.span().range()).is_some());
        }
    }
}
