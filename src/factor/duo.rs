//! Duo's universal prompt, by its public description: a browser goes to Duo with a signed request and
//! comes back with a code, which is worth a signed answer. An answer that names another person, and every
//! error, is no proof (`security.md` R14). Tested against a stand-in; never against the service itself.

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Response;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::clock::Millis;
use crate::outbound;
use crate::secret::Secret;

/// How long a signed request is good.
const LASTS: Duration = Duration::from_secs(300);
/// How much the clocks may differ.
const SKEW: Duration = Duration::from_secs(60);
const LONGEST_ANSWER: usize = 64 * 1024;
const BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The account of an installation with Duo.
#[derive(Clone, Debug)]
pub struct Duo {
    /// A host, with a port if it is not 443.
    pub host: String,
    pub integration_key: String,
    pub secret_key: Secret,
}

/// What one browser was sent to Duo with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// Comes back unchanged: the answer is for this browser (RFC 6749 §10.12).
    pub state: String,
    /// Stands in the signed answer: it is for this request.
    pub nonce: String,
    pub username: String,
    /// Where the flow goes on.
    pub back: String,
    /// Whether the browser may remember the proof.
    pub remember: bool,
}

/// Why Duo proved nothing.
#[derive(Debug, thiserror::Error)]
pub enum DuoError {
    #[error("Duo cannot be reached: {0}")]
    Unreachable(String),
    #[error("Duo answered {status}: {what}")]
    Refused { status: u16, what: String },
    #[error("the answer is not signed with our key, or is no answer at all: {0}")]
    Unsigned(&'static str),
    #[error("the answer is for {0}")]
    OtherPerson(String),
    #[error("the answer's `{0}` is not ours")]
    Mismatch(&'static str),
    #[error("it was not confirmed: {0}")]
    Denied(String),
}

impl DuoError {
    /// Whether another try in a while may help.
    #[must_use]
    pub fn is_trouble(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Refused { .. })
    }
}

impl Duo {
    fn origin(&self) -> String {
        format!("https://{}", self.host)
    }

    /// Where a browser is sent.
    #[must_use]
    pub fn prompt(&self, sent: &Sent, redirect_uri: &str, now: Millis) -> String {
        let request = self.signed(&json!({
            "scope": "openid",
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "client_id": self.integration_key,
            "iss": self.integration_key,
            "aud": self.origin(),
            "exp": seconds(now.plus(LASTS)),
            "state": sent.state,
            "nonce": sent.nonce,
            "duo_uname": sent.username,
            "use_duo_code_attribute": true,
        }));
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("response_type", "code");
        query.append_pair("client_id", &self.integration_key);
        query.append_pair("request", &request);
        format!("{}/oauth/v1/authorize?{}", self.origin(), query.finish())
    }

    /// Asks whether Duo is there and knows us, before anybody is sent to it.
    ///
    /// # Errors
    /// If it is not, or does not.
    pub async fn health_check(&self, id: &str, now: Millis) -> Result<(), DuoError> {
        let url = format!("{}/oauth/v1/health_check", self.origin());
        let assertion = self.assertion(&url, id, now);
        let form = [("client_id", self.integration_key.as_str()), ("client_assertion", &assertion)];
        let answer = post(&url, &form).await?;
        match text(&answer, "stat") {
            Some("OK") => Ok(()),
            _ => Err(DuoError::Refused { status: 200, what: told(&answer) }),
        }
    }

    /// Turns the code that a browser came back with into a proof.
    ///
    /// # Errors
    /// If it is none, or not of this person.
    pub async fn redeem(
        &self,
        code: &str,
        (sent, redirect_uri): (&Sent, &str),
        (id, now): (&str, Millis),
    ) -> Result<(), DuoError> {
        let url = format!("{}/oauth/v1/token", self.origin());
        let assertion = self.assertion(&url, id, now);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("client_id", &self.integration_key),
            ("client_assertion_type", BEARER),
            ("client_assertion", &assertion),
        ];
        let answer = post(&url, &form).await?;
        let token = text(&answer, "id_token").ok_or(DuoError::Unsigned("it holds no id_token"))?;
        self.judge(token, sent, now)
    }

