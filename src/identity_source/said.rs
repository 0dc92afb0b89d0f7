//! What a provider says of a person.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::SourceError;
use crate::expression::facts::{Facts, Texts, UserFacts};
use crate::model::user_name;
use crate::runtime::identity_source::IdentitySource;

/// OIDC Core §2: a subject has at most 255 ASCII characters.
const LONGEST_SUBJECT: usize = 255;
const LONGEST: usize = 254;

/// What a provider says of a person. None of it is ours: it may be whatever they wrote there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Who vouches.
    pub issuer: String,
    /// Unique within the issuer, and never given to somebody else.
    pub subject: String,
    pub username: Option<String>,
    pub name: Option<String>,
    /// An address that the provider has verified.
    pub email: Option<String>,
    pub groups: Vec<String>,
    /// Everything else that is text, or a list of texts.
    pub attributes: BTreeMap<String, Vec<String>>,
}

impl Said {
    /// Reads claims by their names in OpenID Connect.
    ///
    /// # Errors
    /// If the subject is none.
    pub fn of_claims(issuer: &str, claims: &Map<String, Value>) -> Result<Self, SourceError> {
        let subject = claims.get("sub").and_then(name).unwrap_or_default();
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT || !is_clean(&subject) {
            return Err(SourceError::bad("it does not say whom it means"));
        }
        let one = |name: &str| claims.get(name).and_then(Value::as_str).and_then(line);
        let is_verified = match claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(verified)) => verified == "true",
            _ => false,
        };
        let usual = ["sub", "preferred_username", "name", "email", "email_verified", "groups"];
        let others = claims.iter().filter(|(name, _)| !usual.contains(&name.as_str()));
        let attributes = others
            .map(|(name, value)| (name.clone(), texts(value)))
            .filter(|(_, values)| !values.is_empty());
        Ok(Self {
            issuer: issuer.to_owned(),
            subject,
            username: one("preferred_username"),
            name: one("name"),
            email: one("email").filter(|_| is_verified),
            groups: claims.get("groups").map(texts).unwrap_or_default(),
            attributes: attributes.collect(),
        })
    }

    /// What its person calls it: a name, else the address, else the subject.
    #[must_use]
    pub fn shown(&self) -> &str {
        self.username.as_deref().or(self.email.as_deref()).unwrap_or(&self.subject)
    }

    /// A name that an account here may have.
    #[must_use]
    pub fn suggested_name(&self) -> Option<&str> {
        let local = self.email.as_deref().and_then(|email| email.split('@').next());
        self.username.as_deref().into_iter().chain(local).find(|name| user_name::is_valid(name))
    }

    /// The groups that a source gives to whoever is described so. An expression that fails gives
    /// nothing, and is told.
    #[must_use]
    pub fn granted(&self, source: &IdentitySource) -> Vec<String> {
        let mut groups = Vec::new();
        for grant in &source.grants {
            let holds = match &grant.when {
                None => true,
                Some(program) => program.truth(&self.facts()).unwrap_or_else(|error| {
                    let (source, place) = (&source.slug, &grant.place);
                    tracing::info!(source, place, %error, "a source gives no groups by this");
                    false
                }),
            };
            if holds {
                groups.extend(grant.groups.iter().cloned());
            }
        }
        groups.sort_unstable();
        groups.dedup();
        groups
    }

    fn facts(&self) -> Facts<'_> {
        let user = UserFacts {
            username: self.username.as_deref().unwrap_or(""),
            name: self.name.as_deref(),
            email: self.email.as_deref(),
            groups: Texts::Strings(&self.groups),
            attributes: &self.attributes,
            mfa: Texts::Strings(&[]),
        };
        Facts { user: Some(user), ..Facts::default() }
    }
}

/// Words of others for the log: short, and on one line.
pub fn short(text: &str) -> String {
    let plain = |c: &char| matches!(c, ' '..='~') && !matches!(c, '"' | '\\' | '=');
    text.chars().filter(plain).take(200).collect()
}

/// A text or a number as text: what people may be known by.
pub fn name(value: &Value) -> Option<String> {
    plain(value).filter(|_| !value.is_boolean())
}

/// A text, a number or a truth as text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

fn texts(value: &Value) -> Vec<String> {
    let all = match value {
        Value::Array(all) => all.iter().filter_map(plain).collect(),
        one => plain(one).into_iter().collect::<Vec<_>>(),
    };
    all.into_iter().filter(|text| is_clean(text)).collect()
}

/// One line that can be shown and kept.
fn line(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text.len() <= LONGEST && is_clean(text)).then(|| text.to_owned())
}

fn is_clean(text: &str) -> bool {
    let steers = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.chars().any(|c| c.is_control() || steers(c))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(claims: Value) -> Result<Said, SourceError> {
        let Value::Object(claims) = claims else { unreachable!("an object") };
        Said::of_claims("https://id.example.org", &claims)
    }

    /// `security.md` R11 and R14.
    #[test]
    fn an_address_that_nobody_verified_is_none() {
        for (verified, taken) in [
            (json!(true), true),
            (json!("true"), true),
            (json!(false), false),
            (json!("yes"), false),
            (json!(1), false),
            (Value::Null, false),
        ] {
            let claims = json!({ "sub": "1", "email": "a@b.example", "email_verified": verified });
            assert_eq!(said(claims).expect("said").email.is_some(), taken, "{verified}");
        }
    }

    #[test]
    fn whoever_is_not_named_is_nobody() {
        for sub in [
            json!(""),
            json!(null),
            json!(["1"]),
            json!(true),
            json!("a\0b"),
            json!("x".repeat(256)),
        ] {
            assert!(said(json!({ "sub": sub })).is_err(), "{sub}");
        }
        assert_eq!(said(json!({ "sub": 42 })).expect("a number").subject, "42");
    }

    #[test]
    fn a_name_that_no_account_may_have_is_not_suggested() {
        let suggested = |username: &str, email: &str| {
            let claims = json!({
                "sub": "1", "preferred_username": username, "email": email, "email_verified": true,
            });
            said(claims).expect("said").suggested_name().map(str::to_owned)
        };
        assert_eq!(suggested("octo", "").as_deref(), Some("octo"));
        assert_eq!(suggested("octo cat", "cat@x.example").as_deref(), Some("cat"));
        assert_eq!(suggested("<b>", ""), None);
    }
}
