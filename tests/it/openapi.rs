//! `docs/openapi.yaml` and the server say the same: every path and method is there and no other, and real
//! answers have the form that is described.

use std::cell::RefCell;
use std::collections::BTreeSet;

use doorward::token::{Look, look};
use doorward::{api, oidc};
use serde_json::{Value, json};

use crate::oidc::{
    APPS, REDIRECT, SECRET, VERIFIER, WIKI, challenge, code, host, issuer, served, served_with,
    signed_in, told,
};
use crate::support::server::{Answer, Browser, Request, Server, basic};
use crate::support::signer::{Signer, now};

mod schema;

const PAGE: &str = "docs/openapi.yaml";
/// Where every method is one of these, or is refused.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const INVITATIONS: &str = "/api/v1/invitations";
const MACHINE: (&str, &str) = ("machine", "a-machine-has-a-secret-too");

/// What real answers need beside the apps of the other tests.
const MORE: &str = r#"
app board { proxy "http://board.localhost:9000"; access { allow everyone } }
app tv { oidc public { grants device-code }; access { allow everyone } }
"#;

/// The file, and which of its answers a server gave.
struct Described {
    all: Value,
    seen: RefCell<BTreeSet<String>>,
}

impl Described {
    fn read() -> Self {
        let text = std::fs::read_to_string(PAGE).expect("a readable page");
        let all = serde_saphyr::from_str(&text).expect("YAML");
        Self { all, seen: RefCell::default() }
    }

    /// What a reference leads to.
    fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(text) = value.get("$ref").and_then(Value::as_str) else { return value };
        let pointer = text.strip_prefix('#').expect("a reference within the file");
        self.all.pointer(pointer).unwrap_or_else(|| panic!("{text} leads nowhere"))
    }

    fn paths(&self) -> BTreeSet<&str> {
        object(self.all.get("paths")).map(|(path, _)| path.as_str()).collect()
    }

    /// The responses to a method at a path, as they stand there.
    fn responses(&self, method: &str, path: &str) -> Option<&Value> {
        let operation = self.all.get("paths")?.get(path)?.get(method.to_lowercase())?;
        operation.get("responses")
    }

    /// Every answer that is described: `POST /oauth2/token 400`.
    fn answers(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for path in self.paths() {
            for method in METHODS {
                let responses = self.responses(method, path);
                found.extend(
                    object(responses).map(|(status, _)| format!("{method} {path} {status}")),
                );
            }
        }
        found
    }

    /// Sends a request, and sees that the answer is one of those that are described.
    fn ask(&self, method: &str, path: &str, request: &Request) -> Answer {
        let answer = request.send();
        let name = format!("{method} {path} {}", answer.status);
        let responses =
            self.responses(method, path).unwrap_or_else(|| panic!("no {method} {path}"));
        let response = responses.get(answer.status.to_string());
        let response =
            response.unwrap_or_else(|| panic!("{name} is not described: {}", answer.body));
        self.fits(self.resolved(response), &answer, &name);
        self.seen.borrow_mut().insert(name);
        answer
    }

    /// Whether an answer has the headers and the body of a response.
    fn fits(&self, response: &Value, answer: &Answer, name: &str) {
        for (header, described) in object(response.get("headers")) {
            let is_required = self.resolved(described).get("required") == Some(&json!(true));
            assert!(!is_required || answer.header(header).is_some(), "{name} has no {header}");
        }
        let Some(content) = response.get("content") else {
            assert_eq!(answer.body, "", "{name} has a body");
            return;
        };
        let kind = answer.header("content-type").unwrap_or("nothing");
        let content = content.get(kind).unwrap_or_else(|| panic!("{name} is {kind}"));
        let schema = content.get("schema").expect("a schema");
        let body = serde_json::from_str(&answer.body).expect("JSON");
        let wrong = schema::misfits(&|value| self.resolved(value), schema, &body, "body");
        assert!(wrong.is_empty(), "{name}: {}\n{}", wrong.join("\n"), answer.body);
    }
}

