//! The code flow of OAuth 2 (RFC 6749 §4.1), and what a provider says of the person whose token it is.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::{Map, Value};
use url::Url;
use url::form_urlencoded::{self, Serializer};

use super::said::{name, short};
use super::{Said, Sent, SourceError, Way};
use crate::blueprint::identity_source::Fields;
use aws_lc_rs::digest::{SHA256, digest};

/// How we prove who we are at the token endpoint (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    Basic,
    /// In the form.
    Post,
}

/// Where a browser is sent.
pub fn address(way: Way<'_>, authorize: &str, sent: &Sent) -> Result<String, SourceError> {
    let mut url = Url::parse(authorize).map_err(SourceError::bad)?;
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, sent.verifier.as_bytes()));
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &way.source.client_id)
        .append_pair("redirect_uri", way.redirect_uri)
        .append_pair("state", &sent.state)
        .append_pair("code_challenge", &challenge)
        .append_pair("code_challenge_method", "S256");
    if !way.source.scopes.is_empty() {
        url.query_pairs_mut().append_pair("scope", &way.source.scopes.join(" "));
    }
    Ok(url.into())
}

/// Redeems a code for an access token.
pub async fn token(
    way: Way<'_>,
    endpoint: &str,
    proof: Proof,
    redeemed: (&Sent, &str),
) -> Result<String, SourceError> {
    let request = token_request(way, endpoint, proof, redeemed)?;
    let answer = way.outbound.send(request, &way.source.may_reach).await?;
    let status = answer.status();
    let body: Map<String, Value> = serde_json::from_slice(answer.body()).unwrap_or_default();
    // GitHub refuses with 200.
    if let Some(error) = body.get("error").and_then(Value::as_str) {
        return Err(SourceError::Refused(short(error)));
    }
    if !status.is_success() {
        return Err(SourceError::Refused(format!("the token endpoint answered {status}")));
    }
    let token = body.get("access_token").and_then(Value::as_str);
    token.map(str::to_owned).ok_or_else(|| SourceError::bad("it gave no access token"))
}

/// RFC 6749 §4.1.3.
fn token_request(
    way: Way<'_>,
    endpoint: &str,
    proof: Proof,
    (sent, code): (&Sent, &str),
) -> Result<Request<Vec<u8>>, SourceError> {
    let secret = way.source.client_secret.as_ref().ok_or(SourceError::NoSecret)?.reveal();
    let id = way.source.client_id.as_str();
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", way.redirect_uri)
        .append_pair("code_verifier", &sent.verifier);
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(endpoint)
        .header(ACCEPT, "application/json")
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    match proof {
        Proof::Post => {
            form.append_pair("client_id", id).append_pair("client_secret", secret);
        }
        Proof::Basic => {
            let pair = format!("{}:{}", encoded(id), encoded(secret));
            request = request.header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(pair)));
        }
    }
    request.body(form.finish().into_bytes()).map_err(SourceError::bad)
}

fn encoded(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What is said at an address to whoever has this token.
pub async fn get(way: Way<'_>, url: &str, token: &str) -> Result<Value, SourceError> {
    let request = Request::builder()
        .uri(url)
        .header(ACCEPT, "application/json")
        .header(AUTHORIZATION, format!("Bearer {token}"))
        .body(Vec::new())
        .map_err(SourceError::bad)?;
    let answer = way.outbound.send(request, &way.source.may_reach).await?;
    match answer.status() {
        status if status.is_success() => {
            serde_json::from_slice(answer.body()).map_err(SourceError::bad)
        }
        status => Err(SourceError::Refused(format!("it answered {status}"))),
    }
}

/// What a provider says, under the names that it has for it.
pub fn said(issuer: &str, fields: &Fields, told: &Value) -> Result<Said, SourceError> {
    let Value::Object(told) = told else {
        return Err(SourceError::bad("userinfo is no JSON object"));
    };
    let mut claims = told.clone();
    let usual = [
        (&fields.subject, "sub"),
        (&fields.username, "preferred_username"),
        (&fields.name, "name"),
        (&fields.email, "email"),
        (&fields.email_verified, "email_verified"),
        (&fields.groups, "groups"),
    ];
    let named: BTreeMap<&str, Option<Value>> = usual
        .iter()
        .filter_map(|(field, claim)| Some((*claim, told.get(field.as_ref()?).cloned())))
        .collect();
    for (claim, value) in named {
        // What the files name is meant, and nothing that happens to have the usual name.
        claims.remove(claim);
        claims.extend(value.map(|value| (claim.to_owned(), value)));
    }
    // Most have no `sub` and a number of their own.
    if fields.subject.is_none() && !claims.contains_key("sub") {
        let id = told.get("id").and_then(name);
        claims.extend(id.map(|id| ("sub".to_owned(), Value::String(id))));
    }
    Said::of_claims(issuer, &claims)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_say_under_which_names_things_are_told() {
        let fields = Fields {
            username: Some("login".to_owned()),
            email: Some("mail".to_owned()),
            email_verified: Some("confirmed".to_owned()),
            groups: Some("roles".to_owned()),
            ..Fields::default()
        };
        let told = json!({
            "id": 7, "login": "octo", "preferred_username": "root", "mail": "o@x.example",
            "confirmed": true, "email": "root@x.example", "email_verified": true,
            "roles": ["staff"], "groups": ["admins"],
        });
        let said = said("https://x.example/me", &fields, &told).expect("said");
        assert_eq!(said.subject, "7");
        assert_eq!(said.username.as_deref(), Some("octo"));
        assert_eq!(said.email.as_deref(), Some("o@x.example"));
        assert_eq!(said.groups, ["staff"]);
    }

    #[test]
    fn a_named_field_that_is_not_there_is_not_found_elsewhere() {
        let fields = Fields { subject: Some("uuid".to_owned()), ..Fields::default() };
        assert!(said("x", &fields, &json!({ "id": 7, "sub": "8" })).is_err());
        assert!(said("x", &fields, &json!(["uuid"])).is_err());
    }
}
