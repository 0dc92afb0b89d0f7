//! Who asks at the token endpoint (RFC 6749 §2.3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::json;
use zeroize::Zeroizing;

use super::Asked;
use super::refusal::{About, Challenge, ErrorCode, Refusal, failed};
use crate::blueprint::oidc::ClientAuth;
use crate::client_secret::Known;
use crate::flow::attempts::{Guesses, Taken};
use crate::flow::hashing::{HashError, Verified};
use crate::runtime::app::App;
use crate::runtime::client::Client;
use crate::secret::Secret;
use crate::web::form::Form;
use crate::web::visitor;
use assertion::Assertion;

/// Who signs what it says of itself.
mod assertion;

/// What a client says of itself.
struct Said<'f> {
    id: String,
    proof: Proof<'f>,
}

/// What it shows to be believed.
enum Proof<'f> {
    Nothing,
    Secret(ClientAuth, Secret),
    Assertion(Assertion<'f>),
}

impl Proof<'_> {
    fn method(&self) -> Option<ClientAuth> {
        match self {
            Self::Nothing => None,
            Self::Secret(method, _) => Some(*method),
            Self::Assertion(assertion) => Some(assertion.method()),
        }
    }
}

/// The client that asks, once it has shown that it is it.
pub async fn authenticate<'a>(
    asked: &Asked<'a>,
    form: &Form,
) -> Result<(&'a App, &'a Client), Refusal> {
    let by_header = asked.parts.headers.contains_key(AUTHORIZATION);
    let said = said(&asked.parts.headers, form)?;
    let refused = |why: &'static str| {
        let challenge = by_header.then_some(Challenge::Basic);
        Refusal { challenge, ..wrong(asked, &said.id, why) }
    };
    let method = said.proof.method();
    let Some((app, client)) = asked.runtime.client(&said.id) else {
        // The same work as for one that is there.
        let given = match said.proof {
            Proof::Secret(_, ref secret) => secret.clone(),
            _ => Secret::new(""),
        };
        let _ = is_same(asked, &given, &Secret::new("nobody"));
        return Err(refused("unknown-client"));
    };
    match method {
        None if client.public => return Ok((app, client)),
        None => return Err(refused("no-secret")),
        Some(_) if client.public => return Err(refused("public-with-secret")),
        Some(method) if !client.may_prove_by(method) => return Err(refused("other-method")),
        Some(_) => {}
    }
    let counted = format!("client:{}:{}", client.id, visitor::address_key(asked.client));
    let (server, now) = (asked.server, asked.server.clock.now());
    if let Some(until) = server.tokens.closed_until(&counted, now) {
        let wait = Some(until.since(now));
        let slow = Refusal::new(ErrorCode::SlowDown, "too many wrong secrets came from here");
        return Err(Refusal { wait, ..slow });
    }
    let proven = match &said.proof {
        Proof::Assertion(assertion) => assertion.prove(asked, app, client).await?,
        Proof::Secret(_, secret) => is_secret_of(asked, app, secret).await?,
        Proof::Nothing => Err("no-secret"),
    };
    let Err(why) = proven else { return Ok((app, client)) };
    // Wrong ones are counted for each client and address, and after many nothing is looked at for a while.
    if let Taken::Wait(wait) = Guesses::at_key(counted.clone()).take(&server.store, now).await? {
        server.tokens.close(counted, now.plus(wait));
    }
    Err(refused(why))
}

fn said<'f>(headers: &HeaderMap, form: &'f Form) -> Result<Said<'f>, Refusal> {
    let invalid = |why: &'static str| Refusal::new(ErrorCode::InvalidRequest, why);
    let posted_id = form.exact("client_id").map(str::to_owned);
    let posted_secret = form.exact("client_secret").map(Secret::new);
    let assertion = asserted(form)?;
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let line = lines.next();
    if lines.next().is_some() {
        return Err(invalid("there is more than one Authorization header"));
    }
    let ways = [line.is_some(), posted_secret.is_some(), assertion.is_some()];
    if ways.into_iter().filter(|given| *given).count() > 1 {
        return Err(invalid("a client proves itself in one way only (RFC 6749 section 2.3)"));
    }
    let nobody = || Refusal::new(ErrorCode::InvalidClient, "the client says nothing of who it is");
    if let Some(assertion) = assertion {
        let id = assertion.client_id().map(str::to_owned).or(posted_id.clone());
        let id = id.ok_or_else(nobody)?;
        if posted_id.is_some_and(|posted| posted != id) {
            return Err(invalid("client_id differs between client_assertion and body"));
        }
        return Ok(Said { id, proof: Proof::Assertion(assertion) });
    }
    let Some(line) = line else {
        let id = posted_id.ok_or_else(nobody)?;
        let proof = posted_secret.map(|secret| by_secret(ClientAuth::Post, secret));
        return Ok(Said { id, proof: proof.unwrap_or(Proof::Nothing) });
    };
    let (id, secret) = line.to_str().ok().and_then(basic).ok_or_else(|| Refusal {
        challenge: Some(Challenge::Basic),
        ..Refusal::new(
            ErrorCode::InvalidClient,
            "the Authorization header is not `Basic id:secret`",
        )
    })?;
    if posted_id.is_some_and(|posted| posted != id) {
        return Err(invalid("client_id differs between header and body"));
    }
    Ok(Said { id, proof: by_secret(ClientAuth::Basic, secret) })
}

