//! The token endpoint: a client shows who it is, and one of the grants answers (RFC 6749 §3.2).

use axum::body::Body;
use http::{Response, StatusCode};
use serde_json::{Value, json};

use super::claims;
use super::client_auth::authenticate;
use super::entitled::{Entitled, Void};
use super::issue::{self, Bearer, Made};
use super::refusal::{About, ErrorCode, Refusal};
use super::{Asked, dpop};
use crate::blueprint::oidc::Grant as GrantType;
use crate::clock::Millis;
use crate::runtime::app::App;
use crate::runtime::client::Client;
use crate::secret::TokenDigest;
use crate::store::{RefreshToken, Tx};
use crate::web::form::{Form, FormError};
use crate::web::reply;

/// For itself (RFC 6749 §4.4).
mod client_credentials;
/// By a code (RFC 6749 §4.1.3).
mod code;
/// By a code that a person typed.
mod device;
/// By a refresh token (RFC 6749 §6).
mod refresh;

/// A client that showed who it is.
struct Caller<'a> {
    asked: &'a Asked<'a>,
    app: &'a App,
    client: &'a Client,
    /// The key that it proved to hold, by its thumbprint: what it is given is bound to that.
    key: Option<String>,
}

pub async fn answer(asked: &Asked<'_>, body: Body) -> Result<Response<Body>, Refusal> {
    let form = read(body).await?;
    let (app, client) = authenticate(asked, &form).await?;
    let key = dpop::proven(asked, dpop::Occasion::Tokens(client)).await?;
    if client.must_bind && key.is_none() {
        let why = "this client has to send a DPoP proof (RFC 9449)";
        return Err(Refusal::new(ErrorCode::InvalidDpopProof, why));
    }
    let caller = Caller { asked, app, client, key };
    let answer = match form.exact("grant_type") {
        Some("authorization_code") => {
            caller.may(GrantType::AuthorizationCode)?;
            code::exchange(&caller, &form).await
        }
        Some("urn:ietf:params:oauth:grant-type:device_code") => {
            caller.may(GrantType::DeviceCode)?;
            device::exchange(&caller, &form).await
        }
        Some("refresh_token") => {
            if !client.may(GrantType::DeviceCode) {
                caller.may(GrantType::AuthorizationCode)?;
            }
            refresh::exchange(&caller, &form).await
        }
        Some("client_credentials") => {
            caller.may(GrantType::ClientCredentials)?;
            client_credentials::exchange(&caller, &form).await
        }
        Some(_) => {
            let why = "this grant_type is not one that is answered here";
            Err(Refusal::new(ErrorCode::UnsupportedGrantType, why))
        }
        None => Err(Refusal::new(ErrorCode::InvalidRequest, "grant_type is missing")),
    }?;
    Ok(reply::json(StatusCode::OK, &answer))
}

/// The form of a request to an endpoint for programs: a parameter that comes twice is a mistake
/// (RFC 6749 §3.2).
pub async fn read(body: Body) -> Result<Form, Refusal> {
    Form::read(body).await.map_err(|error| {
        let why = match error {
            FormError::Twice => "a parameter came twice",
            FormError::Unreadable => "the body is too long or broke off",
            FormError::Nul => "a parameter holds a NUL",
            FormError::Late => "the body did not arrive in time",
        };
        Refusal::new(ErrorCode::InvalidRequest, why)
    })
}

