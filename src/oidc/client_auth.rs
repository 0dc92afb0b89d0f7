//! Who asks at the token endpoint (RFC 6749 §2.3).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use serde_json::json;
use zeroize::Zeroizing;

use super::Asked;
use super::refusal::{About, ErrorCode, Refusal, failed};
use crate::blueprint::oidc::ClientAuth;
use crate::client_secret::Known;
use crate::flow::attempts::{Guesses, Taken};
use crate::flow::hashing::{HashError, Verified};
use crate::runtime::app::App;
use crate::runtime::client::Client;
use crate::secret::Secret;
use crate::web::form::Form;
use crate::web::visitor;

/// What a client says of itself.
struct Said {
    id: String,
    secret: Option<(ClientAuth, Secret)>,
}

/// The client that asks, once it has shown that it is it.
pub async fn authenticate<'a>(
    asked: &Asked<'a>,
    form: &Form,
) -> Result<(&'a App, &'a Client), Refusal> {
    let by_header = asked.parts.headers.contains_key(AUTHORIZATION);
    let said = said(&asked.parts.headers, form)?;
    let refused = |why: &'static str| Refusal { by_header, ..wrong(asked, &said.id, why) };
    let found = asked.runtime.client(&said.id);
    match (found, said.secret) {
        (Some((app, client)), None) if client.public => Ok((app, client)),
        (Some((_, client)), Some(_)) if client.public => Err(refused("public-with-secret")),
        (Some(_), None) => Err(refused("no-secret")),
        (Some((app, client)), Some((method, secret))) => {
            if !client.may_prove_by(method) {
                return Err(refused("other-method"));
            }
            match proves(asked, &client.id, &app.uid, &secret).await? {
                true => Ok((app, client)),
                false => Err(Refusal { by_header, ..wrong(asked, &client.id, "wrong-secret") }),
            }
        }
        (None, secret) => {
            // The same work as for one that is there.
            let given = secret.map_or_else(|| Secret::new(""), |(_, secret)| secret);
            let _ = is_same(asked, &given, &Secret::new("nobody"));
            Err(refused("unknown-client"))
        }
    }
}

fn said(headers: &HeaderMap, form: &Form) -> Result<Said, Refusal> {
    let invalid = |why: &'static str| Refusal::new(ErrorCode::InvalidRequest, why);
    let posted_id = form.exact("client_id").map(str::to_owned);
    let posted_secret = form.exact("client_secret").map(Secret::new);
    let mut lines = headers.get_all(AUTHORIZATION).iter();
    let Some(line) = lines.next() else {
        let id = posted_id.ok_or_else(|| {
            Refusal::new(ErrorCode::InvalidClient, "the client says nothing of who it is")
        })?;
        return Ok(Said { id, secret: posted_secret.map(|secret| (ClientAuth::Post, secret)) });
    };
    if lines.next().is_some() {
        return Err(invalid("there is more than one Authorization header"));
    }
    if posted_secret.is_some() || form.exact("client_assertion").is_some() {
        return Err(invalid("a client proves itself in one way only (RFC 6749 section 2.3)"));
    }
    let (id, secret) = line.to_str().ok().and_then(basic).ok_or_else(|| Refusal {
        by_header: true,
        ..Refusal::new(
            ErrorCode::InvalidClient,
            "the Authorization header is not `Basic id:secret`",
        )
    })?;
    if posted_id.is_some_and(|posted| posted != id) {
        return Err(invalid("client_id differs between header and body"));
    }
    Ok(Said { id, secret: Some((ClientAuth::Basic, secret)) })
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

/// Whether the secret is the client's. Wrong ones are counted for each client and address, and after
/// many nothing is compared for a while.
async fn proves(
    asked: &Asked<'_>,
    client_id: &str,
    app_uid: &str,
    secret: &Secret,
) -> Result<bool, Refusal> {
    let server = asked.server;
    let now = server.clock.now();
    let counted = format!("client:{client_id}:{}", visitor::address_key(asked.client));
    if let Some(until) = server.tokens.closed_until(&counted, now) {
        let wait = Some(until.since(now));
        let slow = Refusal::new(ErrorCode::SlowDown, "too many wrong secrets came from here");
        return Err(Refusal { wait, ..slow });
    }
    for known in server.client_secrets.of(app_uid, now) {
        let right = match known {
            Known::Value { secret: known, .. } => is_same(asked, secret, &known),
            Known::Verifier(hash) => match server.hasher.verify(secret, Some(&hash)).await {
                Ok(verified) => verified != Verified::Wrong,
                Err(HashError::TooLong) => false,
                Err(error) => return Err(failed(error)),
            },
        };
        if right {
            return Ok(true);
        }
    }
    if let Taken::Wait(wait) = Guesses::at_key(counted.clone()).take(&server.store, now).await? {
        server.tokens.close(counted, now.plus(wait));
    }
    Ok(false)
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
