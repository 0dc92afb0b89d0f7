//! GitHub and GitHub Enterprise Server: OAuth 2, and people as their API describes them.

use serde_json::{Map, Value, json};

use super::oauth2::{self, Proof};
use super::said::name;
use super::{Said, Sent, SourceError, Way};

/// Without this scope GitHub tells no organisations.
const ORGANISATIONS: &str = "read:org";

pub async fn redeem(
    way: Way<'_>,
    url: &str,
    api: &str,
    redeemed: (&Sent, &str),
) -> Result<Said, SourceError> {
    let endpoint = format!("{url}/login/oauth/access_token");
    let token = oauth2::token(way, &endpoint, Proof::Post, redeemed).await?;
    let user = oauth2::get(way, &format!("{api}/user"), &token).await?;
    let emails = oauth2::get(way, &format!("{api}/user/emails"), &token).await?;
    let organisations = match way.source.scopes.iter().any(|scope| scope == ORGANISATIONS) {
        true => oauth2::get(way, &format!("{api}/user/orgs"), &token).await?,
        false => Value::Null,
    };
    Said::of_claims(url, &claims(&user, &emails, &organisations))
}

/// Who somebody is: the number, since names may be given to others. The address is the first that is
/// verified.
fn claims(user: &Value, emails: &Value, organisations: &Value) -> Map<String, Value> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let is = |value: &Value, name: &str| value.get(name) == Some(&Value::Bool(true));
    let email = list(emails).into_iter().find(|each| is(each, "primary") && is(each, "verified"));
    let groups: Vec<Value> =
        list(organisations).iter().filter_map(|each| each.get("login").cloned()).collect();
    let all = [
        ("sub", user.get("id").and_then(name).map(Value::String)),
        ("preferred_username", user.get("login").cloned()),
        ("name", user.get("name").cloned()),
        ("email_verified", Some(Value::Bool(email.is_some()))),
        ("email", email.and_then(|email| email.get("email").cloned())),
        ("groups", Some(json!(groups))),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verified_main_address_and_the_number_count() {
        let user =
            json!({ "id": 583231, "login": "octocat", "name": null, "email": "fake@x.example" });
        let emails = json!([
            { "email": "old@x.example", "primary": false, "verified": true },
            { "email": "octocat@x.example", "primary": true, "verified": true },
        ]);
        let said = Said::of_claims("x", &claims(&user, &emails, &json!([{ "login": "octo-org" }])));
        let said = said.expect("said");
        assert_eq!((said.subject.as_str(), said.shown()), ("583231", "octocat"));
        assert_eq!(said.email.as_deref(), Some("octocat@x.example"));
        assert_eq!(said.groups, ["octo-org"]);
        let unverified = json!([{ "email": "o@x.example", "primary": true, "verified": false }]);
        let said = Said::of_claims("x", &claims(&user, &unverified, &Value::Null)).expect("said");
        assert_eq!((said.email, said.groups), (None, Vec::new()));
    }
}