/// An empty secret is none (RFC 6749 §2.3.1): public clients of some libraries send one.
fn by_secret<'f>(method: ClientAuth, secret: Secret) -> Proof<'f> {
    match secret.reveal().is_empty() {
        true => Proof::Nothing,
        false => Proof::Secret(method, secret),
    }
}

fn asserted(form: &Form) -> Result<Option<Assertion<'_>>, Refusal> {
    let (kind, text) = (form.exact("client_assertion_type"), form.exact("client_assertion"));
    match (kind, text) {
        (None, None) => Ok(None),
        (Some(assertion::TYPE), Some(text)) => match Assertion::read(text) {
            Some(assertion) => Ok(Some(assertion)),
            None => {
                let why = "client_assertion is not a signed token";
                Err(Refusal::new(ErrorCode::InvalidClient, why))
            }
        },
        _ => {
            let why =
                "client_assertion comes with its client_assertion_type (RFC 7523 section 2.2)";
            Err(Refusal::new(ErrorCode::InvalidRequest, why))
        }
    }
}

/// Name and secret, each encoded as a form field is (RFC 6749 §2.3.1).
fn basic(line: &str) -> Option<(String, Secret)> {
    let (scheme, rest) = line.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = Zeroizing::new(STANDARD.decode(rest.trim()).ok()?);
    let text = std::str::from_utf8(&bytes).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((decoded(id)?.to_string(), Secret::new(decoded(secret)?.as_str())))
}

fn decoded(text: &str) -> Option<Zeroizing<String>> {
    let spaced = Zeroizing::new(text.replace('+', " "));
    let decoded = percent_encoding::percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(Zeroizing::new(decoded.into_owned()))
}

/// Whether the secret is the client's.
async fn is_secret_of(
    asked: &Asked<'_>,
    app: &App,
    secret: &Secret,
) -> Result<Result<(), &'static str>, Refusal> {
    let server = asked.server;
    for known in server.client_secrets.of(&app.uid, server.clock.now()) {
        let right = match known {
            Known::Value { secret: known, .. } => is_same(asked, secret, &known),
            Known::Verifier(hash) => match server.hasher.verify(secret, Some(&hash)).await {
                Ok(verified) => verified != Verified::Wrong,
                Err(HashError::TooLong) => false,
                Err(error) => return Err(failed(error)),
            },
        };
        if right {
            return Ok(Ok(()));
        }
    }
    Ok(Err("wrong-secret"))
}

/// Compared by digest, so that neither length nor letters show in the time it takes. Some clients do
/// not encode what they put into the header, so that a plain `+` and `%` may stand there.
fn is_same(asked: &Asked<'_>, given: &Secret, known: &Secret) -> bool {
    let key = &asked.server.key;
    let digest = |secret: &Secret| key.digest(secret.reveal().as_bytes());
    let as_is = digest(given) == digest(known);
    let undone = decoded(known.reveal())
        .is_some_and(|undone| key.digest(undone.as_bytes()) == digest(given));
    as_is | undone
}

fn wrong(asked: &Asked<'_>, client_id: &str, why: &'static str) -> Refusal {
    let address = visitor::address_key(asked.client);
    let app = asked.runtime.client(client_id).map(|(app, _)| format!("app:{}", app.slug));
    let named: String = client_id.chars().take(100).collect();
    let what = match &app {
        Some(app) => format!("client\0{app}\0{why}\0{address}"),
        None => format!("client\0{why}\0{address}"),
    };
    let data = json!({ "reason": why, "client": named, "address": address });
    Refusal::new(ErrorCode::InvalidClient, "the client could not show that it is this client")
        .about(About { what: asked.server.key.digest(what.as_bytes()), app, data })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, String)> {
        let (id, secret) = basic(&format!("Basic {}", STANDARD.encode(text)))?;
        Some((id, secret.reveal().to_owned()))
    }

    #[test]
    fn name_and_secret_are_encoded_like_a_form() {
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(read("wiki:secret"), pair("wiki", "secret"));
        assert_eq!(read("wiki%3Aprod:a+b%2Bc"), pair("wiki:prod", "a b+c"));
        assert_eq!(read("wiki:a:b"), pair("wiki", "a:b"));
        assert_eq!(read("wiki"), None);
        assert_eq!(read("%FF:x"), None);
        assert_eq!(basic("Bearer x"), None);
        assert_eq!(basic("Basic !!!"), None);
    }
}
