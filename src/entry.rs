//! What stands between a sign-in and an app: the flow that it came by, the rules, and how long ago its
//! person showed up. Every front that lets people in asks here. It knows no HTTP.

use std::time::Duration;

use crate::access::rule::Gate;
use crate::access::{self, Decision, Query, Target};
use crate::clock::Millis;
use crate::model::factor::Factor;
use crate::runtime::Runtime;
use crate::runtime::app::App;
use crate::session::SignIn;
use crate::web::server::Server;
use crate::web::visitor;

/// The way into an app.
#[derive(Debug)]
pub struct Door<'a> {
    pub app: &'a App,
    /// The address behind a reverse proxy, if it is one.
    pub gate: Option<&'a Gate>,
    pub target: Target<'a>,
    /// What the app asks for besides its rules.
    pub wish: Wish,
}

/// What an app asks for besides its rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wish {
    /// The person must have shown who they are since then.
    pub seen_since: Option<Millis>,
    /// One of these must have been proven, or any if there are none.
    pub factors: Option<Vec<Factor>>,
}

/// What stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The app has another flow for signing in than the one they came by.
    SignIn,
    /// A proof of one of these kinds is asked for, or of any if none is named.
    StepUp(Vec<Factor>),
    /// The app wants to see them again: they showed who they are too long ago.
    Presence,
    /// Nothing.
    Open,
    /// The rules let nobody in.
    Closed,
}

impl Door<'_> {
    /// What stands before somebody who is signed in.
    pub async fn judge(&self, server: &Server, runtime: &Runtime, sign_in: &SignIn) -> Entry {
        let now = server.clock.now();
        let flow = runtime.authentication_flow(Some(self.app));
        if !flow.is_some_and(|flow| sign_in.passed(&flow.slug.value, now)) {
            return Entry::SignIn;
        }
        match self.decide(server, runtime, sign_in, now).await {
            Entry::Open if self.is_overdue(sign_in, now) => Entry::Presence,
            Entry::Open => match &self.wish.factors {
                Some(kinds) if !sign_in.proofs.hold(kinds, None, now) => {
                    Entry::StepUp(kinds.clone())
                }
                _ => Entry::Open,
            },
            other => other,
        }
    }

    /// What the rules say.
    async fn decide(
        &self,
        server: &Server,
        runtime: &Runtime,
        sign_in: &SignIn,
        now: Millis,
    ) -> Entry {
        let profile = sign_in.account.profile();
        let standing = profile.standing(runtime);
        let person = standing.person(&profile.user.username, &sign_in.proofs);
        let access = &self.app.access;
        let client = self.target.client;
        let reputation = visitor::reputation_for(server, access, client, &profile.user.id).await;
        let query = Query {
            access,
            gate: self.gate,
            target: &self.target,
            person: Some(&person),
            now,
            reputation,
        };
        match access::decide(&query, None).decision {
            Decision::Allow => Entry::Open,
            Decision::StepUp(need) => Entry::StepUp(need.kinds.clone()),
            Decision::Deny | Decision::Login => Entry::Closed,
        }
    }

    /// Whether they showed up too long ago for the app.
    fn is_overdue(&self, sign_in: &SignIn, now: Millis) -> bool {
        let last = sign_in.last_proof();
        let kept: Option<Duration> =
            self.app.session.map(|limits| limits.idle.min(limits.absolute));
        let too_long = kept.is_some_and(|kept| last.is_none_or(|at| now.since(at) > kept));
        too_long || self.wish.seen_since.is_some_and(|since| last.is_none_or(|at| at < since))
    }
}