    /// Who signed the answer, for whom, when, and what it says.
    fn judge(&self, token: &str, sent: &Sent, now: Millis) -> Result<(), DuoError> {
        let claims = self.verified(token)?;
        let said = |name: &str| text(&claims, name).unwrap_or_default();
        if said("iss") != format!("{}/oauth/v1/token", self.origin()) {
            return Err(DuoError::Mismatch("iss"));
        }
        if said("aud") != self.integration_key {
            return Err(DuoError::Mismatch("aud"));
        }
        let expires = claims.get("exp").and_then(Value::as_i64).unwrap_or(0);
        if expires <= seconds(now.minus(SKEW)) {
            return Err(DuoError::Mismatch("exp"));
        }
        if said("nonce") != sent.nonce {
            return Err(DuoError::Mismatch("nonce"));
        }
        if said("preferred_username") != sent.username {
            return Err(DuoError::OtherPerson(said("preferred_username").to_owned()));
        }
        let result = claims.get("auth_result").unwrap_or(&Value::Null);
        match text(result, "result") {
            Some("allow") => Ok(()),
            _ => Err(DuoError::Denied(told(result))),
        }
    }

    /// What proves to Duo that it is us (RFC 7523 §2.2).
    fn assertion(&self, audience: &str, id: &str, now: Millis) -> String {
        self.signed(&json!({
            "iss": self.integration_key,
            "sub": self.integration_key,
            "aud": audience,
            "exp": seconds(now.plus(LASTS)),
            "iat": seconds(now),
            "jti": id,
        }))
    }

    fn key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA512, self.secret_key.reveal().as_bytes())
    }

    /// A JWT by HS512 (RFC 7515, RFC 7518 §3.2).
    fn signed(&self, claims: &Value) -> String {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS512","typ":"JWT"}"#);
        let text = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims.to_string()));
        let tag = hmac::sign(&self.key(), text.as_bytes());
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
    }

    /// The claims of a JWT that was signed with our key, by HS512 and nothing else.
    fn verified(&self, token: &str) -> Result<Value, DuoError> {
        let not = DuoError::Unsigned;
        let (body, tag) = token.rsplit_once('.').ok_or(not("it is no JWT"))?;
        let (header, claims) = body.split_once('.').ok_or(not("it is no JWT"))?;
        let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| not("it is no base64"));
        let header: Value =
            serde_json::from_slice(&decoded(header)?).map_err(|_| not("it has no header"))?;
        if text(&header, "alg") != Some("HS512") {
            return Err(not("it is signed in another manner"));
        }
        hmac::verify(&self.key(), body.as_bytes(), &decoded(tag)?)
            .map_err(|_| not("the signature is wrong"))?;
        serde_json::from_slice(&decoded(claims)?).map_err(|_| not("it holds no claims"))
    }
}

fn seconds(at: Millis) -> i64 {
    at.0.div_euclid(1_000)
}

fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

/// Duo's own words, as far as they are short.
fn told(answer: &Value) -> String {
    let words = ["message", "message_detail", "error", "error_description", "status_msg", "result"];
    let said: Vec<&str> = words.iter().filter_map(|name| text(answer, name)).collect();
    said.join(", ").chars().filter(|c| !c.is_control()).take(200).collect()
}

/// Posts a form.
async fn post(url: &str, form: &[(&str, &str)]) -> Result<Value, DuoError> {
    let unreachable = |error: reqwest::Error| DuoError::Unreachable(outbound::cause(&error));
    let client = outbound::client().https_only(true).build().map_err(unreachable)?;
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let request = client
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
        .send();
    let answer = request.await.map_err(unreachable)?;
    let status = answer.status();
    let text = read(answer).await.map_err(unreachable)?;
    let value: Value = serde_json::from_slice(&text).unwrap_or_default();
    match status.is_success() {
        true => Ok(value),
        false => Err(DuoError::Refused { status: status.as_u16(), what: told(&value) }),
    }
}

