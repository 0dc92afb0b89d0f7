//! Whether what a person let an app have still holds: the grant, the sign-in that it hangs on, the
//! account, and the rules of the app. The one function that every grant goes through.

use std::sync::Arc;

use serde_json::json;

use super::refusal::Refusal;
use crate::access::condition::Reputation;
use crate::access::person::{Person, Proofs};
use crate::access::target::Client as Address;
use crate::access::{self, Decision, Query, Target};
use crate::clock::Millis;
use crate::runtime::Runtime;
use crate::runtime::app::App;
use crate::runtime::client::Client;
use crate::session::{Account, Profile, Standing};
use crate::store::{Grant, Proven};
use crate::web::server::Server;
use crate::web::visitor;

/// A grant that holds, and whose it is.
pub struct Entitled<'a> {
    pub app: &'a App,
    pub client: &'a Client,
    pub grant: Grant,
    pub profile: Arc<Profile>,
    pub standing: Arc<Standing>,
    /// What was proven, in the sign-in if it is there.
    pub proven: Proven,
    _account: Arc<Account>,
}

/// Why it does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Void {
    Revoked {
        at: Millis,
        why: String,
    },
    Expired {
        at: Millis,
    },
    /// Signed out, or the session ran out.
    SessionEnded,
    /// The account is disabled or gone.
    NoAccount,
    /// The app is declared no more, or is no client.
    NoApp,
    /// The rules let the person in no more.
    Rules {
        by: String,
    },
    /// The rules ask for a proof that is missing or too old.
    Proof {
        need: String,
    },
}

impl Void {
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Revoked { .. } => "revoked",
            Self::Expired { .. } => "expired",
            Self::SessionEnded => "session-ended",
            Self::NoAccount => "account-disabled",
            Self::NoApp => "app-gone",
            Self::Rules { .. } => "rules",
            Self::Proof { .. } => "proof-needed",
        }
    }

    /// The particulars, for whoever asks.
    #[must_use]
    pub fn data(&self) -> serde_json::Value {
        match self {
            Self::Revoked { at, why } => json!({ "revoked": at.to_string(), "revoked-for": why }),
            Self::Expired { at } => json!({ "expired": at.to_string() }),
            Self::Rules { by } => json!({ "by": by }),
            Self::Proof { need } => json!({ "need": need }),
            Self::SessionEnded | Self::NoAccount | Self::NoApp => json!({}),
        }
    }
}

/// Sees that a grant holds, all but the rules of the app: a token that is out lives its minutes. It comes
/// with what was proven in its sign-in, if that goes on.
pub async fn holds<'a>(
    server: &Server,
    runtime: &'a Runtime,
    (grant, proofs): (Grant, Option<Proven>),
) -> Result<Result<Entitled<'a>, Void>, Refusal> {
    let now = server.clock.now();
    if let Some(revoked) = &grant.revoked {
        return Ok(Err(Void::Revoked { at: revoked.at, why: revoked.why.clone() }));
    }
    if grant.expires_at <= now {
        return Ok(Err(Void::Expired { at: grant.expires_at }));
    }
    let app = runtime.app_by_uid(&grant.app_uid);
    let Some((app, client)) = app.and_then(|app| Some((app, app.client.as_ref()?))) else {
        return Ok(Err(Void::NoApp));
    };
    if grant.session_id.is_some() && proofs.is_none() && !grant.offline {
        return Ok(Err(Void::SessionEnded));
    }
    let proven = proofs.unwrap_or_else(|| grant.approved.proven.clone());
    let account = match server.sessions.account(&grant.user_id).await {
        Ok(account) => account,
        Err(crate::session::SessionError::NoAccount) => return Ok(Err(Void::NoAccount)),
        Err(error) => return Err(error.into()),
    };
    let profile = account.profile();
    let standing = profile.standing(runtime);
    if standing.disabled {
        return Ok(Err(Void::NoAccount));
    }
    Ok(Ok(Entitled { app, client, grant, profile, standing, proven, _account: account }))
}

impl Entitled<'_> {
    /// What the rules of the app say now, to the person where they were.
    pub async fn judge(&self, server: &Server) -> Result<(), Void> {
        let proofs = self.proofs();
        let person = self.standing.person(&self.profile.user.username, &proofs);
        let address = self.grant.approved.address.as_deref();
        let address = address.and_then(|address| address.parse().ok());
        let client = address.map_or(Address::Unknown, Address::Known);
        let user_id = &self.profile.user.id;
        let access = &self.app.access;
        let reputation = visitor::reputation_for(server, access, client, user_id).await;
        decide(self.app, self.client, &person, (client, reputation), server.clock.now())
    }

    #[must_use]
    pub fn proofs(&self) -> Proofs {
        self.proven.factors.iter().map(|(factor, at)| (*factor, *at)).collect()
    }
}

/// The rules of an app, asked about its client's front door.
pub fn decide(
    app: &App,
    client: &Client,
    person: &Person<'_>,
    (address, reputation): (Address, Reputation),
    now: Millis,
) -> Result<(), Void> {
    let target = target(client, address);
    let access = &app.access;
    let query =
        Query { access, gate: None, target: &target, person: Some(person), now, reputation };
    let verdict = access::decide(&query, None);
    match verdict.decision {
        Decision::Allow => Ok(()),
        Decision::StepUp(need) => Err(Void::Proof { need: need.text.clone() }),
        Decision::Deny | Decision::Login => {
            let by = verdict.by.place().unwrap_or(verdict.by.text()).to_owned();
            Err(Void::Rules { by })
        }
    }
}

/// What rules see of somebody who signs in to a client: the front page of the host that codes go to.
#[must_use]
pub fn target(client: &Client, address: Address) -> Target<'static> {
    let first = client.redirect_uris.first().and_then(|uri| url::Url::parse(uri).ok());
    let host = first.and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    Target { host: host.into(), path: "/".into(), method: "GET".into(), client: address }
}
