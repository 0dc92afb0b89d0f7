//! The tree and its places.

use super::*;

const TEXT: &str = "/- kdl-version 2\napp gräfana \"G\\\"\" (credential)x k=(file)\"/p\" n=0x1F raw=#\"${x}\"# {\n    kid\n} // end\nflag\n";

fn slice(span: Span) -> &'static str {
    TEXT.get(span.range()).unwrap()
}

#[test]
fn every_piece_knows_its_place() {
    let nodes = parsed(TEXT).0.unwrap();
    let app = &nodes[0];
    assert_eq!(slice(app.name.span), "app");
    let args: Vec<_> = app.args.iter().map(|value| slice(value.span)).collect();
    assert_eq!(args, ["gräfana", "\"G\\\"\"", "x"]);
    assert_eq!(slice(app.args[2].tag.as_ref().unwrap().span), "credential");
    let props: Vec<_> =
        app.props.iter().map(|prop| (slice(prop.name.span), slice(prop.value.span))).collect();
    assert_eq!(props, [("k", "\"/p\""), ("n", "0x1F"), ("raw", "#\"${x}\"#")]);
    assert!(slice(app.line).ends_with("raw=#\"${x}\"#"));
    assert!(slice(app.span).starts_with("app") && slice(app.span).ends_with('}'));
    assert_eq!(slice(app.head()), "app gräfana");
    assert_eq!(slice(app.kids[0].span), "kid");
    assert_eq!(slice(nodes[1].span), "flag");
}

#[test]
fn every_value_knows_how_it_is_written() {
    let text = "a b \"c\" #\"d\"# \"\"\"\n  e\n  \"\"\" 1 1.5 #true #null -2";
    let nodes = parsed(text).0.unwrap();
    let values: Vec<_> = nodes[0]
        .args
        .iter()
        .map(|Value { scalar, spelling, .. }| (scalar.clone(), *spelling))
        .collect();
    let text = |text: &str| Scalar::Text(text.to_owned());
    assert_eq!(
        values,
        [
            (text("b"), Spelling::Bare),
            (text("c"), Spelling::Quoted),
            (text("d"), Spelling::Raw),
            (text("e"), Spelling::Raw),
            (Scalar::Whole(1), Spelling::Bare),
            (Scalar::Decimal(1.5), Spelling::Bare),
            (Scalar::Truth(true), Spelling::Bare),
            (Scalar::Null, Spelling::Bare),
            (Scalar::Whole(-2), Spelling::Bare),
        ]
    );
}

#[test]
fn a_part_of_a_string_has_its_own_place() {
    let text = "a \"x ${y} z\"";
    let nodes = parsed(text).0.unwrap();
    let part = nodes[0].args[0].part(text, 2..6);
    assert_eq!(text.get(part.range()), Some("${y}"));
}

#[test]
fn what_is_slashed_out_may_stand_on_the_next_line() {
    for text in ["a 1 /-\n k=1", "a 1 /-// why\n k=1", "a 1 /- /* why */ // why\n\n k=1"] {
        let nodes = parsed(text).0.expect(text);
        assert_eq!((nodes.len(), nodes[0].args.len(), nodes[0].props.len()), (1, 1, 0), "{text}");
    }
}
