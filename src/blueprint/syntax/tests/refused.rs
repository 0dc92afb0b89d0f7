//! What KDL refuses, in words that help.

use super::*;

#[test]
fn the_habits_of_other_languages_are_explained() {
    let text = r#"# comment from a YAML habit
app grafana "Grafana" enabled=true {
    access { allow group:admins }
}
policy lan { network 10.0.0.0/8 }
flow x for=authentication {
    login { stay-signed-in 30d }
}
"#;
    let expected = r#"kdl::hash-comment

  × `#` does not start a comment in KDL
   ╭─[14-kdl-syntax.kdl:1:1]
 1 │ # comment from a YAML habit
   · ┬
   · ╰── use // for comments
 2 │ app grafana "Grafana" enabled=true {
   ╰────

kdl::bare-keyword

  × bare `true` is not a KDL value
   ╭─[14-kdl-syntax.kdl:2:31]
 1 │ # comment from a YAML habit
 2 │ app grafana "Grafana" enabled=true {
   ·                               ──┬─
   ·                                 ╰── write #true
 3 │     access { allow group:admins }
   ╰────
  help: blueprints use bare words as switches: `enabled` instead of `enabled=true`

kdl::bare-address

  × an address must be quoted
   ╭─[14-kdl-syntax.kdl:5:22]
 4 │ }
 5 │ policy lan { network 10.0.0.0/8 }
   ·                      ─────┬────
   ·                           ╰── starts like a number
 6 │ flow x for=authentication {
   ╰────
  help: write "10.0.0.0/8"

kdl::bare-duration

  × a duration is written with its unit as a property
   ╭─[14-kdl-syntax.kdl:7:28]
 6 │ flow x for=authentication {
 7 │     login { stay-signed-in 30d }
   ·                            ─┬─
   ·                             ╰── write days=30
 8 │ }
   ╰────"#;
    assert_eq!(shown("14-kdl-syntax.kdl", text), expected);
    assert!(parsed(text).0.is_none());
}

#[test]
fn a_missing_brace_is_found_by_the_indentation() {
    let text = r#"app grafana "Grafana" {
    proxy "https://grafana.example.com"
    access {
        allow group:admins
}

app gitea "Gitea" {
    access { allow group:users }
}
"#;
    let expected = r#"kdl::open-block

  × this block is never closed
   ╭─[15-missing-brace.kdl:1:23]
 1 │ app grafana "Grafana" {
   ·                       ┬
   ·                       ╰── opened here
 2 │     proxy "https://grafana.example.com"
   ╰────
   ╭─[15-missing-brace.kdl:7:1]
 6 │ 
 7 │ app gitea "Gitea" {
   · ─────────┬─────────
   ·          ╰── by the indentation, the missing `}` belongs before this line
 8 │     access { allow group:users }
   ╰────
  help: the `}` of line 5 closes the block of line 3, but does not stand under it"#;
    assert_eq!(shown("15-missing-brace.kdl", text), expected);
}

#[test]
fn a_brace_too_many_is_found_by_the_indentation() {
    let text = "app a {\n    access {\n        allow b\n    }\n    }\n    hidden\n}\n";
    let (_, list) = parsed(text);
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].code, "kdl::stray-brace");
    let starts: Vec<_> = list[0].labels.iter().map(|label| label.span.start).collect();
    assert_eq!(starts, [47, 60]);
}

#[test]
fn two_missing_braces_are_two_complaints() {
    let text = "a {\n    b\nc {\n    d\ne {\n    f\n}\n";
    let marked: Vec<_> = found(text).into_iter().map(|each| (each.0, each.1)).collect();
    assert_eq!(marked, [("kdl::open-block", "{"), ("kdl::open-block", "{")]);
}

#[test]
fn a_block_that_is_open_at_the_end_is_one_complaint() {
    let found = one("a { b {\nc\n");
    assert_eq!((found.0, found.1), ("kdl::open-block", "{"));
}

#[test]
fn each_mistake_is_one_complaint_about_the_smallest_place() {
    for (text, code, marked, label) in [
        ("a # b", "kdl::hash-comment", "#", "use // for comments"),
        ("# a\n# b\n# c\nd", "kdl::hash-comment", "#", "use // for comments"),
        ("a null", "kdl::bare-keyword", "null", "write #null"),
        ("a #True", "kdl::bare-keyword", "#True", "write #true"),
        ("a fd00::/8", "kdl::bare-address", "fd00::/8", "`/` needs quotes"),
        ("a 127.0.0.1:9000", "kdl::bare-address", "127.0.0.1:9000", "starts like a number"),
        ("a 10.0.0.1", "kdl::bare-address", "10.0.0.1", "starts like a number"),
        ("a 1h30m", "kdl::bare-duration", "1h30m", "write hours=1 minutes=30"),
        ("a idle=12h", "kdl::bare-duration", "12h", "write hours=12"),
        ("a 06:30", "kdl::bare-number", "06:30", "starts like a number"),
        ("2fauth \"x\"", "kdl::bare-number", "2fauth", "starts like a number"),
        ("a 1.", "kdl::bare-number", "1.", "starts like a number"),
        ("a 1,000", "kdl::comma", "1,000", "numbers have no commas either"),
        ("a /admin/*", "kdl::bare-path", "/admin/*", "`/` needs quotes"),
        ("a path=/x { b }", "kdl::bare-path", "/x", "`/` needs quotes"),
        ("a ./b.svg", "kdl::bare-path", "./b.svg", "`/` needs quotes"),
        ("a example.com/b", "kdl::bare-url", "example.com/b", "`/` needs quotes"),
        ("a color=#ff0000", "kdl::bare-hash", "#ff0000", "`#` begins a keyword or a raw string"),
        ("a issue#12", "kdl::bare-hash", "issue#12", "`#` begins a keyword or a raw string"),
        ("a DOMAIN\\user", "kdl::backslash", "\\", "needs quotes"),
        ("title = \"x\"", "kdl::equals-after-name", "=", "delete it"),
        ("title=\"x\"", "kdl::equals-after-name", "=", "delete it"),
        ("a b=", "kdl::missing-value", "=", "a value must follow"),
        ("a b=c=d", "kdl::stray-equals", "=", "a second `=`"),
        ("a b => c", "kdl::stray-equals", "=>", "write ="),
        ("a [\"x\", \"y\"]", "kdl::brackets", "[\"x\", \"y\"]", "delete the brackets"),
        ("a [\n  b,\n  c\n]", "kdl::brackets", "[\n  b,\n  c\n]", "delete the brackets"),
        ("a (b c)", "kdl::parenthesis", "(", "this one does not"),
        ("allow(group:a)", "kdl::parenthesis", "(", "separate the name and its values with spaces"),
        ("a (file)", "kdl::missing-value", "(file)", "a value must follow"),
        ("a b\n{\n  c\n}", "kdl::brace-alone", "{", "KDL ended the node at the line break"),
        ("a b; { c }", "kdl::brace-alone", ";", "delete it"),
        ("{ a }", "kdl::brace-alone", "{", "a block belongs to a node: name { … }"),
        ("a { b } c", "kdl::after-block", "c", "put it on its own line, or a `;` before it"),
        ("a { b } { c }", "kdl::after-block", "{", "this is a second one"),
        ("a \"b", "kdl::open-string", "\"", "opened here; the line ends before the closing quote"),
        (
            "a \"b {\n  c\n}",
            "kdl::open-string",
            "\"",
            "opened here; the line ends before the closing quote",
        ),
        ("a #\"b\nc", "kdl::open-string", "#\"", "opened here; the line ends before its end"),
        (
            "a \"\"\"\nb",
            "kdl::open-string",
            "\"\"\"",
            "opened here, and the file ends before its end",
        ),
        ("a /* b", "kdl::open-comment", "/*", "opened here, and the file ends before its end"),
        (
            "a \"b\"c",
            "kdl::missing-space",
            "\"b\"c",
            "put a space between them, or escape the quote: \\\"",
        ),
        ("a r\"\\d\"", "kdl::old-raw-string", "r\"\\d\"", "this is how KDL version 1 wrote it"),
        ("a \"\"\"b\"\"\"", "kdl::text-shape", "\"\"\"", "break the line here"),
        (
            "a \"\"\"\n  b\n c\n  \"\"\"",
            "kdl::text-shape",
            "c",
            "begin it with the same spaces or tabs as the closing \"\"\"",
        ),
        ("a }", "kdl::stray-brace", "}", "this one closes nothing"),
        (
            "a\n<<<<<<< x\nb\n=======\nc\n>>>>>>> y\n",
            "kdl::merge-marker",
            "<<<<<<< x",
            "the conflict begins here",
        ),
    ] {
        let found = one(text);
        assert_eq!((found.0, found.1, found.2.as_str()), (code, marked, label), "{text}");
        assert!(parsed(text).0.is_none(), "{text}");
    }
}

#[test]
fn a_bad_escape_is_marked_inside_its_string() {
    let found = one(r#"policy a { cel "user.email.matches('\d+\w')" }"#);
    assert_eq!((found.0, found.1), ("kdl::escape", r"\d"));
    assert!(found.3.contains("raw string"), "{}", found.3);
    assert_eq!(one(r#"a "\u{110000}""#).1, r"\u");
    assert_eq!(found_codes(r#"a "\n\t\\\"\s\u{e4}" "x\  y""#), Vec::<&str>::new());
}

fn found_codes(text: &str) -> Vec<&'static str> {
    found(text).into_iter().map(|each| each.0).collect()
}

#[test]
fn independent_mistakes_are_all_told() {
    let text = "a true\nb \"x\nc (y\nd 30d\ne { f } g\nh ${i}\nj k,l\n";
    assert_eq!(
        found_codes(text),
        [
            "kdl::bare-keyword",
            "kdl::open-string",
            "kdl::parenthesis",
            "kdl::bare-duration",
            "kdl::after-block",
            "kdl::bare-variable",
            "kdl::comma",
        ]
    );
}

#[test]
fn what_nobody_foresaw_is_told_once_for_each_line() {
    let huge = "9".repeat(60);
    let text = format!("a {huge}\nb\nc {huge} {{ d }}\n");
    let found = found(&text);
    let marked: Vec<_> = found.iter().map(|each| (each.0, each.1)).collect();
    assert_eq!(marked, [("kdl::syntax", huge.as_str()), ("kdl::syntax", huge.as_str())]);
}

#[test]
fn a_file_that_is_refused_withholds_names() {
    let mut out = Diagnostics::default();
    parse(FILE, "a true", &mut out);
    assert!(out.names_withheld());
    let mut out = Diagnostics::default();
    parse(FILE, "a b, c", &mut out);
    assert!(!out.names_withheld());
}
