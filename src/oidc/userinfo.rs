//! What the bearer of a token may know of the person (OIDC Core §5.3).

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use serde_json::{Value, json};

use super::claims::{self, Told};
use super::entitled::Entitled;
use super::refusal::{Challenge, ErrorCode, Refusal};
use super::{Asked, bearer, token};
use crate::web::form::Form;
use crate::web::reply;

/// The claims of the scopes that were granted.
pub async fn answer(asked: &Asked<'_>, body: Body) -> Result<Response<Body>, Refusal> {
    let posted = posted(asked, body).await?;
    let token =
        bearer::admit(asked, posted.as_ref().and_then(|it| it.exact("access_token"))).await?;
    let entitled = person(&token)?;
    let mut told = claims::person(asked.server, entitled, Told::Userinfo);
    told.insert("sub".to_owned(), json!(subject(asked, entitled)));
    Ok(reply::json(StatusCode::OK, &Value::Object(told)))
}

/// The same in the words of GitHub, for apps that know no other provider.
pub async fn answer_like_github(asked: &Asked<'_>) -> Result<Response<Body>, Refusal> {
    let token = bearer::admit(asked, None).await?;
    let entitled = person(&token)?;
    let told = claims::person(asked.server, entitled, Told::Userinfo);
    let subject = subject(asked, entitled);
    let get = |name: &str| told.get(name).cloned().unwrap_or(Value::Null);
    let body = json!({
        "id": number(asked, &subject),
        "node_id": subject,
        "login": get("preferred_username"),
        "name": get("name"),
        "email": get("email"),
        "type": "User",
        "site_admin": false,
    });
    Ok(reply::json(StatusCode::OK, &body))
}

/// A form in which the token may come (RFC 6750 §2.2). Other bodies are not looked at.
async fn posted(asked: &Asked<'_>, body: Body) -> Result<Option<Form>, Refusal> {
    let kind = asked.parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    match is_form && asked.parts.method == Method::POST {
        true => token::read(body).await.map(Some),
        false => Ok(None),
    }
}

fn person<'t>(token: &'t bearer::Token<'_>) -> Result<&'t Entitled<'t>, Refusal> {
    let about_people = token.scopes.iter().any(|scope| scope == "openid" || scope == "profile");
    let missing = || Refusal {
        challenge: Some(Challenge::Bearer),
        ..Refusal::new(ErrorCode::InsufficientScope, "the token has no scope `openid`")
    };
    let entitled = token.entitled.as_ref().filter(|_| about_people);
    entitled.ok_or_else(missing)
}

fn subject(asked: &Asked<'_>, entitled: &Entitled<'_>) -> String {
    let (profile, standing) = (&entitled.profile, &entitled.standing);
    claims::subject(&asked.server.key, entitled.client, profile, standing)
}

/// A number that stays the same for a subject: apps of this kind keep people by number. It is small
/// enough for JavaScript to tell from the next one.
fn number(asked: &Asked<'_>, subject: &str) -> u64 {
    let digest = asked.server.key.digest(format!("number\0{subject}").as_bytes());
    digest.0.iter().take(6).fold(0, |sum, byte| sum << 8 | u64::from(*byte))
}
