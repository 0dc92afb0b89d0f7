//! A request that the client signed (RFC 9101, OIDC Core §6): what it says counts, and nothing of what
//! stands beside it.

use serde_json::Value;

use super::{Told, Wrong};
use crate::jose::Compact;
use crate::oidc::time;
use crate::runtime::Runtime;
use crate::runtime::client::Client;
use crate::web::form::Form;
use crate::web::server::Server;

/// The types that its header may name.
const TYPES: [&str; 2] = ["jwt", "oauth-authz-req+jwt"];

/// The parameters in a signed request.
///
/// # Errors
/// If it is not one of this client's, or not good now.
pub async fn opened(
    server: &Server,
    runtime: &Runtime,
    client: &Client,
    text: &str,
) -> Result<Form, Wrong> {
    let wrong = |why: &'static str| (Told::InvalidRequestObject, why);
    let token = Compact::read(text).map_err(|_| wrong("request is not a signed token"))?;
    let typ = token.header_text("typ").unwrap_or("JWT").to_ascii_lowercase();
    if !TYPES.contains(&typ.as_str()) {
        return Err(wrong("request was made for something else (typ)"));
    }
    if token.text("iss") != Some(&client.id) || token.text("client_id") != Some(&client.id) {
        return Err(wrong("request is not this client's (iss, client_id)"));
    }
    if !token.is_for(&runtime.external.to_string()) {
        return Err(wrong("request is not for this provider (aud)"));
    }
    let now = server.clock.now();
    let moment =
        |name| time::optional(&token, name).map_err(|_| wrong("request says a time that is none"));
    if moment("exp")?.is_some_and(|until| until <= now) || moment("nbf")?.is_some_and(|at| at > now)
    {
        return Err(wrong("request is not good now (exp, nbf)"));
    }
    if token.payload.contains_key("request") || token.payload.contains_key("request_uri") {
        return Err(wrong("request holds another request"));
    }
    let keys = server.client_keys.of(&server.outbound, client, &token).await;
    let keys = keys.map_err(|_| wrong("the keys of this client are not known here"))?;
    if !keys.signed(&token, client.may_sign_by()) {
        return Err(wrong("request is not signed by a key of this client's"));
    }
    let pairs = token.payload.iter().filter_map(|(name, value)| {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            Value::Object(_) if name == "claims" => value.to_string(),
            _ => return None,
        };
        Some((name.clone(), text))
    });
    Form::of_pairs(pairs).map_err(|_| wrong("request holds a character that nobody types"))
}
