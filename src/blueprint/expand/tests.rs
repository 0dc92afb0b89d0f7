use super::*;
use crate::blueprint::diagnostic::Severity;
use crate::blueprint::render::{Format, Style, render};
use crate::blueprint::source::{FileId, SourceFile, Sources};
use crate::blueprint::syntax::parse;
use crate::blueprint::tree::{Scalar, Spelling};

fn expanded(files: &[(&str, &str)]) -> (Sources, Vec<Node>, Diagnostics) {
    let mut out = Diagnostics::default();
    let mut nodes = Vec::new();
    let mut sources = Sources::default();
    for (number, (name, text)) in files.iter().enumerate() {
        sources.files.push(SourceFile { name: (*name).to_owned(), text: (*text).into() });
        nodes.extend(parse(FileId(number as u32), text, &mut out).unwrap_or_default());
    }
    let nodes = expand(nodes, &mut out);
    (sources, nodes, out)
}

fn shown(files: &[(&str, &str)]) -> String {
    let (sources, _, out) = expanded(files);
    render(&out.sorted(), &sources, &Style::default()).trim_end().to_owned()
}

fn short(text: &str) -> String {
    let (sources, _, out) = expanded(&[("a.kdl", text)]);
    let how = Style { format: Format::Short, ..Style::default() };
    render(&out.sorted(), &sources, &how)
}

fn nodes(text: &str) -> Vec<Node> {
    let (_, nodes, out) = expanded(&[("a.kdl", text)]);
    assert!(!out.has_errors(), "{}", short(text));
    nodes
}

const TEMPLATE: &str = r#"template internal-web slug title port host="${docker-host}" {
    app "${slug}" "${title}" {
        proxy "https://${slug}.example.com" to="http://${host}:${port}" port="${port}"
        access { allow everyone }
    }
}
let docker-host "10.0.20.30"
"#;

#[test]
fn a_row_becomes_the_body_of_its_template() {
    let text = format!(
        "{TEMPLATE}each internal-web {{\n    sonarr \"Sonarr\" port=8989\n    \"2f\" \"2F\" 1 host=\"h\"\n}}\n"
    );
    let nodes = nodes(&text);
    assert_eq!(nodes.len(), 2);
    let app = &nodes[0];
    assert_eq!(app.args[0].text(), Some("sonarr"));
    assert_eq!(app.args[0].spelling, Spelling::Replaced);
    let proxy = app.kid("proxy").unwrap();
    assert_eq!(proxy.args[0].text(), Some("https://sonarr.example.com"));
    assert_eq!(proxy.prop("to").unwrap().text(), Some("http://10.0.20.30:8989"));
    assert_eq!(proxy.prop("port").unwrap().scalar, Scalar::Whole(8989));
    assert_eq!(nodes[1].kid("proxy").unwrap().prop("to").unwrap().text(), Some("http://h:1"));

    let origin = app.kid("access").unwrap().kid("allow").unwrap().origin.clone().unwrap();
    assert_eq!(origin.template, "internal-web");
    assert_eq!(text.get(origin.used_at.range()), Some("sonarr \"Sonarr\""));
    assert_eq!(text.get(app.args[0].span.range()), Some("\"${slug}\""));
}

#[test]
fn use_splices_in_apps_and_templates_and_stays_in_policies() {
    let nodes = nodes(
        "template inner { access { allow everyone } }\ntemplate outer name { use inner; title \"${name}\" }\n\
         app a { use outer \"x\"; hidden }\npolicy p { use other; any { use third } }\n",
    );
    let names: Vec<_> = nodes[0].kids.iter().map(|kid| kid.name.text.as_str()).collect();
    assert_eq!(names, ["access", "title", "hidden"]);
    let origin = nodes[0].kids[0].origin.clone().unwrap();
    assert_eq!(origin.template, "inner");
    assert_eq!(origin.outer.as_ref().unwrap().template, "outer");
    assert_eq!(nodes[1].kids.len(), 2);
    assert!(nodes[1].kids[0].is("use") && nodes[1].kids[1].kids[0].is("use"));
}

#[test]
fn only_quoted_strings_hold_variables() {
    let nodes = nodes("let x 1\na \"${x}\" \"-${x}-\" #\"${x}\"# k=\"${x}${x}\" \"$x\" \"{x}\" y");
    let texts: Vec<_> = nodes[0].args.iter().map(|value| value.text()).collect();
    assert_eq!(texts, [None, Some("-1-"), Some("${x}"), Some("$x"), Some("{x}"), Some("y")]);
    assert_eq!(nodes[0].args[0].scalar, Scalar::Whole(1));
    assert_eq!(nodes[0].prop("k").unwrap().text(), Some("11"));
    assert_eq!(nodes[0].args[3].spelling, Spelling::Quoted);
}

