//! Where a passkey is good: at the sign-in host, exactly (`security.md` 13).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use serde_json::{Value, json};

use super::*;
use crate::model::web_url::WebUrl;

const HOST: &str = "auth.example.com";
const ORIGIN: &str = "https://auth.example.com";

/// Origins that look like ours, with what a browser there would take for its host.
const ELSEWHERE: [&str; 12] = [
    "https://badauth.example.com",
    "https://sub.auth.example.com",
    "https://example.com",
    "https://auth.example.com.evil.example",
    "https://auth-example.com",
    "https://authXexample.com",
    "https://auth.example.com:8443",
    "http://auth.example.com",
    "https://auth.example.com@evil.example",
    "https://evil.example/?https://auth.example.com",
    "null",
    "",
];

/// Hosts for which an answer may be made instead of ours.
const OTHER_IDS: [&str; 5] =
    ["example.com", "badauth.example.com", "sub.auth.example.com", "com", ""];

/// A device with one key (Web Authentication Level 2 §6).
struct Device {
    key: EcdsaKeyPair,
}

impl Device {
    fn new() -> Self {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).expect("a key");
        Self { key }
    }

    /// Authenticator data for an RP ID: its hash, user present and verified, and a count.
    fn data(id: &str, flags: u8, counter: u32) -> Vec<u8> {
        let mut data = digest(&SHA256, id.as_bytes()).as_ref().to_vec();
        data.push(flags);
        data.extend(counter.to_be_bytes());
        data
    }

    fn make(&self, options: &str, origin: &str, id: &str) -> String {
        let client = client_data("webauthn.create", options, origin);
        let mut data = Self::data(id, 0x45, 1);
        data.extend([0; 16]);
        data.extend([0, 3, b'k', b'e', b'y']);
        data.extend(self.cose());
        // {"fmt": "none", "attStmt": {}, "authData": …}
        let mut object = vec![0xa3, 0x63, b'f', b'm', b't', 0x64, b'n', b'o', b'n', b'e', 0x67];
        object.extend(b"attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).expect("short"));
        object.extend(data);
        answer(&json!({
            "attestationObject": base64(&object), "clientDataJSON": base64(client.as_bytes()),
        }))
    }

    fn prove(&self, options: &str, origin: &str, id: &str) -> PublicKeyCredential {
        let client = client_data("webauthn.get", options, origin);
        let data = Self::data(id, 0x05, 2);
        let mut signed = data.clone();
        signed.extend(digest(&SHA256, client.as_bytes()).as_ref());
        let signature = self.key.sign(&SystemRandom::new(), &signed).expect("signed");
        let text = answer(&json!({
            "authenticatorData": base64(&data), "clientDataJSON": base64(client.as_bytes()),
            "signature": base64(signature.as_ref()), "userHandle": null,
        }));
        read_answer(&text).expect("an answer")
    }

    /// The public key as COSE has it (RFC 9053 §7.1): ES256 on P-256.
    fn cose(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let mut map = vec![0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
        map.extend(point.get(1..33).expect("x"));
        map.extend([0x22, 0x58, 0x20]);
        map.extend(point.get(33..65).expect("y"));
        map
    }
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn client_data(kind: &str, options: &str, origin: &str) -> String {
    let options: Value = serde_json::from_str(options).expect("JSON");
    let challenge = options.pointer("/publicKey/challenge").expect("a challenge");
    json!({ "type": kind, "challenge": challenge, "origin": origin, "crossOrigin": false })
        .to_string()
}

fn answer(response: &Value) -> String {
    json!({
        "id": base64(b"key"), "rawId": base64(b"key"), "type": "public-key",
        "response": response, "extensions": {},
    })
    .to_string()
}

fn party() -> RelyingParty {
    let url = WebUrl::parse(ORIGIN).expect("an address");
    RelyingParty::new(&url.origin(), "Home").expect("a relying party")
}

const WISH: Wish =
    Wish { verification: Verification::Required, resident: true, attestation: false };
const OWNER: Owner<'_> = Owner { user_id: "usr_1", username: "ada", name: "Ada" };

#[test]
fn a_passkey_is_made_at_the_sign_in_host_and_nowhere_that_looks_like_it() {
    let (party, device) = (party(), Device::new());
    let asked = party.ask_to_make(OWNER, WISH, &[]).expect("asked");
    let made =
        |origin: &str, id: &str| party.made(&device.make(&asked.options, origin, id), &asked.state);
    made(ORIGIN, HOST).expect("made");
    for origin in ELSEWHERE {
        assert!(made(origin, HOST).is_err(), "made at {origin}");
    }
    for id in OTHER_IDS {
        assert!(made(ORIGIN, id).is_err(), "made for {id}");
    }
}

#[test]
fn a_passkey_proves_at_the_sign_in_host_and_nowhere_that_looks_like_it() {
    let (party, device) = (party(), Device::new());
    let asked = party.ask_to_make(OWNER, WISH, &[]).expect("asked");
    let made = party.made(&device.make(&asked.options, ORIGIN, HOST), &asked.state);
    let passkey = made.expect("made");
    let asked = party.ask_to_prove(vec![passkey.clone()], Verification::Required).expect("asked");
    let proven = |device: &Device, origin: &str, id: &str| {
        party.proven(&device.prove(&asked.options, origin, id), &asked.state, &passkey)
    };
    let proof = proven(&device, ORIGIN, HOST).expect("proven");
    assert_eq!(proof, Proof { counter: 2, verified: true });
    for origin in ELSEWHERE {
        assert!(proven(&device, origin, HOST).is_err(), "proven at {origin}");
    }
    for id in OTHER_IDS {
        assert!(proven(&device, ORIGIN, id).is_err(), "proven for {id}");
    }
    assert!(proven(&Device::new(), ORIGIN, HOST).is_err(), "another key");
    let other = party.ask_to_prove(vec![passkey.clone()], Verification::Required).expect("asked");
    let late = party.proven(&device.prove(&asked.options, ORIGIN, HOST), &other.state, &passkey);
    assert!(late.is_err(), "the answer to another challenge");
}
