//! The compact form: three parts, read without trust.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::Algorithm;

/// No token that we read is longer.
const LONGEST: usize = 16 * 1024;

/// A signed token, taken apart and not yet believed.
#[derive(Debug)]
pub struct Compact<'a> {
    /// What the signature is over: header and payload as they came.
    pub signed: &'a str,
    pub header: Map<String, Value>,
    pub payload: Map<String, Value>,
    pub signature: Vec<u8>,
}

/// Why a text is no signed token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("it is longer than 16 KiB")]
    TooLong,
    #[error("it has not three parts")]
    Parts,
    #[error("a part of it is not base64url")]
    Base64,
    #[error("its header or payload is no JSON object, or says a thing twice")]
    Json,
    #[error("its header asks for extensions (`crit`, RFC 7515 §4.1.11)")]
    Critical,
}

impl<'a> Compact<'a> {
    /// Takes a token apart. Extensions that must be understood are not (RFC 7515 §4.1.11).
    ///
    /// # Errors
    /// If it is none.
    pub fn read(text: &'a str) -> Result<Self, Malformed> {
        if text.len() > LONGEST {
            return Err(Malformed::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Malformed::Parts)?;
        let (header, payload) = signed.split_once('.').ok_or(Malformed::Parts)?;
        if payload.contains('.') {
            return Err(Malformed::Parts);
        }
        let header = object(header)?;
        if header.contains_key("crit") {
            return Err(Malformed::Critical);
        }
        Ok(Self { signed, header, payload: object(payload)?, signature: decode(signature)? })
    }

    /// The algorithm that the header names, if it is one of ours.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        Algorithm::from_word(self.header_text("alg")?)
    }

    #[must_use]
    pub fn header_text(&self, name: &str) -> Option<&str> {
        self.header.get(name)?.as_str()
    }

    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.payload.get(name)?.as_str()
    }

    /// A time of the payload in seconds since 1970; parts of a second are cut.
    #[must_use]
    pub fn seconds(&self, name: &str) -> Option<i64> {
        let value = self.payload.get(name)?;
        #[expect(clippy::cast_possible_truncation, reason = "a time beyond i64 saturates")]
        value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))
    }

    /// Whether `aud` is this, or a list that holds it (RFC 7519 §4.1.3).
    #[must_use]
    pub fn is_for(&self, audience: &str) -> bool {
        match self.payload.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(all)) => all.iter().any(|each| each.as_str() == Some(audience)),
            _ => false,
        }
    }
}

/// One part of a token: base64url of its JSON.
#[must_use]
pub fn encode(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

fn decode(part: &str) -> Result<Vec<u8>, Malformed> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Malformed::Base64)
}

fn object(part: &str) -> Result<Map<String, Value>, Malformed> {
    let bytes = decode(part)?;
    let Once(map) = serde_json::from_slice(&bytes).map_err(|_| Malformed::Json)?;
    Ok(map)
}

/// An object that says each thing once: of two values nobody knows which one another reader takes
/// (RFC 7515 §4).
struct Once(Map<String, Value>);

impl<'de> serde::Deserialize<'de> for Once {
    fn deserialize<D: serde::Deserializer<'de>>(reader: D) -> Result<Self, D::Error> {
        reader.deserialize_map(Visitor)
    }
}

struct Visitor;

impl<'de> serde::de::Visitor<'de> for Visitor {
    type Value = Once;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object such as {\"alg\":\"ES256\"}")
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut read: A) -> Result<Once, A::Error> {
        let mut map = Map::new();
        while let Some((name, value)) = read.next_entry::<String, Value>()? {
            if map.insert(name, value).is_some() {
                return Err(serde::de::Error::custom("a member stands twice"));
            }
        }
        Ok(Once(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(header: &str, payload: &str) -> String {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(header), part(payload), part("signature"))
    }

    #[test]
    fn a_token_is_taken_apart() {
        let text = token(r#"{"alg":"ES256"}"#, r#"{"aud":["a","b"],"exp":12.9,"sub":"x"}"#);
        let read = Compact::read(&text).expect("a token");
        assert_eq!(read.algorithm(), Some(Algorithm::Es256));
        assert_eq!((read.text("sub"), read.seconds("exp")), (Some("x"), Some(12)));
        assert!(read.is_for("b") && !read.is_for("c"));
    }

    #[test]
    fn what_is_no_token_is_said_to_be_none() {
        let fault = |text: &str| Compact::read(text).expect_err("no token");
        assert_eq!(fault(""), Malformed::Parts);
        assert_eq!(fault("a.b"), Malformed::Parts);
        assert_eq!(fault("a.b.c.d.e"), Malformed::Parts);
        assert_eq!(fault("e30=.e30.x"), Malformed::Base64);
        assert_eq!(fault(&token("[]", "{}")), Malformed::Json);
        assert_eq!(fault(&token("{}", r#"{"sub":"a","sub":"b"}"#)), Malformed::Json);
        assert_eq!(fault(&token(r#"{"crit":["b64"],"b64":false}"#, "{}")), Malformed::Critical);
        assert_eq!(fault(&"a".repeat(LONGEST + 1)), Malformed::TooLong);
    }

    #[test]
    fn none_is_no_algorithm() {
        for word in ["none", "HS256", "rs256", "ES384", ""] {
            assert_eq!(Algorithm::from_word(word), None, "{word}");
        }
    }
}
