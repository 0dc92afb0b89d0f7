use super::*;

const SUMMARY: &str = "expressions are CEL: user.*, request.*, app.slug, now";

fn problems(text: &str, context: Context, want: Want) -> Vec<(String, String, String)> {
    check(text, context, want)
        .into_iter()
        .map(|problem| (text[problem.range.clone()].to_owned(), problem.message, problem.label))
        .collect()
}

/// The place, the message and the label of the only problem of a policy.
fn one(text: &str) -> (String, String, String) {
    let mut all = problems(text, Context::Policy, Want::Truth);
    assert_eq!(all.len(), 1, "{text}: {all:?}");
    all.remove(0)
}

fn assert_one(text: &str, place: &str, message: &str, label: &str) {
    assert_eq!(one(text), (place.to_owned(), message.to_owned(), label.to_owned()), "{text}");
}

fn only(text: &str) -> Problem {
    let mut all = check(text, Context::Policy, Want::Truth);
    assert_eq!(all.len(), 1, "{text}: {all:?}");
    all.remove(0)
}

#[test]
fn the_four_documented_mistakes_are_told_in_the_documented_words() {
    let text = "user.email.endsWith('@example.com') &&";
    let early = only(text);
    assert_eq!(early.code, "blueprint::bad-expression");
    assert_eq!(early.range, text.len() - 1..text.len());
    assert_eq!(early.message, "this expression does not parse");
    assert_eq!(early.label, "the expression stops too early");
    assert_eq!(early.help.as_deref(), Some(SUMMARY));

    let field = only("'admins' in user.gruops");
    assert_eq!((field.code, field.range), ("blueprint::unknown-field", 17..23));
    assert_eq!(field.message, "`user` has no field `gruops`");
    assert_eq!(field.label, "did you mean `groups`?");
    let help = "user has: username, name, email, groups, attributes, mfa";
    assert_eq!(field.help.as_deref(), Some(help));

    let variable = only("usr.username == 'alice'");
    assert_eq!((variable.code, variable.range), ("blueprint::unknown-field", 0..3));
    assert_eq!(variable.message, "unknown variable `usr`");
    assert_eq!(variable.label, "did you mean `user`?");
    assert_eq!(variable.help.as_deref(), Some("available: user, request, app, now"));

    let function = only("user.email.endswith('@example.com')");
    assert_eq!((function.code, function.range), ("blueprint::unknown-function", 11..19));
    assert_eq!(function.message, "unknown function `endswith`");
    assert_eq!(function.label, "did you mean `endsWith`?");
    assert_eq!(function.help, None);
}

#[test]
fn what_the_parser_refuses_is_told_in_plain_words() {
    let message = "this expression does not parse";
    for (text, place, label) in [
        ("", "", "the expression is empty"),
        ("user.username = 'a'", "=", "write == to compare"),
        ("user.username == 'a", "'a", "this text is never closed"),
        ("('a' in user.groups", "(", "this bracket is never closed"),
        ("'a' in user.groups)", ")", "nothing was opened that this closes"),
        ("'a' in [user.username)", ")", "does not close the `[` before it"),
        ("app.hidden and true", "and", "write && instead"),
        ("'ä' == user.name §", "§", "this character means nothing here"),
        ("'ä' == user.name 'b'", "'b'", "not expected here"),
        ("if == 'a'", "if", "a reserved word of CEL"),
        ("user.name == '\\q'", "'\\q'", "an unknown escape in this text"),
        ("9999999999999999999999 == 1", "9999999999999999999999", "this number is too large"),
    ] {
        assert_one(text, place, message, label);
    }
}

#[test]
fn too_much_of_anything_is_refused_before_it_is_read() {
    assert_eq!(one(&"a".repeat(1025)).1, "this expression is too long");
    assert_eq!(one(&format!("{}1{}", "(".repeat(33), ")".repeat(33))).0, "(");
    assert_eq!(one(&format!("1{}", "+1".repeat(400))).1, "this expression nests too deeply");
    let loops = "user.groups.all(a, user.groups.all(b, user.groups.all(c, a == b)))";
    assert_eq!(one(loops).1, "loops nest too deeply");
    let chain = "user.groups.filter(a, a != '').map(b, b + 'x').exists(c, c == 'yx')";
    assert_eq!(problems(chain, Context::Policy, Want::Truth), []);
}

