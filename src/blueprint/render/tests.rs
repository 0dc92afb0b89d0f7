use super::*;
use crate::blueprint::source::{FileId, SourceFile, Span};

fn sources() -> Sources {
    let file = |name: &str, text: &str| SourceFile { name: name.to_owned(), text: text.into() };
    Sources {
        files: vec![
            file("a,b.kdl", "group ä\nallow group:x\nclient-secret \"hunter2\"\n"),
            file("c.kdl", "group x\n"),
        ],
    }
}

fn span(file: u32, start: usize, end: usize) -> Span {
    Span::new(FileId(file), start, end)
}

fn list() -> Vec<Diagnostic> {
    vec![
        Diagnostic::error("blueprint::unknown-group", "unknown group `x`: 100%")
            .at(span(0, 15, 22), "did you mean `ä`?")
            .help("declare it\nor not")
            .related("group `x` is declared here", span(1, 6, 7), "here")
            .fix(span(0, 21, 22), "ä"),
        Diagnostic::warning("blueprint::w", "careful").at(span(0, 0, 5), ""),
        Diagnostic::advice("blueprint::a", "by the way").at(span(1, 0, 5), "this"),
    ]
}

fn rendered(format: Format) -> String {
    render(&list(), &sources(), &Style { format, ..Style::default() })
}

#[test]
fn people_see_the_place_and_what_explains_it() {
    let expected = "blueprint::unknown-group

  × unknown group `x`: 100%
   ╭─[a,b.kdl:2:7]
 1 │ group ä
 2 │ allow group:x
   ·       ───┬───
   ·          ╰── did you mean `ä`?
 3 │ client-secret \"*******\"
   ╰────
  help: declare it
        or not

Advice: 
  ☞ group `x` is declared here
   ╭─[c.kdl:1:7]
 1 │ group x
   ·       ┬
   ·       ╰── here
   ╰────
";
    assert!(rendered(Format::Human).starts_with(expected), "{}", rendered(Format::Human));
    assert!(rendered(Format::Human).contains("  ⚠ careful"));
    assert!(rendered(Format::Human).contains("  ☞ by the way"));
}

#[test]
fn colour_and_unicode_can_be_switched() {
    let plain = Style { unicode: false, ..Style::default() };
    let text = render(&list()[1..], &sources(), &plain);
    assert!(!text.contains('⚠') && !text.contains('─'), "{text}");
    let colour = Style { colour: true, ..Style::default() };
    assert!(render(&list(), &sources(), &colour).contains('\u{1b}'));
    assert!(!rendered(Format::Human).contains('\u{1b}'));
}

#[test]
fn editors_get_one_line_each() {
    assert_eq!(
        rendered(Format::Short),
        "a,b.kdl:2:7: blueprint::unknown-group: unknown group `x`: 100%\n\
         a,b.kdl:1:1: warning: blueprint::w: careful\n\
         c.kdl:1:1: advice: blueprint::a: by the way\n"
    );
}

#[test]
fn github_gets_workflow_commands() {
    assert_eq!(
        rendered(Format::GitHub),
        "::error file=a%2Cb.kdl,line=2,col=7,endColumn=14,title=blueprint%3A%3Aunknown-group::\
         unknown group `x`: 100%25%0Adid you mean `ä`?%0Adeclare it%0Aor not\n\
         ::warning file=a%2Cb.kdl,line=1,col=1,endColumn=6,title=blueprint%3A%3Aw::careful\n\
         ::notice file=c.kdl,line=1,col=1,endColumn=6,title=blueprint%3A%3Aa::by the way%0Athis\n"
    );
}

#[test]
fn programs_get_bytes_lines_and_the_fix() {
    let value: serde_json::Value = serde_json::from_str(&rendered(Format::Json)).unwrap();
    let first = &value[0];
    assert_eq!(first["code"], "blueprint::unknown-group");
    assert_eq!(first["severity"], "error");
    assert_eq!(first["file"], "a,b.kdl");
    assert_eq!(first["bytes"], serde_json::json!({ "start": 15, "end": 22 }));
    assert_eq!(first["start"], serde_json::json!({ "line": 2, "column": 7 }));
    assert_eq!(first["end"], serde_json::json!({ "line": 2, "column": 14 }));
    assert_eq!(first["labels"][0]["text"], "did you mean `ä`?");
    assert_eq!(first["related"][0]["file"], "c.kdl");
    assert_eq!(first["fix"]["replacement"], "ä");
    assert_eq!(value.as_array().unwrap().len(), 3);
    let none = render(&[], &sources(), &Style { format: Format::Json, ..Style::default() });
    assert_eq!(none, "[]\n");
}

#[test]
fn many_complaints_are_counted() {
    let many: Vec<_> = std::iter::repeat_n(list().remove(1), 30).collect();
    let text = render(&many, &sources(), &Style::default());
    assert_eq!(text.matches("careful").count(), 25);
    assert!(text.ends_with("… and 5 more, not shown\n"));
}

#[test]
fn a_secret_never_leaves_in_any_form() {
    let leak = Diagnostic::error("a::b", "`hunter2` is bad")
        .at(span(0, 36, 45), "is hunter2")
        .help("write \"hunter2\"")
        .related("see hunter2", span(1, 0, 1), "hunter2")
        .fix(span(0, 36, 45), "\"hunter2\"");
    for format in [Format::Human, Format::Short, Format::Json, Format::GitHub] {
        let text =
            render(std::slice::from_ref(&leak), &sources(), &Style { format, ..Style::default() });
        assert!(!text.contains("hunter2"), "{text}");
        assert!(text.contains("a::b") || text.contains("a%3A%3Ab"), "{text}");
    }
}
