//! The requests, endpoint by endpoint.

use super::*;

const REFRESH: (&str, &str) = ("grant_type", "refresh_token");
const WRONG: Option<(&str, &str)> = Some(("wiki", "wrong"));

const fn row(
    endpoint: &'static str,
    code: &'static str,
    (status, name): (u16, &'static str),
    ask: fn(&House) -> Answer,
) -> Row {
    Row { endpoint, code, status, name, ask }
}

/// An answer to the app, by way of the browser.
const fn told(code: &'static str, name: &'static str, ask: fn(&House) -> Answer) -> Row {
    row("authorize", code, (303, name), ask)
}

pub fn while_all_is_well() -> &'static [Row] {
    &ROWS
}

/// Those where the store does not answer.
pub fn without_a_store() -> &'static [Row] {
    &AWAY
}

const ROWS: [Row; 67] = [
    // RFC 6749 §4.1.2.1, OIDC Core §3.1.2.6.
    told("InvalidRequest", "invalid_request", |h| h.authorize(&[("response_type", "")])),
    told("UnauthorizedClient", "unauthorized_client", |h| h.authorize(&[("client_id", "tv")])),
    told("UnsupportedResponseType", "unsupported_response_type", |h| {
        h.authorize(&[("response_type", "token")])
    }),
    told("InvalidScope", "invalid_scope", |h| h.authorize(&[("scope", "everything")])),
    told("AccessDenied", "access_denied", |h| {
        h.authorize(&[("client_id", "closed"), ("prompt", "none")])
    }),
    told("LoginRequired", "login_required", |h| {
        Browser::at(&h.server).open(&asking(&h.server, &[("prompt", "none")]))
    }),
    told("InteractionRequired", "interaction_required", |h| {
        h.authorize(&[("client_id", "careful"), ("prompt", "none")])
    }),
    told("ConsentRequired", "consent_required", |h| {
        h.authorize(&[("client_id", "polite"), ("prompt", "none")])
    }),
    told("InvalidRequestObject", "invalid_request_object", |h| h.authorize(&[("request", "x")])),
    // Answered once by way of the address that it travels in, and then again.
    told("InvalidRequestUri", "invalid_request_uri", |h| {
        let uri = text(&h.push(&[]), "request_uri");
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("client_id", "wiki").append_pair("request_uri", &uri);
        let address = format!("{}/oauth2/authorize?{}", issuer(&h.server), query.finish());
        let looked = Browser::at(&h.server).open(&address);
        let next = looked.location().split_once("next=").expect("a way").1.to_owned();
        let next = percent_encoding::percent_decode_str(&next).decode_utf8_lossy().into_owned();
        assert_eq!(h.alice().open(&address).status, 303);
        h.alice().open(&format!("{}{next}", issuer(&h.server)))
    }),
    told("RequestUriNotSupported", "request_uri_not_supported", |h| {
        h.authorize(&[("request_uri", "https://x")])
    }),
    told("RegistrationNotSupported", "registration_not_supported", |h| {
        h.authorize(&[("registration", "{}")])
    }),
    row("authorize", "Page", (400, PAGE), |h| h.authorize(&[("client_id", "")])),
    row("authorize", "Page", (400, PAGE), |h| h.authorize(&[("redirect_uri", "https://x/")])),
    // RFC 9126 §2.3.
    row("par", "InvalidRequest", (400, "invalid_request"), |h| {
        let form = h.pushed(&[]);
        let twice = [form.as_slice(), &form].concat();
        h.post_with(&[], "/oauth2/par", WIKI, &twice)
    }),
    row("par", "InvalidClient", (401, "invalid_client"), |h| h.post("/oauth2/par", WRONG, &[])),
    row("par", "Pushed", (400, "invalid_request"), |h| h.push(&[("redirect_uri", "")])),
    row("par", "Pushed", (400, "unauthorized_client"), |h| {
        h.post_with(&[], "/oauth2/par", None, &h.pushed(&[("client_id", "tv")]))
    }),
    row("par", "Pushed", (400, "unsupported_response_type"), |h| {
        h.push(&[("response_type", "token")])
    }),
    row("par", "Pushed", (400, "invalid_scope"), |h| h.push(&[("scope", "everything")])),
    row("par", "Pushed", (400, "invalid_request_object"), |h| h.push(&[("request", "x")])),
    row("par", "Pushed", (400, "request_uri_not_supported"), |h| {
        h.push(&[("request_uri", "urn:x")])
    }),
    row("par", "Pushed", (400, "registration_not_supported"), |h| {
        h.push(&[("registration", "{}")])
    }),
    row("par", "InvalidDpopProof", (400, "invalid_dpop_proof"), |h| {
        h.post_with(&[("DPoP", "x")], "/oauth2/par", WIKI, &h.pushed(&[]))
    }),
    row("par", "UseDpopNonce", (400, "use_dpop_nonce"), |h| {
        let proof = h.proof("POST", "/oauth2/par", "", None);
        h.post_with(&[("DPoP", &proof)], "/oauth2/par", WIKI, &h.pushed(&[]))
    }),
    row("par", "SlowDown", (429, "slow_down"), |h| h.impatient("/oauth2/par", "192.0.2.1")),
    row("par", "Method", (405, "invalid_request"), |h| h.get("/oauth2/par")),
    // RFC 6749 §5.2, RFC 8628 §3.5, RFC 9449 §5, §8.
    row("token", "InvalidRequest", (400, "invalid_request"), |h| h.token(WIKI, &[])),
    row("token", "InvalidRequest", (400, "invalid_request"), |h| {
        h.token(WIKI, &[REFRESH, REFRESH])
    }),
    row("token", "InvalidRequest", (400, "invalid_request"), |h| {
        h.token(WIKI, &[("client_secret", SECRET)])
    }),
    row("token", "InvalidClient", (401, "invalid_client"), |h| h.token(None, &[])),
    row("token", "InvalidGrant", (400, "invalid_grant"), |h| {
        h.token(WIKI, &[REFRESH, ("refresh_token", "x")])
    }),
    row("token", "UnauthorizedClient", (400, "unauthorized_client"), |h| {
        h.token(WIKI, &[("grant_type", "client_credentials")])
    }),
    row("token", "UnsupportedGrantType", (400, "unsupported_grant_type"), |h| {
        h.token(WIKI, &[("grant_type", "password")])
    }),
    row("token", "InvalidScope", (400, "invalid_scope"), |h| {
        h.token(WIKI, &[REFRESH, ("refresh_token", &h.refresh), ("scope", "everything")])
    }),
    row("token", "InvalidDpopProof", (400, "invalid_dpop_proof"), |h| {
        h.post_with(&[("DPoP", "x")], "/oauth2/token", WIKI, &[])
    }),
    row("token", "UseDpopNonce", (400, "use_dpop_nonce"), |h| {
        let proof = h.proof("POST", "/oauth2/token", "", None);
        h.post_with(&[("DPoP", &proof)], "/oauth2/token", WIKI, &[])
    }),
    row("token", "AuthorizationPending", (400, "authorization_pending"), |h| h.poll(&h.device().0)),
    row("token", "PollSlower", (400, "slow_down"), |h| {
        let (code, _) = h.device();
        let _ = h.poll(&code);
        h.poll(&code)
    }),
    row("token", "AccessDenied", (400, "access_denied"), |h| {
        let ((code, typed), url) = (h.device(), format!("{}/device", issuer(&h.server)));
        let mut alice = h.alice();
        let page = alice.open(&url);
        let typed = alice.submit(&url, &page, &[("code", &typed)]);
        let _ = alice.submit(&(issuer(&h.server) + typed.location()), &page, &[("do", "refuse")]);
        h.poll(&code)
    }),
    row("token", "ExpiredToken", (400, "expired_token"), |h| {
        let (code, _) = h.device();
        h.server.tamper("UPDATE device_codes SET expires_at = 1;");
        h.poll(&code)
    }),
    row("token", "SlowDown", (429, "slow_down"), |h| h.impatient("/oauth2/token", "192.0.2.2")),
    row("token", "Method", (405, "invalid_request"), |h| h.get("/oauth2/token")),
    // RFC 8628 §3.2.
    row("device", "InvalidRequest", (400, "invalid_request"), |h| {
        h.post("/oauth2/device", None, &[("client_id", "tv"), ("client_id", "tv")])
    }),
    row("device", "InvalidClient", (401, "invalid_client"), |h| {
        h.post("/oauth2/device", None, &[("client_id", "nobody")])
    }),
    row("device", "UnauthorizedClient", (400, "unauthorized_client"), |h| {
        h.post("/oauth2/device", WIKI, &[])
    }),
    row("device", "InvalidScope", (400, "invalid_scope"), |h| {
        h.post("/oauth2/device", None, &[("client_id", "tv"), ("scope", "everything")])
    }),
    row("device", "SlowDown", (429, "slow_down"), |h| {
        let form = [("client_id".to_owned(), "tv".to_owned())];
        let from = [("X-Forwarded-For", "192.0.2.3")];
        let asked = (0..40).map(|_| h.post_with(&from, "/oauth2/device", None, &form));
        asked.into_iter().find(|answer| answer.status != 200).expect("an end")
    }),
    row("device", "Method", (405, "invalid_request"), |h| h.get("/oauth2/device")),
    // RFC 7662 §2.3.
    row("introspect", "InvalidRequest", (400, "invalid_request"), |h| {
        h.post("/oauth2/introspect", WIKI, &[])
    }),
    row("introspect", "InvalidClient", (401, "invalid_client"), |h| {
        h.post("/oauth2/introspect", None, &[("token", "x")])
    }),
    row("introspect", "UnauthorizedClient", (400, "unauthorized_client"), |h| {
        h.post("/oauth2/introspect", None, &[("client_id", "tv"), ("token", "x")])
    }),
    row("introspect", "SlowDown", (429, "slow_down"), |h| {
        h.impatient("/oauth2/introspect", "192.0.2.4")
    }),
    row("introspect", "Method", (405, "invalid_request"), |h| h.get("/oauth2/introspect")),
    // RFC 7009 §2.2.1.
    row("revoke", "InvalidRequest", (400, "invalid_request"), |h| {
        h.post("/oauth2/revoke", WIKI, &[])
    }),
    row("revoke", "InvalidClient", (401, "invalid_client"), |h| {
        h.post("/oauth2/revoke", WRONG, &[("token", "x")])
    }),
    row("revoke", "SlowDown", (429, "slow_down"), |h| h.impatient("/oauth2/revoke", "192.0.2.5")),
    row("revoke", "Method", (405, "invalid_request"), |h| h.get("/oauth2/revoke")),
    // RFC 6750 §3.1, RFC 9449 §7.1, §9.
    row("userinfo", "InvalidRequest", (400, "invalid_request"), |h| {
        h.post("/oauth2/userinfo", None, &[("access_token", "x"), ("access_token", "x")])
    }),
    row("userinfo", "NoToken", (401, "invalid_request"), |h| h.get("/oauth2/userinfo")),
    row("userinfo", "InvalidToken", (401, "invalid_token"), |h| h.userinfo("Bearer x", None)),
    row("userinfo", "InsufficientScope", (403, "insufficient_scope"), |h| {
        let form = [("grant_type", "client_credentials")];
        let token = text(&h.token(MACHINE, &form), "access_token");
        h.userinfo(&format!("Bearer {token}"), None)
    }),
    row("userinfo", "InvalidDpopProof", (401, "invalid_dpop_proof"), |h| {
        h.userinfo(&format!("DPoP {}", h.bound), None)
    }),
    row("userinfo", "UseDpopNonce", (401, "use_dpop_nonce"), |h| {
        let proof = h.proof("GET", "/oauth2/userinfo", "", Some(&h.bound));
        h.userinfo(&format!("DPoP {}", h.bound), Some(&proof))
    }),
    row("userinfo", "Method", (405, "invalid_request"), |h| {
        h.server.request("DELETE", &host(&h.server), "/oauth2/userinfo").send()
    }),
    // OIDC RP-Initiated Logout §4: nobody is sent on.
    row("end_session", "Page", (400, PAGE), |h| {
        h.alice().open(&format!(
            "{}/oauth2/sign-out?client_id=wiki&post_logout_redirect_uri=https://x/",
            issuer(&h.server)
        ))
    }),
    row("end_session", "Page", (400, PAGE), |h| {
        h.alice().open(&format!("{}/oauth2/sign-out?state=1&state=2", issuer(&h.server)))
    }),
];

const AWAY: [Row; 7] = [
    row("authorize", "Page", (503, PAGE), |h| h.authorize(&[])),
    row("par", "Unavailable", (503, "temporarily_unavailable"), |h| {
        let proof = h.proof("POST", "/oauth2/par", &h.nonce, None);
        h.post_with(&[("DPoP", &proof)], "/oauth2/par", WIKI, &h.pushed(&[]))
    }),
    row("token", "Unavailable", (503, "temporarily_unavailable"), |h| {
        h.token(WIKI, &[REFRESH, ("refresh_token", "x")])
    }),
    row("device", "Unavailable", (503, "temporarily_unavailable"), |h| {
        h.post("/oauth2/device", None, &[("client_id", "tv")])
    }),
    row("introspect", "Unavailable", (503, "temporarily_unavailable"), |h| {
        h.post("/oauth2/introspect", WIKI, &[("token", "dwa_x")])
    }),
    row("revoke", "Unavailable", (503, "temporarily_unavailable"), |h| {
        h.post("/oauth2/revoke", WIKI, &[("token", "x")])
    }),
    row("userinfo", "Unavailable", (503, "temporarily_unavailable"), |h| {
        h.userinfo(&format!("Bearer {}", h.access), None)
    }),
];
