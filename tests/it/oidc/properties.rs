//! What must hold of every input, whoever made it. Each function takes an input, asks, fails if what was
//! answered should not have been, and says whether the input was taken. It reads the input by itself.
//!
//! A token is written as its header and its claims in two lines, which a key of the client's signs; with
//! `!` before them a stranger's does, with `#` they are made with the client's secret. Anything else is taken
//! as it is. `$NONCE` and `$KEY` stand for what nobody could guess.

use std::collections::HashSet;
use std::sync::Mutex;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use doorward::jose::{Algorithm, Compact, KeySet, mac};
use doorward::model::redirect_uri;
use doorward::secret::Secret;
use serde_json::{Value, json};

use super::inside::{ISSUER, Inside, Key, NOW, REDIRECT, SECRET};

/// A property of one kind of input.
pub struct Property {
    pub name: &'static str,
    pub check: fn(&Inside, &[u8]) -> bool,
}

pub const ALL: [Property; 6] = [
    Property { name: "jwt", check: |_, input| jwt(input) },
    Property { name: "redirect-uri", check: |_, input| redirect(input) },
    Property { name: "request-object", check: request_object },
    Property { name: "dpop", check: dpop },
    Property { name: "assertion", check: assertion },
    Property { name: "authorization", check: authorization },
];

/// What parses and verifies is, letter by letter, what the key in hand makes of the same text.
pub fn jwt(input: &[u8]) -> bool {
    let Some(text) = token(input, "") else { return false };
    let Ok(read) = Compact::read(&text) else { return false };
    let (signed, signature) = text.rsplit_once('.').expect("parts");
    assert_eq!(read.signed, signed);
    assert_eq!(URL_SAFE_NO_PAD.encode(&read.signature), signature, "one spelling");
    let (header, claims) = header_and_claims(&text).expect("JSON");
    assert_eq!(Value::Object(read.header.clone()), header);
    assert_eq!(Value::Object(read.payload.clone()), claims);
    let keys = json!({ "keys": [Key::own().jwk()] }).to_string();
    let by_key = KeySet::read(&keys).expect("keys").signed(&read, &Algorithm::ALL);
    let ours = read.signature == Key::own().sign(signed);
    let algorithm = header.get("alg").and_then(Value::as_str);
    assert_eq!(by_key, ours && algorithm == Some("EdDSA"), "{text}");
    let by_secret = mac::made_with(&read, &Secret::new(SECRET));
    assert_eq!(by_secret, algorithm == Some("HS256") && read.signature == hs256(signed), "{text}");
    by_key || by_secret
}

/// Two addresses are the same byte for byte, or differ in nothing but a loopback port.
pub fn redirect(input: &[u8]) -> bool {
    let Some((one, two)) = std::str::from_utf8(input).ok().and_then(|it| it.split_once('\n'))
    else {
        return false;
    };
    let same = redirect_uri::matches(one, two);
    assert_eq!(same, redirect_uri::matches(two, one), "both ways");
    assert!(redirect_uri::matches(one, one), "itself");
    let plain = |uri| loopback(uri).is_some();
    let but_for_port = plain(one) && loopback(one) == loopback(two);
    assert_eq!(same, one == two || but_for_port, "{one:?} {two:?}");
    if same && one != two {
        for uri in [one, two] {
            let url = url::Url::parse(uri).expect("an address");
            assert!(matches!(url.host_str(), Some("127.0.0.1" | "[::1]")), "{uri:?}");
            assert!(url.username().is_empty() && url.password().is_none(), "{uri:?}");
        }
    }
    same
}

