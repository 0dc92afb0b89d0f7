//! For itself (RFC 6749 §4.4): the rules judge the service account that the client acts as.

use serde_json::{Value, json};

use super::{Caller, bare};
use crate::access::condition::Reputation;
use crate::oidc::entitled::decide;
use crate::oidc::issue::{Bearer, access_token};
use crate::oidc::refusal::{ErrorCode, Refusal};
use crate::web::form::Form;

pub async fn exchange(caller: &Caller<'_>, form: &Form) -> Result<Value, Refusal> {
    let (asked, client) = (caller.asked, caller.client);
    let server = asked.server;
    let account = client
        .acts_as
        .as_ref()
        .ok_or_else(|| Refusal::new(ErrorCode::UnauthorizedClient, "this client acts as nobody"))?;
    let (person, address) = (account.person(), (asked.client, Reputation::Unknown));
    if let Err(void) = decide(caller.app, client, &person, address, server.clock.now()) {
        let what = server.key.digest(format!("self\0{}", caller.app.uid).as_bytes());
        let mut data = void.data();
        if let Some(members) = data.as_object_mut() {
            members.insert("acts-as".to_owned(), json!(account.name));
        }
        return Err(Refusal {
            code: ErrorCode::UnauthorizedClient,
            ..caller.refuse(what, void.word(), data)
        });
    }
    // What is about people is not the client's.
    let people = ["openid", "profile", "email", "groups", "offline_access"];
    let wanted = form.exact("scope").map_or_else(|| client.scopes.join(" "), str::to_owned);
    let mut scopes = client.granted(&wanted);
    scopes.retain(|scope| !people.contains(&scope.as_str()));
    let bearer = Bearer {
        app: caller.app,
        client,
        subject: client.id.clone(),
        scopes: &scopes,
        key: caller.key(),
        entitled: None,
    };
    let made = access_token(asked, &bearer).await?;
    if made.is_kept() {
        let mut tx = server.store.begin().await?;
        made.write(&mut tx).await?;
        tx.commit().await?;
    }
    Ok(bare(&made, &scopes, caller.key.is_some()))
}