#[test]
fn what_can_be_seen_depends_on_the_place() {
    assert_eq!(check("request.path == '/'", Context::Policy, Want::Truth), []);
    let claim = problems("request.path", Context::Claim, Want::Text);
    assert_eq!(claim[0].1, "unknown variable `request`");
    assert_eq!(claim[0].2, "not available here");
    assert_eq!(check("app.hidden || has(app.category)", Context::Invariant, Want::Truth), []);
    assert_eq!(one("app.hidden").1, "`app` has no field `hidden`");
    assert_eq!(one("user == 'a'").1, "`user` is not a value by itself");
}

#[test]
fn types_that_do_not_go_together_are_told_apart() {
    for (text, place, message, label) in [
        ("1 + 'a' == 2", "1 + 'a'", "`+` does not go with these two", "a whole number + text"),
        (
            "1 + 1.5 > 2",
            "1 + 1.5",
            "`+` does not go with these two",
            "a whole number + a decimal number",
        ),
        ("user.username == 1", "1", "text never equals a whole number", "this is a whole number"),
        ("user.email == null", "user.email", "text never equals null", "this is never null"),
        (
            "'a' in user.username",
            "user.username",
            "`in` looks into a list or a map",
            "this is text",
        ),
        (
            "1 in user.groups",
            "1",
            "`user.groups` never contains a whole number",
            "this is a whole number, and `user.groups` holds text",
        ),
        (
            "user.groups && true",
            "user.groups",
            "a condition must be true or false",
            "this is a list of text",
        ),
        (
            "user.groups.startsWith('a')",
            "user.groups",
            "`startsWith` wants text",
            "this is a list of text",
        ),
        ("user.username.startsWith(1)", "1", "`startsWith` wants text", "this is a whole number"),
        (
            "startsWith('a', 'b')",
            "startsWith",
            "`startsWith` is called on a value",
            "write value.startsWith(…)",
        ),
        (
            "user.username.startsWith()",
            "startsWith",
            "`startsWith` has another number of arguments",
            "it takes one",
        ),
        ("user.username.int() == 1", "int", "`int` is not called on a value", "write int(value)"),
        (
            "user.username.exists(x, true)",
            "user.username",
            "`exists` goes through a list or the keys of a map",
            "this is text",
        ),
        (
            "user.groups.exists(x.y, true)",
            "x.y",
            "`exists` is not used in this way",
            "the name of a variable stands here",
        ),
        ("has(user)", "user", "`has` is not used in this way", "this is no field"),
        (
            "user.groups['a'] == 'b'",
            "'a'",
            "`user.groups` cannot be looked up in this way",
            "this is text",
        ),
        (
            "user.username.first == 'a'",
            "first",
            "`user.username` has no field `first`",
            "`user.username` is text",
        ),
        (
            "-user.username == 'a'",
            "user.username",
            "only a number can have a minus",
            "this is text",
        ),
        (
            "user.username < 3",
            "user.username < 3",
            "`<` does not go with these two",
            "text < a whole number",
        ),
        (
            "b'a' == user.username",
            "b'a'",
            "this part of CEL is not available",
            "remove the b: text is enough",
        ),
        (
            "now.getHours(user.name) > 8",
            "user.name",
            "a time zone must be written out",
            "write the zone here, in quotes",
        ),
        ("now.getHours('Mars') > 8", "'Mars'", "unknown time zone `Mars`", "not known"),
        (
            "now - duration('1 hour') > now",
            "'1 hour'",
            "`1 hour` is not a span of time",
            "this cannot be read",
        ),
    ] {
        assert_one(text, place, message, label);
    }
}

#[test]
fn a_list_compared_with_text_says_what_to_write() {
    let problem = only("user.attributes['department'] == 'it'");
    assert_eq!(problem.message, "a list of text never equals text");
    assert_eq!(problem.help.as_deref(), Some("write 'it' in user.attributes['department']"));
    let problem = only("'a' in user.username");
    assert_eq!(problem.help.as_deref(), Some("write user.username.contains('a')"));
    let problem = only("user.groups.endsWith('a')");
    let help = "for example user.groups.exists(x, x.endsWith('…'))";
    assert_eq!(problem.help.as_deref(), Some(help));
}

