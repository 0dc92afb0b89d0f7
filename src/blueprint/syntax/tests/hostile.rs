//! Texts that nobody should write.

use super::*;

/// A piece of the kind of blueprint that people have.
const SAMPLE: &str = r##"/- kdl-version 2
let domain "example.com"
settings {
    external-host "https://auth.${domain}" // where people sign in
    session { idle hours=12; absolute days=14 }
}
template internal-web slug title port host="10.0.20.30" {
    app "${slug}" "${title}" {
        proxy "https://${slug}.${domain}" to="http://${host}:${port}"
        /- bypass "/api/websocket/*" reason="terminal"
        access { allow group:admins "group:users" }
    }
}
each internal-web {
    sonarr   "Sonarr"   port=8989
    radarr   "Radarr"   port=7878
}
email {
    smtp "smtps://mail:465" username="a@b" password=(credential)smtp-password
    from "Home Läb <auth@${domain}>"
}
traefik {
    raw #"""
        http:
          middlewares: {}
        """#
}
/* a /* nested */ comment ***/
policy mail { cel "user.email.endsWith('@example.com') && \"x\" != \u{e4}" }
"##;

/// Runs everything on a text and holds what must hold for every text.
fn endure(text: &str) -> Result<(), TestCaseError> {
    let start = Instant::now();
    let (nodes, list) = parsed(text);
    let taken = start.elapsed();
    // The parser is optimised in tests and the passes around it are not; an unlucky pause of the
    // machine must not fail the test, exponential time must.
    prop_assert!(taken.as_millis() < 1_000, "{} ms", taken.as_millis());
    prop_assert!(nodes.is_some() || !list.is_empty());
    for each in &list {
        let labels = each.labels.iter().chain(each.related.iter().map(|related| &related.label));
        for span in labels.map(|label| label.span).chain(each.fix.iter().map(|fix| fix.span)) {
            prop_assert!(text.get(span.range()).is_some(), "{each:?}");
        }
        prop_assert!(!each.labels.is_empty());
    }
    for node in nodes.iter().flatten() {
        within(node, text)?;
    }
    let sources = Sources::single("a.kdl", text);
    for format in [Format::Human, Format::Short, Format::Json, Format::GitHub] {
        let shown = render(&list, &sources, &Style { format, ..Style::default() });
        prop_assert!(!shown.is_empty() || list.is_empty());
    }
    prop_assert_eq!(mask(text).len(), text.len());
    Ok(())
}

fn within(node: &Node, text: &str) -> Result<(), TestCaseError> {
    let values = node.args.iter().chain(node.props.iter().map(|prop| &prop.value));
    let spans = values.map(|value| value.span).chain([node.name.span, node.line, node.span]);
    for span in spans {
        prop_assert!(text.get(span.range()).is_some(), "{node:?}");
        let inside = node.span.start <= span.start && span.end <= node.span.end;
        prop_assert!(inside, "{node:?}");
    }
    node.kids.iter().try_for_each(|kid| within(kid, text))
}

fn cut(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_damaged_blueprint_does_no_harm(
        changes in prop::collection::vec((0..SAMPLE.len(), 0..12usize, r##"[-{}()\[\]"'#/*=;,\\ \n$:.a0ä“<]{0,4}"##), 1..6)
    ) {
        let mut text = SAMPLE.to_owned();
        for (at, len, with) in changes {
            let start = cut(&text, at);
            let end = cut(&text, at + len).max(start);
            text.replace_range(start..end, &with);
        }
        endure(&text)?;
    }

    #[test]
    fn a_text_of_pieces_does_no_harm(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "/-", "/-{", "/- a {", "a", " ", "\n", ";", "\"", "\"\"\"", "\"\"\"\n", "#", "#\"", "\"#", "#true",
            "/*", "*/", "**", "//", "(", ")", "(a)", "=", "a=1", "\\", "\\\n", "1", "1.", "0x", "-", "https://x", "${a}", "${",
            "'", "“", "”", ",", ":", "[", "]", "é", "\u{2028}", "\r\n", "\u{feff}", "\u{202e}", "true", "30d", "10.0.0.0/8",
            "<<<<<<< a\n", "=======\n", ">>>>>>> b\n", "secret ", "a { b 1 }\n", "{ /- ", "} /- {",
        ]), 0..60),
    ) {
        endure(&pieces.concat())?;
    }

    #[test]
    fn what_is_not_a_habit_is_read_as_the_kdl_crate_reads_it(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "a", "b ", " ", "\n", ";", "\"x y\"", "#\"r\"#", "#true", " 12 ", "/* c */", "// d\n", "/* * / /**/ */", "(t)\"v\"",
            " k=1", " k=\"v\"", " { ", " }\n", "/-", "/- ", "/- z 1\n", " \\\n ", "\"\"\"\n  m\n  \"\"\"", " /- { q }",
        ]), 0..40),
    ) {
        let text = pieces.concat();
        let (nodes, list) = parsed(&text);
        let theirs = KdlDocument::parse_v2(&text);
        match (nodes, theirs) {
            (Some(nodes), Ok(theirs)) => prop_assert!(same(&nodes, &theirs), "{text:?}"),
            (Some(_), Err(_)) => prop_assert!(false, "accepted {text:?}"),
            // In a node that is slashed out the crate takes what the grammar of KDL refuses, such
            // as `#truea` or an argument after a block.
            (None, Ok(_)) => prop_assert!(
                text.contains("/-") || list.iter().any(|each| each.code == "kdl::too-deep"),
                "refused {text:?}: {list:?}"
            ),
            (None, Err(_)) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_repeated_piece_does_no_harm(
        piece in r##"(/-|\{|\}|a|1|\.|"|#|\n| |\(|\)|=|/\*|\*/|//|\\|;|,|\[){1,5}"##,
        times in 1..1500usize,
    ) {
        endure(&piece.repeat(times))?;
        endure(&format!("a {}", piece.repeat(times)))?;
    }
}

fn same(ours: &[Node], theirs: &KdlDocument) -> bool {
    ours.len() == theirs.nodes().len()
        && ours.iter().zip(theirs.nodes()).all(|(ours, theirs)| {
            let args = theirs.entries().iter().filter(|entry| entry.name().is_none()).count();
            let no_kids = KdlDocument::new();
            ours.name.text == theirs.name().value()
                && ours.args.len() == args
                && same(&ours.kids, theirs.children().unwrap_or(&no_kids))
        })
}

#[test]
fn the_worst_accepted_files_are_read_quickly() {
    let deep = guard::MAX_DEPTH;
    let commented = format!("/- a {{\n{}}}\n", "/- b {\n x 1 2 3 \"y\"\n}\n".repeat(300));
    for text in [
        "a {".repeat(deep) + &"}".repeat(deep),
        "{".repeat(deep),
        "/- a {}\n".repeat(4000),
        "a /- {} /- {} /- {}\n".repeat(1000),
        "a /-1 /-2 /-3 /-4 /-5 {}\n".repeat(1000),
        format!("/*{}*/ a", "*".repeat(100_000)),
        format!("/*{}*/ a", "/**/".repeat(20_000)),
        format!("a \\ /*{}*/\n b", "*".repeat(60_000)),
        "}".repeat(50_000),
        "a )\n".repeat(5_000),
        format!("a \"\"\"\n{}\n\"\"\"", "\\ \n x".repeat(2_000)),
        format!("a {}", "\\\n".repeat(5_000)),
        commented,
    ] {
        endure(&text).unwrap();
    }
}

#[test]
fn nested_slashdash_cannot_hang_the_parser() {
    for text in ["/- {".repeat(16), "/- a {".repeat(16), "a /- {".repeat(40), "/-\na {".repeat(20)]
    {
        let (nodes, list) = parsed(&text);
        assert!(nodes.is_none());
        assert_eq!(list.first().unwrap().code, "kdl::too-deep");
    }
}

#[test]
fn the_sample_itself_is_flawless() {
    let (nodes, list) = parsed(SAMPLE);
    assert_eq!(list, vec![]);
    assert_eq!(nodes.unwrap().len(), 7);
}
