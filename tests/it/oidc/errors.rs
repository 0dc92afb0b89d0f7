//! Every error of every endpoint by its name, each by one smallest request, and nothing that could be said
//! without a row here.

use std::collections::BTreeSet;

use serde_json::json;

use super::*;
use crate::support::signer::{Signer, now};
use crate::support::stores::on_both_servers;

/// The requests, endpoint by endpoint.
mod rows;

/// What cannot be brought about from outside.
const UNREACHABLE: [(&str, &str); 1] =
    [("ServerError", "only a system without randomness says it")];

/// What is said where nobody is told by name.
const PAGE: &str = "a page";

const MORE: &str = r#"
app tv "Television" {
    oidc public { grants device-code; redirect-uri "https://wiki.example.com/cb" }
    access { allow group:users }
}
app careful "Careful" {
    oidc public { redirect-uri "https://wiki.example.com/cb" }
    access { allow group:users; require mfa }
}
app closed "Closed" {
    oidc public { redirect-uri "https://wiki.example.com/cb" }
    access { allow group:admins }
}
app polite "Polite" {
    oidc public { redirect-uri "https://wiki.example.com/cb"; consent builtin.explicit-consent }
    access { allow group:users }
}
"#;

/// One error of one endpoint, and a request that brings it.
struct Row {
    endpoint: &'static str,
    /// What the server calls it.
    code: &'static str,
    /// What it says.
    status: u16,
    name: &'static str,
    ask: fn(&House) -> Answer,
}

struct House {
    server: Server,
    signer: Signer,
    cookies: String,
    /// Of alice, by the wiki.
    access: String,
    refresh: String,
    /// The machine's, bound to a key.
    bound: String,
    nonce: String,
}

#[test]
fn every_endpoint_says_each_of_its_errors_by_name() {
    on_both_servers(|state| {
        let house = House::new(state);
        let mut wrong = house.complaints(rows::while_all_is_well());
        house.take_the_store_away();
        wrong.extend(house.complaints(rows::without_a_store()));
        assert!(wrong.is_empty(), "{} rows are wrong:\n{}", wrong.len(), wrong.join("\n"));
    });
}

#[test]
fn every_error_that_can_be_said_has_a_row() {
    let source = |path: &str| {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        std::fs::read_to_string(path).expect("source")
    };
    let refusals = variants(&source("src/oidc/refusal.rs"), "ErrorCode");
    let told = variants(&source("src/oidc/authorize.rs"), "Told");
    assert!(refusals.contains("PollSlower") && told.contains("LoginRequired"));
    let rows = || rows::while_all_is_well().iter().chain(rows::without_a_store());
    let covered = |of: &dyn Fn(&Row) -> bool| -> BTreeSet<String> {
        let found = rows().filter(|row| of(row)).map(|row| row.code);
        found.chain(UNREACHABLE.map(|(code, _)| code)).map(str::to_owned).collect()
    };
    let missing = |all: &BTreeSet<String>, covered: &BTreeSet<String>| -> Vec<String> {
        all.difference(covered).cloned().collect()
    };
    // What a browser would be sent back with, a client that pushes is told (`Pushed`).
    let by_browser = covered(&|row| row.endpoint == "authorize");
    let by_programs = covered(&|row| row.endpoint != "authorize");
    assert_eq!(missing(&told, &by_browser), Vec::<String>::new());
    assert_eq!(missing(&refusals, &by_programs), Vec::<String>::new());
    let known: BTreeSet<String> = told.union(&refusals).cloned().collect();
    let all = by_browser.union(&by_programs).cloned().collect();
    assert_eq!(missing(&all, &known), vec!["Page".to_owned()], "rows of what is no code");
}

/// The names in an enum.
fn variants(source: &str, name: &str) -> BTreeSet<String> {
    let (_, rest) = source.split_once(&format!("pub enum {name} {{")).expect("an enum");
    let body = rest.split("\n}").next().unwrap_or_default();
    let names = body.lines().filter_map(|line| line.trim().strip_suffix(','));
    names.map(|line| line.split('(').next().unwrap_or(line).to_owned()).collect()
}

fn name(answer: &Answer) -> String {
    if answer.status == 303 {
        return told(answer).remove("error").unwrap_or_else(|| answer.location().to_owned());
    }
    let told: Option<Value> = serde_json::from_str(&answer.body).ok();
    let error = told.as_ref().and_then(|told| told.get("error")?.as_str().map(str::to_owned));
    error.unwrap_or_else(|| PAGE.to_owned())
}

impl House {
    fn new(state: &[&str]) -> Self {
        let server = served_with(&format!("{APPS}{MORE}"), state);
        let mut browser = signed_in(&server);
        let given = exchange(&server, &code(&server, &mut browser, &[]));
        let cookies = browser.cookies(&issuer(&server));
        let first = server.request("POST", &host(&server), "/oauth2/token").with("DPoP", "x");
        let nonce = first.send().header("dpop-nonce").expect("a nonce").to_owned();
        let (access, refresh) = (text(&given, "access_token"), text(&given, "refresh_token"));
        let (signer, bound) = (Signer::new("one"), String::new());
        let mut house = Self { server, signer, cookies, access, refresh, bound, nonce };
        house.bind();
        house
    }

