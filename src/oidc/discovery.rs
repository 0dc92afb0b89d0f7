//! What this provider can do, for clients to read (OIDC Discovery §3, RFC 8414).

use serde_json::json;

use super::{
    AUTHORIZE, DEVICE_AUTHORIZATION, END_SESSION, INTROSPECT, JWKS, PUSH, REVOKE, TOKEN, USERINFO,
};
use crate::jose::Algorithm;
use crate::runtime::Runtime;

/// The document.
#[must_use]
pub fn document(runtime: &Runtime) -> String {
    let issuer = runtime.external.to_string();
    let at = |path: &str| format!("{issuer}{path}");
    let clients = runtime.apps.iter().filter_map(|app| app.client.as_ref());
    let mut scopes: Vec<&str> = vec!["openid", "profile", "email", "groups", "offline_access"];
    for scope in clients.flat_map(|client| &client.scopes) {
        if !scopes.contains(&scope.as_str()) {
            scopes.push(scope);
        }
    }
    let secrets =
        ["client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"];
    let anybody = secrets.iter().copied().chain(["none"]).collect::<Vec<_>>();
    let algorithms = Algorithm::ALL.map(Algorithm::word);
    let signed = algorithms.iter().copied().chain(["HS256"]).collect::<Vec<_>>();
    json!({
        "issuer": issuer,
        "authorization_endpoint": at(AUTHORIZE),
        "token_endpoint": at(TOKEN),
        "userinfo_endpoint": at(USERINFO),
        "jwks_uri": at(JWKS),
        "introspection_endpoint": at(INTROSPECT),
        "revocation_endpoint": at(REVOKE),
        "pushed_authorization_request_endpoint": at(PUSH),
        "require_pushed_authorization_requests": false,
        "end_session_endpoint": at(END_SESSION),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "grant_types_supported": [
            "authorization_code", "refresh_token", "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
        ],
        "device_authorization_endpoint": at(DEVICE_AUTHORIZATION),
        "subject_types_supported": ["public", "pairwise"],
        "id_token_signing_alg_values_supported": algorithms,
        "token_endpoint_auth_methods_supported": anybody,
        "token_endpoint_auth_signing_alg_values_supported": signed,
        "introspection_endpoint_auth_methods_supported": secrets,
        "introspection_endpoint_auth_signing_alg_values_supported": signed,
        "revocation_endpoint_auth_methods_supported": anybody,
        "revocation_endpoint_auth_signing_alg_values_supported": signed,
        "dpop_signing_alg_values_supported": algorithms,
        "code_challenge_methods_supported": ["S256"],
        "acr_values_supported": ["pwd", "mfa", "phr"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "display_values_supported": ["page"],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "sid",
            "name", "preferred_username", "locale", "email", "email_verified", "groups",
        ],
        "claims_parameter_supported": true,
        "request_parameter_supported": true,
        "request_object_signing_alg_values_supported": algorithms,
        "request_uri_parameter_supported": false,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
        "authorization_response_iss_parameter_supported": true,
    })
    .to_string()
}