#[test]
fn the_order_of_files_does_not_matter() {
    let (rows, rest) = ("each t { a; b }", "template t n { app \"${n}-${d}\" }\nlet d x");
    let there = expanded(&[("a", rows), ("b", rest)]).1;
    let back = expanded(&[("a", rest), ("b", rows)]).1;
    let names = |nodes: &[Node]| -> Vec<String> {
        nodes.iter().map(|node| node.args[0].text().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&there), ["a-x", "b-x"]);
    assert_eq!(names(&back), names(&there));
}

#[test]
fn a_reference_to_a_secret_passes_through_a_parameter() {
    let text = "template t key { scim \"https://x\" { token \"${key}\" } }\napp a { use t key=(credential)wiki }";
    let token = nodes(text)[0].kids[0].kids[0].clone();
    assert_eq!(token.args[0].tag.as_ref().unwrap().text, "credential");
    let text = "template t key { token \"x-${key}\" }\nuse t key=(credential)wiki";
    assert_eq!(short(text), "a.kdl:1:27: blueprint::secret-in-text: `${key}` refers to a secret\n");
}

#[test]
fn an_unknown_variable_is_told_once_however_many_rows_there_are() {
    let text = "let domain \"x\"\ntemplate t n { app \"${n}\" { launch-url \"https://git.${domian}/${domain}\" } }\neach t { a; b; c }";
    let expected = r#"blueprint::unknown-variable

  × unknown variable `${domian}`
   ╭─[a.kdl:2:53]
 1 │ let domain "x"
 2 │ template t n { app "${n}" { launch-url "https://git.${domian}/${domain}" } }
   ·                                                     ────┬────
   ·                                                         ╰── not a `let` and not a template parameter
 3 │ each t { a; b; c }
   ╰────
  help: did you mean ${domain}?"#;
    assert_eq!(shown(&[("a.kdl", text)]), expected);
}

#[test]
fn a_row_that_does_not_fit_shows_the_template() {
    let text = "template internal-web slug title port {\n    app \"${slug}\" \"${title}\" { p \"${port}\" }\n    // more\n}\neach internal-web {\n    sonarr \"Sonarr\" port=8989\n    radarr \"Radarr\" prot=7878\n}\n";
    let expected = r#"blueprint::template-call

  × template `internal-web` needs `port`
   ╭─[16-template.kdl:1:10]
 1 │ template internal-web slug title port {
   ·          ──────┬─────
   ·                ╰── declared here
 2 │     app "${slug}" "${title}" { p "${port}" }
   ╰────
   ╭─[16-template.kdl:7:5]
 6 │     sonarr "Sonarr" port=8989
 7 │     radarr "Radarr" prot=7878
   ·     ───────┬───────
   ·            ╰── add port=...
 8 │ }
   ╰────

blueprint::template-call

  × template `internal-web` has no parameter `prot`
   ╭─[16-template.kdl:1:10]
 1 │ template internal-web slug title port {
   ·          ──────┬─────
   ·                ╰── declared here
 2 │     app "${slug}" "${title}" { p "${port}" }
   ╰────
   ╭─[16-template.kdl:7:21]
 6 │     sonarr "Sonarr" port=8989
 7 │     radarr "Radarr" prot=7878
   ·                     ──┬─
   ·                       ╰── unknown parameter
 8 │ }
   ╰────
  help: did you mean `port`?"#;
    assert_eq!(shown(&[("16-template.kdl", text)]), expected);
}

#[test]
fn a_template_in_another_file_is_shown_apart() {
    let shown = shown(&[("t.kdl", "template t a { x \"${a}\" }"), ("u.kdl", "use t")]);
    let expected = r#"blueprint::template-call

  × template `t` needs `a`
   ╭─[u.kdl:1:1]
 1 │ use t
   · ──┬──
   ·   ╰── add a=...
   ╰────

Advice: 
  ☞ declared here
   ╭─[t.kdl:1:10]
 1 │ template t a { x "${a}" }
   ·          ┬
   ·          ╰── here
   ╰────"#;
    assert_eq!(shown, expected);
}

#[test]
fn a_cycle_is_told_once_with_its_path() {
    let text = "template page { use shell }\ntemplate shell { use page }\napp wiki \"Wiki\" { use page; access { allow group:users } }\napp two { use shell }\n";
    let expected = r#"blueprint::cycle

  × template cycle: page → shell → page
   ╭─[09-cycles.kdl:2:18]
 1 │ template page { use shell }
   ·                 ────┬────
   ·                     ╰── through here
 2 │ template shell { use page }
   ·                  ────┬───
   ·                      ╰── closes the cycle
 3 │ app wiki "Wiki" { use page; access { allow group:users } }
   ·                   ────┬───
   ·                       ╰── through here
 4 │ app two { use shell }
   ╰────
  help: templates may use templates, but never themselves"#;
    assert_eq!(shown(&[("09-cycles.kdl", text)]), expected);
}

#[test]
fn a_cycle_that_nothing_enters_is_told_too() {
    let text =
        "template a { use b }\ntemplate b { each c { x } }\ntemplate c { app x { use a } }\n";
    assert_eq!(short(text), "a.kdl:3:22: blueprint::cycle: template cycle: a → b → c → a\n");
}

