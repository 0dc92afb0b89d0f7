use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::super::facts::{AppFacts, RequestFacts, Texts, UserFacts};
use super::*;
use crate::clock::Millis;

/// 2026-03-04T05:06:07.089Z, a Wednesday.
const NOW: Millis = Millis(1_772_600_767_089);

fn attributes() -> BTreeMap<String, Vec<String>> {
    let two = vec!["it".to_owned(), "ops".to_owned()];
    BTreeMap::from([("department".to_owned(), two), ("floor".to_owned(), vec!["3".to_owned()])])
}

fn ask<T>(text: &str, answer: impl Fn(&Program, &Facts<'_>) -> T) -> T {
    let attributes = attributes();
    let user = UserFacts {
        username: "ada",
        name: None,
        email: Some("ada@example.com"),
        groups: Texts::Borrowed(&["admins", "users"]),
        attributes: &attributes,
        mfa: Texts::Borrowed(&["webauthn"]),
    };
    let request = RequestFacts {
        host: "grafana.example.com",
        path: "/admin/ä",
        method: "GET",
        client_ip: None,
    };
    let app = AppFacts { slug: "grafana", ..AppFacts::default() };
    let facts = Facts { user: Some(user), request: Some(request), app: Some(app), now: NOW };
    let program = Program::compile(text, Context::Policy);
    answer(&program.unwrap_or_else(|problems| panic!("{text}: {problems:?}")), &facts)
}

fn truth(text: &str) -> Result<bool, EvalError> {
    ask(text, |program, facts| program.truth(facts))
}

fn json_of(text: &str) -> Result<serde_json::Value, EvalError> {
    ask(text, |program, facts| program.json(facts))
}

#[test]
fn conditions_are_answered_from_the_facts() {
    for text in [
        "user.email.endsWith('@example.com')",
        "'admins' in user.groups && !('guests' in user.groups)",
        "request.path.startsWith('/admin/') && request.method == 'GET'",
        "app.slug == 'grafana'",
        "'it' in user.attributes['department'] && 'ops' in user.attributes.department",
        "has(user.email) && !has(user.name) && has(user.attributes.floor) && !has(user.attributes.none)",
        "user.groups.exists(g, g.matches('^adm')) && user.groups.all(g, g != '')",
        "user.groups.exists_one(g, g == 'users') && user.groups.existsOne(g, g == 'users')",
        "user.attributes.exists(k, user.attributes[k].exists(v, v == 'ops'))",
        "user.groups.filter(g, g > 'b') == ['users']",
        "user.groups.map(g, g == 'users', g + '!') == ['users!']",
        "size(user.groups) == 2 && user.mfa.size() == 1 && size('äö') == 2",
        "now.getDayOfWeek() == 3 && now.getHours() == 5 && now.getHours('Europe/Berlin') == 6",
        "now.getMonth('+01:00') == 2 && now.getDate() == 4 && now.getFullYear() == 2026",
        "now - timestamp('2026-03-04T05:06:07Z') < duration('0.1s')",
        "user.groups.join('|').upperAscii() == 'ADMINS|USERS'",
        "{'a': 1}.a == 1 && 'a' in {'a': 1} && [1, 2][1] == 2 && 1 == 1u && 1 < 1.5",
        "[1, 'a'].exists(x, x == 'a')",
        "user.groups.map(g, user.groups.map(g, g + 'x')[0]) == ['adminsx', 'adminsx']",
    ] {
        assert_eq!(truth(text), Ok(true), "{text}");
    }
}

#[test]
fn what_is_absent_or_goes_wrong_is_an_error_and_not_false() {
    for (text, error) in [
        ("user.name == 'Ada'", EvalError::Absent("user.name")),
        ("user.name != 'Ada'", EvalError::Absent("user.name")),
        ("request.client_ip != ''", EvalError::Absent("request.client_ip")),
        ("user.attributes['none'] != ['a']", EvalError::NoKey("none".to_owned())),
        (
            "has(user.attributes.none) == has({'a': {'b': 1}}['c'].b)",
            EvalError::NoKey("c".to_owned()),
        ),
        ("user.groups[2] == ''", EvalError::NoPlace),
        ("user.groups[-1] == ''", EvalError::NoPlace),
        ("1 / 0 == 1", EvalError::DivisionByZero),
        ("1u % 0u == 1u", EvalError::DivisionByZero),
        ("9223372036854775807 + 1 > 0", EvalError::Overflow),
        ("-9223372036854775808 / -1 > 0", EvalError::Overflow),
        ("-(-9223372036854775807 - 1) > 0", EvalError::Overflow),
        ("int(1e300) > 0", EvalError::Overflow),
        ("uint(-1) > 0u", EvalError::Overflow),
        ("timestamp(9223372036854775807) > now", EvalError::Overflow),
        ("timestamp('9999-12-30T22:00:00Z') + duration('48h') > now", EvalError::Overflow),
        ("int(user.username) == 1", EvalError::Unreadable("int")),
        ("timestamp(user.username) > now", EvalError::Unreadable("timestamp")),
        ("duration(user.username) > duration('1s')", EvalError::Unreadable("duration")),
        ("size({user.username: 1, 'ada': 2}) == 1", EvalError::RepeatedKey),
    ] {
        assert_eq!(truth(text), Err(error), "{text}");
    }
}

#[test]
fn an_error_is_passed_over_only_where_the_rest_decides() {
    assert_eq!(truth("user.name == 'x' || true"), Ok(true));
    assert_eq!(truth("user.name == 'x' && false"), Ok(false));
    assert!(truth("user.name == 'x' || false").is_err());
    assert!(truth("false || user.name == 'x'").is_err());
    assert_eq!(truth("user.groups.exists(g, g == 'users' || 1 / 0 == 1)"), Ok(true));
    assert!(truth("user.groups.all(g, g == 'users' || 1 / 0 == 1)").is_err());
}

#[test]
fn without_a_user_every_question_about_one_is_an_error() {
    let program = Program::compile("!has(user.email)", Context::Policy).expect("compiles");
    let nobody = Facts::default();
    assert_eq!(program.truth(&nobody), Err(EvalError::Absent("user.email")));
}

#[test]
fn claims_become_json_and_headers_text() {
    assert_eq!(json_of("user.groups"), Ok(json!(["admins", "users"])));
    assert_eq!(
        json_of("user.attributes"),
        Ok(json!({"department": ["it", "ops"], "floor": ["3"]}))
    );
    assert_eq!(
        json_of(
            "{'n': null, 'i': -1, 'd': 1.5, 't': now, 's': duration('90.5s'), 'l': [true, 'a']}"
        ),
        Ok(json!({
            "n": null, "i": -1, "d": 1.5, "t": "2026-03-04T05:06:07.089Z", "s": "90.5s", "l": [true, "a"]
        }))
    );
    assert_eq!(json_of("1.0 / 0.0"), Err(EvalError::NotJson));
    let header =
        ask("string(size(user.groups)) + user.username", |program, facts| program.text(facts));
    assert_eq!(header, Ok("2ada".to_owned()));
    let wrong = ask("1 == 1", |program, facts| program.text(facts));
    assert_eq!(wrong, Err(EvalError::WrongKind));
}

#[test]
fn invariants_see_the_whole_app() {
    let text = "app.hidden || 'mfa' in app.requires && !app.bypasses.exists(b, b == '/*') && app.category != ''";
    let program = Program::compile(text, Context::Invariant).expect("compiles");
    let requires = ["mfa".to_owned()];
    let app = AppFacts {
        category: Some("ops"),
        requires: Texts::Strings(&requires),
        ..AppFacts::default()
    };
    let facts = Facts { app: Some(app), ..Facts::default() };
    assert_eq!(program.truth(&facts), Ok(true));
}

#[test]
fn a_program_tells_what_it_reads() {
    let reads = |text: &str| {
        let program = Program::compile(text, Context::Policy).expect("compiles");
        let attributes = program.reads_attributes().map(<[String]>::to_vec);
        (program.reads_path(), attributes)
    };
    let some = |keys: &[&str]| Some(keys.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>());
    assert_eq!(reads("request.path == '/'"), (true, some(&[])));
    assert_eq!(reads("request.host == '/'"), (false, some(&[])));
    assert_eq!(
        reads(
            "'a' in user.attributes['x'] || user.attributes.y == ['a'] || has(user.attributes.z)"
        ),
        (false, some(&["x", "y", "z"]))
    );
    assert_eq!(reads("user.attributes.exists(k, k == 'x')"), (false, None));
    assert_eq!(reads("'a' in user.attributes[user.username]"), (false, None));
}

#[test]
fn programs_are_shared_between_threads() {
    fn assert_shared<T: Send + Sync>() {}
    assert_shared::<Program>();
}

#[test]
fn the_deepest_expressions_fit_on_a_small_stack() {
    let run = || {
        let brackets = format!("{}true{}", "(".repeat(32), ")".repeat(32));
        let sums = format!("{}1 > 0", "1 + ".repeat(98));
        let choices = format!("{}true", "false ? false : ".repeat(60));
        let lists = format!("{}1{} != []", "[".repeat(32), "]".repeat(32));
        for text in [brackets, sums, choices, lists] {
            assert_eq!(truth(&text), Ok(true), "{text}");
        }
    };
    let small = std::thread::Builder::new().stack_size(1024 * 1024);
    small.spawn(run).expect("a thread").join().expect("no overflow");
}

/// A user with a thousand groups and every kind of costly expression.
fn crowd<T>(ask: impl Fn(&Facts<'_>) -> T) -> T {
    let groups: Vec<String> =
        (0..1000).map(|number| format!("team-{number}-of-the-house")).collect();
    let values = groups.clone();
    let attributes = BTreeMap::from([("all".to_owned(), values)]);
    let user = UserFacts {
        username: "ada",
        name: None,
        email: None,
        groups: Texts::from(&groups),
        attributes: &attributes,
        mfa: Texts::default(),
    };
    let path = "/a".repeat(2000);
    let request = RequestFacts { host: "a", path: &path, method: "GET", client_ip: None };
    let facts = Facts { user: Some(user), request: Some(request), app: None, now: NOW };
    ask(&facts)
}

const COSTLY: &[&str] = &[
    "user.groups.exists(a, user.groups.exists(b, a == b + 'x'))",
    "user.groups.all(a, a in user.attributes['all'])",
    "user.groups.map(a, user.groups.join(a)).size() > 0",
    "user.groups.map(a, user.groups.map(b, a + b)).size() > 0",
    "user.groups.all(a, a.matches('^(team|group|crew)-[0-9]+-of-the-(house|yard)$'))",
    "user.groups.exists(a, request.path.matches('(.*)(.*)(.*)(.*)[^/a]$'))",
    "user.groups.all(a, user.groups == user.attributes['all'])",
    "user.groups.exists(a, request.path.contains(a))",
    "(user.groups + user.groups + user.groups + user.groups).filter(a, a != '').map(a, a + a + a).exists(a, a.size() == 0)",
    "user.groups.exists(a, now.getHours('Europe/Berlin') + now.getMonth('America/New_York') == 99)",
    "user.groups.exists(a, request.path.lowerAscii() + request.path == a)",
    "user.groups.exists(a, (a + a + a + a).size() == 0 && int(a.size()) == 0)",
    "user.groups.exists(a, timestamp(string(now)) < duration('1s') + timestamp('2000-01-01T00:00:00Z'))",
    "user.groups.exists(a, {a: a, 'b': [a, a]} == {'x': ['a']} || [a] == ['a'])",
];

#[test]
fn the_costliest_expressions_end_in_a_verdict_or_a_spent_budget() {
    crowd(|facts| {
        for text in COSTLY {
            let program = Program::compile(text, Context::Policy).expect(text);
            let answer = program.truth(facts);
            assert!(matches!(answer, Ok(_) | Err(EvalError::TooLong)), "{text}: {answer:?}");
        }
        let fair =
            "user.groups.exists(g, g.startsWith('team-') && g.endsWith('-999-of-the-house'))";
        let program = Program::compile(fair, Context::Policy).expect(fair);
        assert_eq!(program.truth(facts), Ok(true));
    });
}

#[test]
fn a_spent_budget_is_never_passed_over() {
    crowd(|facts| {
        let text = "user.groups.all(a, !user.groups.exists(b, a == b + 'x')) || true";
        let program = Program::compile(text, Context::Policy).expect(text);
        assert_eq!(program.truth(facts), Err(EvalError::TooLong));
    });
}

/// The worst times, printed: `cargo test --lib costliest_expressions_are_timed -- --ignored --nocapture`
#[test]
#[ignore = "a measurement for optimised builds"]
fn the_costliest_expressions_are_timed() {
    crowd(|facts| {
        for text in COSTLY {
            let program = Program::compile(text, Context::Policy).expect(text);
            let times = (0..50).map(|_| {
                let start = std::time::Instant::now();
                let answer = program.truth(facts);
                (start.elapsed(), answer)
            });
            println!("{:?} {text}", times.min_by_key(|(time, _)| *time));
        }
    });
}

/// What the `cel` crate itself answers is the reference for ours.
mod reference {
    use proptest::prelude::*;

    use super::*;

    fn expected(text: &str) -> Result<serde_json::Value, String> {
        let mut env = cel::Env::stdlib();
        env.add_extension(cel::extensions::strings).expect("extends");
        let program = env.compile(text).map_err(|errors| errors.to_string())?;
        let mut context = cel::Context::with_env(Arc::new(env));
        let user = json!({
            "username": "ada", "email": "ada@example.com", "groups": ["admins", "users"],
            "attributes": attributes(), "mfa": ["webauthn"],
        });
        let request = json!({"host": "grafana.example.com", "path": "/admin/ä", "method": "GET"});
        context.add_variable("user", cel::to_value(user).expect("a value")).expect("user");
        context.add_variable("request", cel::to_value(request).expect("a value")).expect("request");
        let now = chrono::DateTime::from_timestamp_millis(NOW.0).expect("a moment");
        context.add_variable_from_value("now", cel::Value::Timestamp(now.fixed_offset()));
        let value = program.execute(&context).map_err(|error| error.to_string())?;
        Ok(as_json(&value))
    }

    fn as_json(value: &cel::Value) -> serde_json::Value {
        match value {
            cel::Value::List(items) => items.iter().map(as_json).collect(),
            cel::Value::Map(map) => {
                let entries = map.map.iter().map(|(key, value)| (key.to_string(), as_json(value)));
                serde_json::Value::Object(entries.collect())
            }
            cel::Value::Int(number) => (*number).into(),
            cel::Value::UInt(number) => (*number).into(),
            cel::Value::Float(number) => (*number).into(),
            cel::Value::String(text) => text.as_str().into(),
            cel::Value::Bool(truth) => (*truth).into(),
            cel::Value::Null => serde_json::Value::Null,
            other => panic!("not compared: {other:?}"),
        }
    }

    fn assert_same(text: &str) {
        let ours = json_of(text);
        match expected(text) {
            Ok(value) => assert_eq!(ours, Ok(value), "{text}"),
            Err(error) => assert!(ours.is_err(), "{text}: {ours:?} but {error}"),
        }
    }

    #[test]
    fn every_function_answers_as_the_reference_does() {
        for text in [
            "size('äö') + size([1, 2]) + size({'a': 1}) + 'abc'.size() + [1].size() + {'a': 1}.size()",
            "['abc'.contains('b'), 'abc'.startsWith('a'), 'abc'.endsWith('c')]",
            "['abc'.matches('b+'), matches('abc', '^b')]",
            "[['a', 'b'].join(), ['a', 'b'].join('-'), 'aBÄ'.lowerAscii(), 'aBä'.upperAscii()]",
            "[int(1), int(2u), int(-3.9), int('-4'), int(timestamp('2026-01-01T00:00:00.9Z'))]",
            "[uint(1), uint(2u), uint(3.9), uint('4')]",
            "[double(1), double(2u), double(3.5), double('4.25')]",
            "[string('a'), string(true), string(1), string(2u), string(3.5), string(4.0)]",
            "[string(timestamp('2026-01-01T00:00:00Z')), string(timestamp('2026-01-01T00:00:00.120Z'))]",
            "[string(duration('90s')), string(duration('-1.5s')), string(duration('1h30m0.001s'))]",
            "[string(timestamp(12)), string(timestamp(timestamp('2026-01-01T00:00:00+02:00')))]",
            "[duration('1h') == duration('60m'), duration('0') == duration('0s'), duration('1ms') < duration('1us')]",
            "[now.getFullYear(), now.getMonth(), now.getDayOfMonth(), now.getDate(), now.getDayOfWeek()]",
            "[now.getDayOfYear(), now.getHours(), now.getMinutes(), now.getSeconds(), now.getMilliseconds()]",
            "[now.getHours('Europe/Berlin'), now.getDate('+23:30'), now.getMinutes('-00:30'), now.getMonth('-11:00')]",
            "[now.getFullYear('UTC'), now.getDayOfYear('Asia/Tokyo'), now.getDayOfMonth('UTC'), now.getDayOfWeek('Pacific/Auckland')]",
            "[now.getSeconds('UTC'), now.getMilliseconds('UTC')]",
            "[duration('90m').getHours(), duration('90m').getMinutes(), duration('90m').getSeconds(), duration('-1.5s').getMilliseconds()]",
            "[1, 2, 3].all(x, x > 0) && [1, 2].exists(x, x == 2) && [1, 2].exists_one(x, x == 2)",
            "[[1, 2].filter(x, x > 1), [1, 2].map(x, x * 2), [1, 2].map(x, x > 1, x * 3)]",
            "{'a': 1, 'b': 2}.all(k, k < 'c') && has({'a': 1}.a) && !has({'a': 1}.b)",
            "[7 / -2, 7 % -2, -7 % 2, 3 - 5, 2 * -3]",
            "[7u / 2u, 7u % 2u, 3u - 1u]",
            "[7.0 / 2.0, 1.5 + 1.0, 2.0 * 0.5, 1.0 - 0.5]",
            "['a' + 'b', string(now + duration('1s')), string(duration('1s') + now), string(now - duration('1s'))]",
            "[string(now - timestamp('2026-01-01T00:00:00Z')), string(duration('1s') - duration('3s'))]",
            "[1] + [2, 3]",
            "[1 == 1u, 1 == 1.0, 1u == 1.0, 1 != 2, 'a' < 'b', 2 >= 2, 1 < 1.5, 2u > 1]",
            "[[1, 2] == [1.0, 2.0], {'a': 1} == {'a': 1}, [] == [], null == null]",
            "[1 in [1.0], 'a' in ['b'], 'a' in {'a': 1}, 'x' in user.attributes]",
            "true ? 1 : 2",
            "[user.groups, user.attributes['department'], [user.username, request.path]]",
        ] {
            assert_same(text);
        }
    }

    fn condition() -> impl Strategy<Value = String> {
        let number = prop_oneof![
            prop::sample::select(vec![
                "0",
                "1",
                "-3",
                "9223372036854775807",
                "user.groups.size()",
                "size(user.username)"
            ])
            .prop_map(str::to_owned),
        ];
        let number = number.prop_recursive(3, 12, 2, |inner| {
            (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/", "%"]), inner)
                .prop_map(|(left, sign, right)| format!("({left} {sign} {right})"))
        });
        let text = prop::sample::select(vec![
            "'users'",
            "''",
            "user.username",
            "user.email",
            "user.name",
            "request.path",
            "user.groups[1]",
            "user.groups[5]",
        ]);
        let compared = (number.clone(), prop::sample::select(vec!["==", "!=", "<", ">="]), number)
            .prop_map(|(left, sign, right)| format!("{left} {sign} {right}"));
        let about = (
            text.clone(),
            prop::sample::select(vec!["contains", "startsWith", "endsWith"]),
            text.clone(),
        )
            .prop_map(|(of, function, with)| format!("{of}.{function}({with})"));
        let within = text.prop_map(|item| format!("{item} in user.groups"));
        let leaf = prop_oneof![
            compared,
            about,
            within,
            Just("has(user.name)".to_owned()),
            Just("true".to_owned())
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone())
                    .prop_map(|(left, right)| format!("({left} && {right})")),
                (inner.clone(), inner.clone())
                    .prop_map(|(left, right)| format!("({left} || {right})")),
                inner.clone().prop_map(|of| format!("!({of})")),
                (inner.clone(), inner.clone(), inner.clone())
                    .prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
                (prop::sample::select(vec!["all", "exists", "exists_one"]), inner)
                    .prop_map(|(name, of)| format!("user.groups.{name}(g, g == 'users' || {of})")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(500))]

        #[test]
        fn conditions_are_answered_as_the_reference_answers_them(text in condition()) {
            // Ours refuses what nests too deeply; the reference need not know.
            if Program::compile(&text, Context::Policy).is_ok() {
                assert_same(&text);
            }
        }
    }
}