async fn read(mut answer: Response) -> Result<Vec<u8>, reqwest::Error> {
    let mut text = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        text.extend_from_slice(&chunk);
        if text.len() > LONGEST_ANSWER {
            text.clear();
            break;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_800_000_000_000);

    fn duo() -> Duo {
        Duo {
            host: "api-1.duo.example".to_owned(),
            integration_key: "DIAAAA".to_owned(),
            secret_key: Secret::new("s3cret-s3cret-s3cret-s3cret-s3cret-s3cre".to_owned()),
        }
    }

    fn sent() -> Sent {
        let (state, nonce) = ("state-1".to_owned(), "nonce-1".to_owned());
        Sent {
            state,
            nonce,
            username: "alice".to_owned(),
            back: "/sign-in".to_owned(),
            remember: false,
        }
    }

    fn claims() -> Value {
        json!({
            "iss": "https://api-1.duo.example/oauth/v1/token",
            "aud": "DIAAAA",
            "exp": seconds(NOW) + 300,
            "nonce": "nonce-1",
            "preferred_username": "alice",
            "auth_result": { "result": "allow", "status": "allow", "status_msg": "Login Successful" },
        })
    }

    fn judged(claims: &Value) -> Result<(), String> {
        let duo = duo();
        duo.judge(&duo.signed(claims), &sent(), NOW).map_err(|error| error.to_string())
    }

    /// `security.md` R14.
    #[test]
    fn only_an_answer_for_this_person_and_request_is_a_proof() {
        assert_eq!(judged(&claims()), Ok(()));
        for (name, value, said) in [
            ("iss", json!("https://api-2.duo.example/oauth/v1/token"), "`iss`"),
            ("aud", json!("DIBBBB"), "`aud`"),
            ("aud", json!(["DIAAAA", "DIBBBB"]), "`aud`"),
            ("exp", json!(seconds(NOW) - 61), "`exp`"),
            ("exp", json!("never"), "`exp`"),
            ("nonce", json!("nonce-2"), "`nonce`"),
            ("preferred_username", json!("bob"), "for bob"),
            ("preferred_username", json!("Alice"), "for Alice"),
            ("preferred_username", Value::Null, "for "),
            ("auth_result", json!({ "result": "deny", "status_msg": "Denied" }), "Denied"),
            ("auth_result", Value::Null, "not confirmed"),
        ] {
            let mut claims = claims();
            claims[name] = value;
            let refused = judged(&claims).expect_err(name);
            assert!(refused.contains(said), "{name}: {refused}");
        }
    }

    #[test]
    fn only_our_key_signs_an_answer() {
        let (duo, claims) = (duo(), claims());
        let other = Duo { secret_key: Secret::new("another".to_owned()), ..duo.clone() };
        let good = duo.signed(&claims);
        let parts: Vec<&str> = good.split('.').collect();
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        for token in [
            other.signed(&claims),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{none}.{}.", parts[1]),
            format!("{none}.{}.{}", parts[1], parts[2]),
            String::new(),
            "a.b.c".to_owned(),
            format!("{good}x"),
        ] {
            let refused = duo.judge(&token, &sent(), NOW);
            assert!(matches!(refused, Err(DuoError::Unsigned(_))), "{token}: {refused:?}");
        }
        assert!(duo.judge(&good, &sent(), NOW).is_ok());
    }

    #[test]
    fn the_request_says_who_and_where_to_come_back() {
        let duo = duo();
        let url = duo.prompt(&sent(), "https://auth.example.com/duo", NOW);
        let parsed = url::Url::parse(&url).unwrap();
        assert_eq!(parsed.host_str(), Some("api-1.duo.example"));
        let request = parsed.query_pairs().find(|(name, _)| name == "request").unwrap().1;
        let claims = duo.verified(&request).unwrap();
        for (name, value) in [
            ("duo_uname", "alice"),
            ("state", "state-1"),
            ("nonce", "nonce-1"),
            ("redirect_uri", "https://auth.example.com/duo"),
            ("aud", "https://api-1.duo.example"),
            ("client_id", "DIAAAA"),
        ] {
            assert_eq!(claims[name], value, "{name}");
        }
    }
}