/// Host and what follows the port of a loopback address; a port is a number from 1 to 65535.
fn loopback(uri: &str) -> Option<(&str, &str)> {
    let hosts = ["http://127.0.0.1", "http://[::1]"];
    let host = hosts.into_iter().find(|host| uri.starts_with(host))?;
    let rest = uri.get(host.len()..)?;
    let rest = match rest.strip_prefix(':') {
        None => rest,
        Some(rest) => {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let port: u32 = rest.get(..digits).filter(|_| digits <= 5)?.parse().ok()?;
            let good = (1..=65_535).contains(&port);
            rest.get(digits..).filter(|_| good)?
        }
    };
    let ends = rest.is_empty() || rest.starts_with('/') || rest.starts_with('?');
    ends.then_some((host, rest))
}

/// RFC 9101 §6: only what the client signed, for us, for now, and to where it is declared.
pub fn request_object(inside: &Inside, input: &[u8]) -> bool {
    let Some(text) = token(input, &inside.nonce) else { return false };
    let form = [("client_id", "shows"), ("client_secret", SECRET), ("request", text.as_str())];
    let told = inside.ask("POST", "/oauth2/par", &[], &form);
    if told.status != 201 {
        assert!(told.status < 500, "{told:?}");
        return false;
    }
    let (header, claims) = signed_by_own_key(&text);
    assert!(is_of_type(&header, &["jwt", "oauth-authz-req+jwt"]), "{text}");
    let is = |name: &str, value: &str| claims.get(name).and_then(Value::as_str) == Some(value);
    assert!(is("iss", "shows") && is("client_id", "shows"), "{claims}");
    assert!(audiences(&claims).contains(&ISSUER), "{claims}");
    assert!(claims.get("exp").is_none_or(|at| seconds(at).is_some_and(|at| at > NOW)), "{claims}");
    assert!(claims.get("nbf").is_none_or(|at| seconds(at).is_some_and(|at| at <= NOW)), "{claims}");
    assert!(claims.get("request").is_none() && claims.get("request_uri").is_none(), "{claims}");
    assert!(is("redirect_uri", REDIRECT) && is("response_type", "code"), "{claims}");
    assert!(is("code_challenge_method", "S256"), "{claims}");
    true
}

/// RFC 9449 §4.3: the key in the proof signed it for this request, with our nonce, once.
pub fn dpop(inside: &Inside, input: &[u8]) -> bool {
    static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let Some(text) = token(input, &inside.nonce) else { return false };
    let form =
        [("grant_type", "client_credentials"), ("client_id", "shows"), ("client_secret", SECRET)];
    let headers = [("DPoP", text.as_bytes())];
    let Some(told) = inside.try_ask("POST", "/oauth2/token", &headers, &form) else { return false };
    if told.status != 200 {
        assert_eq!(told.status, 400, "{told:?}");
        return false;
    }
    let (header, claims) = header_and_claims(&text).expect("JSON");
    assert_eq!(header.get("typ"), Some(&json!("dpop+jwt")));
    let jwk = header.get("jwk").expect("a key");
    let signer = [Key::own(), Key::strangers()];
    let signer = signer.iter().find(|key| key.jwk().get("x") == jwk.get("x"));
    let (signed, signature) = text.rsplit_once('.').expect("parts");
    let made = signer.expect("a key in hand").sign(signed);
    assert_eq!(URL_SAFE_NO_PAD.encode(made), signature, "{text}");
    for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
        assert!(jwk.get(private).is_none(), "{jwk}");
    }
    let text_of = |name: &str| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    assert_eq!(text_of("htm"), "POST");
    let mut address = url::Url::parse(text_of("htu")).expect("an address");
    address.set_query(None);
    address.set_fragment(None);
    assert_eq!(address.as_str(), format!("{ISSUER}/oauth2/token"));
    assert_eq!(text_of("nonce"), inside.nonce);
    assert!(claims.get("iat").is_some_and(Value::is_number), "{claims}");
    assert!(claims.get("jti").is_some_and(|id| id.as_str().is_some_and(|id| id.len() <= 256)));
    let thumbprint = thumbprint(jwk);
    let (_, given) = header_and_claims(told.text("access_token")).expect("a token");
    assert_eq!(given.pointer("/cnf/jkt"), Some(&json!(thumbprint)));
    assert_eq!(told.text("token_type"), "DPoP");
    let proof = format!("{:p} {thumbprint} {}", inside, text_of("jti"));
    let mut seen = SEEN.lock().expect("seen");
    assert!(seen.get_or_insert_default().insert(proof), "twice: {claims}");
    true
}

