//! A client that signs what it says of itself (RFC 7523 §3, OIDC Core §9): with its secret or with a key.

use std::time::Duration;

use serde_json::Value;

use super::Asked;
use crate::blueprint::oidc::ClientAuth;
use crate::client_secret::Known;
use crate::clock::Millis;
use crate::jose::{Compact, mac};
use crate::oidc::refusal::Refusal;
use crate::oidc::{PUSH, TOKEN, time};
use crate::runtime::app::App;
use crate::runtime::client::Client;

/// What `client_assertion_type` says.
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far clocks may differ.
const SKEW: Duration = Duration::from_secs(60);
/// An assertion that is good for longer would have to be remembered for longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// The types that a header may name; one that was made for something else is no assertion.
const TYPES: [&str; 2] = ["jwt", "client-authentication+jwt"];

/// An assertion, taken apart and not yet believed.
pub struct Assertion<'a>(Compact<'a>);

impl<'a> Assertion<'a> {
    pub fn read(text: &'a str) -> Option<Self> {
        Compact::read(text).ok().map(Self)
    }

    /// Whom it speaks of.
    pub fn client_id(&self) -> Option<&str> {
        self.0.text("sub")
    }

    /// How its client proves itself by it.
    pub fn method(&self) -> ClientAuth {
        match self.0.header_text("alg") {
            Some("HS256") => ClientAuth::SecretJwt,
            _ => ClientAuth::PrivateKeyJwt,
        }
    }

    /// Sees that it was made by the client, for us, now, and for the first time.
    pub async fn prove(
        &self,
        asked: &Asked<'_>,
        app: &App,
        client: &Client,
    ) -> Result<Result<(), &'static str>, Refusal> {
        let now = asked.server.clock.now();
        let until = match self.says_right(asked, client, now) {
            Ok(until) => until,
            Err(why) => return Ok(Err(why)),
        };
        if let Err(why) = self.is_signed(asked, app, client, now).await {
            return Ok(Err(why));
        }
        let Some(id) = self.0.text("jti") else { return Ok(Err("assertion-without-jti")) };
        let name = format!("assertion\0{}\0{id}", client.id);
        let mut tx = asked.server.store.begin().await?;
        let digest = asked.server.key.digest(name.as_bytes());
        let first = tx.use_once(&digest, until.plus(SKEW)).await?;
        tx.commit().await?;
        Ok(first.then_some(()).ok_or("assertion-reused"))
    }

    /// What it says of itself; gives until when.
    fn says_right(
        &self,
        asked: &Asked<'_>,
        client: &Client,
        now: Millis,
    ) -> Result<Millis, &'static str> {
        let typ = self.0.header_text("typ").unwrap_or("JWT").to_ascii_lowercase();
        if !TYPES.contains(&typ.as_str()) {
            return Err("assertion-type");
        }
        let own = Some(client.id.as_str());
        if self.0.text("iss") != own || self.0.text("sub") != own {
            return Err("assertion-subject");
        }
        if !self.is_for_us(asked, client) {
            return Err("assertion-audience");
        }
        let until = time::moment(&self.0, "exp").ok_or("assertion-without-exp")?;
        if until.plus(SKEW) <= now {
            return Err("assertion-expired");
        }
        if until > now.plus(LONGEST) {
            return Err("assertion-too-long");
        }
        for name in ["nbf", "iat"] {
            let from = time::optional(&self.0, name).map_err(|_| "assertion-time")?;
            if from.is_some_and(|from| from > now.plus(SKEW)) {
                return Err("assertion-early");
            }
        }
        Ok(until)
    }

    /// Whether all that it is for is ours. FAPI wants our name alone: an assertion that names an
    /// endpoint may have been lured out of the client by another provider.
    fn is_for_us(&self, asked: &Asked<'_>, client: &Client) -> bool {
        let issuer = asked.runtime.external.to_string();
        let ours = |each: &str| {
            each == issuer
                || (!client.is_fapi
                    && each
                        .strip_prefix(issuer.as_str())
                        .is_some_and(|path| [TOKEN, PUSH, asked.parts.uri.path()].contains(&path)))
        };
        match self.0.payload.get("aud") {
            Some(Value::String(one)) => ours(one),
            Some(Value::Array(all)) if !client.is_fapi => {
                !all.is_empty() && all.iter().all(|each| each.as_str().is_some_and(ours))
            }
            _ => false,
        }
    }

    async fn is_signed(
        &self,
        asked: &Asked<'_>,
        app: &App,
        client: &Client,
        now: Millis,
    ) -> Result<(), &'static str> {
        let server = asked.server;
        let signed = match self.method() {
            ClientAuth::SecretJwt => {
                let known = server.client_secrets.of(&app.uid, now);
                known.iter().any(|known| match known {
                    Known::Value { secret, .. } => mac::made_with(&self.0, secret),
                    Known::Verifier(_) => false,
                })
            }
            _ => {
                let keys = server.client_keys.of(&server.outbound, client, &self.0).await;
                let keys = keys.map_err(|_| "keys-unknown")?;
                keys.signed(&self.0, client.may_sign_by())
            }
        };
        signed.then_some(()).ok_or("assertion-signature")
    }
}
