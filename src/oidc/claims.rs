//! What an app is told of a person (OIDC Core §5).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::entitled::Entitled;
use crate::expression::facts::{AppFacts, Facts};
use crate::model::factor::Factor;
use crate::runtime::client::{Client, Subject};
use crate::secret::MasterKey;
use crate::session::{Profile, Standing};
use crate::store::Proven;
use crate::web::server::Server;

/// Where claims are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    IdToken,
    Userinfo,
}

/// The claims of the standard, each with the scope that it comes by (OIDC Core §5.4).
const BY_SCOPE: [(&str, &[&str]); 3] = [
    ("profile", &["name", "preferred_username", "locale"]),
    ("email", &["email", "email_verified"]),
    ("groups", &["groups"]),
];

/// What the scopes of a grant give, what was asked for one by one, and what the app declares.
pub fn person(server: &Server, entitled: &Entitled<'_>, told: Told) -> Map<String, Value> {
    let Entitled { app, client, grant, profile, standing, .. } = entitled;
    let mut claims = Map::new();
    for (scope, names) in BY_SCOPE {
        for name in names {
            let by_scope = grant.scopes.iter().any(|granted| granted == scope);
            let by_name = is_asked_for(grant.approved.claims.as_ref(), told, name)
                && client.scopes.iter().any(|known| known == scope);
            if (by_scope || by_name)
                && let Some(value) = standard(name, profile, standing)
            {
                claims.insert((*name).to_owned(), value);
            }
        }
    }
    let proofs = entitled.proofs();
    let person = standing.person(&profile.user.username, &proofs);
    let words: Vec<&str> = proofs.words().collect();
    let facts = Facts {
        user: Some(person.for_expressions(&words)),
        app: Some(AppFacts { slug: &app.slug, ..AppFacts::default() }),
        now: server.clock.now(),
        ..Facts::default()
    };
    for (name, program) in &app.claims {
        match program.json(&facts) {
            Ok(value) => {
                claims.insert(name.clone(), value);
            }
            // The app goes without: a made-up value would be worse.
            Err(error) => {
                let (app, user) = (&app.slug, &profile.user.username);
                tracing::warn!(app, user, claim = name, %error, "a claim could not be worked out");
            }
        }
    }
    claims
}

fn standard(name: &str, profile: &Profile, standing: &Standing) -> Option<Value> {
    match name {
        "name" => {
            let plain = &profile.user.username;
            Some(json!(if standing.name.is_empty() { plain } else { &standing.name }))
        }
        "preferred_username" => Some(json!(profile.user.username)),
        "locale" => profile.user.language.as_ref().map(|tag| json!(tag)),
        "email" => standing.email.as_ref().map(|email| json!(email)),
        // Only an address that is verified is told at all (`security.md` R11).
        "email_verified" => standing.email.as_ref().map(|_| json!(true)),
        "groups" => Some(json!(standing.group_names)),
        _ => None,
    }
}

/// Whether `claims` names it for this place (OIDC Core §5.5).
fn is_asked_for(claims: Option<&Value>, told: Told, name: &str) -> bool {
    let place = match told {
        Told::IdToken => "id_token",
        Told::Userinfo => "userinfo",
    };
    let asked = claims.and_then(|claims| claims.get(place)).and_then(Value::as_object);
    asked.is_some_and(|asked| asked.contains_key(name))
}

/// What the app knows the person by.
#[must_use]
pub fn subject(key: &MasterKey, client: &Client, profile: &Profile, standing: &Standing) -> String {
    let id = &profile.user.id;
    match &client.subject {
        Subject::Public => id.clone(),
        Subject::Pairwise { sector } => {
            let text = format!("pairwise\0{sector}\0{id}");
            URL_SAFE_NO_PAD.encode(key.digest(text.as_bytes()).0)
        }
        Subject::Attribute { key: name } => {
            let kept = standing.attributes.get(name).and_then(|values| values.first());
            kept.unwrap_or(id).clone()
        }
    }
}

/// A sign-in as one app knows it (`sid`, OIDC Back-Channel Logout §2.1): nobody can tell from two
/// apps' names that they are one.
#[must_use]
pub fn session_name(key: &MasterKey, app_uid: &str, session_id: &str) -> String {
    let digest = key.digest(format!("sid\0{app_uid}\0{session_id}").as_bytes());
    URL_SAFE_NO_PAD.encode(digest.0.get(..18).unwrap_or_default())
}

/// How the person showed who they are (RFC 8176).
#[must_use]
pub fn methods(proven: &Proven) -> Vec<&'static str> {
    let mut words = Vec::new();
    let by_passkey = proven.factors.get(&Factor::Webauthn).copied();
    if proven.first.is_some() && proven.first != by_passkey {
        words.push("pwd");
    }
    for factor in proven.factors.keys() {
        let word = match factor {
            Factor::Totp | Factor::RecoveryCode | Factor::EmailCode => "otp",
            Factor::Webauthn => "hwk",
            Factor::Duo => "mca",
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    if !proven.factors.is_empty() {
        words.push("mfa");
    }
    words
}

/// How sure that is: by what no page can be made to take in its place, by a second factor, or by a
/// password alone.
#[must_use]
pub fn context(proven: &Proven) -> &'static str {
    if proven.factors.contains_key(&Factor::Webauthn) {
        "phr"
    } else if proven.factors.is_empty() {
        "pwd"
    } else {
        "mfa"
    }
}

/// The factors that meet a wished context; `None` for one that nobody here knows.
#[must_use]
pub fn factors_for(context: &str) -> Option<Vec<Factor>> {
    match context {
        "mfa" => Some(Vec::new()),
        "phr" => Some(vec![Factor::Webauthn]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Millis;

    fn proven(first: Option<i64>, factors: &[(Factor, i64)]) -> Proven {
        let factors = factors.iter().map(|(factor, at)| (*factor, Millis(*at))).collect();
        Proven { first: first.map(Millis), factors }
    }

    #[test]
    fn methods_are_told_as_they_were_used() {
        let told = |proven: Proven| (methods(&proven), context(&proven));
        assert_eq!(told(proven(Some(1), &[])), (vec!["pwd"], "pwd"));
        let both = proven(Some(1), &[(Factor::Totp, 2)]);
        assert_eq!(told(both), (vec!["pwd", "otp", "mfa"], "mfa"));
        let passkey = proven(Some(1), &[(Factor::Webauthn, 1)]);
        assert_eq!(told(passkey), (vec!["hwk", "mfa"], "phr"));
    }

    #[test]
    fn claims_are_asked_for_by_name_and_place() {
        let claims = json!({ "userinfo": { "email": null }, "id_token": { "name": {} } });
        let asked = |told, name| is_asked_for(Some(&claims), told, name);
        assert!(asked(Told::Userinfo, "email") && asked(Told::IdToken, "name"));
        assert!(!asked(Told::IdToken, "email") && !is_asked_for(None, Told::IdToken, "email"));
    }
}