impl Caller<'_> {
    fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn may(&self, grant: GrantType) -> Result<(), Refusal> {
        match self.client.may(grant) {
            true => Ok(()),
            false => Err(Refusal::new(
                ErrorCode::UnauthorizedClient,
                "this client is not declared with this grant",
            )),
        }
    }

    /// A code or token of this client's that is worth nothing, and why.
    fn refuse(&self, what: TokenDigest, reason: &str, data: Value) -> Refusal {
        let mut about = json!({ "reason": reason, "client": self.client.id });
        if let (Some(all), Some(more)) = (about.as_object_mut(), data.as_object()) {
            all.extend(more.clone());
        }
        let description = match reason {
            "expired" => "it has expired",
            "used" | "reused" => {
                "it was used before; everything that was given for it is worth nothing now"
            }
            "revoked" => "what it hangs on was taken back",
            "other-client" => "it was given to another client",
            "other-redirect" => "redirect_uri is not the one that the code was sent to",
            "other-key" => "it is bound to another key than the one of the DPoP proof",
            "verifier" => "code_verifier does not fit the code_challenge (RFC 7636)",
            "person-refused" => "the person refused",
            "session-ended" => "the person has signed out or the session has run out",
            "account-disabled" => "the account is disabled or gone",
            "rules" => "the rules of the app do not let this person in",
            "proof-needed" => {
                "the rules of the app ask the person for another proof: send them to sign in again"
            }
            _ => "it is not one that was given here",
        };
        let app = Some(format!("app:{}", self.app.slug));
        // The same token refused for another reason is another refusal.
        let what = self.asked.server.key.digest(&[&what.0, reason.as_bytes()].concat());
        Refusal::new(ErrorCode::InvalidGrant, description).about(About { what, app, data: about })
    }

    fn refuse_void(&self, what: TokenDigest, grant: &str, void: &Void) -> Refusal {
        let mut data = void.data();
        if let Some(members) = data.as_object_mut() {
            members.insert("grant".to_owned(), json!(grant));
        }
        self.refuse(what, void.word(), data)
    }

    /// Makes everything that a person's grant is worth now. It is signed before anything is written,
    /// so that nobody waits for a signature while the store is held.
    async fn make(
        &self,
        entitled: &Entitled<'_>,
        scopes: &[String],
        how: How<'_>,
    ) -> Result<Answer, Refusal> {
        let asked = self.asked;
        let (profile, standing) = (&entitled.profile, &entitled.standing);
        let subject = claims::subject(&asked.server.key, self.client, profile, standing);
        let (app, client) = (self.app, self.client);
        let bearer =
            Bearer { app, client, subject, scopes, key: self.key(), entitled: Some(entitled) };
        let access = issue::access_token(asked, &bearer).await?;
        let refresh = match how.refreshed {
            Some(Refreshed { rotates: false, .. }) => None,
            Some(Refreshed { digest, .. }) => {
                issue::refresh_token(asked, entitled, Some(digest), self.key())?
            }
            None => issue::refresh_token(asked, entitled, None, self.key())?,
        };
        let id_token = match scopes.iter().any(|scope| scope == "openid") {
            true => Some(issue::id_token(asked, entitled, how.nonce, &access.text).await?),
            false => None,
        };
        let is_bound = self.key.is_some();
        Ok(Answer { grant_id: entitled.grant.id.clone(), access, refresh, id_token, is_bound })
    }
}

/// Tokens that are made and not yet given.
struct Answer {
    grant_id: String,
    access: Made,
    refresh: Option<(String, RefreshToken)>,
    id_token: Option<String>,
    is_bound: bool,
}

impl Answer {
    /// Writes down what there is to keep, as one with what it was given for (RFC 6749 §5.1).
    async fn give(self, mut tx: Tx, scopes: &[String], now: Millis) -> Result<Value, Refusal> {
        self.access.write(&mut tx).await?;
        let mut until = now.plus(self.access.lasts);
        if let Some((_, row)) = &self.refresh {
            tx.insert_refresh_token(row).await?;
            until = until.max(row.expires_at);
        }
        tx.extend_grant(&self.grant_id, until).await?;
        tx.commit().await?;
        let mut answer = bare(&self.access, scopes, self.is_bound);
        if let Some(members) = answer.as_object_mut() {
            members
                .extend(self.refresh.map(|(token, _)| ("refresh_token".to_owned(), json!(token))));
            members.extend(self.id_token.map(|token| ("id_token".to_owned(), json!(token))));
        }
        Ok(answer)
    }
}

/// What tokens come of.
#[derive(Clone, Copy, Default)]
struct How<'a> {
    nonce: Option<&'a str>,
    refreshed: Option<Refreshed>,
}

/// A refresh token that was brought.
#[derive(Clone, Copy)]
struct Refreshed {
    digest: TokenDigest,
    /// Whether another takes its place.
    rotates: bool,
}

fn bare(made: &Made, scopes: &[String], is_bound: bool) -> Value {
    json!({
        "access_token": made.text,
        "token_type": if is_bound { "DPoP" } else { "Bearer" },
        "expires_in": made.lasts.as_secs(),
        "scope": scopes.join(" "),
    })
}