#[test]
fn wrong_declarations_and_calls_are_told() {
    for (text, expected) in [
        (
            "let a 1\nlet a 2\nx \"${a}\"",
            "a.kdl:2:5: blueprint::declared-twice: constant `a` is declared twice",
        ),
        (
            "template t { x }\ntemplate t { y }\nuse t",
            "a.kdl:2:10: blueprint::declared-twice: template `t` is declared twice",
        ),
        (
            "template t a a { x \"${a}\" }\nuse t 1",
            "a.kdl:1:14: blueprint::declared-twice: parameter `a` is declared twice",
        ),
        ("let a", "a.kdl:1:1: blueprint::bad-let: `let` wants a name and a value"),
        (
            "let b 1\nlet a \"${b}\"\nx \"${a}\"",
            "a.kdl:2:7: blueprint::bad-let: the value of a constant is literal",
        ),
        (
            "let a (env)B\nx \"${a}\"",
            "a.kdl:1:8: blueprint::bad-let: a constant cannot refer to a secret",
        ),
        ("template { x }", "a.kdl:1:1: blueprint::bad-template: `template` wants a name"),
        ("use tt", "a.kdl:1:5: blueprint::unknown-template: unknown template `tt`"),
        ("use", "a.kdl:1:1: blueprint::template-call: `use` wants the name of a template"),
        ("each { a }", "a.kdl:1:1: blueprint::template-call: `each` wants the name of a template"),
        (
            "template t a { x \"${a}\" }\nuse t 1 2",
            "a.kdl:2:9: blueprint::template-call: template `t` takes one value",
        ),
        (
            "template t a { x \"${a}\" }\nuse t 1 a=2",
            "a.kdl:2:9: blueprint::template-call: parameter `a` is given twice",
        ),
        (
            "template t a { x \"${a}\" }\neach t { b { c } }",
            "a.kdl:2:14: blueprint::template-call: a row takes no block",
        ),
        (
            "template t { x }\nflow f { use t }",
            "a.kdl:2:10: blueprint::misplaced: `use` does not work here",
        ),
        ("app a { let b 1 }", "a.kdl:1:9: blueprint::misplaced: `let` does not work here"),
        ("a \"${b\"", "a.kdl:1:4: blueprint::stray-variable: `${` begins no variable"),
        ("a \"x ${} y\"", "a.kdl:1:6: blueprint::stray-variable: `${` begins no variable"),
        ("a \"\\\"${b}\"", "a.kdl:1:3: blueprint::unknown-variable: unknown variable `${b}`"),
    ] {
        assert_eq!(short(text).trim_end(), expected, "{text}");
    }
}

#[test]
fn what_is_never_used_is_worth_an_advice() {
    let (_, _, out) = expanded(&[("a.kdl", "let a 1\nlet b 2\ntemplate t { x \"${b}\" }")]);
    let found: Vec<_> =
        out.sorted().into_iter().map(|each| (each.severity, each.message)).collect();
    let advice = |text: &str| (Severity::Advice, text.to_owned());
    assert_eq!(found, [advice("constant `a` is never used"), advice("template `t` is never used")]);
}

#[test]
fn a_file_that_could_not_be_read_withholds_unknown_and_unused_names() {
    let files = [("a.kdl", "let x true"), ("b.kdl", "a \"${x}\"\nuse t\nlet unused 1")];
    let (_, _, out) = expanded(&files);
    assert_eq!(out.iter().map(|each| each.code).collect::<Vec<_>>(), ["kdl::bare-keyword"]);
}

#[test]
fn an_expansion_bomb_is_refused() {
    let mut text = "template t0 { x; x; x; x; x; x; x; x; x; x }\n".to_owned();
    for level in 1..7 {
        let uses = format!("use t{}; ", level - 1).repeat(10);
        text.push_str(&format!("template t{level} {{ {uses} }}\n"));
    }
    text.push_str("use t6\n");
    let (_, nodes, out) = expanded(&[("a.kdl", &text)]);
    assert!(nodes.len() <= MAX_NODES);
    assert_eq!(out.iter().map(|each| each.code).collect::<Vec<_>>(), ["blueprint::too-large"]);
}

#[test]
fn templates_within_templates_end_at_a_depth() {
    let mut text = "template t0 { x }\n".to_owned();
    for level in 1..12 {
        text.push_str(&format!("template t{level} {{ use t{} }}\n", level - 1));
    }
    text.push_str("use t11\n");
    assert_eq!(
        short(&text),
        "a.kdl:5:15: blueprint::too-large: templates use templates too deeply\n"
    );
}

#[test]
fn a_mistake_in_a_template_can_show_its_row() {
    let (_, nodes, _) =
        expanded(&[("a.kdl", "template t n {\n\n\n app \"${n}\" }\n\n\neach t {\n x\n}")]);
    let complaint = Diagnostic::error("a::b", "no").at(nodes[0].name.span, "here");
    let complaint = complaint.in_expansion(nodes[0].origin.as_deref());
    assert_eq!(complaint.labels[1].text, "in this expansion of template `t`");
}