fn object(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

/// An API token of root's, as a header says it.
fn token(server: &Server, arguments: &[&str]) -> String {
    let made = server.command(&[&["token", "create", "root", "--api"], arguments].concat());
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    format!("Bearer {}", String::from_utf8(made.stdout).expect("text").trim())
}

/// The paths in the table of `docs/api.md`.
fn told_of_the_api() -> BTreeSet<String> {
    let page = std::fs::read_to_string("docs/api.md").expect("a readable page");
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let paths = rows.filter_map(|(call, _)| call.split_once(' ')).map(|(_, path)| path);
    paths.filter(|path| path.starts_with('/')).map(|path| path.replace("/ID", "/{id}")).collect()
}

#[test]
fn what_the_server_routes_to_programs_is_described_and_nothing_else() {
    let described = Described::read();
    let paths = described.paths();
    let (of_api, of_oidc): (BTreeSet<&str>, BTreeSet<&str>) =
        paths.iter().partition(|path| api::is_api(path));
    assert_eq!(of_oidc, BTreeSet::from(oidc::FOR_PROGRAMS));
    let told = told_of_the_api();
    assert_eq!(of_api, told.iter().map(String::as_str).collect());
    let version = described.all.pointer("/info/version").and_then(Value::as_str);
    assert_eq!(version, Some(env!("CARGO_PKG_VERSION")));

    // What the document of the provider names is there, but for what people see.
    let server = served(&[]);
    let document = server.get(&host(&server), "/.well-known/openid-configuration").send();
    let document: Value = serde_json::from_str(&document.body).expect("JSON");
    for (name, value) in object(Some(&document)) {
        if !name.ends_with("_endpoint") && name != "jwks_uri" {
            continue;
        }
        let path = value.as_str().and_then(|url| url.strip_prefix(&issuer(&server)));
        let path = path.expect("an address of ours");
        let for_people = [oidc::AUTHORIZE, oidc::END_SESSION].contains(&path);
        assert!(for_people || paths.contains(path), "{name} leads to {path}");
    }
}

#[test]
fn every_method_is_described_or_refused() {
    let described = Described::read();
    let server = served(&[]);
    let bearer = token(&server, &["--name", "all", "--scope", "invitations"]);
    let refused = described.all.pointer("/components/responses/OtherMethod").expect("a response");
    for path in described.paths() {
        for method in METHODS {
            let name = format!("{method} {path}");
            let request = server.request(method, &host(&server), &path.replace("{id}", "inv_none"));
            let request = match api::is_api(path) {
                true => request.with("Authorization", &bearer),
                false => request,
            };
            if described.responses(method, path).is_some() {
                let answer = described.ask(method, path, &request);
                let is_there =
                    answer.status != 405 && (answer.status != 404 || path.contains("{id}"));
                assert!(is_there, "{name} is {}", answer.status);
            } else {
                let answer = request.send();
                assert_eq!(answer.status, 405, "{name}: {}", answer.body);
                described.fits(refused, &answer, &name);
            }
        }
    }
}

/// Every answer that is described is given, but for those of a store that is away.
#[test]
fn real_answers_are_as_described() {
    let described = Described::read();
    let server = served_with(&format!("{APPS}{MORE}"), &[]);
    let mut browser = signed_in(&server);
    documents(&described, &server);
    let access = tokens(&described, &server, &mut browser);
    people(&described, &server, &access);
    bound(&described, &server);
    devices(&described, &server);
    invitations(&described, &server);
    too_much(&described, &server);
    let left: Vec<String> =
        described.answers().difference(&described.seen.borrow()).cloned().collect();
    let given: Vec<_> = left.iter().filter(|name| !name.ends_with(" 503")).collect();
    assert!(given.is_empty(), "nobody saw {given:?}");
}

fn documents(described: &Described, server: &Server) {
    for path in [
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        "/oauth2/jwks",
    ] {
        let answer = described.ask("GET", path, &server.get(&host(server), path));
        assert_eq!(answer.status, 200, "{path}");
    }
}

/// A posted form, and who posts it.
fn post(
    described: &Described,
    server: &Server,
    path: &str,
    client: Option<(&str, &str)>,
    form: &[(&str, &str)],
) -> Answer {
    let request = server.request("POST", &host(server), path).form(form);
    let request = match client {
        Some((id, secret)) => request.with("Authorization", basic(id, secret)),
        None => request,
    };
    described.ask("POST", path, &request)
}

fn text(answer: &Answer, name: &str) -> String {
    let body: Value = serde_json::from_str(&answer.body).expect("JSON");
    let found = body.get(name).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no {name}: {}", answer.body)).to_owned()
}

/// Gives an access token of alice's.
fn tokens(described: &Described, server: &Server, browser: &mut Browser<'_>) -> String {
    let post = |path, client, form: &[(&str, &str)]| post(described, server, path, client, form);
    let pushed = [
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", "openid"),
        ("code_challenge", &challenge(VERIFIER)),
        ("code_challenge_method", "S256"),
    ];
    let name = text(&post("/oauth2/par", WIKI, &pushed), "request_uri");
    assert_eq!(post("/oauth2/par", WIKI, &[]).status, 400);
    let form = [("client_id", "wiki"), ("request_uri", name.as_str())];
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let answer = browser.open(&format!("{}/oauth2/authorize?{query}", issuer(server)));
    assert!(told(&answer).contains_key("code"), "{}", answer.location());

    let code = code(server, browser, &[("scope", "openid profile email groups offline_access")]);
    let form = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let given = post("/oauth2/token", WIKI, &form);
    let refresh = text(&given, "refresh_token");
    let form = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let access = text(&post("/oauth2/token", WIKI, &form), "access_token");
    assert_eq!(post("/oauth2/token", WIKI, &[("grant_type", "password")]).status, 400);

    let machine = [("grant_type", "client_credentials")];
    assert_eq!(post("/oauth2/token", Some(MACHINE), &machine).status, 200);
    for path in ["/oauth2/introspect", "/oauth2/revoke"] {
        assert_eq!(post(path, WIKI, &[]).status, 400);
        assert_eq!(post(path, None, &[("token", "x")]).status, 401);
        assert_eq!(post(path, WIKI, &[("token", "x")]).status, 200);
    }
    let about = post("/oauth2/introspect", WIKI, &[("token", &access)]);
    assert!(about.body.contains("\"active\":true"), "{}", about.body);
    let native = [("client_id", "native"), ("token", access.as_str())];
    assert_eq!(post("/oauth2/introspect", None, &native).status, 400);
    for path in ["/oauth2/token", "/oauth2/par", "/oauth2/device"] {
        assert_eq!(post(path, Some(("wiki", "wrong")), &[]).status, 401);
    }
    access
}

fn people(described: &Described, server: &Server, access: &str) {
    let machine = [("grant_type", "client_credentials")];
    let own =
        text(&post(described, server, "/oauth2/token", Some(MACHINE), &machine), "access_token");
    for (method, path) in
        [("GET", "/oauth2/userinfo"), ("POST", "/oauth2/userinfo"), ("GET", "/user")]
    {
        let ask = |request: Request| described.ask(method, path, &request).status;
        let request = || server.request(method, &host(server), path);
        let bearer = format!("Bearer {access}");
        assert_eq!(ask(request().with("Authorization", &bearer)), 200);
        assert_eq!(ask(request()), 401);
        assert_eq!(ask(request().with("Authorization", "Bearer x")), 401);
        assert_eq!(ask(request().with("Authorization", format!("Bearer {own}"))), 403);
        let twice = request().with("Authorization", &bearer).with("Authorization", &bearer);
        assert_eq!(ask(twice), 400);
    }
}

/// Tokens of somebody who holds a key.
fn bound(described: &Described, server: &Server) {
    let signer = Signer::new("key");
    let mut jwk = signer.jwk();
    jwk.as_object_mut().expect("a key").remove("kid");
    let proof = |method: &str, path: &str, nonce: &str, token: Option<&str>| {
        let mut claims = json!({
            "htm": method, "htu": format!("{}{path}", issuer(server)), "iat": now(),
            "jti": format!("{path} {nonce}"), "nonce": nonce,
        });
        if let (Some(token), Some(members)) = (token, claims.as_object_mut()) {
            members.insert("ath".to_owned(), json!(challenge(token)));
        }
        signer.sign(&json!({ "typ": "dpop+jwt", "jwk": jwk }), &claims)
    };
    let ask = |nonce: &str| {
        let form = [("grant_type", "client_credentials")];
        let request = server.request("POST", &host(server), "/oauth2/token").form(&form);
        let request = request.with("Authorization", basic(MACHINE.0, MACHINE.1));
        let request = request.with("DPoP", proof("POST", "/oauth2/token", nonce, None));
        described.ask("POST", "/oauth2/token", &request)
    };
    let first = ask("");
    assert_eq!(text(&first, "error"), "use_dpop_nonce");
    let nonce = first.header("dpop-nonce").expect("a nonce").to_owned();
    let token = text(&ask(&nonce), "access_token");
    let about = post(described, server, "/oauth2/introspect", Some(MACHINE), &[("token", &token)]);
    assert!(about.body.contains("\"cnf\"") && about.body.contains("DPoP"), "{}", about.body);
    let request = server.get(&host(server), "/oauth2/userinfo");
    let request = request.with("Authorization", format!("DPoP {token}"));
    let shown = proof("GET", "/oauth2/userinfo", &nonce, Some(&token));
    assert_eq!(described.ask("GET", "/oauth2/userinfo", &request.with("DPoP", shown)).status, 403);
}

fn devices(described: &Described, server: &Server) {
    assert_eq!(post(described, server, "/oauth2/device", WIKI, &[]).status, 400);
    let begun = post(described, server, "/oauth2/device", None, &[("client_id", "tv")]);
    let form = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("client_id", "tv"),
        ("device_code", &text(&begun, "device_code")),
    ];
    let pending = post(described, server, "/oauth2/token", None, &form);
    assert_eq!(text(&pending, "error"), "authorization_pending");
}

