//! Tokens that are bound to a key (RFC 9449).

use serde_json::json;

use super::*;
use crate::support::signer::{Signer, now};
use crate::support::stores::on_both_servers;

fn apps() -> String {
    APPS.replacen("app native \"Native\" {\n    oidc public {", "app native \"Native\" {\n    oidc public {\n        refresh-token days=1\n        dpop required", 1)
        .replacen("scopes things:read", "access-token minutes=5 format=opaque\n        scopes things:read", 1)
}

/// A request with a proof in it; the nonce comes from the answer to a first one.
struct Asking<'a> {
    server: &'a Server,
    signer: &'a Signer,
    nonce: String,
    count: std::cell::Cell<u32>,
}

impl<'a> Asking<'a> {
    fn new(server: &'a Server, signer: &'a Signer) -> Self {
        let mut asking = Self { server, signer, nonce: String::new(), count: 0.into() };
        let first = asking.token(MACHINE, &CREDENTIALS);
        assert_eq!(error(&first), (400, "use_dpop_nonce".to_owned()));
        asking.nonce = first.header("dpop-nonce").expect("a nonce").to_owned();
        asking
    }

    fn claims(&self, method: &str, path: &str) -> serde_json::Value {
        self.count.set(self.count.get() + 1);
        json!({
            "htm": method, "htu": format!("{}{path}", issuer(self.server)), "iat": now(),
            "jti": format!("{}-{}", self.signer.name, self.count.get()), "nonce": self.nonce,
        })
    }

    fn proof(&self, claims: &serde_json::Value) -> String {
        self.signer.sign(&json!({ "typ": "dpop+jwt", "jwk": self.public() }), claims)
    }

    /// A key in a proof has no name.
    fn public(&self) -> serde_json::Value {
        let mut jwk = self.signer.jwk();
        jwk.as_object_mut().expect("a key").remove("kid");
        jwk
    }

    fn send(&self, proof: &str, client: Option<(&str, &str)>, form: &[(&str, &str)]) -> Answer {
        let request = self.server.request("POST", &host(self.server), "/oauth2/token").form(form);
        let request = request.with("DPoP", proof);
        match client {
            Some((id, secret)) => request.with("Authorization", basic(id, secret)).send(),
            None => request.send(),
        }
    }

    fn token(&self, client: Option<(&str, &str)>, form: &[(&str, &str)]) -> Answer {
        self.send(&self.proof(&self.claims("POST", "/oauth2/token")), client, form)
    }

    fn userinfo(&self, scheme: &str, token: &str, proof: Option<String>) -> Answer {
        let request = self.server.get(&host(self.server), "/oauth2/userinfo");
        let request = request.with("Authorization", format!("{scheme} {token}"));
        match proof {
            Some(proof) => request.with("DPoP", proof).send(),
            None => request.send(),
        }
    }

    fn proof_for(&self, token: &str) -> String {
        let mut claims = self.claims("GET", "/oauth2/userinfo");
        claims.as_object_mut().expect("claims").insert("ath".to_owned(), json!(challenge(token)));
        self.proof(&claims)
    }
}

const MACHINE: Option<(&str, &str)> = Some(("machine", "a-machine-has-a-secret-too"));
const CREDENTIALS: [(&str, &str); 1] = [("grant_type", "client_credentials")];

#[test]
fn tokens_are_bound_to_the_key_that_was_shown() {
    on_both_servers(|state| {
        let server = served_with(&apps(), state);
        let (signer, thief) = (Signer::new("one"), Signer::new("two"));
        let asking = Asking::new(&server, &signer);
        let mut browser = signed_in(&server);
        let code = code(&server, &mut browser, &[]);
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        let answer = asking.token(WIKI, &form);
        assert_eq!((answer.status, text(&answer, "token_type")), (200, "DPoP".to_owned()));
        let token = text(&answer, "access_token");
        let thumbprint = doorward::jose::public_key::thumbprint(&asking.public());
        assert_eq!(claims(&server, &token)["cnf"]["jkt"].as_str(), thumbprint.as_deref());
        assert_eq!(asking.userinfo("DPoP", &token, Some(asking.proof_for(&token))).status, 200);
        // `security.md` R15: without its key it is worth nothing.
        let plain = asking.userinfo("Bearer", &token, None);
        assert_eq!(error(&plain), (401, "invalid_token".to_owned()));
        assert!(plain.header("www-authenticate").is_some_and(|it| it.starts_with("DPoP ")));
        let none = asking.userinfo("DPoP", &token, None);
        assert_eq!(error(&none), (401, "invalid_dpop_proof".to_owned()));
        let stolen = Asking::new(&server, &thief);
        let other = stolen.userinfo("DPoP", &token, Some(stolen.proof_for(&token)));
        assert_eq!(error(&other), (401, "invalid_token".to_owned()));
        // Of a client with a secret a new key is asked for nothing but the secret (RFC 9449 §5).
        let refresh = text(&answer, "refresh_token");
        let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
        assert_eq!(stolen.token(WIKI, &form).status, 200);

        // A token that only we can read says to a resource server what it is bound to.
        let opaque = text(&asking.token(MACHINE, &CREDENTIALS), "access_token");
        let told = json(&post(&server, "/oauth2/introspect", MACHINE, &[("token", &opaque)]));
        assert_eq!(
            (&told["token_type"], told["cnf"]["jkt"].as_str()),
            (&json!("DPoP"), thumbprint.as_deref())
        );
    });
}

