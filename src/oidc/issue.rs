//! Tokens, made: access tokens (RFC 9068, or a random text), ID tokens (OIDC Core §2), refresh tokens.

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::Asked;
use super::claims::{self, Told};
use super::entitled::Entitled;
use super::refusal::Refusal;
use super::time::seconds;
use crate::blueprint::oidc::TokenFormat;
use crate::jose::Algorithm;
use crate::runtime::app::App;
use crate::runtime::client::Client;
use crate::secret::TokenDigest;
use crate::store::{AccessToken, RefreshToken, Tx};

/// The type of signed access tokens (RFC 9068 §2.1).
pub const ACCESS_TOKEN_TYPE: &str = "at+jwt";
/// What opaque access tokens begin with.
pub const OPAQUE: &str = "dwa_";
const REFRESH: &str = "dwr_";

/// Whom an access token is for and what it may do.
pub struct Bearer<'a> {
    pub app: &'a App,
    pub client: &'a Client,
    /// `sub`.
    pub subject: String,
    pub scopes: &'a [String],
    /// The key that it is bound to, by its thumbprint.
    pub key: Option<&'a str>,
    /// What it hangs on, unless the app asked for itself.
    pub entitled: Option<&'a Entitled<'a>>,
}

/// An access token and how long it is good.
pub struct Made {
    pub text: String,
    pub lasts: Duration,
    /// What the store keeps of one that says nothing itself.
    row: Option<AccessToken>,
}

impl Made {
    /// Keeps what there is to keep.
    pub async fn write(&self, tx: &mut Tx) -> Result<(), Refusal> {
        match &self.row {
            Some(row) => Ok(tx.insert_access_token(row).await?),
            None => Ok(()),
        }
    }

    /// Whether it is worth nothing before it is written.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.row.is_some()
    }
}

/// Makes an access token.
pub async fn access_token(asked: &Asked<'_>, bearer: &Bearer<'_>) -> Result<Made, Refusal> {
    let (server, client) = (asked.server, bearer.client);
    let (now, lasts) = (server.clock.now(), client.access_token_lasts);
    let expires_at = now.plus(lasts);
    let grant_id = bearer.entitled.map(|entitled| entitled.grant.id.clone());
    if client.access_token_format == TokenFormat::Opaque {
        let text = format!("{OPAQUE}{}", server.rng.token()?);
        let row = AccessToken {
            digest: server.key.digest(text.as_bytes()),
            grant_id,
            app_uid: bearer.app.uid.clone(),
            scopes: bearer.scopes.to_vec(),
            key: bearer.key.map(str::to_owned),
            created_at: now,
            expires_at,
            revoked_at: None,
        };
        return Ok(Made { text, lasts, row: Some(row) });
    }
    let mut claims = json!({
        "iss": asked.runtime.external.to_string(),
        "sub": bearer.subject,
        "aud": client.audience,
        "client_id": client.id,
        "iat": seconds(now),
        "exp": seconds(expires_at),
        "jti": server.rng.id("at", now)?,
        "scope": bearer.scopes.join(" "),
    });
    if let (Some(entitled), Some(members)) = (bearer.entitled, claims.as_object_mut()) {
        authentication(entitled, members);
        members.insert("grant".to_owned(), json!(grant_id));
    }
    if let (Some(key), Some(members)) = (bearer.key, claims.as_object_mut()) {
        members.insert("cnf".to_owned(), json!({ "jkt": key }));
    }
    let signer = server.signing_keys.signer(client.signing).await?;
    Ok(Made { text: signer.key.token(ACCESS_TOKEN_TYPE, &claims)?, lasts, row: None })
}

/// Makes an ID token.
pub async fn id_token(
    asked: &Asked<'_>,
    entitled: &Entitled<'_>,
    nonce: Option<&str>,
    access_token: &str,
) -> Result<String, Refusal> {
    let (server, client) = (asked.server, entitled.client);
    let now = server.clock.now();
    let mut claims = claims::person(server, entitled, Told::IdToken);
    // Last, so that nothing of the person takes the place of what the protocol says.
    let (profile, standing) = (&entitled.profile, &entitled.standing);
    let subject = claims::subject(&server.key, client, profile, standing);
    for (name, value) in [
        ("iss", json!(asked.runtime.external.to_string())),
        ("sub", json!(subject)),
        ("aud", json!(client.id)),
        ("azp", json!(client.id)),
        ("iat", json!(seconds(now))),
        ("exp", json!(seconds(now.plus(client.id_token_lasts)))),
        ("at_hash", json!(half_digest(access_token, client.signing))),
    ] {
        claims.insert(name.to_owned(), value);
    }
    if let Some(nonce) = nonce {
        claims.insert("nonce".to_owned(), json!(nonce));
    }
    if let Some(session) = &entitled.grant.session_id {
        let name = claims::session_name(&server.key, &entitled.app.uid, session);
        claims.insert("sid".to_owned(), json!(name));
    }
    authentication(entitled, &mut claims);
    let signer = server.signing_keys.signer(client.signing).await?;
    Ok(signer.key.token("JWT", &Value::Object(claims))?)
}

/// When and how the person showed who they are.
fn authentication(entitled: &Entitled<'_>, claims: &mut Map<String, Value>) {
    let proven = &entitled.proven;
    let last = proven.factors.values().copied().chain(proven.first).max();
    if let Some(at) = last {
        claims.insert("auth_time".to_owned(), json!(seconds(at)));
    }
    claims.insert("amr".to_owned(), json!(claims::methods(proven)));
    claims.insert("acr".to_owned(), json!(claims::context(proven)));
}

/// Makes a refresh token in the place of `parent`, where the client is given any.
pub fn refresh_token(
    asked: &Asked<'_>,
    entitled: &Entitled<'_>,
    parent: Option<TokenDigest>,
    key: Option<&str>,
) -> Result<Option<(String, RefreshToken)>, Refusal> {
    let (server, client) = (asked.server, entitled.client);
    let Some(lasts) = client.refresh_token_lasts else { return Ok(None) };
    let now = server.clock.now();
    let text = format!("{REFRESH}{}", server.rng.token()?);
    let row = RefreshToken {
        digest: server.key.digest(text.as_bytes()),
        grant_id: entitled.grant.id.clone(),
        parent,
        // Of other clients the secret is asked for, and a new key is theirs to choose (RFC 9449 §5).
        key: key.filter(|_| client.public).map(str::to_owned),
        created_at: now,
        expires_at: now.plus(lasts),
        used_at: None,
    };
    Ok(Some((text, row)))
}

/// The left half of a digest, by the hash of the algorithm that signs (OIDC Core §3.1.3.6). Ed25519 has
/// SHA-512 within (RFC 8032 §5.1).
fn half_digest(token: &str, signing: Algorithm) -> String {
    let hash = match signing {
        Algorithm::EdDsa => &SHA512,
        Algorithm::Es256 | Algorithm::Rs256 | Algorithm::Ps256 => &SHA256,
    };
    let digest = digest(hash, token.as_bytes());
    let half = digest.as_ref().len() / 2;
    URL_SAFE_NO_PAD.encode(digest.as_ref().get(..half).unwrap_or_default())
}