/// RFC 7523 §3: the client's own key or secret made it, about itself, for us, for now, once.
pub fn assertion(inside: &Inside, input: &[u8]) -> bool {
    static SEEN: Mutex<Option<HashSet<String>>> = Mutex::new(None);
    let Some(text) = token(input, &inside.nonce) else { return false };
    let form = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", text.as_str()),
    ];
    let told = inside.ask("POST", "/oauth2/token", &[], &form);
    if told.status != 200 {
        assert!(told.status < 429, "{told:?}");
        return false;
    }
    let (header, claims) = header_and_claims(&text).expect("JSON");
    let is = |name: &str, value: &str| claims.get(name).and_then(Value::as_str) == Some(value);
    let (signed, signature) = text.rsplit_once('.').expect("parts");
    let made = match header.get("alg").and_then(Value::as_str) {
        Some("EdDSA") => {
            assert!(is("sub", "signs"), "{claims}");
            Key::own().sign(signed)
        }
        Some("HS256") => {
            assert!(is("sub", "macs"), "{claims}");
            hs256(signed)
        }
        _ => panic!("by whom? {header}"),
    };
    assert_eq!(URL_SAFE_NO_PAD.encode(made), signature, "{text}");
    assert!(is_of_type(&header, &["jwt", "client-authentication+jwt"]), "{header}");
    assert_eq!(claims.get("iss"), claims.get("sub"));
    let ours =
        [ISSUER.to_owned(), format!("{ISSUER}/oauth2/token"), format!("{ISSUER}/oauth2/par")];
    let audiences = audiences(&claims);
    assert!(!audiences.is_empty(), "{claims}");
    assert!(audiences.iter().all(|each| ours.iter().any(|own| own == each)), "{claims}");
    let until = claims.get("exp").and_then(seconds).expect("a time");
    assert!(until + 60 > NOW && until <= NOW + 3600, "{claims}");
    for name in ["nbf", "iat"] {
        let early = claims.get(name).is_some_and(|at| seconds(at).is_none_or(|at| at > NOW + 60));
        assert!(!early, "{claims}");
    }
    let id = claims.get("jti").and_then(Value::as_str).expect("a name");
    let mut seen = SEEN.lock().expect("seen");
    let name = format!("{:p} {} {id}", inside, claims.get("sub").expect("a client"));
    assert!(seen.get_or_insert_default().insert(name), "twice: {claims}");
    true
}

/// RFC 6749 §2.3.1, RFC 6750 §2.1: a header that is taken says the client's own name and secret, or the
/// token that was given, and what it says can be written again and is taken again.
pub fn authorization(inside: &Inside, input: &[u8]) -> bool {
    let form = [("grant_type", "client_credentials")];
    let ask =
        |line: &[u8]| inside.try_ask("POST", "/oauth2/token", &[("Authorization", line)], &form);
    let Some(told) = ask(input) else { return false };
    let line = std::str::from_utf8(input).unwrap_or_default();
    let (scheme, rest) = line.split_once(' ').unwrap_or_default();
    assert!(matches!(told.status, 200 | 400 | 401), "{told:?}");
    if told.status == 200 {
        assert!(scheme.eq_ignore_ascii_case("basic"), "{line}");
        let text = String::from_utf8(STANDARD.decode(rest.trim()).expect("base64")).expect("text");
        let (id, secret) = text.split_once(':').expect("two parts");
        let (id, secret) = (decoded(id), decoded(secret));
        assert!(id == "shows" && (secret == SECRET || secret == decoded(SECRET)), "{text}");
        let written = |text: &str| -> String {
            url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
        };
        let again = STANDARD.encode(format!("{}:{}", written(&id), written(&secret)));
        assert_eq!(ask(format!("Basic {again}").as_bytes()).map(|told| told.status), Some(200));
        return true;
    }
    // A token of an app that asks for itself is known, and opens nothing about people.
    let given = inside.ask(
        "POST",
        "/oauth2/token",
        &[],
        &[form[0], ("client_id", "shows"), ("client_secret", SECRET)],
    );
    let given = given.text("access_token");
    let line = String::from_utf8_lossy(input).replace("$TOKEN", given);
    let headers = [("Authorization", line.as_bytes())];
    let Some(told) = inside.try_ask("GET", "/oauth2/userinfo", &headers, &[]) else { return false };
    assert!(matches!(told.status, 401 | 403), "{told:?}");
    if told.status == 403 {
        let (scheme, rest) = line.split_once(' ').expect("a scheme");
        assert!(["bearer", "token"].contains(&scheme.to_ascii_lowercase().as_str()), "{line}");
        assert_eq!(rest.trim(), given);
    }
    told.status == 403
}