    /// The browser in which alice is signed in.
    fn alice(&self) -> Browser<'_> {
        Browser::at(&self.server).with_cookies_of(&issuer(&self.server), &self.cookies)
    }

    fn authorize(&self, changes: &[(&str, &str)]) -> Answer {
        self.alice().open(&asking(&self.server, changes))
    }

    fn post(&self, path: &str, client: Option<(&str, &str)>, form: &[(&str, &str)]) -> Answer {
        super::post(&self.server, path, client, form)
    }

    fn get(&self, path: &str) -> Answer {
        self.server.get(&host(&self.server), path).send()
    }

    fn token(&self, client: Option<(&str, &str)>, form: &[(&str, &str)]) -> Answer {
        self.post("/oauth2/token", client, form)
    }

    /// The usual request of the wiki, pushed, with these in it.
    fn push(&self, changes: &[(&str, &str)]) -> Answer {
        self.post_with(&[], "/oauth2/par", WIKI, &self.pushed(changes))
    }

    fn pushed(&self, changes: &[(&str, &str)]) -> Vec<(String, String)> {
        let address = asking(&self.server, changes);
        let query = address.split_once('?').expect("a query").1.as_bytes();
        url::form_urlencoded::parse(query).into_owned().collect()
    }

    fn post_with(
        &self,
        headers: &[(&str, &str)],
        path: &str,
        client: Option<(&str, &str)>,
        form: &[(String, String)],
    ) -> Answer {
        let form: Vec<_> = form.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        let mut request = self.server.request("POST", &host(&self.server), path).form(&form);
        for (name, value) in headers {
            request = request.with(name, value);
        }
        if let Some((id, secret)) = client {
            request = request.with("Authorization", basic(id, secret));
        }
        request.send()
    }

    /// A proof for a request, with our nonce in it or another.
    fn proof(&self, method: &str, path: &str, nonce: &str, token: Option<&str>) -> String {
        let mut jwk = self.signer.jwk();
        jwk.as_object_mut().expect("a key").remove("kid");
        let (htu, jti) = (format!("{}{path}", issuer(&self.server)), format!("{path} {nonce}"));
        let mut claims =
            json!({ "htm": method, "htu": htu, "iat": now(), "jti": jti, "nonce": nonce });
        if let (Some(members), Some(token)) = (claims.as_object_mut(), token) {
            members.insert("ath".to_owned(), json!(challenge(token)));
        }
        self.signer.sign(&json!({ "typ": "dpop+jwt", "jwk": jwk }), &claims)
    }

    fn bind(&mut self) {
        let proof = self.proof("POST", "/oauth2/token", &self.nonce, None);
        let form = [("grant_type".to_owned(), "client_credentials".to_owned())];
        let answer = self.post_with(&[("DPoP", &proof)], "/oauth2/token", MACHINE, &form);
        self.bound = text(&answer, "access_token");
    }

    /// Asks what a token opens.
    fn userinfo(&self, authorization: &str, proof: Option<&str>) -> Answer {
        let request = self.server.get(&host(&self.server), "/oauth2/userinfo");
        let request = request.with("Authorization", authorization);
        proof.map_or(request.clone(), |proof| request.with("DPoP", proof)).send()
    }

    /// As a client that was wrong too often, from an address that no other row has.
    fn impatient(&self, path: &str, address: &str) -> Answer {
        let from = [("X-Forwarded-For", address)];
        let wrong = || self.post_with(&from, path, Some(("machine", "wrong")), &[]);
        let slow = (0..60).map(|_| wrong()).find(|answer| answer.status != 401);
        slow.expect("an answer")
    }

    /// A code for a device, and what its person types.
    fn device(&self) -> (String, String) {
        let begun = self.post("/oauth2/device", None, &[("client_id", "tv")]);
        (text(&begun, "device_code"), text(&begun, "user_code"))
    }

    fn poll(&self, code: &str) -> Answer {
        let kind = "urn:ietf:params:oauth:grant-type:device_code";
        self.token(None, &[("grant_type", kind), ("client_id", "tv"), ("device_code", code)])
    }

    /// From now on nothing can be looked up.
    fn take_the_store_away(&self) {
        let tables = ["codes", "refresh_tokens", "access_tokens", "device_codes", "grants", "once"];
        let renamed = tables.map(|table| format!("ALTER TABLE {table} RENAME TO {table}_away;"));
        self.server.tamper(&renamed.concat());
    }

    /// What is not as it should be.
    fn complaints(&self, rows: &[Row]) -> Vec<String> {
        let complaint = |row: &Row| {
            let Row { endpoint, code, status, name: wanted, ask } = row;
            let answer = ask(self);
            let (found, body) = (name(&answer), &answer.body);
            let is_right = (answer.status, found.as_str()) == (*status, wanted);
            let found = format!("{} {found} found: {body}", answer.status);
            (!is_right).then(|| format!("{endpoint} {code}: {status} {wanted} expected, {found}"))
        };
        rows.iter().filter_map(complaint).collect()
    }
}

const MACHINE: Option<(&str, &str)> = Some(("machine", "a-machine-has-a-secret-too"));