#[test]
fn a_public_client_refreshes_with_the_same_key_alone() {
    let server = served_with(&apps(), &[]);
    let (signer, thief) = (Signer::new("one"), Signer::new("two"));
    let (asking, stolen) = (Asking::new(&server, &signer), Asking::new(&server, &thief));
    let mut browser = signed_in(&server);
    let native = [
        ("client_id", "native"),
        ("redirect_uri", "http://127.0.0.1:4711/cb"),
        ("scope", "openid"),
    ];
    let back = agreeing(&server, &mut browser, &super::asking(&server, &native));
    let form = [
        ("grant_type", "authorization_code"),
        ("client_id", "native"),
        ("code", back["code"].as_str()),
        ("redirect_uri", "http://127.0.0.1:4711/cb"),
        ("code_verifier", VERIFIER),
    ];
    // A client that has to show a key is not answered without.
    assert_eq!(
        error(&post(&server, "/oauth2/token", None, &form)),
        (400, "invalid_dpop_proof".to_owned())
    );
    let answer = asking.token(None, &form);
    assert_eq!(answer.status, 200, "{}", answer.body);
    let refresh = text(&answer, "refresh_token");
    let form = [
        ("grant_type", "refresh_token"),
        ("client_id", "native"),
        ("refresh_token", refresh.as_str()),
    ];
    let other = stolen.token(None, &form);
    assert_eq!(error(&other), (400, "invalid_grant".to_owned()));
    assert_eq!(reason(&server, &other), "other-key");
    assert_eq!(asking.token(None, &form).status, 200);
}

/// RFC 9449 §4.3, point by point.
#[test]
fn a_proof_is_for_one_request() {
    let server = served_with(&apps(), &[]);
    let signer = Signer::new("one");
    let asking = Asking::new(&server, &signer);
    let good = || asking.claims("POST", "/oauth2/token");
    let send = |proof: &str| error(&asking.send(proof, MACHINE, &CREDENTIALS));
    let wrong = (400, "invalid_dpop_proof".to_owned());
    for (name, value) in [
        ("htm", json!("GET")),
        ("htu", json!(format!("{}/oauth2/par", issuer(&server)))),
        ("htu", json!("https://other.example/oauth2/token")),
        ("htu", json!(17)),
        ("iat", json!(null)),
        ("jti", json!(null)),
        ("jti", json!("x".repeat(300))),
    ] {
        let mut claims = good();
        claims[name] = value;
        assert_eq!(send(&asking.proof(&claims)), wrong, "{claims}");
    }
    let mut stale = good();
    stale["nonce"] = json!("AAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(send(&asking.proof(&stale)), (400, "use_dpop_nonce".to_owned()));
    let typ = signer.sign(&json!({ "typ": "JWT", "jwk": asking.public() }), &good());
    let keyless = signer.sign(&json!({ "typ": "dpop+jwt" }), &good());
    let other = Signer::new("two");
    let forged = other.sign(&json!({ "typ": "dpop+jwt", "jwk": asking.public() }), &good());
    let mut private = asking.public();
    private["d"] = json!("AAAA");
    let private = signer.sign(&json!({ "typ": "dpop+jwt", "jwk": private }), &good());
    for proof in [typ.as_str(), &keyless, &forged, &private, "x", "a.b.c"] {
        assert_eq!(send(proof), wrong, "{proof}");
    }
    // What stands behind the address does not count, and a proof is good once (`security.md` 16).
    let mut claims = good();
    claims["htu"] = json!(format!("{}/oauth2/token?x=1#y", issuer(&server)));
    let proof = asking.proof(&claims);
    assert_eq!(asking.send(&proof, MACHINE, &CREDENTIALS).status, 200);
    assert_eq!(send(&proof), wrong);
    // Two proofs are none.
    let request = server.request("POST", &host(&server), "/oauth2/token").form(&CREDENTIALS);
    let request = request.with("DPoP", asking.proof(&good())).with("DPoP", asking.proof(&good()));
    let basic = basic("machine", "a-machine-has-a-secret-too");
    assert_eq!(error(&request.with("Authorization", basic).send()), wrong);
}

/// RFC 9449 §10: a code may be for a key from the start.
#[test]
fn a_code_is_for_the_key_that_was_named() {
    let server = served_with(&apps(), &[]);
    let (signer, thief) = (Signer::new("one"), Signer::new("two"));
    let (asking, stolen) = (Asking::new(&server, &signer), Asking::new(&server, &thief));
    let mut browser = signed_in(&server);
    let key = doorward::jose::public_key::thumbprint(&asking.public()).expect("a thumbprint");
    let code = code(&server, &mut browser, &[("dpop_jkt", &key)]);
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let other = stolen.token(WIKI, &form);
    assert_eq!(error(&other), (400, "invalid_grant".to_owned()));
    assert_eq!(reason(&server, &other), "other-key");
    let none = exchange(&server, &code);
    assert_eq!(reason(&server, &none), "other-key");
    assert_eq!(asking.token(WIKI, &form).status, 200);
    let odd = browser.open(&super::asking(&server, &[("dpop_jkt", "short")]));
    assert_eq!(told(&odd)["error"], "invalid_request");
}