/// The token of an input.
fn token(input: &[u8], nonce: &str) -> Option<String> {
    let text = std::str::from_utf8(input).ok()?;
    let (first, rest) = text.split_at_checked(1)?;
    let key = Key::own().jwk().to_string();
    let fill = |text: &str| text.replace("$NONCE", nonce).replace("$KEY", &key);
    let written = |text: &str| {
        let (header, claims) = text.split_once('\n')?;
        let part = |text: &str| URL_SAFE_NO_PAD.encode(fill(text));
        Some(format!("{}.{}", part(header), part(claims)))
    };
    let (signed, signature) = match first {
        "{" => written(text).map(|signed| (signed.clone(), Key::own().sign(&signed)))?,
        "!" => written(rest).map(|signed| (signed.clone(), Key::strangers().sign(&signed)))?,
        "#" => written(rest).map(|signed| (signed.clone(), hs256(&signed)))?,
        _ => return Some(text.to_owned()),
    };
    Some(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn hs256(signed: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
}

/// Read without the reader under test.
fn header_and_claims(text: &str) -> Option<(Value, Value)> {
    let mut parts = text.split('.');
    let mut part = || {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next()?).ok()?;
        serde_json::from_slice::<Value>(&bytes).ok().filter(Value::is_object)
    };
    Some((part()?, part()?))
}

fn signed_by_own_key(text: &str) -> (Value, Value) {
    let (header, claims) = header_and_claims(text).expect("JSON");
    let (signed, signature) = text.rsplit_once('.').expect("parts");
    assert_eq!(URL_SAFE_NO_PAD.encode(Key::own().sign(signed)), signature, "{text}");
    assert_eq!(header.get("alg"), Some(&json!("EdDSA")), "{header}");
    (header, claims)
}

fn is_of_type(header: &Value, types: &[&str]) -> bool {
    let typ = header.get("typ").and_then(Value::as_str).unwrap_or("jwt").to_ascii_lowercase();
    types.contains(&typ.as_str())
}

fn audiences(claims: &Value) -> Vec<&str> {
    match claims.get("aud") {
        Some(Value::String(one)) => vec![one],
        Some(Value::Array(all)) => all.iter().map(|each| each.as_str().unwrap_or("")).collect(),
        _ => Vec::new(),
    }
}

/// A time in whole seconds, if it is one (RFC 7519 §2).
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
}

/// RFC 7638 §3, for a key of this kind.
fn thumbprint(jwk: &Value) -> String {
    let part = |name: &str| jwk.get(name).and_then(Value::as_str).unwrap_or_default();
    let text =
        format!(r#"{{"crv":"{}","kty":"{}","x":"{}"}}"#, part("crv"), part("kty"), part("x"));
    URL_SAFE_NO_PAD.encode(digest(&SHA256, text.as_bytes()))
}

/// As a form field is written (RFC 6749 appendix B).
fn decoded(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_encoding::percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
