//! Bringing a pushed request: a client pushes it, a browser takes it up, and its code is exchanged.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use doorward::clock::Clock;
use doorward::ids::Rng;
use doorward::secret::Secret;

use super::cell::{App, Asks, Presented};
use super::expected::PAGE;
use super::world::{Given, World};
use super::*;

const NAME: &str = "urn:ietf:params:oauth:request_uri:";
const BOUND: &str = "pushed-request";

/// Brings one and says how far it came.
pub fn bring(world: &World, given: &Given, asks: Asks) -> (String, String, Option<String>) {
    if matches!(asks, Asks::WrongSecret | Asks::Nothing) {
        return read(&push(world, &given.what, asks));
    }
    let seconds = if given.what.expiry == Expiry::Expired { 91 } else { 1 };
    let answer = take_up(world, &given.what, asks, &aged(world, &given.text, seconds));
    if answer.status == 400 && answer.location().is_empty() {
        return (PAGE.to_owned(), String::new(), None);
    }
    let told = told(&answer);
    let part = |name: &str| told.get(name).cloned().unwrap_or_default();
    match told.get("code") {
        Some(code) => read(&world.exchange(&given.what, asks, code)),
        None => (part("error"), part("error_description"), None),
    }
}

pub fn push(world: &World, what: &Presented, asks: Asks) -> Answer {
    let digest = challenge(VERIFIER);
    let form = [
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid"),
        ("prompt", "none"),
        ("code_challenge", digest.as_str()),
        ("code_challenge_method", "S256"),
    ];
    world.post("/oauth2/par", what, asks, &form)
}

pub fn take_up(world: &World, what: &Presented, asks: Asks, uri: &str) -> Answer {
    let own = world::slug(what);
    let client = if asks == Asks::Another { "another" } else { own.as_str() };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("client_id", client).append_pair("request_uri", uri);
    let address = format!("{}/oauth2/authorize?{}", issuer(&world.server), query.finish());
    world.browser(what.user).open(&address)
}

/// The same request, made so long ago: it holds its time itself, sealed.
pub fn aged(world: &World, uri: &str, seconds: i64) -> String {
    let sealed = URL_SAFE_NO_PAD.decode(uri.strip_prefix(NAME).expect("a name"));
    let text = world.key.open(&sealed.expect("base64"), BOUND).expect("ours");
    let mut request: Value = serde_json::from_str(text.reveal()).expect("JSON");
    let at = request.get_mut("at").expect("a time");
    *at = serde_json::json!(Clock::machine().now().0 - seconds * 1000);
    let sealed = world.key.seal(&Secret::new(request.to_string()), BOUND, &Rng::system());
    format!("{NAME}{}", URL_SAFE_NO_PAD.encode(sealed.expect("sealed")))
}

/// Pushed while all was well, and answered before if it is to be brought again.
pub fn given(world: &World, what: &Presented) -> String {
    let uri = text(&push(world, what, Asks::Right), "request_uri");
    if what.reuse != Reuse::First {
        assert!(told(&take_up(world, what, Asks::Right, &uri)).contains_key("code"), "{what:?}");
    }
    uri
}

/// A request that is only a little old is still good.
pub fn is_for_a_minute_and_a_half(world: &World) {
    let what = Presented::all().into_iter().find(|what| {
        (what.grant, what.app, what.rule) == (Grant::Pushed, App::Secret, cell::Rule::LetsIn)
    });
    let what = what.expect("one");
    let uri = text(&push(world, &what, Asks::Right), "request_uri");
    for (seconds, good) in [(91, false), (80, true)] {
        let answer = take_up(world, &what, Asks::Right, &aged(world, &uri, seconds));
        assert_eq!(!answer.location().is_empty(), good, "{seconds} s: {}", answer.body);
    }
}
