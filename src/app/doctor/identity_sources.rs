//! Other providers: whether they are where the files say, and call themselves so.

use std::time::Duration;

use serde_json::Value;

use super::Case;
use super::finding::Finding;
use crate::app::secrets::Secrets;
use crate::blueprint::identity_source::{IdentitySource, Protocol};
use crate::outbound::{CallError, Outbound};

const TOPIC: &str = "sources";
const WITHIN: Duration = Duration::from_secs(5);

/// Asks every OpenID provider for its description, as a sign-in would, and judges it. Others have none.
pub(crate) async fn look(case: &Case<'_>) -> Vec<Finding> {
    let outbound = Outbound::default();
    let trusted = case.blueprint.settings.trusted_ca.as_ref();
    let read = trusted.map(|path| Secrets::new(case.options).certificates(&path.value));
    outbound.trust(read.and_then(Result::ok));
    let asked = case.blueprint.sources.iter().filter_map(|source| {
        let Protocol::Oidc { issuer } = &source.protocol else { return None };
        let (outbound, place) = (&outbound, case.place(issuer.span));
        Some(async move {
            judge(source, &issuer.value, &ask(outbound, source, &issuer.value).await).at(place)
        })
    });
    futures_util::future::join_all(asked).await
}

/// OIDC Discovery §4.
async fn ask(outbound: &Outbound, source: &IdentitySource, issuer: &str) -> Asked {
    let url = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let answer = tokio::time::timeout(WITHIN, outbound.get(&url, &source.may_reach)).await;
    answer.unwrap_or_else(|_| Err(CallError::NoAnswer("no answer within five seconds".to_owned())))
}

type Asked = Result<String, CallError>;

fn judge(source: &IdentitySource, issuer: &str, asked: &Asked) -> Finding {
    let name = &source.slug.value;
    let text = match asked {
        Ok(text) => text,
        Err(error) => {
            return Finding::error(TOPIC, format!("source {name} cannot be asked: {error}"))
                .why("nobody signs in by it");
        }
    };
    let told = serde_json::from_str::<Value>(text).ok();
    let own = told.as_ref().and_then(|told| told.get("issuer")?.as_str());
    match own {
        Some(own) if own == issuer => {
            Finding::ok(TOPIC, format!("source {name} answers as {issuer}"))
        }
        Some(own) => {
            let own: String = own.chars().filter(|c| !c.is_control()).take(200).collect();
            Finding::error(TOPIC, format!("source {name} calls itself {own}"))
                .why("an issuer is compared letter by letter (OIDC Discovery §4.3)")
                .change(format!("issuer {own:?}"))
        }
        None => Finding::error(TOPIC, format!("source {name} does not describe itself"))
            .why("what came back is no OpenID provider's configuration"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Level;
    use super::super::sample::Sample;
    use super::*;

    const ISSUER: &str = "https://id.example.org";

    fn judged(asked: Asked) -> Finding {
        let text = format!(
            "source work {{ oidc {{ issuer \"{ISSUER}\"; client-id a; client-secret (credential)a }} }}"
        );
        let sample = Sample::home(
            "trusted-proxies \"10.0.0.2\"",
            "reach-doorward-at \"http://10.0.0.3:9000\"",
            &text,
        );
        judge(&sample.case().blueprint.sources[0], ISSUER, &asked)
    }

    #[test]
    fn a_provider_that_calls_itself_otherwise_is_told_apart() {
        let fine = judged(Ok(format!("{{\"issuer\":\"{ISSUER}\"}}")));
        assert_eq!(fine.level, Level::Ok);
        let slash = judged(Ok(format!("{{\"issuer\":\"{ISSUER}/\"}}")));
        assert_eq!(slash.level, Level::Error);
        assert_eq!(slash.change.as_deref(), Some("issuer \"https://id.example.org/\""));
        assert_eq!(judged(Ok("<html>".to_owned())).level, Level::Error);
        let silent = judged(Err(CallError::NoSuchName));
        assert_eq!(silent.what, "source work cannot be asked: the name does not resolve");
    }
}
