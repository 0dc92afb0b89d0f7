//! What KDL accepts and nobody means.

use super::*;

const HABITS: &str = r#"app grafana "Grafana" {
    proxy https://grafana.example.com to=http://10.0.20.30:3000
    access { allow group:admins, group:users }
}
app gitea "Gitea" {
    launch-url "https://git.${domian}/"
    access { allow group:users method=GET method=POST }
}
"#;

#[test]
fn habits_are_told_and_the_tree_is_what_was_meant() {
    let expected = r#"kdl::bare-url

  × a URL must be quoted
   ╭─[13-kdl-habits.kdl:2:11]
 1 │ app grafana "Grafana" {
 2 │     proxy https://grafana.example.com to=http://10.0.20.30:3000
   ·           ─────────────┬─────────────
   ·                        ╰── KDL reads this as `https:` followed by a comment
 3 │     access { allow group:admins, group:users }
   ╰────
  help: write "https://grafana.example.com"

kdl::bare-url

  × a URL must be quoted
   ╭─[13-kdl-habits.kdl:2:42]
 1 │ app grafana "Grafana" {
 2 │     proxy https://grafana.example.com to=http://10.0.20.30:3000
   ·                                          ───────────┬──────────
   ·                                                     ╰── KDL reads this as `http:` followed by a comment
 3 │     access { allow group:admins, group:users }
   ╰────
  help: write "http://10.0.20.30:3000"

kdl::comma

  × KDL lists have no commas
   ╭─[13-kdl-habits.kdl:3:20]
 2 │     proxy https://grafana.example.com to=http://10.0.20.30:3000
 3 │     access { allow group:admins, group:users }
   ·                    ──────┬──────
   ·                          ╰── the comma is part of the value
 4 │ }
   ╰────
  help: separate values with spaces: `group:admins`

kdl::repeated-property

  × property `method` is given twice
   ╭─[13-kdl-habits.kdl:7:43]
 6 │     launch-url "https://git.${domian}/"
 7 │     access { allow group:users method=GET method=POST }
   ·                                ───┬──     ───┬──
   ·                                   │          ╰── KDL keeps only this last one
   ·                                   ╰── first given here
 8 │ }
   ╰────
  help: repeat the node, or give several values as arguments"#;
    assert_eq!(shown("13-kdl-habits.kdl", HABITS), expected);

    let nodes = parsed(HABITS).0.unwrap();
    let proxy = nodes[0].kid("proxy").unwrap();
    assert_eq!(proxy.args[0].text(), Some("https://grafana.example.com"));
    assert_eq!(proxy.prop("to").unwrap().text(), Some("http://10.0.20.30:3000"));
    let allow = nodes[0].kid("access").unwrap().kid("allow").unwrap();
    let words: Vec<_> = allow.args.iter().map(|value| value.bare_word().unwrap()).collect();
    assert_eq!(words, ["group:admins", "group:users"]);
}

#[test]
fn each_habit_is_one_complaint_about_the_smallest_place() {
    for (text, code, marked, help) in [
        ("a b https://x.y/ { c }", "kdl::bare-url", "https://x.y/", r#"write "https://x.y/""#),
        ("a b=ldap://x;c", "kdl::bare-url", "ldap://x;c", r#"write "ldap://x;c""#),
        ("a host ${domain}", "kdl::bare-variable", "${domain}", r#"write "${domain}""#),
        (
            "a auth.${domain} { b }",
            "kdl::bare-variable",
            "auth.${domain}",
            r#"write "auth.${domain}""#,
        ),
        ("a x,y,z", "kdl::comma", "x,y,z", "separate values with spaces: `x y z`"),
        ("a x, y, z", "kdl::comma", "x,", "separate values with spaces: `x`"),
        ("a x , y", "kdl::comma", ",", "separate values with spaces"),
        ("a 'it is'", "kdl::quotes", "'it is'", r#"write "it is""#),
        ("a `b c`", "kdl::quotes", "`b c`", r#"write "b c""#),
        ("a “b c” { d }", "kdl::quotes", "“b c”", r#"write "b c""#),
        ("title: \"x\"", "kdl::colon", ":", r#"write title "x""#),
        ("a port: 80", "kdl::colon", ":", "write port=80"),
        ("a b\u{200b}c", "kdl::control-character", "\u{200b}", "delete it"),
        (
            "a b c=1 c=2",
            "kdl::repeated-property",
            "c",
            "repeat the node, or give several values as arguments",
        ),
        ("a title = 3", "kdl::spaces-around-equals", "=", "write title=3"),
        ("(x)a", "kdl::annotated-node", "x", "write (x) before the value it belongs to"),
    ] {
        let found = one(text);
        assert_eq!((found.0, found.1, found.3.as_str()), (code, marked, help), "{text}");
        assert!(parsed(text).0.is_some(), "{text}");
    }
}

#[test]
fn a_fix_leaves_nothing_to_complain_of() {
    for text in [
        "a b https://x.y/",
        "a host ${domain}",
        "a x,y",
        "a 'it is'",
        "a “b c” { d }",
        "title: 3",
        "a title = 3",
        "a enabled=true",
        "a 10.0.0.0/8",
        "a 30d",
        "a #True",
        "a color=#fff",
        "a /admin/*",
        "a \"b",
        "t = 3",
        "a r\"x\"",
        "a b==3",
        "a \"b\"\"c\"",
        "# a\nb",
    ] {
        let (_, list) = parsed(text);
        let fix = list[0].fix.clone().unwrap_or_else(|| panic!("{text}: {list:?}"));
        let mut mended = text.to_owned();
        mended.replace_range(fix.span.range(), &fix.replacement);
        assert_eq!(found(&mended), vec![], "{text} became {mended}");
    }
}

#[test]
fn an_open_quote_in_a_url_or_comment_misleads_nobody() {
    assert_eq!(found("a b // it's a \"comment\" with { braces\nc d /* \" } */ e"), vec![]);
    assert_eq!(found("a it's"), vec![]);
    assert_eq!(found("a group:x // https://see.here/ {"), vec![]);
}