#[test]
fn the_result_must_be_what_the_place_needs() {
    assert_one(
        "user.username",
        "user.username",
        "this expression must be true or false",
        "this is text",
    );
    let header = problems("user.groups", Context::Claim, Want::Text);
    assert_eq!(header[0].2, "this is a list of text");
    assert_eq!(check("user.groups.join(',')", Context::Claim, Want::Text), []);
    assert_eq!(check("true ? 'a' : 1", Context::Claim, Want::Text).len(), 1);
    for fine in ["user.groups", "{'a': [1, 'b', null]}", "user.attributes", "1.5"] {
        assert_eq!(check(fine, Context::Claim, Want::Any), [], "{fine}");
    }
    assert_eq!(check("{1: 'a'}", Context::Claim, Want::Any).len(), 1);
}

#[test]
fn a_bad_pattern_is_marked_inside_its_text() {
    let problem = only("user.username.matches('^a(b')");
    assert_eq!(problem.code, "blueprint::bad-regex");
    assert_eq!((problem.range, problem.label.as_str()), (25..26, "unclosed group"));
    let escaped = only("user.username.matches('\\u00e4\\\\d(b')");
    assert_eq!(&"user.username.matches('\\u00e4\\\\d(b')"[escaped.range], "(");
    let raw = only("matches(user.username, r'\\d[z-a]')");
    assert_eq!(&"matches(user.username, r'\\d[z-a]')"[raw.range], "z-a");
    assert_eq!(
        only("user.username.matches('a{1000}{1000}')").label,
        "it is too large when compiled"
    );
    let dynamic = only("user.username.matches(user.name)");
    assert_eq!(dynamic.message, "`matches` takes a pattern that is written out");
}

#[test]
fn several_mistakes_are_told_at_once_and_each_only_once() {
    let all =
        problems("user.gruops == usr && user.emial.startsWit('a')", Context::Policy, Want::Truth);
    let places: Vec<&str> = all.iter().map(|(place, ..)| place.as_str()).collect();
    assert_eq!(places, ["gruops", "usr", "emial", "startsWit"]);
}

mod random {
    use proptest::prelude::*;

    use super::*;

    const SOUND: &[&str] = &[
        "user.email.endsWith('@example.com') && !('a' in user.groups)",
        "user.groups.exists(g, g.matches('^a+$') || g == \"x\\n\")",
        "has(user.email) ? user.email : user.attributes['ä'].map(x, x + 'b').join(',')",
        "now.getHours('Europe/Berlin') >= 8 && now - duration('1h') < timestamp('2026-01-01T00:00:00Z')",
        "{'a': [1, 2.5e3, 0x1F, -3], 'b': null} == {}",
        "size(user.groups) % 2 == -0 || r'raw\\d' == '''tri'ple'''",
        "request.path.startsWith('/x') && [1u, 2u][0] == 1u // comment",
    ];

    fn broken() -> impl Strategy<Value = String> {
        let edit = (
            any::<prop::sample::Index>(),
            "[()\\[\\]{}'\"`.,?:!&|<>=+*/%\\\\ \n\ta-c0-9éß€\u{1F600}-]{0,2}",
            0_usize..3,
        );
        (prop::sample::select(SOUND), prop::collection::vec(edit, 0..6)).prop_map(
            |(text, edits)| {
                let mut letters: Vec<char> = text.chars().collect();
                for (place, put, cut) in edits {
                    let at = place.index(letters.len() + 1);
                    let end = (at + cut).min(letters.len());
                    letters.splice(at..end, put.chars());
                }
                letters.into_iter().collect()
            },
        )
    }

    fn assert_sound(text: &str) {
        for context in [Context::Policy, Context::Claim, Context::Invariant] {
            for want in [Want::Truth, Want::Text, Want::Any] {
                for problem in check(text, context, want) {
                    assert!(text.get(problem.range.clone()).is_some(), "{text:?}: {problem:?}");
                    assert!(!problem.message.is_empty() && !problem.label.is_empty());
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn any_text_is_judged_without_a_fall(text in any::<String>()) {
            assert_sound(&text);
        }

        #[test]
        fn a_broken_expression_is_judged_without_a_fall(text in broken()) {
            assert_sound(&text);
        }
    }
}