fn invitations(described: &Described, server: &Server) {
    let one = "/api/v1/invitations/{id}";
    let scoped = token(server, &["--name", "scoped", "--scope", "invitations"]);
    let plain = token(server, &["--name", "plain", "--app", "board"]);
    let request = |method: &str, path: &str, bearer: &str| {
        server.request(method, &host(server), path).with("Authorization", bearer)
    };
    let made = |body: &str, kind: &str| {
        let request = request("POST", INVITATIONS, &scoped).with("Content-Type", kind).body(body);
        described.ask("POST", INVITATIONS, &request)
    };
    let invitation =
        made(r#"{"groups":["users"],"fields":{"email":"a@example.net"}}"#, "application/json");
    assert_eq!(invitation.status, 201, "{}", invitation.body);
    assert_eq!(made("{", "application/json").status, 400);
    assert_eq!(made("{}", "text/plain").status, 415);
    assert_eq!(made(r#"{"groups":["nowhere"]}"#, "application/json").status, 422);
    let long = format!("{{\"note\":\"{}\"}}", "x".repeat(20_000));
    assert_eq!(made(&long, "application/json").status, 413);
    let listed = described.ask("GET", INVITATIONS, &request("GET", INVITATIONS, &scoped));
    assert!(listed.body.contains("a@example.net"), "{}", listed.body);
    let named = format!("{INVITATIONS}/{}", text(&invitation, "id"));
    assert_eq!(described.ask("DELETE", one, &request("DELETE", &named, &scoped)).status, 204);
    assert_eq!(described.ask("DELETE", one, &request("DELETE", &named, &scoped)).status, 404);
    for (method, path, at) in [
        ("GET", INVITATIONS, INVITATIONS),
        ("POST", INVITATIONS, INVITATIONS),
        ("DELETE", one, &named),
    ] {
        assert_eq!(described.ask(method, path, &request(method, at, &plain)).status, 403);
        let nobody = server.request(method, &host(server), at);
        assert_eq!(described.ask(method, path, &nobody).status, 401);
    }
}

/// Whoever guesses is told to wait.
fn too_much(described: &Described, server: &Server) {
    let wrong = Some(("wiki", "wrong"));
    let mut guesses = (0..60).map(|_| post(described, server, "/oauth2/token", wrong, &[]).status);
    assert!(guesses.any(|status| status == 429), "nobody is told to wait");
    for path in ["/oauth2/par", "/oauth2/introspect", "/oauth2/revoke", "/oauth2/device"] {
        assert_eq!(post(described, server, path, Some(("wiki", SECRET)), &[]).status, 429);
    }
    let one = "/api/v1/invitations/{id}";
    let named = format!("{INVITATIONS}/inv_none");
    let known = token(server, &["--name", "known", "--scope", "invitations"]);
    let ask = |method: &str, path: &str, at: &str, guess: &str| {
        let request = server.request(method, &host(server), at);
        let request = request.with("Authorization", format!("Bearer {guess}"));
        described.ask(method, path, &request).status
    };
    let unknown = unknown(known.trim_start_matches("Bearer "));
    let last = unknown.iter().find(|guess| ask("GET", INVITATIONS, INVITATIONS, guess) == 429);
    let last = last.expect("nobody is told to wait");
    assert_eq!(ask("POST", INVITATIONS, INVITATIONS, last), 429);
    assert_eq!(ask("DELETE", one, &named, last), 429);
}

/// Well-formed tokens that nobody has.
fn unknown(known: &str) -> Vec<String> {
    let letters = "0123456789abcdefghjkmnpqrstvwxyz";
    let pairs = || letters.chars().flat_map(|a| letters.chars().map(move |b| format!("{a}{b}")));
    let (start, _) = known.split_at(known.len() - 4);
    let whole = |guess: &String| guess != known && matches!(look(guess), Some(Look::Whole(..)));
    let guess = |pair: String| pairs().map(|end| format!("{start}{pair}{end}")).find(whole);
    pairs().filter_map(guess).take(100).collect()
}
